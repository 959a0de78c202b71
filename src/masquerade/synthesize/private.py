"""Private preparation: from a declared table to codes and noised counts, each look at the rows paid for.

Nothing here is decided by the rows but through noise: the columns, their levels and bounds come from the declared schema, the
bins of numbers from noised histograms (stage `domains`), the share of each code and the number of rows from noised counts
(stage `marginals`).
"""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames
from masquerade.codec.arrays import Encoded
from masquerade.codec.declared import declared_codec
from masquerade.codec.table import TableCodec
from masquerade.errors import SchemaError, SettingError, TableError, nearest
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import discrete_gaussian
from masquerade.privacy.noise import noised_counts
from masquerade.schema import Column, Schema
from masquerade.synthesize.private_cells import read_declared
from masquerade.synthesize.private_domains import find_domains
from masquerade.synthesize.private_rules import check_rules_declared

__all__ = ["Opened", "Prepared", "Spending", "open_private", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """What a private model learns from.

    Args:
        codec: made of declared and noised facts alone; its layout's `frequencies` are noised.
        encoded: the rows, private: every further look at them is to be paid for.
        counts: noised rows of each code, one array of shape (size,) per modelled column, int64; may be below 0.
        scale: standard deviation of the noise in `counts`.
        total: noised number of rows, at least 1.
        units: number of the unit of each row, shape (rows,); None: each row is its own.
        accountant: what has been spent, and what is left.
    """

    codec: TableCodec
    encoded: Encoded
    counts: tuple[NDArray[np.int64], ...]
    scale: float
    total: float
    units: NDArray[np.int64] | None
    accountant: Accountant


@dataclass(frozen=True)
class Spending:
    """How a model splits its budget (shares of μ² = 1 / σ²) before it learns; it learns with the rest.

    Args:
        domains: for the histograms that bins of numbers are made from; not spent where there is no number.
        marginals: for the counts of all codes of all columns.
        most_bins: at most so many bins of a number.
    """

    domains: float
    marginals: float
    most_bins: int


@dataclass(frozen=True)
class Opened:
    """A declared table.

    Args:
        typed: its rows; of each unit at most as many as the guarantee is for.
        schema: declared.
        kind: the kind of frame it came in.
        units: number of the unit of each row, shape (rows,); None: each row is its own.
        most_rows: rows that one unit has at most.
    """

    typed: pl.DataFrame
    schema: Schema
    kind: frames.FrameKind
    units: NDArray[np.int64] | None
    most_rows: int = 1


def open_private(X: Any, schema: Schema | None, privacy: Privacy, *, seed: int | None, unit: str | None) -> Opened:
    """Check what a private fit asks for, read the table, and bound what each unit contributes.

    Everything is refused here by what is declared, but for one thing that only the rows can tell: a missing unit.

    Args:
        X: a pandas, Polars or PyArrow table, or the path of a file.
        schema: declared.
        privacy: whose rows are protected, and how many of them are used.
        seed: must be None.
        unit: the model's setting.

    Raises:
        SettingError: a seed was given, or units that disagree, or rows per unit without a unit.
        SchemaError: there is no schema, it is not declared, it is not the table's, a column is of free text or has a
            threshold of its own, or a row has no unit.
        RuleError: a rule that only the rows could complete.
    """
    if seed is not None:
        raise SettingError(
            f"random_state: got {seed} with a private fit, whose noise must stay unknown: a published seed undoes it; "
            "leave the seed out."
        )
    if schema is None or not schema.declared:
        got = "no schema" if schema is None else "a schema that is not declared"
        raise SchemaError(
            f"schema: got {got}, and what is inferred from private rows would leak them; write one with `masquerade inspect`, "
            "check that all of it may be public, and set declared = true."
        )
    schema = _with_unit(schema, privacy, unit)
    check_rules_declared(schema.rules)
    for column in schema:
        if column.kind == "text" and column.name != schema.unit:
            raise SchemaError(
                f"column {column.name!r}: got free text, and nothing of it can be shown under a guarantee; drop the column, "
                "or declare it categorical with levels that may be public."
            )
        if column.protect is not None:
            raise SchemaError(
                f"column {column.name!r}: got protect = {column.protect}, which does nothing under a guarantee: declared "
                "levels are public, and others are found with noise; leave it out."
            )
    typed, kind = read_declared(X, schema)
    if schema.unit is None:
        return Opened(typed, schema, kind, None)
    typed, units = _bounded(typed, schema.unit, privacy.rows_per_unit)
    return Opened(typed, schema, kind, units, privacy.rows_per_unit)


def _with_unit(schema: Schema, privacy: Privacy, unit: str | None) -> Schema:
    """The schema with the unit that is asked for, which becomes an id: nothing of it is modelled."""
    named = {name for name in (privacy.unit, unit, schema.unit) if name is not None}
    if len(named) > 1:
        raise SettingError(f"unit: got {' and '.join(map(repr, sorted(named)))}; name one column.")
    unit = next(iter(named), None)
    if unit is None:
        if privacy.rows_per_unit != 1:
            raise SettingError(
                f"rows_per_unit: got {privacy.rows_per_unit} without a unit, where each row is its own; name the column that "
                "says whose row it is."
            )
        return schema
    if unit not in schema:
        raise SchemaError(f"unit: there is no column {unit!r}{nearest(unit, schema.names)}.")
    old = schema[unit]
    made = Column(unit, "id", missing=old.missing, sensitive=old.sensitive, pii=old.pii, quasi=old.quasi)
    columns = tuple(made if column.name == unit else column for column in schema)
    return dataclasses.replace(schema, columns=columns, unit=unit)


def _bounded(typed: pl.DataFrame, unit: str, most: int) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """At most so many rows of each unit, chosen by the operating system's randomness; and the unit of each row kept."""
    names = typed.get_column(unit)
    if names.has_nulls():
        raise SchemaError(
            f"column {unit!r}: it says whose row each is, and is missing somewhere; fill it in, or leave these rows out."
        )
    units = names.rank("dense").cast(pl.Int64).to_numpy() - 1
    luck = np.random.default_rng(secrets.randbits(128)).random(units.size)
    order = np.lexsort((luck, units))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(units[order])) + 1, [units.size]])
    rank = np.arange(units.size) - np.repeat(starts[:-1], np.diff(starts))
    kept = np.sort(order[rank < most])
    return typed[kept], units[kept]


