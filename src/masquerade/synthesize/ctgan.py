"""CTGAN: a conditional GAN for tables.

Reference: Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, "Modeling Tabular Data using Conditional GAN", NeurIPS 2019
(arXiv 1907.00503). Guarantee: none, or differential privacy with the setting `privacy` (DP-SGD on the critic: Abadi et al.
2016, arXiv 1607.00133; Xie et al. 2018, arXiv 1802.06739; Bie et al. 2023, arXiv 2302.02936).
"""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import jax

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.calibration import ScalarMap
from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.nets.gan import Data, GANSettings, TabularGAN
from masquerade.nets.gan_nets import Critic, Generator, NetFactory
from masquerade.nets.gan_private import PrivateGAN
from masquerade.nets.loop import Compilation, Schedule, Trail, seconds_left, train
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback, Progress
from masquerade.synthesize.calibrated import Calibrated
from masquerade.synthesize.checkpoint import Checkpoint
from masquerade.synthesize.ctgan_private import PrivateSchedule, learn_privately
from masquerade.synthesize.private import Prepared, Spending
from masquerade.synthesize.sampling import Referee, Sampler, shape
from masquerade.synthesize.settings import check_count, check_positive, refuse_changed

__all__ = ["CTGAN"]

TOLERANCE = 0.005
"""Of snapshots whose validation scores differ by less, the later one is kept."""

EPOCHS, BATCH_SIZE = 300, 500
WIDTHS = (256, 256)
"""What is taken where nothing is asked for."""

PRIVATE_WIDTHS = (128, 128), (128,)
"""Of generator and critic under a guarantee: noise grows with the number of the critic's weights."""

_LOSSES = ("relativistic", "wgan-gp")


