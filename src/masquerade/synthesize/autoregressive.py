"""The autoregressive synthesizer: column after column, any columns given.

Reference: the idea of TabularARGN (Tiwald et al. 2025, arXiv 2501.12012). Guarantee: none, or differential privacy with the
setting `privacy` (DP-SGD, Abadi et al. 2016, arXiv 1607.00133).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import jax
import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.table import TableCodec
from masquerade.errors import ArtifactError, SettingError
from masquerade.nets.autoregressive import AutoregressiveNet, NetSettings
from masquerade.nets.slots import Slots
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback
from masquerade.rules.parse import parse_rules
from masquerade.schema import Schema
from masquerade.synthesize.autoregressive_private import PrivateSchedule, learn_privately
from masquerade.synthesize.autoregressive_training import learn
from masquerade.synthesize.completing import Completing
from masquerade.synthesize.drawing import Drawer
from masquerade.synthesize.explain import dependencies
from masquerade.synthesize.private import Prepared, Spending
from masquerade.synthesize.settings import check_count, check_positive, check_share, refuse_changed
from masquerade.synthesize.transplant import inherited, transplanted

__all__ = ["Autoregressive"]

SIZES = {"small": (6, 16), "medium": (8, 32), "large": (16, 64)}
"""Width of what a slot tells, and its hidden units, by size."""

NARROW_FROM = 12_000_000
"""A dense mixing with more weights than this is replaced by a narrow one."""

DECAYING_ROWS = 6_000
"""Weight decay times training rows."""

PRIVATE_WIDTHS = (4, 16)
"""What `SIZES` says, for a net under a guarantee at size "auto": noise grows with the number of weights."""

RATE, PRIVATE_RATE = 8e-3, 1e-2
"""The learning rate without and with a guarantee."""

PRIVATE_AVERAGE = 0.99
"""Decay of the averaged weights under a guarantee, where there are few steps."""

VALIDATION_ROWS = 8_192
"""At most so many rows are held back from training, to judge by."""

STARTED_RATE = 0.25
"""Share of the learning rate with which a model goes on from another one."""


class Autoregressive(Completing):
    """Draws a row column after column, each from what is known of the row so far.

    One net serves every order: half of each batch is trained in the table's own order, half in a random one, so that any
    columns can be given (`sample`), any cells filled in (`impute`), any column predicted (`predict_proba`) and any columns
    judged (`log_prob`). Numbers are cut into heavy single values and quantile bins; inside a bin they are drawn from the
    interpolated empirical distribution.

    With `privacy` the net is trained by DP-SGD: each step draws rows at random, clips the gradient of each unit, and adds
    noise, planned for what the budget leaves. The schema must be declared. There is no validation then, no checkpoint to go on
    from, and no seed; `history_` tells steps and ε.

    Args:
        privacy: the guarantee, such as `mq.Privacy(epsilon=3.0)`; None: none.
        size: of the net: `"small"`, `"medium"`, `"large"`; `"auto"` takes what suits the rows and columns.
        epochs: passes over the table; None: by the number of rows, from 30 down to 4, and under a guarantee from 50 down.
            Training stops earlier at a plateau, but not under a guarantee.
        batch_size: rows a step; None: by the number of rows, from 16 to 1,024. Under a guarantee, rows a step on average, and
            a tenth of all, up to 4,096.
        learning_rate: highest step size of AdamW, which rises to it and falls by a cosine; None: 0.008, and 0.01 under a
            guarantee.
        weight_decay: of AdamW; None: none under a guarantee, else by the number of rows, from 1.5 up to 4,000 down to 0.1
            from 60,000 on. Small tables need much: without it the net learns single rows by heart.
        dropout: share of hidden units left out in training; none under a guarantee, where noise does its work.
        any_order: share of each batch, under a guarantee of the steps, that is trained in a random order, from 0 to 1; 0
            serves fully drawn rows only.
        patience: epochs without a better validation score before training stops; None: never.
        max_minutes: wall-clock limit of training; None: no limit.
        rules: business rules that every row must meet, such as `"start <= end"` (see `masquerade.rules`); added to the
            schema's.
        max_levels: at most so many levels of a column get a code, those with the most rows.
        discrete_columns: columns to treat as discrete besides those whose kind is.
        protect: a level or exact value is reproduced only if at least so many units share it; 0 switches this off.
        unit: the column that says whose row it is; None: each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
    >>> model = Autoregressive(epochs=5, random_state=0).fit(table)
    >>> model.sample(3, given={"sex": "f", "age": 40}).rows()
    [(40, 'f'), (40, 'f'), (40, 'f')]
    """

    reference: ClassVar[str] = (
        "Tiwald et al., TabularARGN, 2025, arXiv 2501.12012; Germain et al., MADE, arXiv 1502.03509"
    )
    quantiles: ClassVar[bool] = True
    pool_rows: ClassVar[int] = 20_000
    spends: ClassVar[Spending] = Spending(domains=0.05, marginals=0.1, most_bins=32)

    _start: Self | None

    def __init__(
        self,
        *,
        privacy: Privacy | None = None,
        size: Literal["auto", "small", "medium", "large"] = "auto",
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        dropout: float = 0.2,
        any_order: float = 0.5,
        patience: int | None = 5,
        max_minutes: float | None = None,
        rules: Sequence[Any] = (),
        max_levels: int = 10_000,
        discrete_columns: Sequence[str] | None = None,
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.size = size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.any_order = any_order
        self.patience = patience
        self.max_minutes = max_minutes
        self.rules = rules
        self.max_levels = max_levels
        self.discrete_columns = discrete_columns
        self.protect = protect
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        if self.size not in ("auto", *SIZES):
            raise SettingError(f"size: got {self.size!r}, expected 'auto', {', '.join(map(repr, SIZES))}.")
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_count("max_levels", self.max_levels, least=2)
        if self.learning_rate is not None:
            check_positive("learning_rate", self.learning_rate)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)
        if self.weight_decay is not None and self.weight_decay != 0:
            check_positive("weight_decay", self.weight_decay)
        check_share("dropout", self.dropout, below_one=True)
        check_share("any_order", self.any_order)
        if self.privacy is not None:
            unused = ("dropout", "patience", "max_levels", "discrete_columns", "protect")
            refuse_changed(self, unused, "under a guarantee: the schema's declaration and the noise stand in its place")

    @property
    def most_levels(self) -> int:  # type: ignore[override]
        """At most so many levels of a column get a code."""
        return self.max_levels

    def _schema_of(self, raw: pl.DataFrame, schema: Schema | None) -> Schema:
        schema = super()._schema_of(raw, schema)
        return dataclasses.replace(schema, rules=(*schema.rules, *parse_rules(self.rules, schema)))

    def _plan(self, slots: Slots, rows: int) -> tuple[NetSettings, int]:
        """The net and its training for so many training rows, and the epochs."""
        size = self.size
        if size == "auto":
            size = "small" if rows < 1_000 else "medium" if rows < 200_000 or slots.count > 40 else "large"
        embedding, hidden = SIZES[size]
        narrow = None
        start = None if self._start is None else self._start._drawer.net.settings
        if start is not None and self.size == "auto":
            embedding, hidden, narrow = start.embedding, start.hidden, start.narrow
        else:
            narrow = _narrow(slots, embedding, hidden)
        batch = self.batch_size or int(
            # A narrow net has few units to compute and many weights to update: larger batches cost it little more.
            np.clip(2 ** round(np.log2(max(rows, 1) / 64)), 64 if narrow else 16, 512 if rows < 200_000 else 1_024)
        )
        epochs = self.epochs or int(np.clip(round(600_000 / max(rows, 1)), 4, 30))
        settings = NetSettings(
            embedding=embedding,
            hidden=hidden,
            narrow=narrow,
            dropout=self.dropout,
            any_order=self.any_order,
            batch_size=min(batch, max(rows, 1)),
            learning_rate=(self.learning_rate or RATE) * (1.0 if start is None else STARTED_RATE),
            weight_decay=float(np.clip(DECAYING_ROWS / max(rows, 1), 0.1, 1.5))
            if self.weight_decay is None
            else self.weight_decay,
            steps=epochs * max(rows // batch, 1),
        )
        return settings, epochs

    def _net(self, slots: Slots, settings: NetSettings) -> AutoregressiveNet:
        """The pure functions of the net."""
        return AutoregressiveNet(slots, settings)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, schema: Schema | None = None, start_from: Self | None = None) -> Self:
        """Learn from a table.

        Args:
            X: a pandas, Polars or PyArrow table of at least 10 rows; it is not changed.
            schema: what each column is; None: inferred from the table.
            start_from: a fitted `Autoregressive` to go on from, learned from public or older data. Columns of the same name and
                kind whose values it covers keep its codes and weights; the others start afresh. Under a guarantee it must
                have the very columns, and all that it knows is taken for public: its schema needs no other, its codes cost
                nothing, and training begins at its weights.

        Raises:
            TableError: the table cannot be modelled (the message says why and what to do).
            SchemaError: the schema does not match the table, or under a guarantee is not declared.
            SettingError: a setting out of range.
            RuleError: rules that contradict each other or the table.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        if start_from is not None:
            if not isinstance(start_from, Autoregressive):
                raise SettingError(f"start_from: got a {type(start_from).__name__}, expected a fitted Autoregressive.")
            start_from._check_fitted()
        if self.privacy is not None:
            schema = self._declared(schema, start_from)
        self._start = start_from
        try:
            return super().fit(X, schema)
        finally:
            del self._start

    def _declared(self, schema: Schema | None, start: Self | None) -> Schema | None:
        """What is public for a private fit: what the schema declares, or what a public model to go on from knows."""
        if start is not None:
            if schema is not None:
                raise SettingError(
                    "schema: got one with a private fit that goes on from a public model, whose schema counts; leave it out."
                )
            if self.size != "auto":
                raise SettingError(f"size: got {self.size!r}, and start_from has its own; leave it at 'auto'.")
            public = tuple(dataclasses.replace(column, protect=None) for column in start.schema_)
            schema = dataclasses.replace(start.schema_, columns=public, declared=True)
        if schema is not None:
            schema = dataclasses.replace(schema, rules=(*schema.rules, *parse_rules(self.rules, schema)))
        return schema

    def _reused(self) -> TableCodec | None:
        return None if self._start is None else self._start.codec_

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        order = seeds.stream(seed, "validation").permutation(len(encoded))
        held = encoded.codes[order[: max(len(encoded) // 10, 1)]][:VALIDATION_ROWS]
        kept = encoded.codes[order[max(len(encoded) // 10, 1) :]]
        frequencies, start = layout.frequencies, self._start
        if start is not None:
            layout, frequencies = inherited(self.codec_, start.codec_, len(encoded))
            self.codec_ = dataclasses.replace(self.codec_, layout=layout)
        slots = Slots(layout)
        settings, epochs = self._plan(slots, len(kept))
        net = self._net(slots, settings)
        learned = learn(
            net,
            kept,
            held,
            epochs,
            frequencies=frequencies,
            patience=self.patience,
            max_minutes=self.max_minutes,
            seed=seed,
            tell=self._tell,
            begin_from=None
            if start is None
            else functools.partial(transplanted, start._drawer, start.codec_, net, self.codec_),
        )
        self._drawer, self.history_, self.interrupted_ = learned.drawer, learned.history, learned.interrupted

    def _learn_private(self, prepared: Prepared) -> None:
        assert self.privacy is not None, "a guarantee was asked for"
        start = self._start
        if start is not None:  # its codes stay spelled as they were, so that its weights fit
            self.codec_ = start.codec_
        slots = Slots(self.codec_.layout)
        schedule = PrivateSchedule.of(prepared.total, self.batch_size, self.epochs)
        embedding, hidden = PRIVATE_WIDTHS if self.size == "auto" else SIZES[self.size]
        widths = NetSettings(embedding=embedding, hidden=hidden, narrow=_narrow(slots, embedding, hidden))
        settings = dataclasses.replace(
            widths if start is None else start._drawer.net.settings,
            dropout=0.0,
            any_order=self.any_order,
            batch_size=max(round(schedule.batch), 1),
            learning_rate=(self.learning_rate or PRIVATE_RATE) * (1.0 if start is None else STARTED_RATE),
            weight_decay=self.weight_decay or 0.0,
            steps=schedule.steps,
            average=PRIVATE_AVERAGE,
        )
        learned = learn_privately(
            prepared,
            self._net(slots, settings),
            schedule,
            rows_per_unit=1 if prepared.units is None else self.privacy.rows_per_unit,
            max_minutes=self.max_minutes,
            tell=self._tell,
            begin_from=None if start is None else start._drawer.weights,
        )
        self._drawer, self.history_, self.interrupted_ = learned.drawer, learned.history, learned.interrupted

    # ── what was learned ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def dependencies_(self) -> Any:
        """Which columns each column is drawn from, and how strongly; computed from the net alone when asked for.

        Columns stand in the table's order, and each is drawn from those before it. `nats` says how much worse the net predicts
        `column` (in nats, on drawn rows) when `drawn_from` is hidden from it and all other columns before it are not: what two
        columns tell alike counts for neither. `determined` columns are not drawn but looked up; then `nats` is the column's
        entropy. Links below 0.001 nats are left out.

        Returns:
            A frame of the kind fitted with the columns `column`, `drawn_from`, `nats`, `determined`, the strongest first.

        >>> import polars as pl
        >>> table = pl.DataFrame({"a": [1, 2, 3, 4] * 50, "b": ["x", "y", "x", "y"] * 50, "c": ["u"] * 100 + ["v"] * 100})
        >>> Autoregressive(epochs=5, random_state=0).fit(table).dependencies_.rows()[0][:2]
        ('b', 'a')
        """
        self._check_fitted()
        found = dependencies(self.codec_, self._drawer)
        return frames.from_polars(found, frames.FrameKind(self.kind_.library, {}))

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        net = self._drawer.net
        arrays = {f"net{name}": array for name, array in to_arrays(self._drawer.weights).items()}
        return {"net": dataclasses.asdict(net.settings)}, arrays | {"log_share": self._drawer.log_share}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        self._check_settings()
        net = self._net(Slots(layout), NetSettings(**config["net"]))
        saved = {k.removeprefix("net"): v for k, v in arrays.items() if k.startswith("net")}
        weights = from_arrays(jax.eval_shape(lambda: net.weights(0)), saved)
        if arrays["log_share"].shape != net.slots.digits.log_share.shape:
            raise ArtifactError("the saved shares do not fit the model's columns; fit again.")
        self._drawer = Drawer(net, weights, arrays["log_share"])


def _narrow(slots: Slots, embedding: int, hidden: int) -> int | None:
    """Shared units of a narrow mixing where a dense one would have too many weights, else None."""
    if slots.count**2 * embedding * hidden <= NARROW_FROM:
        return None
    return 256 if slots.count <= 2_000 else 64
