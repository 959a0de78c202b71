"""Encoder: a few numbers for each record, for modelling outside of the house.

Reference: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006. Guarantee:
none; codes are pseudonymous, not anonymous.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.errors import ArtifactError, MasqueradeWarning, SchemaError, nearest
from masquerade.interrupts import keeping_model
from masquerade.nets.autoencoder import AutoencoderSettings, encode, slopes
from masquerade.privacy.protect import unit_series
from masquerade.progress import Callback, Progress
from masquerade.release.base import Release
from masquerade.release.blurring import blurred, blurring_facts, cells_of
from masquerade.release.bottleneck import arrays_of, held_out, layers_of, learn
from masquerade.release.code_names import blocks, named_codes
from masquerade.release.encoder_checks import check_encodable, check_settings
from masquerade.release.features import Features, standardised
from masquerade.schema import Schema
from masquerade.synthesize.estimator import careful

__all__ = ["PSEUDONYMOUS", "Encoder"]

PSEUDONYMOUS = (
    "Codes are pseudonymous, not anonymous: each belongs to one record, and an attacker who knows some records with their "
    "codes can rebuild others and find people again. A secret rotation of the codes changes nothing."
)
"""What a release of codes must say of itself."""

DECIMALS = 3
"""Of released codes; more would say nothing of a record but which one it is."""

_BLOCK_ROWS = 65_536
_SLOPE_ROWS = 2_000


class Encoder(Release):
    """Replaces each record by the codes of a bottleneck autoencoder, of the whole table or of each named group of columns.

    Numbers are standardised, levels one-hot; layers of ¾ and ½ of their number lead to the codes. All groups train at once,
    each keeps its own best epoch by rows that did not train, and the decoder is thrown away. Codes are turned so that each
    stands for few inputs (`masquerade.release.rotation`), with mean 0 and standard deviation 1 over the training rows.

    Args:
        width: how many codes: a share of the encoder's inputs, rounded down (of each group's, with groups), or a whole number
            in all (shared out among groups by their inputs).
        groups: columns by group name, each column in one group; None: one group of all, whose codes are `code_0`, ....
        epochs: passes over the training rows; training stops earlier at a plateau.
        batch_size: rows a step.
        validation_share: share of the rows (units) that do not train and say which epoch was best.
        patience: validations (every second epoch) without a better score of any group before training stops; None: never.
        learning_rate: Adam's step size.
        noise: standard deviation of Gaussian noise added to the standardised codes; 0: none.
        group_means: each row gets the mean codes of a group of at least so many rows, cut to ±4 before; None: its own.
        group_by: columns that are public, inside of whose values rows are grouped; None: at random among all.
        hide: columns that the codes should not tell: they are not encoded, and a net that looks for them in the codes trains
            against the encoder. Test it with a fresh attacker before you rely on it.
        adversary: weight of that net; 0: the columns are only left out.
        target: a column that is copied to the output as it is, not encoded.
        protect: a level has a place of its own only if at least so many units share it, and numbers are cut to the
            `protect`-th most extreme; 0 switches this off.
        unit: the column that says whose row it is; None: each row is its own unit. It is not encoded.
        max_minutes: wall-clock limit of training; None: no limit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    Attributes after `fit`:
        features_: the encoder's inputs (`masquerade.release.features.Features`).
        codes_: names of the codes, in order.
        group_of_code_: the group of each code.
        lost_: by group, the share of its inputs' variance that its codes lose on rows that did not train.
        history_: one mapping for each epoch.
        interrupted_: whether Ctrl-C ended training.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50, "loan": ["yes", "no", "no", "no"] * 25})
    >>> encoder = Encoder(epochs=2, groups={"who": ["age", "sex"], "money": ["loan"]}, random_state=0)
    >>> encoder.fit_transform(table).columns
    ['who_0', 'money_0']
    """

    reference: ClassVar[str] = (
        "Hinton, Salakhutdinov: Reducing the Dimensionality of Data with Neural Networks. Science 313, 2006."
    )

    def __init__(
        self,
        *,
        width: float = 0.5,
        groups: Mapping[str, Sequence[str]] | None = None,
        epochs: int = 100,
        batch_size: int = 256,
        validation_share: float = 0.3,
        patience: int | None = 10,
        learning_rate: float = 5e-3,
        noise: float = 0.0,
        group_means: int | None = None,
        group_by: Sequence[str] | None = None,
        hide: Sequence[str] = (),
        adversary: float = 1.0,
        target: str | None = None,
        protect: int = 10,
        unit: str | None = None,
        max_minutes: float | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.width = width
        self.groups = groups
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_share = validation_share
        self.patience = patience
        self.learning_rate = learning_rate
        self.noise = noise
        self.group_means = group_means
        self.group_by = group_by
        self.hide = hide
        self.adversary = adversary
        self.target = target
        self.protect = protect
        self.unit = unit
        self.max_minutes = max_minutes
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        check_settings(self)

    def _check_table(self, typed: pl.DataFrame, schema: Schema) -> None:
        check_encodable(self, typed, schema)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, typed: pl.DataFrame, seed: int) -> None:
        apart = {*self.hide, *([] if self.target is None else [self.target])}
        self.features_ = Features.learn(typed, self.schema_, protect=self.protect, leave_out=apart)
        block_of_input, widths = blocks(self.features_, self.groups, self.width)
        self.group_of_code_, self.codes_ = named_codes(widths, self.target)
        held = held_out(unit_series(typed, self.schema_.unit), typed.height, self.validation_share, seed)
        with keeping_model(self):
            learned = learn(
                self.features_.transform(typed),
                held,
                block_of_input,
                list(widths.values()),
                secrets=standardised(typed, self.schema_, self.hide if self.adversary else (), protect=self.protect),
                settings=AutoencoderSettings(
                    batch_size=min(self.batch_size, int((~held).sum())),
                    learning_rate=self.learning_rate,
                    adversary=float(self.adversary),
                ),
                epochs=self.epochs,
                patience=self.patience,
                max_seconds=None if self.max_minutes is None else 60 * self.max_minutes,
                callback=self._tell,
                seed=seeds.integer(seed, "train"),
            )
            self._layers, self.lost_ = learned.layers, dict(zip(widths, learned.lost, strict=True))
            self.history_, self.interrupted_ = learned.history, learned.stopped == "interrupted"
        if learned.stopped == "diverged":
            warnings.warn(
                f"training left the finite numbers after epoch {len(self.history_)} and was stopped; the best encoder before "
                "is kept. A smaller learning_rate usually helps.",
                MasqueradeWarning,
                stacklevel=4,
            )

    # ── releasing ──────────────────────────────────────────────────────────────────────────────────────────────

    @careful
    def transform(self, X: Any) -> Any:
        """The codes of each record, in the records' order, and the target where there is one.

        Args:
            X: a table with the encoded columns; the target, hidden columns, ids and free text may be missing. A level that was
                not there in training counts as another, or as none where there was no other. It is not changed.

        Returns:
            The kind of frame that was given, codes as 32-bit floats of three decimals. With an integer `random_state` the same
            rows get the same noise and groups; repeated draws of one record would tell more about it than one.

        Raises:
            SchemaError: an encoded column is missing, or there is one that was not fitted.
            TableError: fewer rows than `group_means` asks for.
        """
        self._check_fitted()
        raw, kind = frames.to_polars(X)
        needed = {*(column.name for column in self.features_.columns), *(self.group_by or ())}
        for name in raw.columns:
            if name not in self.schema_:
                raise SchemaError(f"column {name!r} was not fitted{nearest(name, self.schema_.names)}; drop it.")
        columns = [column for column in self.schema_ if column.name in needed]
        typed = spelling.parse(raw.select(name for name in raw.columns if name in needed), Schema(tuple(columns)))
        return self._native(self._apply(typed, self._apply_seed()), raw, kind)

    def _apply(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        began = time.monotonic()
        parts = []
        for start in range(0, typed.height, _BLOCK_ROWS):
            self._tell(Progress("encode", start, typed.height, time.monotonic() - began))
            parts.append(encode(self._layers, self.features_.transform(typed[start : start + _BLOCK_ROWS])))
        codes = np.concatenate(parts) if parts else np.zeros((0, len(self.codes_)), np.float32)
        cells = cells_of(typed, self.group_by or ())
        codes = np.round(blurred(codes, cells, least=self.group_means, noise=self.noise, seed=seed), DECIMALS)
        self._tell(Progress("encode", typed.height, typed.height, time.monotonic() - began, finished=True))
        return pl.DataFrame({name: codes[:, i] for i, name in enumerate(self.codes_)})

    def _native(self, typed: pl.DataFrame, raw: pl.DataFrame, kind: frames.FrameKind) -> Any:
        """The codes and the target's cells as they are, in the kind of frame that was given."""
        if self.target is not None and self.target in raw.columns:
            typed = typed.with_columns(raw.get_column(self.target))
        return frames.from_polars(typed, kind)

    def _names_out(self) -> Sequence[str]:
        return self.codes_ if self.target is None else (*self.codes_, self.target)

    def _protections(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"protect": self.protect, "codes": len(self.codes_), "pseudonymous": PSEUDONYMOUS}
        found |= blurring_facts(len(self.codes_), self.noise, self.group_means, self.group_by or ())
        if self.hide:
            found["hide"] = {"columns": list(self.hide), "adversary": float(self.adversary)}
        return found

    # ── looking inside ─────────────────────────────────────────────────────────────────────────────────────────

    def attributions(self, X: Any) -> pl.DataFrame:
        """How much each column moves each code: for the owner's eyes, for it tells how the encoder works.

        Args:
            X: a table with the encoded columns; at most 2,000 of its rows, evenly spread, are looked at.

        Returns:
            One row for each column: `column`, and for each code the mean of |d code / d input| times the input's standard
            deviation, in standard deviations of the code (levels of a column by the root of the sum of squares).
        """
        self._check_fitted()
        inputs = self.inputs(X)
        rows = inputs[np.unique(np.linspace(0, len(inputs) - 1, min(len(inputs), _SLOPE_ROWS)).astype(int))]
        moved = slopes(self._layers, rows) * inputs.std(axis=0)[:, None]
        places = self.features_.places
        table = np.stack([np.sqrt(np.square(moved[place]).sum(axis=0)) for place in places.values()])
        return pl.DataFrame({"column": list(places)} | {name: table[:, i] for i, name in enumerate(self.codes_)})

    def inputs(self, X: Any) -> NDArray[np.float32]:
        """What the encoder sees of a table: numbers standardised, levels one-hot; shape (rows, `features_.width`)."""
        self._check_fitted()
        raw, _ = frames.to_polars(X)
        columns = tuple(self.schema_[column.name] for column in self.features_.columns)
        return self.features_.transform(spelling.parse(raw.select(c.name for c in columns), Schema(columns)))

    def encode(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The codes of such inputs, before noise and group means; shape (rows, codes)."""
        self._check_fitted()
        return encode(self._layers, inputs)

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config = {
            "features": self.features_.to_list(),
            "codes": list(self.codes_),
            "groups": list(self.group_of_code_),
            "lost": self.lost_,
            "layers": len(self._layers),
        }
        return config, arrays_of(self._layers)

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.features_ = Features.from_list(config["features"])
        self.codes_, self.group_of_code_ = tuple(config["codes"]), tuple(config["groups"])
        self.lost_ = dict(config["lost"])
        self._layers = layers_of(arrays, config["layers"], self.features_.width)
        width = len(self._layers[-1][1]) if self._layers else 0
        if width != len(self.codes_) or len(self.group_of_code_) != width:
            raise ArtifactError(f"the saved encoder has {width} codes and {len(self.codes_)} names; save it again.")
