"""What trains and what is held out: from a table in memory, or from a file that is read as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from masquerade.cli import checks, tables
from masquerade.cli.boundary import say, tell
from masquerade.cli.sealed import read_table
from masquerade.errors import SettingError, TableError
from masquerade.frames import LEAST_ROWS, check_table
from masquerade.holdout import hold_out
from masquerade.progress import ConsoleProgress
from masquerade.schema import Schema
from masquerade.sealing import is_sealed
from masquerade.surveying import Survey, fits_in_memory, survey

__all__ = ["HOLDOUT_SHARE", "Reading", "read"]

HOLDOUT_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A table, ready to train on.

    Args:
        train: the rows that train, as they are spelled; of a stream a sample of them.
        holdout: the rows kept for the report; None without one.
        schema: what each column is.
        rows: how many rows there are to learn from, sampled or not.
        survey: what was found in a stream; None where the table is in memory.
    """

    train: pl.DataFrame
    holdout: pl.DataFrame | None
    schema: Schema
    rows: int
    survey: Survey | None = None


def read(
    data: Path,
    declared: Schema | None,
    *,
    unit: str | None,
    protect: int,
    holdout_share: float | None,
    stream: bool,
    balance: bool,
    seed: int,
    quiet: bool,
) -> Reading:
    """Read the table, keep the holdout out, and find the schema of what trains.

    Args:
        data: the file.
        declared: what each column is; None: inferred.
        unit: the column that says whose row it is.
        protect: how many units must share what is shown.
        holdout_share: how much is held out; None: nothing.
        stream: read as a stream however small the file is; without it, where the table would take half of the free memory
            and is not sealed.
        balance: whether every real row is wanted again later.
        seed: of the choice of rows.
        quiet: whether to show no progress.
    """
    if stream and is_sealed(data):
        raise SettingError(f"--stream: {data} is sealed, and opened in memory alone; leave --stream out.")
    if stream or not (is_sealed(data) or fits_in_memory(data)):
        if balance:
            raise SettingError(
                "--balance: writes every real row again, and the table is read as a stream; leave out --balance"
                + (" or --stream." if stream else ", or use a machine with more memory.")
            )
        return _streamed(data, declared, unit, protect, holdout_share, seed, quiet)
    raw = read_table(data)
    check_table(raw)
    checks.check_column("--unit", unit, raw.columns)
    train, holdout = (raw, None) if holdout_share is None else hold_out(raw, holdout_share, seed=seed, unit=unit)
    if holdout is not None:
        _tell_of(holdout.height, holdout.height, train.height, unit)
    schema = tables.infer(train, unit=unit, protect=protect) if declared is None else declared
    return Reading(train=train, holdout=holdout, schema=schema, rows=train.height)


def _streamed(
    data: Path,
    declared: Schema | None,
    unit: str | None,
    protect: int,
    holdout_share: float | None,
    seed: int,
    quiet: bool,
) -> Reading:
    if holdout_share is not None and not 0 < holdout_share < 1:
        raise SettingError(f"holdout share: got {holdout_share}, expected a number above 0 and below 1.")
    with ConsoleProgress() as bar:
        found = survey(
            data,
            schema=declared,
            protect=protect,
            unit=unit,
            holdout_share=holdout_share or 0.0,
            random_state=seed,
            callback=None if quiet else bar,
        )
    if holdout_share is not None:
        _tell_of(0 if found.holdout is None else found.holdout.height, found.held_rows, found.rows, unit)
    if not quiet:
        say("note", found.sentence())
    return Reading(
        train=found.sample,
        holdout=None if holdout_share is None else found.holdout,
        schema=found.schema,
        rows=found.rows,
        survey=found,
    )


def _tell_of(kept: int, held: int, train: int, unit: str | None) -> None:
    if kept < LEAST_ROWS:
        raise TableError(
            f"holdout: {kept} rows are too few for a report, expected at least {LEAST_ROWS}; "
            "give a larger --holdout-share or leave --report out."
        )
    what = "rows" if unit is None else f"rows (whole units of {unit})"
    some = "" if kept == held else f", {kept:,} of which are judged against"
    tell(f"Held out {held:,} {what} for the report{some}; {train:,} rows train.")
