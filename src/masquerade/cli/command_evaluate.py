"""`masquerade evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import (
    Debug,
    PasswordFile,
    Protect,
    Quiet,
    SchemaFile,
    SealKeyFile,
    Seed,
    Sensitive,
    Target,
    Unit,
    examples,
)

if TYPE_CHECKING:
    from masquerade.privacy.ledger import Ledger
    from masquerade.studies.sweeping import Sweep

EXAMPLES = examples(
    "masquerade evaluate real.csv synthetic.csv",
    "masquerade evaluate real.csv synthetic.csv --holdout kept.csv --target y",
    "masquerade evaluate real.csv synthetic.csv -o report.html -o report.json",
    "masquerade evaluate real.csv safer.csv --sensitive sex --keep income --holdout kept.csv",
    "masquerade evaluate real.csv codes.csv --kind codes --target y",
    "masquerade evaluate real.csv synthetic.csv --holdout kept.csv --policy balanced",
    "masquerade evaluate real.csv private.csv --holdout kept.csv --sweep sweep.json -o report.html",
    "masquerade evaluate real.csv synthetic.csv --attacks thorough --using model.mq",
    "masquerade evaluate mnist.npz#train digits/ --holdout mnist.npz#test -o report.html",
)


def evaluate(
    real: Annotated[Path, typer.Argument(metavar="REAL", help="The table or pictures the release was made from.")],
    released: Annotated[Path, typer.Argument(metavar="RELEASED", help="The table or pictures that are to go out.")],
    holdout: Annotated[
        Path | None, typer.Option("--holdout", metavar="H", help="Real rows that no training has seen.")
    ] = None,
    target: Target = None,
    sensitive: Sensitive = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COL", help="A column kept on purpose; attackers with and without it."),
    ] = None,
    aligned: Annotated[
        bool | None,
        typer.Option(
            "--aligned/--not-aligned",
            show_default=False,
            help="Row i was made from real row i; default: as the ledger says.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", metavar="K", help="What was released: rows, codes of an encoder, or images; default: as REAL is."
        ),
    ] = None,
    attacks: Annotated[str, typer.Option("--attacks", help="How hard to attack: thorough, quick, or none.")] = "quick",
    using: Annotated[
        Path | None,
        typer.Option("--using", metavar="MODEL.mq", help="For thorough: refit a model with this one's settings."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="For thorough, instead: refit it as it is by default.")
    ] = None,
    shadows: Annotated[
        int | None, typer.Option("--shadows", metavar="N", help="For thorough: how many refits; default 16.")
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="R.html", help="The report: .html or .json; may be repeated."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="L.json", help="Default: RELEASED.ledger.json.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="P.toml", help="Bounds on scores, or strict, balanced, research; else exit 3."
        ),
    ] = None,
    sweep: Annotated[
        Path | None,
        typer.Option("--sweep", metavar="S.json", help="A what-if chart for the report, from `masquerade sweep`."),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="HxW", help="For pictures: bring all to this size, such as 28x28.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="For pictures: leave damaged ones out, counted.")
    ] = False,
    show_neighbours: Annotated[
        bool,
        typer.Option(
            "--show-neighbours", help="For pictures: the page shows the REAL pictures nearest to released ones."
        ),
    ] = False,
    protect: Protect = 10,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Judge a release: what analysts lose, and how near it comes to real people.

    Give --holdout: without real rows that no training has seen, the scores
    that need them as a yardstick are left out. Codes need none.

    With a holdout, attackers ask who was in the table, describe people so
    that nobody else fits, and infer their values; --attacks none leaves them
    out. With --attacks thorough the generator is refitted many times, with and
    without the 20 people who stand out the most, to ask whether it gives them
    away. Fresh attackers guess every --sensitive column. With
    --policy the program ends with exit code 3 where a bound is not met.

    Picture sets (a folder, a class by sub-folder; .npz, IDX, Parquet) are
    judged in what a small net makes of them. Real pictures are never shown,
    unless --show-neighbours asks for it.
    """
    from masquerade.cli import checks, tables
    from masquerade.cli.picture_options import size_of
    from masquerade.cli.refusing import refuse, refuse_for_pictures
    from masquerade.cli.sealed import read_table
    from masquerade.judge.policy import Policy, with_policy
    from masquerade.picture_files import is_picture_set
    from masquerade.progress import ConsoleProgress
    from masquerade.seeds import check_seed

    kind = kind if kind is not None else "images" if is_picture_set(real) else "rows"
    check_words(kind, attacks, policy, refit=(using, model, shadows))
    gate = None if policy is None else Policy.of(policy)
    outputs = output or []
    checks.check_outputs(
        [("--output", path, checks.REPORTS) for path in outputs],
        [real, released, holdout, schema, ledger, policy, using, sweep],
    )
    pictures = None if size is None else size_of(size)
    known = _ledger(released, ledger)
    swept = None if sweep is None else _sweep(sweep, outputs)
    sides: dict[str, Any]
    if kind == "images":
        columns = {"--target": target, "--sensitive": sensitive, "--keep": keep, "--schema": schema, "--unit": unit}
        refuse_for_pictures(real, columns)
        sides = {"real": real, "released": released, "holdout": holdout}
        sides |= {"size": pictures, "skip_bad": skip_bad, "show_neighbours": show_neighbours}
    else:
        given = {"--size": size, "--skip-bad": skip_bad, "--show-neighbours": show_neighbours}
        refuse(given, "is for pictures, and --kind is not images; leave it out.")
        raw, found = tables.read_with_schema(real, schema, unit=unit, protect=protect)
        if known is not None and known.guarantee != "none":  # a private fit clips real cells beyond the declared ones
            from masquerade.cli.private import undeclared

            found = undeclared(found)
        named = [("--target", target), *(("--sensitive", name) for name in sensitive or [])]
        for option, name in [*named, *(("--keep", name) for name in keep or [])]:
            checks.check_column(option, name, found.names)
        refit = None
        if attacks == "thorough":
            from masquerade.cli.shadowing import refitting

            refit = refitting(
                using, model, None if schema is None else found, unit=found.unit, ledger=known, protect=protect
            )
        sides = {
            "real": raw,
            "released": read_table(released),
            "holdout": None if holdout is None else read_table(holdout),
            "target": target,
            "sensitive": sensitive or [],
            "keep": keep or [],
            "schema": found,
            "unit": found.unit,
            "refit": refit,
            "shadows": SHADOWS if shadows is None else shadows,
        }

    from masquerade.evaluation import evaluate as judge

    with ConsoleProgress() as bar:
        judged = judge(
            **sides,
            aligned=aligned,
            protect=protect,
            kind=kind,
            attacks=attacks,
            ledger=known,
            seed=check_seed(seed),
            callback=None if quiet else bar,
        )
    from masquerade.cli.release import all_or_nothing

    if swept is not None:
        from masquerade.studies.sweeping_panels import with_sweep

        judged = with_sweep(judged, swept)
    if gate is not None:
        judged = with_policy(judged, gate)
    with all_or_nothing(outputs):
        for path in outputs:
            judged.save(path)
    tell(judged.summary())
    for path in outputs:
        tell(f"Wrote {path}")
    if gate is not None:
        _tell_of(judged.policy)


