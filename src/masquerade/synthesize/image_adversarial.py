"""What all GANs of pictures share: training with a referee, drawing, saving, and going on from a public model."""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.picture_gan import PictureData, PictureGAN
from masquerade.nets.picture_nets import PictureNetFactory
from masquerade.progress import Progress
from masquerade.synthesize.image_net import NetImages
from masquerade.synthesize.image_referee import ImageReferee
from masquerade.synthesize.image_source import largest_shard
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["AdversarialImages"]


class AdversarialImages(NetImages):
    """A GAN of pictures. A subclass says which nets and losses (`_gan`), and how many epochs (`_epochs`)."""

    epochs: int | None
    batch_size: int
    latent_width: int
    width: int
    learning_rate: float
    patience: int | None
    max_minutes: float | None
    keep_epochs: str | Path | None
    generator: PictureNetFactory | None
    discriminator: PictureNetFactory | None

    _net: PictureGAN
    _start: Any

    @abstractmethod
    def _gan(self, count: int, steps: int) -> PictureGAN:
        """The pure functions, for so many training pictures and planned steps."""

    def _painter(self) -> PictureGAN:
        return self._gan(1, 1)

    @abstractmethod
    def _epochs(self, count: int) -> int:
        """Passes over so many pictures."""

    def _check_settings(self) -> None:
        for name in ("epochs", "patience"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        for name in ("batch_size", "latent_width"):
            check_count(name, getattr(self, name))
        check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)

    def fit(self, X: Any, y: Any = None, start_from: Any = None) -> Self:
        """Learn from pictures.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set;
                at least 10 pictures, height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says, and without any the model is not conditional.
            start_from: a fitted model of the same class and settings to go on from, or its file: one trained on public pictures
                needs fewer private ones. What is told of the classes starts afresh where the classes differ.

        Raises:
            TableError: pictures that cannot be modelled (the message says why and what to do).
            FileError: the path cannot be read.
            SettingError: a setting out of range, or a model that does not fit.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        if isinstance(start_from, str | Path):
            start_from = self._read(start_from)
        if start_from is not None and type(start_from) is not type(self):
            raise SettingError(
                f"start_from: got a {type(start_from).__name__}, expected a fitted {type(self).__name__}."
            )
        self._start = start_from
        try:
            return super().fit(X, y)
        finally:
            del self._start

    @classmethod
    def _read(cls, path: str | Path) -> Any:
        from masquerade import artifact

        part = artifact.read(path)
        if part.kind != cls.__name__:
            raise SettingError(f"start_from: {path} holds a {part.kind[:80]!r}, expected a fitted {cls.__name__}.")
        with artifact.doubted(path, loading=True):
            return cls._load(part)

    def _learn(self, images: NDArray[np.uint8], classes: NDArray[np.int32], seed: int) -> None:
        began = time.monotonic()
        referee = ImageReferee(images, classes, self.classes_.size, seeds.integer(seed, "referee"), self._tell)
        count = len(referee.training)
        size = min(largest_shard(self.shape_), count)
        shards = -(-count // size)
        epochs = self._epochs(count) * shards
        steps = max(size // min(self.batch_size, max(count // 2, 2)), 1)
        self._net = gan = self._gan(count, epochs * steps)
        self._forget()
        beginning = seeds.integer(seed, "train")

        def waiting(seconds: float) -> None:
            self._tell(Progress("compile", 0, epochs, seconds))

        state = Compilation(gan.init, beginning).result(waiting)(beginning)
        if self._start is not None:
            state = gan.begin(inherited(self._start._params, state.generator), state.critic, beginning)
        drawn = referee.classes_to_draw(self._shares)
        key = jax.random.key(seeds.integer(seed, "normalise"))
        normalised = Compilation(gan.normalised, gan.skeleton(), key).result(waiting)

        def validate(params: Any) -> float:
            self._params = normalised(params, key)
            self._show(len(self._scores) + 1)
            self._scores.append(referee.judge(self._draw(drawn, beginning, 0)))
            return self._scores[-1]["score"]

        def shard(number: int) -> PictureData:
            turn = (
                seeds.stream(seed, "shards", number // shards).permutation(referee.training)
                if shards > 1
                else referee.training
            )
            begin = number % shards * (count - size) // max(shards - 1, 1)  # the last ones overlap
            rows = np.sort(turn[begin : begin + size])
            return PictureData(jnp.asarray(images[rows]), jnp.asarray(classes[rows]))

        self._scores: list[dict[str, float]] = []
        limit = None if self.max_minutes is None else max(60 * self.max_minutes - (time.monotonic() - began), 0.0)
        outcome = train(
            gan.step,
            state,
            shard if shards > 1 else shard(0),
            Schedule(epochs, steps, limit, validate_every=1, patience=self.patience, quick=True),
            snapshot=lambda state: state.average,
            validate=validate,
            callback=self._tell,
        )
        told = iter(self._scores)
        self.history_ = [entry | (next(told, {}) if "score" in entry else {}) for entry in outcome.trail.history]
        self.interrupted_ = outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                f"training left the finite numbers after epoch {outcome.trail.epoch} and was stopped; the best model before "
                "is kept. A smaller learning_rate usually helps.",
                MasqueradeWarning,
                stacklevel=3,
            )
        self._params = normalised(outcome.trail.best, key)
        del self._scores

    def _show(self, epoch: int) -> None:
        """The grid and the weights of an epoch, where they were asked for."""
        self._show_grid(epoch)
        if self.keep_epochs is not None:
            folder = Path(self.keep_epochs)
            folder.mkdir(parents=True, exist_ok=True)
            self.save(folder / f"epoch-{epoch:03d}.mq")


def inherited(known: Any, fresh: Any) -> Any:
    """The known weights in the places of the fresh ones wherever both have the same shape.

    Raises:
        SettingError: the nets are built differently.
    """
    if str(jax.tree.structure(known)) != str(jax.tree.structure(fresh)):
        raise SettingError("start_from: its nets are built differently; give both models the same settings.")
    pairs = zip(jax.tree.leaves(known), jax.tree.leaves(fresh), strict=True)
    taken = [old if old.shape == new.shape else new for old, new in pairs]
    if sum(old.shape != new.shape for old, new in zip(jax.tree.leaves(known), taken, strict=True)) > len(taken) // 2:
        raise SettingError("start_from: its pictures or widths are others; give both models the same settings.")
    return jax.tree.unflatten(jax.tree.structure(fresh), taken)