def prepare(opened: Opened, privacy: Privacy, spending: Spending, codec: TableCodec | None = None) -> Prepared:
    """Encode a declared table.

    Args:
        opened: the rows.
        privacy: the budget.
        spending: how it is split.
        codec: a public one, of the very columns, with which nothing is spent on domains; None: one is made.

    Raises:
        SettingError: δ is above 1 / rows, counted with noise.
        TableError: there are too few rows, counted with noise, or no column is left to model.
        SchemaError: nothing stands above the noise in a column whose bounds or levels are not declared.
    """
    typed, most = opened.typed, opened.most_rows
    accountant = Accountant(privacy, opened.schema.unit or "row")
    if codec is None:
        domains = find_domains(
            typed, opened.schema, accountant, share=spending.domains, sensitivity=most, most_bins=spending.most_bins
        )
        codec = declared_codec(domains.schema, domains.histograms, most_bins=spending.most_bins, levels=domains.levels)
    encoded = codec.encode(typed, secrets.randbits(63))
    sizes = codec.layout.sizes
    sigma = accountant.sigma(spending.marginals, len(sizes))
    accountant.spend(
        discrete_gaussian(sigma, stage="marginals", what="counts of each column", count=len(sizes), sensitivity=most)
    )
    scale = sigma * most
    counted = tuple(
        noised_counts(np.bincount(encoded.codes[:, i], minlength=size), scale) for i, size in enumerate(sizes)
    )
    weights = 1 / np.array(sizes, float)  # the variance of a column's sum is its codes' together
    total = max(float(np.average([c.sum() for c in counted], weights=weights)), 1.0)
    accountant.check_delta(total)
    if total < frames.LEAST_ROWS:
        raise TableError(
            f"table: it has about {total:.0f} rows, counted with noise; expected at least {frames.LEAST_ROWS}."
        )
    clipped = [np.maximum(c, 0) + 1e-9 for c in counted]
    layout = dataclasses.replace(codec.layout, frequencies=tuple(c / c.sum() for c in clipped))
    codec = dataclasses.replace(codec, layout=layout)
    return Prepared(codec, encoded, counted, scale, total, opened.units, accountant)
