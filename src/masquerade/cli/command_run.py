"""`masquerade run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import Debug, Quiet, SchemaFile, Seed, Unit, examples

if TYPE_CHECKING:
    from masquerade.cli.pipeline import Step

EXAMPLES = examples(
    "masquerade run pipeline.toml --dry-run",
    "masquerade run pipeline.toml --seed 1",
)


def run(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.toml", help="The steps; see docs/pipeline.md.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, say what would be done, do nothing.")
    ] = False,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Run the steps of a file one after another: clean, mask, fuse, synthesize, evaluate ...

    Every step, option, file and column is checked before the first one begins.
    --seed, --schema and --unit hold for each step that does not say otherwise.
    """
    from masquerade.cli.pipeline import read_plan

    plan = read_plan(pipeline, given={"seed": seed, "schema": schema, "unit": unit})
    if dry_run:
        for step in plan.steps:
            tell(step.sentence())
        tell("Nothing was done: this was a dry run.")
        return
    done: list[Step] = []
    for step in plan.steps:
        tell(step.sentence())
        _do(step, done)
        done.append(step)


def _do(step: Step, done: list[Step]) -> None:
    """One step; an error says which, and what earlier ones left."""
    from masquerade.cli.app import command
    from masquerade.cli.boundary import session
    from masquerade.errors import MasqueradeError

    kept = [str(path) for earlier in done for path in earlier.outputs]
    if kept:
        session.kept = f"{step.title} wrote nothing; earlier steps wrote {', '.join(kept)}."
    try:
        if step.do == "clean":
            _clean(step)
        else:
            command().commands[step.do].main(
                args=list(step.arguments), prog_name=f"masquerade {step.do}", standalone_mode=False
            )
    except MasqueradeError as error:
        stays = f" (what earlier steps wrote stays: {', '.join(kept)})" if kept else ""
        raise type(error)(f"{step.title}: {error}{stays}") from error


def _clean(step: Step) -> None:
    from masquerade.cleaning import clean
    from masquerade.cli.sealed import forget
    from masquerade.files import read_table, write_table

    forget()
    cleaned = clean(read_table(step.inputs[0]), **step.options)
    write_table(cleaned.table, step.outputs[0])
    tell(cleaned.sentence())