def _tell_of(policy: Mapping[str, Any]) -> None:
    """Say what was met; raise where something was not, which ends with exit code 3."""
    from masquerade.errors import GateError

    failed = [gate["failed"] for gate in policy["gates"] if not gate["met"]]
    if failed:
        raise GateError(f"policy {policy['name']}: not met. {'; '.join(failed)}.")
    tell(f"Policy {policy['name']}: met, {len(policy['gates'])} bounds.")


SHADOWS = 16
"""Refits where nobody says how many."""


def check_words(
    kind: str | None,
    attacks: str,
    policy: Path | None,
    *,
    refit: tuple[Path | None, str | None, int | None] = (None, None, None),
) -> None:
    """Refuse words that mean nothing, and options that go with others.

    Args:
        kind, attacks, policy: the options; None: not given.
        refit: the options `--using`, `--model` and `--shadows`.
    """
    from masquerade.errors import SettingError, nearest

    for option, value, known in (
        ("--kind", kind, ("rows", "codes", "images")),
        ("--attacks", attacks, ("none", "quick", "thorough")),
    ):
        if value is not None and value not in known:
            raise SettingError(f"{option}: got {value!r}, expected {' or '.join(known)}{nearest(value, known)}.")
    using, model, shadows = refit
    if attacks == "thorough" and (using is None) == (model is None):
        raise SettingError(
            "--attacks thorough: refits the generator, so it has to know how; add --using MODEL.mq for the settings of a saved "
            "model, or --model NAME for one as it is by default" + ("." if using is None else ", not both.")
        )
    for name, given in (("--using", using), ("--model", model), ("--shadows", shadows)):
        if attacks != "thorough" and given is not None:
            raise SettingError(f"{name}: says how --attacks thorough refits, and that was not asked for; leave it out.")
    if shadows is not None:
        from masquerade.judge.isolation import check_shadows

        check_shadows(shadows)
    if policy is not None:
        from masquerade.judge.policy import Policy

        Policy.of(policy)


def _sweep(path: Path, outputs: Sequence[Path]) -> Sweep:
    """The sweep of a file; pointless without a page to show it on."""
    from masquerade.errors import SettingError
    from masquerade.studies.sweeping import Sweep

    if not any(output.suffix.lower() == ".html" for output in outputs):
        raise SettingError("--sweep: is drawn on the report's page, add -o report.html.")
    return Sweep.read(path)


def _ledger(released: Path, ledger: Path | None) -> Ledger | None:
    """The ledger that was named, or the one beside the release; None where there is none."""
    from masquerade.picturing.npz import split_part
    from masquerade.privacy.ledger import Ledger, ledger_path

    if ledger is not None:
        return Ledger.read(ledger)
    beside = ledger_path(split_part(released)[0])
    return Ledger.read(beside) if beside.is_file() else None
