"""`DPMERF`: pictures under a guarantee, by one noised mean embedding."""

from __future__ import annotations

import functools
import secrets
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning
from masquerade.interrupts import keeping_model
from masquerade.nets.loop import Compilation, Schedule, seconds_left, train
from masquerade.nets.picture_merf import EmbeddingMatcher, MatchingSettings, WindowFeatures
from masquerade.nets.picture_nets import PictureGenerator, PictureNetFactory
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback, Progress
from masquerade.synthesize.image_base import as_pictures
from masquerade.synthesize.image_guarantee import (
    check_guarantee,
    class_numbers,
    count_classes,
    declared_classes,
    embedding_event,
    noised_means,
)
from masquerade.synthesize.image_net import NetImages
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["DPMERF"]

EPOCHS = 20
"""Parts that training is told in; there is no pass over any data."""


class DPMERF(NetImages):
    """Pictures under differential privacy: a generator that is told nothing but noised means.

    Every picture becomes random Fourier features of its windows, a vector of length 1; their sum by class is noised once, and
    the number of pictures of each class as well. The generator learns to paint pictures with the same mean features, which
    costs no more however long it takes.

    Formal guarantees:
        Adding or removing one picture with its class changes the probability of any fitted model, and so of its file, its
        ledger and its pictures, by no more than the ledger says. Public are: the pictures' size and channels, the `classes`,
        and the settings. A picture of a class that is not declared is left out.

    Args:
        privacy: what is guaranteed; `unit` and `rows_per_unit` do not apply, each picture is its own unit.
        classes: the classes that there may be, which is public knowledge; None: the pictures are told without classes.
        features: numbers of a mean embedding, about, in three sizes of windows; more see finer, and are noised more.
        batch_size: pictures a step.
        latent_width: numbers of noise behind a picture.
        width: channels of the generator at a quarter of the pictures' size.
        learning_rate: of the generator.
        steps: of training.
        max_minutes: wall-clock limit of training; None: no limit.
        watch: a folder for a grid of drawn pictures now and then; None: none.
        generator: factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another generator net.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: must be None: a known seed would undo the noise. `sample` takes one.

    >>> from masquerade.privacy.budget import Privacy
    >>> images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    >>> model = DPMERF(privacy=Privacy(epsilon=10.0), classes=[0, 1], features=200, steps=20, width=8)
    >>> made, classes = model.fit(images, np.arange(40) % 2).sample(4, given={"label": 1})
    >>> made.shape, classes.tolist(), model.ledger_.epsilon <= 10
    ((4, 8, 8), [1, 1, 1, 1], True)
    """

    reference: ClassVar[str] = "Harder, Adamczewski, Park, DP-MERF, 2021, arXiv 2002.11603"

    noised_rows_: int
    """The number of pictures, counted with noise."""

    def __init__(
        self,
        *,
        privacy: Privacy,
        classes: Sequence[Any] | None = None,
        features: int = 9_000,
        batch_size: int = 200,
        latent_width: int = 64,
        width: int = 32,
        learning_rate: float = 1e-3,
        steps: int = 3_000,
        max_minutes: float | None = None,
        watch: str | Path | None = None,
        generator: PictureNetFactory | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.classes = classes
        self.features = features
        self.batch_size = batch_size
        self.latent_width = latent_width
        self.width = width
        self.learning_rate = learning_rate
        self.steps = steps
        self.max_minutes = max_minutes
        self.watch = watch
        self.generator = generator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        check_guarantee(self.privacy, self.random_state)
        for name in ("features", "batch_size", "latent_width", "steps"):
            check_count(name, getattr(self, name))
        check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)
        declared_classes(self.classes)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from pictures.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set;
                height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says.

        Raises:
            SettingError: a seed was given, pictures have classes and `classes` does not say which there may be, δ is above
                1 / pictures (counted with noise), or another setting is out of range.
            TableError: pictures that cannot be modelled, or too few of them (counted with noise).
            FileError: the path cannot be read.
            InterruptedTraining: Ctrl-C before there was anything to keep. The budget is spent all the same.
        """
        self._check_settings()
        pictures = as_pictures(X, y)
        self.classes_ = declared_classes(self.classes)
        numbers = class_numbers(pictures, self.classes_)
        self._take_shape(pictures)
        self.interrupted_, self._calls, self.history_ = False, 0, []
        with keeping_model(self):
            self._learn(pictures.images, numbers, secrets.randbits(63))
        return self

    def _learn(self, images: NDArray[np.uint8], classes: NDArray[np.int32], seed: int) -> None:
        began = time.monotonic()
        known = classes >= 0
        if not known.all():
            images, classes = images[known], classes[known]
        counted = count_classes(self.privacy, classes, max(self.classes_.size, 1))
        accountant = counted.accountant
        self._net = self._painter()
        self._forget()
        sigma = accountant.calibrate(lambda sigma: [embedding_event(sigma)])
        means = noised_means(counted, sigma, self._net.features, images, classes)
        del images, classes
        self._shares = counted.shares
        self.noised_rows_ = round(counted.total)
        self.ledger_ = accountant.ledger(type(self).__name__)
        self._match(means, seed, began)

    def _match(self, means: NDArray[np.float32], seed: int, began: float) -> None:
        """Train the generator on what was noised; no picture is needed."""
        parts = min(EPOCHS, self.steps)
        shown: list[int] = []

        def show(params: Any) -> float:
            self._params = params
            shown.append(len(shown) + 1)
            self._show_grid(shown[-1])
            return 0.0

        limit = seconds_left(self.max_minutes, began)
        beginning = seeds.integer(seed, "train")
        state = Compilation(self._net.init, beginning).result(
            lambda seconds: self._tell(Progress("compile", 0, parts, seconds))
        )(beginning)
        outcome = train(
            self._net.step,
            state,
            (jnp.asarray(means), jnp.asarray(self._shares, jnp.float32)),
            Schedule(parts, self.steps // parts, limit, validate_every=1, quick=True),
            snapshot=lambda state: state.average,
            validate=show,
            callback=self._tell,
        )
        self.interrupted_ = outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                "training left the finite numbers and was stopped; the best model before is kept. A smaller learning_rate "
                "usually helps.",
                MasqueradeWarning,
                stacklevel=4,
            )
        self._params = outcome.trail.best
        epsilon = float(self.ledger_.epsilon or 0.0)
        self.history_ = [{"step": float(int(outcome.state.steps)), "epsilon": epsilon}]

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"classes": self.classes_.tolist() or None}

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"noised_rows": self.noised_rows_}, super()._to_state()[1]

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        super()._from_state(config, arrays)
        self.noised_rows_ = int(config["noised_rows"])

    def _painter(self) -> EmbeddingMatcher:
        settings = MatchingSettings(
            batch_size=self.batch_size,
            latent_width=self.latent_width,
            learning_rate=self.learning_rate,
            steps=self.steps,
        )
        make = self.generator or functools.partial(PictureGenerator, width=4 * -(-self.width // 4))
        features = WindowFeatures(self.shape_, self.features // 3)
        return EmbeddingMatcher(self.shape_, self.classes_.size, features, settings, make)
