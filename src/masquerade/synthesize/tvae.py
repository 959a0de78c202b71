"""TVAE: a variational autoencoder for tables.

Reference: Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, "Modeling Tabular Data using Conditional GAN", NeurIPS 2019
(arXiv 1907.00503), section 4.5. Guarantee: none.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import ClassVar

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.nets.loop import Compilation, Schedule, seconds_left, train
from masquerade.nets.vae import TabularVAE, VAESettings
from masquerade.progress import Callback, Progress
from masquerade.synthesize.calibrated import Calibrated
from masquerade.synthesize.sampling import Referee, Sampler
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["TVAE"]

HELD_ROWS = 8_192
"""Rows, at most a tenth, that are kept from training to tell when it begins to learn single rows by heart."""


class TVAE(Calibrated):
    """Tabular variational autoencoder (Xu et al. 2019, section 4.5).

    An encoder turns each row into a small Gaussian in a latent space, a decoder makes rows of latent points; both learn to
    lose little on the way, and the prior learns where the rows are. Sampling takes points of the prior, decodes them with the
    averaged weights, and ends with a calibration of single columns (`masquerade.codec.calibration`). A tenth of the rows does
    not train and says when to stop. Under a condition, points are taken by how likely the decoder gives the wanted level there;
    `mq.Autoregressive` takes any columns.

    Args:
        epochs: passes over the table; training stops earlier at a plateau.
        batch_size: rows a step; smaller on a table too small for ten such batches.
        embedding_dim: dimensions of the latent space.
        compress_dims: widths of the encoder's layers.
        decompress_dims: widths of the decoder's layers.
        lr: Adam's step size.
        l2scale: weight decay.
        loss_factor: weight of the reconstruction error beside the divergence from the prior.
        prior_components: Gaussians in the learned prior; 1: the fixed standard Gaussian of the paper.
        discrete_columns: columns to treat as discrete besides those whose kind is; conditions can be put on them.
        patience: validations (see `history_`) without a better score before training stops; None: never.
        max_minutes: wall-clock limit of training; None: no limit.
        protect: a level or exact value is reproduced only if at least so many units share it; 0 switches this off.
        unit: the column that says whose row it is; None: each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
    >>> model = TVAE(epochs=1, random_state=0).fit(table)
    >>> model.sample(5, given={"sex": "f"})["sex"].to_list()
    ['f', 'f', 'f', 'f', 'f']
    """

    reference: ClassVar[str] = (
        "Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: Modeling Tabular Data using Conditional GAN. NeurIPS 2019, "
        "section 4.5. arXiv 1907.00503."
    )

    def __init__(
        self,
        *,
        epochs: int = 150,
        batch_size: int = 500,
        embedding_dim: int = 32,
        compress_dims: Sequence[int] = (256, 256),
        decompress_dims: Sequence[int] = (256, 256),
        lr: float = 2e-3,
        l2scale: float = 1e-5,
        loss_factor: float = 2.0,
        prior_components: int = 64,
        discrete_columns: Sequence[str] | None = None,
        patience: int | None = 10,
        max_minutes: float | None = None,
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.epochs = epochs
        self.batch_size = batch_size
        self.embedding_dim = embedding_dim
        self.compress_dims = compress_dims
        self.decompress_dims = decompress_dims
        self.lr = lr
        self.l2scale = l2scale
        self.loss_factor = loss_factor
        self.prior_components = prior_components
        self.discrete_columns = discrete_columns
        self.patience = patience
        self.max_minutes = max_minutes
        self.protect = protect
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        for name in ("epochs", "batch_size", "embedding_dim", "prior_components"):
            check_count(name, getattr(self, name))
        if self.patience is not None:
            check_count("patience", self.patience)
        for name in ("compress_dims", "decompress_dims"):
            widths = getattr(self, name)
            if isinstance(widths, str | int) or not widths:
                raise SettingError(f"{name}: got {widths!r}, expected a sequence of layer widths such as (256, 256).")
            for width in widths:
                check_count(name, width)
        for name in ("lr", "loss_factor"):
            check_positive(name, getattr(self, name))
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)
        if self.l2scale != 0:
            check_positive("l2scale", self.l2scale)

    def _net(self, layout: Layout, rows: int) -> TabularVAE:
        settings = VAESettings(
            batch_size=min(self.batch_size, max(rows // 10, 16)),
            embedding_dim=self.embedding_dim,
            compress_dims=tuple(self.compress_dims),
            decompress_dims=tuple(self.decompress_dims),
            lr=self.lr,
            l2scale=self.l2scale,
            loss_factor=self.loss_factor,
            prior_components=self.prior_components,
        )
        return TabularVAE(layout, settings)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        began = time.monotonic()
        tell = self._tell
        vae = self._net(layout, len(encoded))
        beginning = seeds.integer(seed, "train")
        state = Compilation(vae.init, beginning).result()(beginning)
        self._sampler = Sampler(vae, lambda seconds: tell(Progress("compile", 0, self.epochs, seconds)))
        order = seeds.stream(seed, "held").permutation(len(encoded))
        held = vae.data(encoded.rows(order[: min(max(len(order) // 10, 1), HELD_ROWS)]))
        data = vae.data(encoded.rows(order[len(held.codes) :]))
        bound = Compilation(vae.held_out, state.average, held).result()
        steps = max(len(data.codes) // vae.settings.batch_size, 1)
        outcome = train(
            vae.step,
            state,
            data,
            Schedule(
                self.epochs,
                steps,
                seconds_left(self.max_minutes, began),
                validate_every=max(5, -(-50 // steps)),
                patience=self.patience,
            ),
            snapshot=lambda state: state.average,
            validate=lambda params: -float(bound(params, held)),
            callback=tell,
        )
        self.history_, self.interrupted_ = outcome.trail.history, outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                f"training left the finite numbers after epoch {outcome.trail.epoch} and was stopped; the best model before "
                "is kept. A smaller lr usually helps.",
                MasqueradeWarning,
                stacklevel=3,
            )
        self._params = outcome.trail.best[1]
        referee = Referee(self._sampler, encoded, layout, protect=self.protect, seed=seeds.integer(seed, "calibrate"))
        self._calibrate(referee)
