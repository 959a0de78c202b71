"""Real data that comes with the package, each beside its licence.

>>> load_bank().shape
(41188, 21)
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

__all__ = ["bank_path", "load_bank"]


def bank_path() -> Path:
    """Where the bundled bank table lies: a gzipped CSV, separated by semicolons.

    UCI Bank Marketing, `bank-additional-full.csv` (Moro, Cortez, Rita 2014, CC BY 4.0; see `ATTRIBUTION.md` beside it):
    41,188 telephone calls of a Portuguese bank, 21 columns, the target `y` says whether a deposit was subscribed.
    """
    return Path(__file__).with_name("bank-additional-full.csv.gz")


def load_bank() -> pl.DataFrame:
    """The bundled bank table, shape (41188, 21), numbers as numbers; a missing value is the word `unknown`."""
    return pl.read_csv(bank_path(), separator=";", infer_schema_length=None)
