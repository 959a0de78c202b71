"""`masquerade inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    Unit,
    examples,
)

EXAMPLES = examples(
    "masquerade inspect bank.csv",
    "masquerade inspect bank.csv -o schema.toml",
    "masquerade inspect new.csv --schema schema.toml    (does it fit?)",
    "masquerade inspect pictures/ -o sheet.png",
    "masquerade inspect mnist.npz#test -o facts.json",
)


def inspect(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="A table: CSV (also .gz), Parquet or Excel; or pictures: folder, .npz, IDX."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Of a table: the schema, to be edited (.toml). Of pictures: a contact sheet (.png) or facts (.json).",
        ),
    ] = None,
    protect: Protect = 10,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Show what each column is taken for, and write it as a schema to edit.

    Columns that identify people (names, phones, ids, addresses, birth dates ...)
    are marked, in the table and in the schema.

    The way to a private release: inspect DATA -o schema.toml; check that what
    it says may be public, edit it, set declared = true; synthesize DATA -o OUT
    --schema schema.toml --epsilon 1.

    Of a picture set it shows number, size, mode, classes, further labels,
    exact duplicates, and how many pictures cannot be read.

    With --schema the table is checked against that schema instead.
    Nothing here is random: a seed changes nothing.
    """
    from masquerade.picture_files import is_picture_set

    if is_picture_set(data):
        from masquerade.cli.picture_inspecting import inspect_pictures

        inspect_pictures(data, output, protect=protect, schema=schema, unit=unit)
        return

    from masquerade import spelling
    from masquerade.cli.checks import check_outputs
    from masquerade.cli.tables import read_with_schema
    from masquerade.files import write_schema
    from masquerade.overview import overview
    from masquerade.privacy import pii

    check_outputs([("--output", output, (".toml",))], [data, schema])
    raw, found = read_with_schema(data, schema, unit=unit, protect=protect)
    typed = spelling.parse(raw, found)
    findings = pii.find(typed)
    found = pii.marked(found, findings)
    tell(overview(found, typed))
    if findings:
        tell(pii.overview(findings))
    if output is not None:
        write_schema(found, output)
        tell(f"Wrote {output}: check it, edit it, and give it back with --schema {output}")
