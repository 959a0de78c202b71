"""`masquerade demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import Debug, Quiet, SchemaFile, Seed, Unit, examples

EXAMPLES = examples("masquerade demo", "masquerade demo --out /tmp/look --seed 7")


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to; made if needed.")] = Path(
        "masquerade-demo"
    ),
    seed: Seed = 0,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """The main job on bundled bank data, in half a minute.

    Holds out a fifth of 41,188 real telephone calls, trains on the rest, makes
    as many new rows as it trained on, judges them, and writes synthetic.csv,
    report.html, report.json and model.mq.
    """
    from masquerade import demo as job
    from masquerade.cli.tables import declared_schema

    declared = declared_schema(schema, unit)
    job.run(out, seed=seed, schema=declared, unit=unit, tell=tell, quiet=quiet)
