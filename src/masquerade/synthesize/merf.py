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
from masquerade.errors import MasqueradeWarning, SettingError, TableError
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.picture_merf import EmbeddingMatcher, MatchingSettings, WindowFeatures
from masquerade.nets.picture_nets import PictureGenerator, PictureNetFactory
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import discrete_gaussian, gaussian
from masquerade.privacy.noise import noised_counts
from masquerade.privacy.sums import GRID, bounded_rows, longest, noised_sums
from masquerade.progress import Callback, Progress
from masquerade.synthesize.image_base import LEAST_PICTURES, as_pictures
from masquerade.synthesize.image_net import BLOCK, NetImages
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["DPMERF"]

COUNTING = 0.02
"""Share of the budget for the number of pictures of each class."""

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
        if not isinstance(self.privacy, Privacy):
            raise SettingError(f"privacy: got {self.privacy!r}, expected masquerade.Privacy(epsilon=..., delta=...).")
        if self.privacy.unit is not None or self.privacy.rows_per_unit != 1:
            raise SettingError("privacy: got a unit, but each picture is its own; leave unit and rows_per_unit out.")
        for name in ("features", "batch_size", "latent_width", "steps"):
            check_count(name, getattr(self, name))
        check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)
        self._declared()

    def _declared(self) -> NDArray[Any]:
        """The declared classes, sorted; empty where there are none."""
        if self.classes is None:
            return np.empty(0)
        listed = [value.item() if isinstance(value, np.generic) else value for value in self.classes]
        kinds = {type(value) for value in listed}
        if isinstance(self.classes, str) or not listed or (kinds != {int} and kinds != {str}):
            raise SettingError(
                f"classes: got {self.classes!r}, expected a list of integers or of texts, such as [0, 1]."
            )
        if len(set(listed)) < len(listed):
            raise SettingError("classes: one is listed twice, expected each once.")
        return np.array(sorted(listed))

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
        if self.random_state is not None:
            raise SettingError(
                f"random_state: got {self.random_state} with a private fit, whose noise must stay unknown: a published seed "
                "undoes it; leave the seed out."
            )
        self._check_settings()
        pictures = as_pictures(X, y)
        numbers = self._declare(pictures)
        self._take_shape(pictures)
        self.interrupted_, self._calls, self.history_ = False, 0, []
        self._learn(pictures.images, numbers, secrets.randbits(63))
        return self

    def _declare(self, pictures: Pictures) -> NDArray[np.int32]:
        """The number of each picture's declared class; -1 for another."""
        self.classes_ = self._declared()
        if not self.classes_.size:
            if LABEL in pictures.labels:
                raise SettingError(
                    "classes: the pictures have classes, and which there are must be public under a guarantee; name all that "
                    "there may be: classes=[0, 1, 2] (--classes 0,1,2)."
                )
            return np.zeros(len(pictures), np.int32)
        if LABEL not in pictures.labels:
            raise TableError("label: classes are declared and the pictures have none; hand them over as y.")
        place = {str(value): i for i, value in enumerate(self.classes_.tolist())}
        levels, inverse = np.unique(pictures.labels[LABEL], return_inverse=True)
        return np.array([place.get(str(level), -1) for level in levels.tolist()], np.int32)[inverse.ravel()]

    def _learn(self, images: NDArray[np.uint8], classes: NDArray[np.int32], seed: int) -> None:
        began = time.monotonic()
        known = classes >= 0
        if not known.all():
            images, classes = images[known], classes[known]
        accountant = Accountant(self.privacy, "picture")
        kinds = max(self.classes_.size, 1)
        sigma = accountant.sigma(COUNTING)
        accountant.spend(discrete_gaussian(sigma, stage="marginals", what="pictures of each class"))
        counts = noised_counts(np.bincount(classes, minlength=kinds), sigma)
        total = max(float(counts.sum()), 1.0)
        accountant.check_delta(total)
        if total < LEAST_PICTURES:
            raise TableError(
                f"images: there are about {total:.0f} pictures, counted with noise; expected at least {LEAST_PICTURES}."
            )
        self._net = self._painter()
        self._forget()
        sigma = accountant.calibrate(lambda sigma: [_event(sigma)])
        accountant.spend(_event(sigma))
        sums = noised_sums(self._sums(images, classes, kinds), sigma * longest(self._net.features.width))
        del images, classes
        kept = np.maximum(counts, 1)
        self._shares = kept / kept.sum()
        self.noised_rows_ = round(total)
        self.ledger_ = accountant.ledger(type(self).__name__)
        means = (sums / (GRID * kept[:, None])).astype(np.float32)
        self._match(means, seed, began)

    def _sums(self, images: NDArray[np.uint8], classes: NDArray[np.int32], kinds: int) -> NDArray[np.int64]:
        """The sum of the rounded features of each class: private until it is noised."""
        sums = np.zeros((kinds, self._net.features.width), np.int64)
        for start in range(0, len(images), BLOCK):
            rows = bounded_rows(self._net.features.whole(images[start : start + BLOCK], GRID))
            which = classes[start : start + BLOCK]
            for kind in np.unique(which):
                sums[kind] += rows[which == kind].sum(axis=0)
        return sums

    def _match(self, means: NDArray[np.float32], seed: int, began: float) -> None:
        """Train the generator on what was noised; no picture is needed."""
        parts = min(EPOCHS, self.steps)
        shown: list[int] = []

        def show(params: Any) -> float:
            self._params = params
            shown.append(len(shown) + 1)
            self._show_grid(shown[-1])
            return 0.0

        limit = None if self.max_minutes is None else max(60 * self.max_minutes - (time.monotonic() - began), 0.0)
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


def _event(sigma: float) -> dict[str, Any]:
    return gaussian(sigma, stage="training", what="mean embedding of each class")
