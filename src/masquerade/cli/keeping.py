"""What the commands that make a release of a table have in common: their files, saved ones, rows held out for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from masquerade.cli import checks
from masquerade.cli.boundary import tell
from masquerade.cli.reading import HOLDOUT_SHARE
from masquerade.cli.sealed import secret_of
from masquerade.errors import SettingError
from masquerade.frames import LEAST_ROWS
from masquerade.holdout import hold_out
from masquerade.privacy.ledger import ledger_path
from masquerade.schema import Schema

__all__ = ["check_files", "held_rows", "load_release", "protect_of"]

R = TypeVar("R")


def check_files(output: Path, save: Path | None, reports: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Refuse outputs that cannot be written, or that are also inputs."""
    checks.check_outputs(
        [
            ("--output", output, checks.TABLES),
            ("--output", ledger_path(output), checks.REPORTS),
            ("--save", save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in reports),
        ],
        inputs,
    )


def protect_of(asked: int | None) -> int:
    """How many units must share what is shown: as asked, else 10."""
    return 10 if asked is None else asked


def load_release(path: Path, kind: type[R], command: str) -> R:
    """The saved release in a file.

    Args:
        path: the file.
        kind: the class it must hold.
        command: which command saves such files.
    """
    from masquerade.loading import load  # loads JAX, which a refusal before need not wait for

    release = load(path, secret=secret_of(path))
    if not isinstance(release, kind):
        raise SettingError(
            f"{path}: holds a {type(release).__name__}, expected what `masquerade {command} --save` kept."
        )
    return release


def held_rows(raw: pl.DataFrame, schema: Schema, seed: int) -> pl.Series | None:
    """Which rows (of whole units) are kept out of training for the report: booleans; None where they would be too few."""
    place = "row"
    while place in raw.columns:
        place += "_"
    _, other = hold_out(raw.with_row_index(place), HOLDOUT_SHARE, seed=seed, unit=schema.unit)
    if other.height < LEAST_ROWS:
        return None
    tell(f"Held out {other.height:,} rows for the report; {raw.height - other.height:,} rows train.")
    return pl.Series(range(raw.height)).is_in(other.get_column(place).implode())
