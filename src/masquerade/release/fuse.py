"""The same records with their sensitive part drawn anew: everything else stays as it is, cell for cell.

The sensitive columns of each record are drawn from their distribution given its kept columns, by a model that never saw the
record, and fused with them to whole records.
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.errors import MasqueradeWarning, SettingError, nearest
from masquerade.privacy.pii import as_ids, find
from masquerade.progress import Callback
from masquerade.release.base import Release
from masquerade.release.filling import CrossFit
from masquerade.release.filling_autoregressive import AutoregressiveFiller
from masquerade.schema import Schema
from masquerade.synthesize import synthesizers
from masquerade.synthesize.autoregressive import Autoregressive
from masquerade.synthesize.base import Synthesizer

__all__ = ["Fusion"]

REDRAWS = 8
"""So often an id that came out twice, or is one of the table's own, is drawn again."""
UNPROTECTED = (
    "Not protected: the kept columns are the real ones, so whoever knows them of a person finds the record again, and learns "
    "that this person is in the table."
)
"""What a fusion does not do, in one sentence."""


class Fusion(Release):
    """Keeps each record and draws its sensitive columns anew, given the rest.

    Two models are fitted, each on half of the rows, and each row's sensitive cells are drawn by the model of the other half:
    they depend on the row's kept cells alone, so that a row's own secret comes back no more often than anybody's guess.
    The relation between kept and sensitive columns stays, as far as the model learned it; what the kept columns tell about
    the secret is still told.

    Args:
        sensitive: the columns that are drawn anew; None: those that the schema marks as sensitive.
        model: what draws them: `"autoregressive"`, or a synthesizer (its settings are taken) or a function that makes one. It
            must take any cells as given, as `mq.Autoregressive` does.
        protect: a level or exact value of a sensitive column is drawn only if at least so many units share it (in each half).
        unit: the column that says whose row it is; all rows of a unit are drawn by the same model. None: each row is its own.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    Attributes after `fit`:
        sensitive_: the columns that are drawn anew.
        kept_: the columns that stay as they are.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 50, "sex": ["f", "m"] * 100, "ill": ["yes", "no", "no", "no"] * 50})
    >>> from masquerade.synthesize.autoregressive import Autoregressive
    >>> fusion = Fusion(sensitive=["ill"], model=Autoregressive(epochs=2), random_state=0)
    >>> fused = fusion.fit_transform(table)
    >>> fused.drop("ill").equals(table.drop("ill")), fused.height
    (True, 200)
    """

    reference: ClassVar[str] = (
        "Reiter, partially synthetic data, Survey Methodology 29 (2003); cross-fitting: arXiv 1608.00060"
    )

    sensitive_: tuple[str, ...]
    kept_: tuple[str, ...]

    def __init__(
        self,
        *,
        sensitive: Sequence[str] | None = None,
        model: str | Synthesizer | Callable[[], Synthesizer] = "autoregressive",
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.sensitive = sensitive
        self.model = model
        self.protect = protect
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        if isinstance(self.sensitive, str):
            raise SettingError(f"sensitive: got the text {self.sensitive!r}, expected a list: [{self.sensitive!r}].")
        self._prototype()

    def _schema_of(self, raw: pl.DataFrame, schema: Schema | None) -> Schema:
        """As given or inferred; a phone or another identifier in digits that is to be drawn counts as an id, not a number."""
        schema = super()._schema_of(raw, schema)
        drawn = [name for name in self._split(schema)[0] if name in raw.columns and schema[name].is_numeric]
        return as_ids(schema, find(raw.select(drawn)))

    def _prototype(self) -> Autoregressive:
        """An unfitted model of the kind that was asked for, with its settings."""
        asked = self.model
        if isinstance(asked, str):
            known = {name.lower(): cls for name, cls in synthesizers().items()}
            if asked.lower() not in known:
                raise SettingError(
                    f"model: got {asked!r}, expected 'autoregressive' or a synthesizer{nearest(asked.lower(), known)}."
                )
            asked = known[asked.lower()]()
        elif not isinstance(asked, Synthesizer):
            if not callable(asked):
                raise SettingError(
                    f"model: got a {type(asked).__name__}, expected a name, a synthesizer or what makes one."
                )
            asked = asked()
        if not isinstance(asked, Autoregressive):
            raise SettingError(
                f"model: {type(asked).__name__} cannot draw columns given any others, as a fusion needs; take 'autoregressive'."
            )
        return Autoregressive(**{name: copy.copy(value) for name, value in asked.get_params(deep=False).items()})

    def _split(self, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The sensitive and the kept columns.

        Raises:
            SettingError: no such column, none sensitive, or all of them.
        """
        marked = [column.name for column in schema if column.sensitive]
        wanted = marked if self.sensitive is None else list(self.sensitive)
        for name in wanted:
            if name not in schema:
                raise SettingError(f"sensitive: there is no column {name!r}{nearest(name, schema.names)}.")
        if not wanted:
            raise SettingError(
                "sensitive: no column is named or marked; name those to draw anew, or mark them with sensitive = true in the "
                "schema that `masquerade inspect DATA -o schema.toml` writes."
            )
        kept = tuple(name for name in schema.names if name not in wanted)
        if not kept:
            raise SettingError(
                f"sensitive: all {len(schema)} columns are sensitive, so nothing is kept to fuse them with; "
                "leave some out, or make whole new rows with a synthesizer."
            )
        return tuple(name for name in schema.names if name in wanted), kept

    # ── learning and drawing ───────────────────────────────────────────────────────────────────────────────────

    def _learn(self, typed: pl.DataFrame, seed: int) -> None:
        self.sensitive_, self.kept_ = self._split(self.schema_)
        prototype, columns = self._prototype(), self._modelled()
        part = dataclasses.replace(self.schema_, columns=tuple(self.schema_[name] for name in columns))

        def learn(rows: pl.DataFrame, seed: int) -> AutoregressiveFiller:
            settings = {"protect": self.protect, "unit": part.unit, "random_state": seed, "callbacks": [self._tell]}
            return AutoregressiveFiller.of(copy.copy(prototype).set_params(**settings).fit(rows, schema=part))

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._halves = CrossFit.fit(typed.select(columns), part.unit, learn, seed)
        for text in dict.fromkeys(str(warning.message) for warning in caught if self._concerns(warning)):
            warnings.warn(text, MasqueradeWarning, stacklevel=3)

    def _modelled(self) -> list[str]:
        """The columns that the models see: kept ids and free text tell them nothing, unless a rule needs them."""
        needed = {name for rule in self.schema_.rules for name in rule.columns} | {self.schema_.unit, *self.sensitive_}
        return [c.name for c in self.schema_ if c.name in needed or c.kind not in ("text", "id")]

    def _concerns(self, warning: warnings.WarningMessage) -> bool:
        """Whether a warning of the fit is one of ours and about what is drawn: kept cells stay whatever a codec says."""
        text = str(warning.message)
        about_columns = text.startswith("column")
        return issubclass(warning.category, MasqueradeWarning) and (
            not about_columns or any(repr(name) in text for name in self.sensitive_)
        )

    def _apply(self, typed: pl.DataFrame, seed: int, *, seen: bool = False) -> pl.DataFrame:
        """The fused rows; with `seen` by the model of the row's own half, only to measure what cross-fitting avoids."""
        rows = typed.select(self._modelled())
        drawn = self._halves.fill(rows, self._hidden(self.sensitive_, typed.height), seed, seen=seen)
        for name in self.sensitive_:
            if self.schema_[name].kind == "id" and name != self.schema_.unit:
                drawn = self._fresh(drawn, typed.get_column(name), name, seed)
        return typed.with_columns(drawn.get_column(name) for name in self.sensitive_)

    @staticmethod
    def _hidden(names: Sequence[str], rows: int) -> dict[str, NDArray[np.bool_]]:
        return {name: np.ones(rows, np.bool_) for name in names}

    def _fresh(self, drawn: pl.DataFrame, real: pl.Series, name: str, seed: int) -> pl.DataFrame:
        """Ids drawn again where they came out twice or are one of the table's: each model knows only its half's."""
        for turn in range(REDRAWS):
            ids = drawn.get_column(name)
            bad = ((~ids.is_first_distinct()) | ids.is_in(real.drop_nulls().unique().implode())) & ids.is_not_null()
            index = np.flatnonzero(bad.fill_null(False).to_numpy())
            if not index.size:
                break
            hidden = self._hidden([name], index.size)
            again = self._halves.fill(drawn[index], hidden, seeds.integer(seed, "fresh", name, turn))
            drawn = drawn.with_columns(ids.scatter(index, again.get_column(name)))
        return drawn

    def _native(self, typed: pl.DataFrame, raw: pl.DataFrame, kind: frames.FrameKind) -> Any:
        """The kept cells exactly as they were given, the drawn ones spelled like the column."""
        kept = {name: known for name, known in kind.columns.items() if name in self.kept_}
        given = frames.FrameKind(kind.library, {**self._kind_of(kind).columns, **kept})
        schema = Schema(tuple(self.schema_[name] for name in self.sensitive_))
        drawn = spelling.spell(typed.select(self.sensitive_), schema, given)
        fused = raw.select(
            pl.col(name) if name in self.kept_ else drawn.get_column(name).alias(name) for name in self.schema_.names
        )
        return frames.from_polars(fused, given)

    def _names_out(self) -> Sequence[str]:
        return self.schema_.names

    def _protections(self) -> Mapping[str, Any]:
        return {"protect": self.protect, "drawn anew": list(self.sensitive_), "kept as they are": list(self.kept_)}

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = self._halves.to_state()
        return {"sensitive": list(self.sensitive_), "kept": list(self.kept_), "halves": config}, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.sensitive_, self.kept_ = tuple(config["sensitive"]), tuple(config["kept"])
        self._halves = CrossFit.from_state(AutoregressiveFiller, config["halves"], arrays)
