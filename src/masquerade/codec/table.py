"""A whole typed table to two arrays, and back: `TableCodec`.

Each column has a codec of its own. Columns with one code only, regenerated ids and columns that another one determines
are not modelled: they are restored when decoding.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.choose import covers, fit_column
from masquerade.codec.column import ColumnCodec, State, from_state
from masquerade.codec.condition import code_of, levels_of, names_of
from masquerade.codec.dependency import Dependency, find_dependencies, still_holding
from masquerade.codec.identifier import FreshCodec, PseudonymCodec
from masquerade.codec.moment import MomentCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.codec.trial import check_column, check_layout
from masquerade.errors import (
    ArtifactError,
    ConditionError,
    MasqueradeWarning,
    SchemaError,
    SettingError,
    TableError,
    nearest,
)
from masquerade.privacy.counts import Counts
from masquerade.privacy.protect import unit_series
from masquerade.schema import Column, Schema
from masquerade.seeds import stream

__all__ = ["TableCodec"]


@dataclass(frozen=True)
class TableCodec:
    """The fitted codecs of a table.

    Args:
        schema: of the table.
        codecs: one per column of the schema, by name.
        dependencies: by dependent column: the column that determines it, and the lookup.
        layout: what a net must know: the modelled columns only.

    >>> from masquerade.schema import Column
    >>> table = pl.DataFrame({"age": range(100), "sex": ["f", "m"] * 50})
    >>> schema = Schema((Column("age", "integer"), Column("sex", "categorical")))
    >>> codec = TableCodec.fit(table, schema)
    >>> codec.layout.names
    ('age', 'sex')
    >>> codec.decode(codec.encode(table, seed=0), seed=0)["sex"].equals(table["sex"])
    True
    """

    schema: Schema
    codecs: Mapping[str, ColumnCodec]
    dependencies: Mapping[str, Dependency]
    layout: Layout

    @classmethod
    def fit(
        cls,
        table: pl.DataFrame,
        schema: Schema,
        *,
        protect: int = 10,
        discrete_columns: Sequence[str] | None = None,
        max_levels: int = 500,
        quantiles: bool = False,
        seed: int = 0,
    ) -> Self:
        """Fit to a typed table.

        Args:
            table: as from `masquerade.spelling.parse`: the schema's columns, null where missing.
            schema: the columns; its `unit` says whose row it is.
            protect: how many units must share a level or value for it to be shown; 0 and 1 switch protection off. A
                column's own `protect` goes before it.
            discrete_columns: columns that are to be discrete whatever their kind; None: categories, booleans, texts
                and ids only.
            max_levels: at most so many levels of a column get a code.
            quantiles: whether numbers become quantile bins (codes only), else mixtures (a code and a scalar).
            seed: of every draw.

        Raises:
            SchemaError: the table's columns are not the schema's, or `discrete_columns` names none of them.
            SettingError: `protect` or `max_levels` out of range.
            TableError: no rows, or no column left to model.
        """
        return cls.fit_encode(
            table, schema, protect=protect, discrete_columns=discrete_columns, max_levels=max_levels,
            quantiles=quantiles, seed=seed,
        )[0]  # fmt: skip

    @classmethod
    def fit_encode(
        cls,
        table: pl.DataFrame,
        schema: Schema,
        *,
        protect: int = 10,
        discrete_columns: Sequence[str] | None = None,
        max_levels: int = 500,
        quantiles: bool = False,
        reuse: TableCodec | None = None,
        counts: Mapping[str, Counts] | None = None,
        independent: frozenset[str] = frozenset(),
        seed: int = 0,
    ) -> tuple[Self, Encoded]:
        """`fit`, and the encoded table (the same as from `encode` with this seed) at no further cost.

        `reuse` is of another table: where a column has the same name and kind, and its codec covers the new values, it is taken
        as it is; and what one of these columns determined of another there, it determines here unless a row says otherwise.

        `counts`, by column, are of a larger table that `table` is a sample of: levels, bounds and frequencies are then
        those of the larger table.

        `independent` columns are modelled even where another one determines them, and determine none.
        """
        known = {} if reuse is None else {c.name: reuse.codecs[c.name] for c in schema if _alike(c, reuse.schema)}
        forced = frozenset(discrete_columns or ())
        _check(table, schema, protect, forced, max_levels)
        units = unit_series(table, schema.unit)
        codecs = {
            column.name: known[column.name]
            if column.name in known and covers(known[column.name], table.get_column(column.name))
            else fit_column(
                table.get_column(column.name),
                column,
                protect=protect if column.protect is None else column.protect,
                units=units,
                discrete=column.name in forced,
                max_levels=max_levels,
                is_unit=column.name == schema.unit,
                declared=schema.declared,
                quantiles=quantiles,
                counts=None if counts is None else counts[column.name],
                rng=stream(seed, "fit", column.name),
            )
            for column in schema
        }
        _warn_of_ids(codecs)
        modelled = [name for name, codec in codecs.items() if codec.size > 1 or any(codec.has_scalar)]
        discrete = {c.name: c.name in forced or not c.is_numeric for c in schema}
        matched = {name: codecs[name].match(table.get_column(name)) for name in modelled}
        dependencies = find_dependencies(
            {name: codes for name, codes in matched.items() if codes is not None and name not in independent},
            {name: codecs[name].size for name in modelled},
            prefer=[name for name in modelled if discrete[name]],
            protect={c.name: protect if c.protect is None else c.protect for c in schema},
            units=units,
        )
        if reuse is not None:
            taken = {name: matched[name] for name in modelled if codecs[name] is known.get(name)}
            dependencies |= still_holding(reuse.dependencies, taken, dependencies)
        names = tuple(name for name in modelled if name not in dependencies)
        # A condition on a discrete column that is not modelled becomes one on the column that determines it.
        determining = {dependency.on for name, dependency in dependencies.items() if discrete[name]}
        if not names:
            raise TableError(
                "table: no column is left to model, each is constant, empty or a fresh id; "
                "expected at least one that varies."
            )
        layout = Layout(
            names,
            tuple(codecs[name].size for name in names),
            tuple(codecs[name].has_scalar for name in names),
            tuple(discrete[name] or name in determining for name in names),
            (),
            tuple(getattr(codecs[name], "places", None) for name in names),
        )
        codec = cls(schema, codecs, dependencies, layout)
        encoded = codec.encode(table, seed)
        frequencies = tuple(
            np.bincount(encoded.codes[:, i], minlength=size) / len(encoded)
            if counts is None or codecs[name] is known.get(name)
            else codecs[name].weights / codecs[name].weights.sum()  # type: ignore[attr-defined]
            for i, (name, size) in enumerate(zip(names, layout.sizes, strict=True))
        )
        return dataclasses.replace(codec, layout=dataclasses.replace(layout, frequencies=frequencies)), encoded

    def encode(self, table: pl.DataFrame, seed: int = 0) -> Encoded:
        """The modelled columns of a typed table as arrays; rare values, and missing ones where training had none, are
        replaced by draws."""
        names = self.layout.names
        _check_columns(table, names)
        codes = np.empty((table.height, len(names)), dtype=np.int32)
        scalars = np.zeros((table.height, len(names)), dtype=np.float32)
        for i, name in enumerate(names):
            rng = stream(seed, "encode", name)
            codes[:, i], scalars[:, i] = self.codecs[name].encode(table.get_column(name), rng)
        return Encoded(codes, scalars)

    def decode(self, encoded: Encoded, seed: int = 0, start: int = 0) -> pl.DataFrame:
        """A typed table in the schema's column order.

        Args:
            encoded: rows to decode.
            seed: of every draw.
            start: rows decoded before with this seed, when a table is decoded in chunks: so fresh ids stay distinct.
        """
        place = {name: i for i, name in enumerate(self.layout.names)}
        rows = len(encoded)
        flat, none = np.zeros(rows, dtype=np.int32), np.zeros(rows, dtype=np.float32)
        columns = []
        for name, codec in self.codecs.items():
            codes, scalars = flat, none
            if name in place:
                codes, scalars = encoded.codes[:, place[name]], encoded.scalars[:, place[name]]
            elif name in self.dependencies:
                dependency = self.dependencies[name]
                codes = dependency.lookup[encoded.codes[:, place[dependency.on]]]
            rng = stream(seed, "decode", name) if codec.one_stream else stream(seed, "decode", name, start)
            columns.append(codec.decode(codes, scalars, rng, start).alias(name))
        return pl.DataFrame(columns)

    def locate(self, column: str, values: pl.Series) -> NDArray[np.int32]:
        """The code of each value of a column: for numbers the nearest there is; -1 where a level, or missing, has none.

        Args:
            column: its name; with quantile bins if it is numeric.
            values: a typed series.
        """
        codec = self.codecs[column]
        if isinstance(codec, QuantileCodec | MomentCodec):
            return codec.locate(values)
        codes = codec.match(values)
        assert codes is not None, "a mixture locates nothing: its codes are drawn"
        return codes

    def code_of(self, column: str, value: object) -> int:
        """The code of a value of a modelled discrete column.

        Raises:
            ConditionError: no such column or level (the nearest is named), or a column that is not discrete.
        """
        name, codes = self.condition(column, value)
        if name != column:
            raise ConditionError(
                f"given: column {column!r} is determined by {name!r} and has no code of its own; use `condition`."
            )
        return int(codes[0])

    def condition(self, column: str, value: object) -> tuple[str, NDArray[np.int32]]:
        """Which modelled column must have which codes so that `column` has `value`; usually the column itself, and one
        code.

        Raises:
            ConditionError: no such column or level (the nearest is named), or a column that is not discrete.
        """
        self._check_conditional(column)
        code = code_of(self.codecs[column], self.schema[column], value)
        if column not in self.dependencies:
            return column, np.array([code], dtype=np.int32)
        dependency = self.dependencies[column]
        return dependency.on, np.flatnonzero(dependency.lookup == code).astype(np.int32)

    def levels(self, column: str) -> list[Any]:
        """The levels that a condition on `column` may name, None for missing, in the order of their codes."""
        self._check_conditional(column)
        return levels_of(self.codecs[column])

    def names_of_codes(self, column: str) -> list[str]:
        """What people call each code of a column: its level, `"low to high"` for a bin, `"missing"`."""
        return names_of(self.codecs[column], self.schema[column])

    def bounds(self, column: str) -> tuple[Any, Any] | None:
        """The least and the greatest value that a column's quantile bins cover, typed; None where it has no such bins."""
        codec = self.codecs[column]
        return codec.bounds if isinstance(codec, QuantileCodec | MomentCodec) else None

    def check_modelled(self, column: str) -> None:
        """Raise `ConditionError` where a column does not exist, or has nothing to model."""
        if column not in self.schema:
            raise ConditionError(f"given: there is no column {column!r}{nearest(column, self.schema.names)}.")
        codec = self.codecs[column]
        if codec.size == 1 and not any(codec.has_scalar):
            raise ConditionError(
                f"given: column {column!r} is not modelled (it is constant, empty, or made afresh), "
                "so no condition can be put on it."
            )

    def _check_conditional(self, column: str) -> None:
        self.check_modelled(column)
        codec = self.codecs[column]
        if self.schema[column].is_numeric and (any(codec.has_scalar) or column not in self.conditional):
            raise ConditionError(
                f"given: column {column!r} is numeric, and conditions can be put on discrete columns only "
                f"({', '.join(sorted(self.conditional)) or 'there is none'}); "
                "name it in `discrete_columns` when fitting."
            )

    @property
    def conditional(self) -> set[str]:
        """Discrete columns: those that a condition of one code can be put on."""
        names = {name for name, flag in zip(self.layout.names, self.layout.discrete, strict=True) if flag}
        return names | {name for name, dependency in self.dependencies.items() if dependency.on in names}

    def to_state(self) -> State:
        """JSON data and arrays (named `COLUMN NUMBER.NAME`); neither holds a row, a rare level, an id or an exact
        extreme."""
        columns: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {}
        for i, (name, codec) in enumerate(self.codecs.items()):
            config, parts = codec.to_state()
            columns.append({"column": name, "codec": codec.name, "config": config})
            arrays |= {f"{i}.{key}": part for key, part in parts.items()}
            if name in self.dependencies:
                columns[-1]["on"] = self.dependencies[name].on
                arrays[f"{i}.lookup"] = self.dependencies[name].lookup
        for i, frequency in enumerate(self.layout.frequencies):
            arrays[f"frequencies.{i}"] = frequency
        layout = {"names": list(self.layout.names), "discrete": list(self.layout.discrete)}
        return {"schema": self.schema.to_dict(), "columns": columns, "layout": layout}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`.

        Raises:
            ArtifactError: something is missing or of the wrong kind.
        """
        try:
            codecs, dependencies = {}, {}
            for i, entry in enumerate(config["columns"]):
                parts = {key.split(".", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{i}.")}
                codecs[entry["column"]] = from_state(entry["codec"], entry["config"], parts)
                if "on" in entry:
                    dependencies[entry["column"]] = Dependency(entry["on"], parts["lookup"])
            names = tuple(config["layout"]["names"])
            layout = Layout(
                names,
                tuple(codecs[name].size for name in names),
                tuple(codecs[name].has_scalar for name in names),
                tuple(map(bool, config["layout"]["discrete"])),
                tuple(arrays[f"frequencies.{i}"] for i in range(len(names))),
                tuple(getattr(codecs[name], "places", None) for name in names),
            )
            codec = cls(Schema.from_dict(config["schema"]), codecs, dependencies, layout)
            codec._check_saved()
            return codec
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ArtifactError(
                f"codec: the saved state is damaged ({type(error).__name__}: {error}); fit again."
            ) from error

    def _check_saved(self) -> None:
        """Raise `ArtifactError` where what was read from a file does not hang together."""
        if tuple(self.codecs) != self.schema.names:
            raise ArtifactError("codec: the saved codecs are not those of the schema's columns; fit again.")
        for name, codec in self.codecs.items():
            check_column(self.schema[name], codec)
        check_layout(self.layout)
        for name, dependency in self.dependencies.items():
            on, size = dependency.on, self.codecs[name].size
            lookup = dependency.lookup
            if on not in self.layout.names or lookup.shape != (self.codecs[on].size,) or lookup.dtype != np.int32:
                raise ArtifactError(f"column {name!r}: the saved column that determines it is damaged; fit again.")
            if lookup.min() < 0 or lookup.max() >= size:
                raise ArtifactError(f"column {name!r}: what determines it names codes that it has not; fit again.")


def _warn_of_ids(codecs: Mapping[str, ColumnCodec]) -> None:
    """One line that names the columns whose values are never shown but made afresh."""
    names = [name for name, codec in codecs.items() if isinstance(codec, FreshCodec | PseudonymCodec)]
    if names:
        listed = ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        warnings.warn(
            f"column{'s' * (len(names) > 1)} {listed}: identifiers are never shown; new ones are made by pattern, "
            "letters for letters, digits for digits.",
            MasqueradeWarning,
            stacklevel=4,
        )


def _check_columns(table: pl.DataFrame, names: Sequence[str]) -> None:
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise SchemaError(
            f"table: there is no column {absent[0]!r}{nearest(absent[0], table.columns)}, "
            "expected one as the schema says."
        )


def _check(table: pl.DataFrame, schema: Schema, protect: int, forced: frozenset[str], max_levels: int) -> None:
    _check_columns(table, schema.names)
    if protect < 0:
        raise SettingError(f"protect: got {protect}, expected an integer of at least 0 (0 switches protection off).")
    if max_levels < 2:
        raise SettingError(f"max_levels: got {max_levels}, expected an integer of at least 2.")
    for name in sorted(forced):
        if name not in schema:
            raise SchemaError(f"discrete_columns: there is no column {name!r}{nearest(name, schema.names)}.")
    if table.height == 0:
        raise TableError("table: it has no rows, expected at least one.")


def _alike(column: Column, schema: Schema) -> bool:
    return column.name in schema and schema[column.name].kind == column.kind