class CTGAN(Calibrated):
    """Conditional tabular GAN (Xu et al. 2019).

    Each step draws a discrete column and one of its levels by log frequency, shows the critic real and made rows that have
    it, and asks the generator for it. Sampling draws conditions by their real frequency, runs the averaged generator in
    evaluation mode, and ends with a calibration of single columns (`masquerade.codec.calibration`).

    With `privacy` only the critic sees rows, and is trained by DP-SGD: each step draws rows at random, whatever they are like,
    clips the gradient of each unit, and adds noise. The generator begins at independent columns with noised shares, is held to
    them, and learns the rest from the critic, which costs nothing more. Conditions are drawn by the noised shares, made rows
    meet them exactly, and the critic judges rows alone. The schema must be declared; all steps are planned for the budget
    before the first. There is no validation then, no checkpoint and no seed; neither critic nor losses are kept, and
    `history_` tells steps and ε.

    Args:
        privacy: the guarantee, such as `mq.Privacy(epsilon=3.0)`; None: none.
        epochs: passes over the table; None: 300, and under a guarantee 40, or fewer on a small table. Training stops earlier
            at a plateau, but not under a guarantee.
        batch_size: rows a step, a multiple of `pac`; smaller on a table too small for ten such batches; None: 500. Under a
            guarantee, rows a step on average, and a fiftieth of all, from 64 to 4,096.
        embedding_dim: width of the noise.
        generator_dim: widths of the generator's residual blocks; None: (256, 256), and (128, 128) under a guarantee.
        discriminator_dim: widths of the critic's layers; None: (256, 256), and (128,) under a guarantee.
        pac: rows that the critic judges together (PacGAN); None: 1 for `"relativistic"`, 10 for `"wgan-gp"`. Always 1 under a
            guarantee.
        loss: `"relativistic"` (R3GAN, arXiv 2501.05441; without its penalties under a guarantee, where clipping and noise do
            their work) or `"wgan-gp"` (as in the paper).
        generator_lr: Adam's step size; None: 1e-3 for `"relativistic"`, 2e-4 for `"wgan-gp"`, 1e-3 under a guarantee.
        discriminator_lr: likewise, for the critic.
        discriminator_steps: critic updates for each generator update.
        discrete_columns: columns to treat as discrete besides those whose kind is; conditions can be put on them.
        patience: validations (see `history_`) without a better score before training stops; None: never.
        max_minutes: wall-clock limit of training; None: no limit.
        protect: a level or exact value is reproduced only if at least so many units share it; 0 switches this off.
        unit: the column that says whose row it is; None: each row is its own unit.
        generator: factory `(in_width, out_width, *, key) -> equinox.Module` of another generator net; the module maps a batch.
        discriminator: likewise, of another critic; it may take a keyword `key` for dropout, but not under a guarantee, where it
            must judge each row on its own.
        checkpoint: a file from which training goes on if it exists, written every minute and at the end; None: none.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
    >>> model = CTGAN(epochs=1, random_state=0).fit(table)
    >>> model.sample(5, given={"sex": "f"})["sex"].to_list()
    ['f', 'f', 'f', 'f', 'f']
    """

    reference: ClassVar[str] = "Xu et al., Modeling Tabular Data using Conditional GAN, NeurIPS 2019, arXiv 1907.00503"
    spends: ClassVar[Spending] = Spending(domains=0.03, marginals=0.05, most_bins=20)

    def __init__(
        self,
        *,
        privacy: Privacy | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        embedding_dim: int = 128,
        generator_dim: Sequence[int] | None = None,
        discriminator_dim: Sequence[int] | None = None,
        pac: int | None = None,
        loss: Literal["relativistic", "wgan-gp"] = "relativistic",
        generator_lr: float | None = None,
        discriminator_lr: float | None = None,
        discriminator_steps: int = 1,
        discrete_columns: Sequence[str] | None = None,
        patience: int | None = 10,
        max_minutes: float | None = None,
        protect: int = 10,
        unit: str | None = None,
        generator: NetFactory | None = None,
        discriminator: NetFactory | None = None,
        checkpoint: str | Path | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.epochs = epochs
        self.batch_size = batch_size
        self.embedding_dim = embedding_dim
        self.generator_dim = generator_dim
        self.discriminator_dim = discriminator_dim
        self.pac = pac
        self.loss = loss
        self.generator_lr = generator_lr
        self.discriminator_lr = discriminator_lr
        self.discriminator_steps = discriminator_steps
        self.discrete_columns = discrete_columns
        self.patience = patience
        self.max_minutes = max_minutes
        self.protect = protect
        self.unit = unit
        self.generator = generator
        self.discriminator = discriminator
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    # ── settings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _check_settings(self) -> None:
        if self.loss not in _LOSSES:
            raise SettingError(f"loss: got {self.loss!r}, expected one of {', '.join(map(repr, _LOSSES))}.")
        for name in ("embedding_dim", "discriminator_steps"):
            check_count(name, getattr(self, name))
        for name in ("epochs", "batch_size", "pac", "patience"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        for name in ("generator_dim", "discriminator_dim"):
            widths = getattr(self, name)
            if widths is None:
                continue
            if isinstance(widths, str | int) or not widths:
                raise SettingError(f"{name}: got {widths!r}, expected a sequence of layer widths such as (256, 256).")
            for width in widths:
                check_count(name, width)
        for name in ("generator_lr", "discriminator_lr", "max_minutes"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        if self.privacy is not None:
            self._check_private_settings()
        elif self._batch_size % self._pac != 0:
            raise SettingError(
                f"batch_size: got {self._batch_size}, expected a multiple of pac ({self._pac}); "
                f"take {max(1, self._batch_size // self._pac) * self._pac}."
            )

    def _check_private_settings(self) -> None:
        if self.pac not in (None, 1):
            raise SettingError(
                f"pac: got {self.pac} under a guarantee, where each row must be judged on its own; leave it out."
            )
        if self.checkpoint is not None:
            raise SettingError(
                "checkpoint: got a path under a guarantee, and half-trained nets on disk would tell more of the rows than the "
                "guarantee allows; leave it out."
            )
        unused = ("patience", "discrete_columns", "protect")
        refuse_changed(self, unused, "under a guarantee: the schema's declaration and the noise stand in its place")

    @property
    def _pac(self) -> int:
        if self.pac is not None:
            return self.pac
        return 1 if self.loss == "relativistic" else 10

    @property
    def _batch_size(self) -> int:
        return BATCH_SIZE if self.batch_size is None else self.batch_size

    def _net(self, layout: Layout, rows: int) -> TabularGAN:
        """The pure functions; under a guarantee those of private training."""
        private = self.privacy is not None
        relativistic = self.loss == "relativistic"
        rate = 1e-3 if relativistic or private else 2e-4
        pac = 1 if private else self._pac
        batch = BATCH_SIZE if private else min(self._batch_size, max(rows // 10, 2 * pac, 16))
        settings = GANSettings(
            batch_size=max(batch // pac, 1) * pac,
            embedding_dim=self.embedding_dim,
            pac=pac,
            loss=self.loss,
            generator_lr=rate if self.generator_lr is None else self.generator_lr,
            discriminator_lr=rate if self.discriminator_lr is None else self.discriminator_lr,
            discriminator_steps=self.discriminator_steps,
            penalty=1.0 if relativistic else 10.0,
            beta1=0.0 if relativistic or private else 0.5,
            beta2=0.99 if private else 0.9,
            average=0.99 if private else 0.999,
        )
        dropout = 0.0 if relativistic or private else 0.5
        widths = PRIVATE_WIDTHS if private else (WIDTHS, WIDTHS)
        inner, outer = (
            default if chosen is None else tuple(chosen)
            for chosen, default in zip((self.generator_dim, self.discriminator_dim), widths, strict=True)
        )
        generator = self.generator or functools.partial(Generator, widths=inner)
        critic = self.discriminator or functools.partial(Critic, widths=outer, dropout=dropout)
        return (PrivateGAN if private else TabularGAN)(layout, settings, generator, critic)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        began = time.monotonic()
        tell, epochs = self._tell, EPOCHS if self.epochs is None else self.epochs
        gan = self._net(layout, len(encoded))
        beginning = seeds.integer(seed, "train")
        state = Compilation(gan.init, beginning).result()(beginning)

        def waiting(seconds: float) -> None:
            tell(Progress("compile", 0, epochs, seconds))

        # One after the other: two compilers side by side need 100 MB more and are hardly quicker.
        self._sampler, normalised = Sampler(gan, waiting), _normaliser(gan, waiting)
        referee = Referee(self._sampler, encoded, layout, protect=self.protect, seed=seeds.integer(seed, "validate"))
        data, trail = gan.data(encoded), Trail()
        checkpoint = Checkpoint(self.checkpoint, self._settings(), self.codec_.to_state()) if self.checkpoint else None
        if checkpoint is not None:
            state, trail = checkpoint.restore(state, trail)
        steps = max(len(encoded) // gan.settings.batch_size, 1)
        outcome = train(
            gan.step,
            state,
            data,
            Schedule(
                epochs,
                steps,
                seconds_left(self.max_minutes, began),
                validate_every=max(5, -(-50 // steps)),
                patience=self.patience,
                tolerance=TOLERANCE,
            ),
            snapshot=lambda state: state.average,
            validate=lambda params: referee.score(normalised(params, data)),
            callback=tell,
            checkpoint=None if checkpoint is None else checkpoint.save,
            trail=trail,
        )
        if checkpoint is not None:
            checkpoint.save(outcome.state, outcome.trail, now=True)
        self.history_, self.interrupted_ = outcome.trail.history, outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                f"training left the finite numbers after epoch {outcome.trail.epoch} and was stopped; the best model before "
                "is kept. A smaller generator_lr and discriminator_lr usually help.",
                MasqueradeWarning,
                stacklevel=3,
            )
        self._params = normalised(outcome.trail.best, data)
        self._calibrate(referee)

    def _learn_private(self, prepared: Prepared) -> None:
        assert self.privacy is not None, "a guarantee was asked for"
        gan = self._net(prepared.codec.layout, 0)
        assert isinstance(gan, PrivateGAN), "as `privacy` asks for"
        learned = learn_privately(
            prepared,
            gan,
            PrivateSchedule.of(prepared.total, self.batch_size, self.epochs),
            rows_per_unit=1 if prepared.units is None else self.privacy.rows_per_unit,
            max_minutes=self.max_minutes,
            tell=self._tell,
        )
        self._sampler, self._params, self._bias = learned.sampler, learned.params, learned.bias
        self._map = ScalarMap.none()
        self.history_, self.interrupted_ = learned.history, learned.interrupted


def _normaliser(gan: TabularGAN, waiting: Callable[[float], None]) -> Callable[[Any, Data], Any]:
    """Compiles what fixes the batch normalisation of a generator's arrays for evaluation."""
    key, weights = jax.eval_shape(jax.random.key, 0), shape(gan.conditions.true_weights.shape)
    compiled = Compilation(gan.normalised, gan.skeleton(), key, weights).result(waiting)
    return lambda params, data: compiled(params, jax.random.key(0), data.rows.log_weights)
