"""The options that commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.boundary import session

__all__ = [
    "Data",
    "Debug",
    "Given",
    "MaybeProtect",
    "Output",
    "PasswordFile",
    "Plain",
    "Protect",
    "Quiet",
    "Rebalance",
    "Reports",
    "SchemaFile",
    "SealKeyFile",
    "Seed",
    "Sensitive",
    "Target",
    "Temperature",
    "Unit",
    "examples",
]


def _set_quiet(value: bool) -> bool:
    session.quiet = value
    return value


def _set_debug(value: bool) -> bool:
    session.debug = session.debug or value
    return value


def _set_password_file(value: Path | None) -> Path | None:
    session.password_file = value
    return value


def _set_seal_key_file(value: Path | None) -> Path | None:
    session.seal_key_file = value
    return value


def _set_plain(value: bool) -> bool:
    session.plain = value
    return value


def examples(*lines: str) -> str:
    """An epilog that shows one example a line."""
    return "\n\n".join(["[bold]Examples[/bold]", *lines])


_COMMON = "Common options"
_SEALING = "Sealed (encrypted) files"

Data = Annotated[Path, typer.Argument(metavar="DATA", help="The table: CSV (also .gz), Parquet or Excel.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to; its ending is the format.")]
Protect = Annotated[
    int, typer.Option("--protect", min=0, metavar="K", help="Show a value only if K rows (units) have it; 0: off.")
]
MaybeProtect = Annotated[
    int | None,
    typer.Option(
        "--protect", min=0, metavar="K", help="Show a value only if K rows (units) have it; 0: off; default 10."
    ),
]
Given = Annotated[
    list[str] | None,
    typer.Option("--given", metavar="COL=VALUE", help="Draw only rows with this value; may be repeated."),
]
Rebalance = Annotated[
    list[str] | None,
    typer.Option("--rebalance", metavar="COL:LEVEL=SHARE", help="Draw a level this often; may be repeated."),
]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", metavar="T", help="Below 1: rather the likely; above 1: rather the unlikely."),
]
Target = Annotated[str | None, typer.Option("--target", metavar="COL", help="The column that analysts predict.")]
Sensitive = Annotated[
    list[str] | None, typer.Option("--sensitive", metavar="COL", help="A secret column; may be repeated.")
]
Reports = Annotated[
    list[Path] | None,
    typer.Option("--report", metavar="R.html", help="Judge the release: .html or .json; may be repeated."),
]

PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="F",
        callback=_set_password_file,
        help="A file with a password: opens sealed files, seals what is written.",
        rich_help_panel=_SEALING,
    ),
]
SealKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--seal-key-file",
        metavar="F",
        callback=_set_seal_key_file,
        help="Instead: a file with a key, 32 random bytes, raw or hex.",
        rich_help_panel=_SEALING,
    ),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", callback=_set_plain, help="OUT stays plain; models are sealed.", rich_help_panel=_SEALING),
]

Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="The same seed gives the same result.", rich_help_panel=_COMMON),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=_set_quiet, help="Print nothing but errors.", rich_help_panel=_COMMON),
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", metavar="S.toml", help="What each column is (see inspect).", rich_help_panel=_COMMON),
]
Unit = Annotated[
    str | None,
    typer.Option("--unit", metavar="COL", help="The column that says whose row it is.", rich_help_panel=_COMMON),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", callback=_set_debug, help="Show where an error arose.", rich_help_panel=_COMMON),
]
