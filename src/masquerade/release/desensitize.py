"""The same records, from which a chosen secret can no longer be told: `Desensitizer`."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.artifact import Artifact
from masquerade.codec.arrays import Encoded
from masquerade.codec.table import TableCodec
from masquerade.errors import InterruptedTraining, SchemaError, SettingError, nearest
from masquerade.progress import Callback
from masquerade.release.base import Release
from masquerade.release.coupling import SecretModel, arranged
from masquerade.schema import Schema
from masquerade.synthesize.settings import check_share

__all__ = ["Desensitizer"]

_REPLACE = ("redraw", "drop")


class Desensitizer(Release):
    """Changes as few cells as it can so that the other columns no longer tell a secret.

    A generator G(x, s) → x̂ takes a record and its secret. Column after column it compares how likely the record's value is
    among records with the same secret, p, and among all records, q, given what is kept and the columns before; the value stays
    with probability min(1, q / p), else it is drawn from what q has more than p (a maximal coupling). Released records then
    follow q, whatever their secret was: given what is kept they are independent of it, as far as the model knows the table.
    p and q are one autoregressive net. G is random: the same record may come out in many ways.

    What is *not* hidden: who a record is about (row i stays row i), the secret from somebody who knows the original record, and
    what the kept columns tell of the secret.

    Args:
        hide: the secret columns; several are hidden together. Numbers may be secrets too.
        keep: columns that stay exactly as they are; what they tell of the secret stays with them.
        strength: from 0 (records stay as they are) to 1 (nothing but what is kept tells the secret).
        replace: `"redraw"`: the secret columns are drawn anew to suit the changed record, independently of the true secret;
            `"drop"`: they are left out.
        epochs: passes over the table; None: by the number of rows, as of `Autoregressive`.
        max_minutes: wall-clock limit of training; None: no limit.
        protect: a level or extreme is released in a column that is not kept only if at least so many units share it.
        unit: the column that says whose row it is; None: each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import masquerade as mq
    >>> table = pl.DataFrame({"sex": ["f", "m"] * 100, "title": ["Ms", "Mr"] * 100, "age": list(range(20, 60)) * 5})
    >>> released = mq.Desensitizer(hide=["sex"], epochs=5, random_state=0).fit_transform(table)
    >>> released.columns, released.height
    (['sex', 'title', 'age'], 200)
    """

    reference: ClassVar[str] = (
        "Lindvall, Lectures on the Coupling Method, 2002; the aim as in Edwards and Storkey 2016, arXiv 1511.05897"
    )

    _model: SecretModel

    def __init__(
        self,
        *,
        hide: Sequence[str] = (),
        keep: Sequence[str] = (),
        strength: float = 1.0,
        replace: Literal["redraw", "drop"] = "redraw",
        epochs: int | None = None,
        max_minutes: float | None = None,
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.hide = hide
        self.keep = keep
        self.strength = strength
        self.replace = replace
        self.epochs = epochs
        self.max_minutes = max_minutes
        self.protect = protect
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        for name, columns in (("hide", self.hide), ("keep", self.keep)):
            if isinstance(columns, str):
                raise SettingError(f"{name}: got the text {columns!r}, expected a list of column names: [{columns!r}].")
            for column in columns:
                if list(columns).count(column) > 1:
                    raise SettingError(f"{name}: column {column!r} is named twice.")
        if not self.hide:
            raise SettingError("hide: no column is named, expected at least one secret.")
        for column in self.hide:
            if column in self.keep:
                raise SettingError(f"keep: column {column!r} is also to be hidden; name it in one of them.")
        check_share("strength", self.strength)
        if self.replace not in _REPLACE:
            raise SettingError(
                f"replace: got {self.replace!r}, expected one of {', '.join(_REPLACE)}{nearest(str(self.replace), _REPLACE)}."
            )

    def _check_table(self, typed: pl.DataFrame, schema: Schema) -> None:
        for setting, columns in (("hide", self.hide), ("keep", self.keep)):
            for name in columns:
                if name not in schema:
                    raise SchemaError(f"{setting}: there is no column {name!r}{nearest(name, schema.names)}.")
        for name in self.hide:
            if schema[name].kind in ("id", "text") or name == schema.unit:
                raise SettingError(
                    f"hide: column {name!r} is an id, free text or the unit, whose values are made afresh; expected "
                    "a number, a category, a boolean or a moment."
                )
            if typed.get_column(name).n_unique() < 2:
                raise SettingError(f"hide: column {name!r} has one value only, so there is nothing to hide.")
        if len(self.hide) + len(self.keep) == len(schema.names):
            raise SettingError("keep: all columns but the secrets are kept, so nothing may change; keep fewer.")

    def _learn(self, typed: pl.DataFrame, seed: int) -> None:
        columns = arranged(self.schema_, self.hide, self.keep)
        schema = dataclasses.replace(self.schema_, columns=tuple(self.schema_[name] for name in columns))
        self._model = SecretModel(
            hide=tuple(self.hide),
            keep=tuple(self.keep),
            epochs=self.epochs,
            max_minutes=self.max_minutes,
            protect=self.protect,
            callbacks=(self._tell,),
            random_state=seed,
        ).fit(typed.select(columns), schema=schema)
        if self._model.interrupted_:
            raise InterruptedTraining(
                "training was interrupted, and a net half trained would not hide the secret; nothing was kept. Give "
                "max_minutes to train for less time."
            )

    def with_strength(self, strength: float) -> Self:
        """The same fitted release with another strength; nothing is learned anew.

        Args:
            strength: from 0 to 1.
        """
        self._check_fitted()
        check_share("strength", strength)
        other = copy.copy(self)
        other.strength = strength
        other.ledger_ = dataclasses.replace(self.ledger_, protections=dict(other._protections()))
        return other

    # ── releasing ──────────────────────────────────────────────────────────────────────────────────────────────

    def _apply(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        return self.changed_rows(typed, seed).select(self._names_out())

    def changed_rows(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Typed records changed, with all columns; `transform` is this with spelling, and without what is dropped.

        Args:
            typed: rows with the fitted columns, as `masquerade.spelling.parse` gives them.
            seed: of every draw.
        """
        codec = self._model.codec_
        names = codec.layout.names
        located = np.column_stack([codec.locate(name, typed.get_column(name)) for name in names])
        codes = self._model.filled(located, seeds.integer(seed, "fill"))
        changed = self._model.changed(codes, self.strength, seeds.integer(seed, "change"))
        changed = self._model.secrets(changed, seeds.integer(seed, "secrets"))
        drawn = codec.decode(Encoded(changed, np.zeros(changed.shape, np.float32)), seeds.integer(seed, "decode"))
        columns = []
        for name in self.schema_.names:
            new = drawn.get_column(name)
            if name in self.keep:
                new = typed.get_column(name)
            elif (on := _modelled_as(codec, name)) is not None and name not in self.hide:
                place = names.index(on)
                same = (changed[:, place] == located[:, place]) & _shown(codec, name, typed.get_column(name))
                if on != name:  # a new row may contradict what the column follows from
                    due = codec.dependencies[name].lookup[changed[:, place]]
                    same &= codec.locate(name, typed.get_column(name)) == due
                new = typed.get_column(name).zip_with(pl.Series(same), new)
            columns.append(new.alias(name))
        return self._model.ruled(pl.DataFrame(columns), seeds.integer(seed, "rules"))

    def _native(self, typed: pl.DataFrame, raw: pl.DataFrame, kind: frames.FrameKind) -> Any:
        """The kept columns to the letter, the others spelled like the column."""
        free = [name for name in typed.columns if name not in self.keep]
        given = self._kind_of(kind)
        given = frames.FrameKind(given.library, {**given.columns, **{name: kind.columns[name] for name in self.keep}})
        new = spelling.spell(typed.select(free), Schema(tuple(self.schema_[name] for name in free)), given)
        whole = pl.DataFrame([(new if name in free else raw).get_column(name) for name in typed.columns])
        return frames.from_polars(whole, given)

    def _names_out(self) -> tuple[str, ...]:
        dropped = self.hide if self.replace == "drop" else ()
        return tuple(name for name in self.schema_.names if name not in dropped)

    def _protections(self) -> Mapping[str, Any]:
        return {
            "hide": list(self.hide),
            "keep": list(self.keep),
            "strength": float(self.strength),
            "protect": self.protect,
        }

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return self._model._to_parts()

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._model = SecretModel._load(Artifact(SecretModel.__name__, "", dict(config), dict(arrays)))


def _modelled_as(codec: TableCodec, name: str) -> str | None:
    """The modelled column that says this one's value: itself, or the one that determines it; None where it is made afresh."""
    if name in codec.dependencies:
        return codec.dependencies[name].on
    return name if name in codec.layout.names else None


def _shown(codec: TableCodec, name: str, values: pl.Series) -> NDArray[np.bool_]:
    """Which values enough rows share, or lie between values that enough rows reach."""
    bounds = codec.bounds(name)
    if bounds is None:
        located: NDArray[np.bool_] = codec.locate(name, values) >= 0
        return located
    inside: NDArray[np.bool_] = ((values >= bounds[0]) & (values <= bounds[1])).fill_null(True).to_numpy()
    return inside
