"""The masker: chosen cells of real records replaced, everything else as it was, to the letter.

Reference: conditional generation, G(x, m) → x̂ (Yoon, Jordon and van der Schaar 2018, arXiv 1806.02920, call it imputation);
the rules are the classic ways of statistical disclosure control (Hundepool et al. 2012). Guarantee: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.errors import SettingError
from masquerade.masking.keys import Key
from masquerade.masking.mask_rules import planned, read_rules, rule_of
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.release.base import Release
from masquerade.release.filling import CrossFit, Filler
from masquerade.release.generating import ENGINES, check_something_left, generated, learned, modelled, part_of
from masquerade.release.hiding import Flags, check_same_columns, hidden_cells, merged, read_mask
from masquerade.release.masker_checks import check_settings, shown
from masquerade.release.ruling import check_streams, random_key, ruled, settled, suited
from masquerade.schema import Schema
from masquerade.synthesize.estimator import careful

__all__ = ["Masker"]


class Masker(Release):
    """Masks chosen columns, a share of their cells, or exactly the cells you name; the others stay to the letter.

    With `how="generate"` a masked cell is drawn by a model from everything in its row that is not masked. The model of a row
    never saw it: two are fitted, each on half of the rows, and each fills the other half (see `release.filling`).
    The other ways follow a rule and need no training: `fit` only learns what the columns are, and `transform_chunks` masks a
    stream of any length (but for `"shuffle"`, which needs all rows).

    Args:
        columns: which to mask; None: all, or where there are `rules`, those that the rules name.
        rate: the share of their cells that is masked, chosen at random.
        mask: exactly which cells: booleans, an array of shape (rows, columns) or a frame with the names of columns. Instead of
            `columns` and `rate`.
        how: `"generate"`, `"replace"`, `"redact"`, `"noise"`, `"generalize"`, `"shuffle"` or `"suppress"`, for all that
            `rules` do not name.
        engine: what generates: `"autoregressive"`, or `"gan"` (GAIN).
        key: secret text or bytes (16 at least) of surrogates. It is saved nowhere. None: a random one, which nobody can repeat.
        rules: options by column, such as `{"phone": {"how": "redact", "keep_last": 4}}`, or the path of a `mask.toml`.
        locale: of surrogates, such as `"zh_CN"`, where a rule names none; None: by the value's own script.
        protect: a value is drawn only if so many rows (units) have it; 0: off.
        unit: the column that says whose row it is; all rows of a unit are in one half.
        random_state: seed; with an integer the same rows are masked alike. None: afresh each time.
        verbose: whether to show a bar.
        callbacks: told how far training is.

    >>> table = pl.DataFrame({"phone": ["13812345678", "13987654321"], "city": ["Oslo", "Rome"]})
    >>> masker = Masker(rules={"phone": {"how": "redact", "keep_first": 3, "keep_last": 4}})
    >>> masker.fit_transform(table).rows()
    [('138****5678', 'Oslo'), ('139****4321', 'Rome')]
    """

    reference: ClassVar[str] = "Yoon, Jordon, van der Schaar 2018 (arXiv 1806.02920); cross-fitting: arXiv 1608.00060"

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        rate: float = 1.0,
        mask: Any = None,
        how: str = "generate",
        engine: str = "autoregressive",
        key: str | bytes | Key | None = None,
        rules: Mapping[str, Any] | str | Path | None = None,
        locale: str | None = None,
        protect: int = 10,
        unit: str | None = None,
        random_state: int | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
    ):
        self.columns = columns
        self.rate = rate
        self.mask = mask
        self.how = how
        self.engine = engine
        self.key = key
        self.rules = rules
        self.locale = locale
        self.protect = protect
        self.unit = unit
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        check_settings(self)

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse, before any work, settings that do not fit a table with these columns.

        Raises:
            SettingError: an unknown column (the nearest is named), or rules that contradict one another.
        """
        self._by_mask = self.mask is not None
        common = {"how": self.how, "rate": self.rate}
        rules = read_rules(self.rules, self.locale)
        every = self._by_mask or not rules
        self.rules_ = planned(names, self.columns, rules, common, self.locale, every=every, spare=self.unit)

    @property
    def streams(self) -> bool:
        """Whether a table can be masked piece by piece: nothing is generated anew at `fit`, shuffled, or masked explicitly."""
        trained = getattr(self, "_fit", None) is not None
        ways = [rule.way for rule in self.rules_.values()]
        return not self._by_mask and all(trained if way is None else not way.whole for way in ways)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None, schema: Schema | None = None) -> Self:
        """Learn what the columns are and, where cells are to be generated, two models of the table's halves.

        Args:
            X: a pandas, Polars or PyArrow table; of at least 40 rows or so where cells are generated. It is not changed.
            y: not used; scikit-learn's pipelines hand it over.
            schema: what each column is; None: inferred from the table.

        Raises:
            SettingError: a setting out of range, an unknown column, rules that contradict one another or the columns' kinds.
            TableError: the table cannot be modelled.
            SchemaError: the schema does not match the table.
        """
        self._check_settings()
        seed = self._seed()
        raw, kind = frames.to_polars(X)
        self.check_columns(raw.columns)
        masked = read_mask(self.mask, raw) if self._by_mask else {}
        frames.check_table(raw, least_rows=frames.LEAST_ROWS if any(r.way is None for r in self.rules_.values()) else 1)
        schema = self._schema_of(raw, schema)
        if self._by_mask:
            self.rules_ = suited(self.rules_, schema, masked)
        own = read_rules(self.rules) if self._by_mask else self.rules_
        self.rules_ = settled(self.rules_, schema, raw, checked=own)
        self.schema_, self.kind_ = schema, kind.protected(schema)
        self._random_key: Key | None = None
        self._secret()
        self._fit: CrossFit | None = None
        if any(rule.way is None for rule in self.rules_.values()):
            if not self._by_mask:
                check_something_left(self.modelled_, self.rules_, schema.unit)
            self._learn(spelling.parse(raw, schema), seeds.integer(seed, "learn"))
        self.ledger_ = Ledger(
            unit=schema.unit or "row", mechanism="Masker", protections=dict(self._protections()), aligned=True
        )
        return self

    def _secret(self) -> Key:
        """The key given, or one random key for as long as this object lives."""
        if self.key is not None:
            return self.key if isinstance(self.key, Key) else Key(self.key)
        if self._random_key is None:
            self._random_key = random_key(self.rules_)
        return self._random_key

    @property
    def modelled_(self) -> list[str]:
        """The columns that the models learn from."""
        return modelled(self.schema_, self.rules_, by_mask=self._by_mask)

    def _learn(self, typed: pl.DataFrame, seed: int) -> None:
        self._fit = CrossFit.fit(typed.select(self.modelled_), self.schema_.unit, self.learned_from, seed)

    def learned_from(self, typed: pl.DataFrame, seed: int) -> Filler:
        """A model such as each half gets, of any typed rows of the columns `modelled_`; for studies beside `fit`'s own use."""
        part = part_of(self.schema_, self.modelled_)
        return learned(ENGINES[self.engine], typed, part, self.rules_, self.protect, seed, self._tell)

    @property
    def cross_fit_(self) -> CrossFit:
        """The two models that generate.

        Raises:
            SettingError: no column is generated.
        """
        self._check_fitted()
        if self._fit is None:
            raise SettingError("how: no column is generated, so there is no model.")
        return self._fit

    # ── masking ────────────────────────────────────────────────────────────────────────────────────────────────

    def transform(self, X: Any, mask: Any = None) -> Any:
        """The records with masked cells replaced, in their order.

        Args:
            X: a table with the fitted columns; it is not changed.
            mask: exactly which cells, in place of the setting; as there.

        Returns:
            The kind of frame that was given. Cells that are not masked are as they were, to the letter.

        Raises:
            SchemaError: the table does not match the fitted columns.
            SettingError: the mask does not match the table, or leaves nothing to generate from.
        """
        self._check_fitted()
        raw, kind = frames.to_polars(X)
        return self._masked(raw, kind, self._apply_seed(), self.mask if mask is None else mask)

    def transform_chunks(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """A stream of frames masked one after another, so that only one is ever in memory.

        Raises:
            SettingError: a column is to be shuffled, which needs all rows; or there is an explicit mask.
        """
        self._check_fitted()
        check_streams(self.rules_)
        if self._by_mask:
            raise SettingError("mask: says which cells of a whole table; take transform.")
        seed = self._apply_seed()
        for number, chunk in enumerate(chunks):
            raw, kind = frames.to_polars(chunk)
            yield self._masked(raw, kind, seeds.integer(seed, "chunk", number), None)

    def hidden(self, X: Any) -> NDArray[np.bool_]:
        """Which cells `transform` masks: booleans, shape (rows, columns). For the owner: whoever knows it knows what is real.

        Raises:
            SettingError: they are chosen at random afresh each time, as `random_state` is None.
        """
        self._check_fitted()
        chance = any(rule.rate < 1 for rule in self.rules_.values())
        if self.random_state is None and self.mask is None and chance:
            raise SettingError("random_state: is None, so cells are chosen afresh each time; give an integer.")
        raw, _ = frames.to_polars(X)
        flags = self.flags(raw, self._apply_seed(), self.mask)
        return np.column_stack([flags.get(name, np.zeros(raw.height, np.bool_)) for name in raw.columns])

    def flags(self, raw: pl.DataFrame, seed: int, mask: Any = None) -> Flags:
        """By column, which cells of the raw rows are masked under a seed: booleans, shape (rows,)."""
        if self._by_mask and mask is None:
            raise SettingError("mask: it was an explicit one when fitting; give the mask of these rows, too.")
        if mask is None:
            return hidden_cells({n: (rule.rate, rule.draw) for n, rule in self.rules_.items()}, raw.height, seed)
        return read_mask(mask, raw, among=self.rules_)

    @careful
    def _masked(self, raw: pl.DataFrame, kind: frames.FrameKind, seed: int, mask: Any) -> Any:
        """The raw rows masked, as the kind of frame they came in."""
        check_same_columns(raw.columns, self.schema_)
        kept = {name: known for name, known in kind.columns.items() if name not in self.rules_}
        given = frames.FrameKind(kind.library, {**self._kind_of(kind).columns, **kept})
        flags = self.flags(raw, seed, mask)
        drawn = [name for name, cells in flags.items() if self.rules_[name].way is None and cells.any()]
        made = {}
        if drawn:
            part = part_of(self.schema_, self.modelled_)
            made = generated(self.cross_fit_, raw, drawn, flags, part, given, seed)
        made |= ruled(self.rules_, raw, flags, self.schema_, given, self._secret, seed)
        columns = [merged(raw.get_column(name), cells, flags[name]) for name, cells in made.items()]
        return frames.from_polars(raw.with_columns(columns), given)

    # ── what Release asks for ──────────────────────────────────────────────────────────────────────────────────

    def _apply(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Typed rows masked; `transform` works on cells as they are spelled, so that those that stay do so to the letter."""
        raw = spelling.spell(typed, self.schema_, self.kind_)
        return frames.to_polars(self._masked(raw, frames.FrameKind("polars", self.kind_.columns), seed, self.mask))[0]

    def _names_out(self) -> Sequence[str]:
        return self.schema_.names

    def _protections(self) -> Mapping[str, Any]:
        drawn = {"protect": self.protect} if self._fit is not None else {}
        return drawn | {"masked": {name: rule.facts() for name, rule in self.rules_.items()}}

    def _settings(self) -> dict[str, Any]:
        """Without the key and the mask, and rules without files."""
        kept = {name: value for name, value in super()._settings().items() if name not in ("key", "mask", "rules")}
        rules = read_rules(self.rules, self.locale)
        return kept | {"rules": {name: rule.to_dict() for name, rule in rules.items()} or None}

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = ({}, {}) if self._fit is None else self._fit.to_state()
        plan = {name: rule.to_dict() for name, rule in self.rules_.items()}
        return {"by_mask": self._by_mask, "plan": plan, "fit": config}, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._check_settings()
        self._by_mask = bool(config["by_mask"])
        self.rules_ = {name: rule_of(name, options) for name, options in config["plan"].items()}
        self._random_key = None
        fit = config["fit"]
        self._fit = CrossFit.from_state(ENGINES[self.engine], fit, arrays) if fit else None

    def __repr__(self) -> str:
        return shown(self)
