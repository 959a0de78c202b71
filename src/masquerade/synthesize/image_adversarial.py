"""What all GANs of pictures share: training with a referee, drawing, saving, and going on from a public model."""

from __future__ import annotations

import re
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning, SettingError, nearest
from masquerade.nets.loop import Compilation, Schedule, seconds_left, train
from masquerade.nets.picture_gan import PictureData, PictureGAN, PictureState
from masquerade.nets.picture_nets import PictureNetFactory
from masquerade.progress import Progress
from masquerade.synthesize.image_net import NetImages
from masquerade.synthesize.image_referee import ImageReferee
from masquerade.synthesize.image_source import largest_shard
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["AdversarialImages", "inherited"]

BATCH_SIZE = 64
"""Pictures a step where nothing is asked for."""

LEAST_STEPS = 150
"""Steps between two judgements, so that on small sets training is not mostly judged."""


class AdversarialImages(NetImages):
    """A GAN of pictures. A subclass says which nets and losses (`_gan`), and how many epochs (`_epochs`)."""

    epochs: int | None
    batch_size: int | None
    latent_width: int
    width: int | None
    learning_rate: float
    patience: int | None
    max_minutes: float | None
    keep_epochs: str | Path | None
    generator: PictureNetFactory | None
    discriminator: PictureNetFactory | None

    _net: PictureGAN
    _start: Any
    _freeze: tuple[str, ...]

    @abstractmethod
    def _gan(self, count: int, steps: int) -> PictureGAN:
        """The pure functions, for so many training pictures and planned steps."""

    def _painter(self) -> PictureGAN:
        return self._gan(1, 1)

    @abstractmethod
    def _epochs(self, count: int) -> int:
        """Passes over so many pictures."""

    def _batch(self, count: int) -> int:
        """Pictures a step, of so many."""
        return min(BATCH_SIZE if self.batch_size is None else self.batch_size, max(count // 2, 2))

    def _check_settings(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_count("latent_width", self.latent_width)
        if self.width is not None:
            check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)

    def fit(self, X: Any, y: Any = None, start_from: Any = None, freeze: Sequence[str] = ()) -> Self:
        """Learn from pictures.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set;
                at least 10 pictures, height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says, and without any the model is not conditional.
            start_from: a fitted model of the same class and settings to go on from, or its file: one trained on public pictures
                needs fewer private ones. What is told of the classes starts afresh where the classes differ.
            freeze: names of the generator's layers that stay as they are in `start_from`, such as `("up", "paint")`, or of what
                is inside of one, such as `("first.inner",)`; the others, by default all, are fine-tuned. An `ImageGAN` has,
                from noise to picture, `tell` (the class), `start`, `first`, `up`, `second`, `last` and `paint`, a `DCGAN`
                `start`, `first`, `up`, `second` and `paint`.

        Raises:
            TableError: pictures that cannot be modelled (the message says why and what to do).
            FileError: the path cannot be read.
            SettingError: a setting out of range, a model that does not fit, or layers that it does not have.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        start_from = self._beginning(start_from)
        if freeze and start_from is None:
            raise SettingError("freeze: there are no layers to keep without start_from, a model to go on from.")
        self._start, self._freeze = start_from, (freeze,) if isinstance(freeze, str) else tuple(freeze)
        try:
            return super().fit(X, y)
        finally:
            del self._start, self._freeze

    def _beginning(self, start_from: Any) -> Any:
        """The model to go on from, read where it is a file; None: none."""
        if isinstance(start_from, str | Path):
            start_from = self._read(start_from)
        if start_from is not None and type(start_from) is not type(self):
            raise SettingError(
                f"start_from: got a {type(start_from).__name__}, expected a fitted {type(self).__name__}."
            )
        return start_from

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
        steps = max(size // self._batch(count), 1)
        self._net = gan = self._gan(count, epochs * steps)
        self._forget()
        beginning = seeds.integer(seed, "train")

        def waiting(seconds: float) -> None:
            self._tell(Progress("compile", 0, epochs, seconds))

        state, step = Compilation(gan.init, beginning).result(waiting)(beginning), gan.step
        if self._start is not None:
            known = self._start._params
            state = gan.begin(inherited(known, state.generator), state.critic, beginning)
            if self._freeze:
                step = holding(step, chosen(self._freeze, known, state.generator))
        drawn = referee.classes_to_draw(self._shares)
        key = jax.random.key(seeds.integer(seed, "normalise"))
        normalised = Compilation(gan.normalised, gan.skeleton(), key).result(waiting)

        every = -(-LEAST_STEPS // steps)
        latest: dict[str, float] = {}

        def validate(params: Any) -> float:
            self._params = normalised(params, key)
            latest.update(referee.judge(self._draw(drawn, beginning, 0)))
            judged.append(dict(latest))
            return latest["score"]

        def shown(params: Any, epoch: int) -> None:
            if self._watched:
                self._params = normalised(params, key)
                self._show(epoch, latest)
            latest.clear()

        def shard(number: int) -> PictureData:
            turn = (
                seeds.stream(seed, "shards", number // shards).permutation(referee.training)
                if shards > 1
                else referee.training
            )
            begin = number % shards * (count - size) // max(shards - 1, 1)  # the last ones overlap
            rows = np.sort(turn[begin : begin + size])
            return PictureData(jnp.asarray(images[rows]), jnp.asarray(classes[rows]))

        judged: list[dict[str, float]] = []
        limit = seconds_left(self.max_minutes, began)
        outcome = train(
            step,
            state,
            shard if shards > 1 else shard(0),
            Schedule(epochs, steps, limit, validate_every=every, patience=self.patience, quick=True),
            snapshot=lambda state: state.average,
            validate=validate,
            callback=self._tell,
            shown=shown,
        )
        told = iter(judged)
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

    @property
    def _watched(self) -> bool:
        return self._shows_grids or self.keep_epochs is not None

    def _show(self, epoch: int, scores: Mapping[str, float]) -> None:
        """The grid and the weights of an epoch, where they were asked for; its scores, where it was judged."""
        self._show_grid(epoch, scores)
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


def chosen(names: Sequence[str], known: Any, fresh: Any) -> Any:
    """Whether each array of a generator is of one of the named layers: a tree of booleans.

    Args:
        names: of layers, or of what is inside of one, parted by dots.
        known: the generator to go on from.
        fresh: the one that will be trained.

    Raises:
        SettingError: there is no such layer, it starts afresh, or nothing would be left to train.
    """
    paths = [jax.tree_util.keystr(path).lstrip(".") for path, _ in jax.tree_util.tree_leaves_with_path(fresh)]
    shapes = zip(jax.tree.leaves(known), jax.tree.leaves(fresh), strict=True)
    alike = dict(zip(paths, (old.shape == new.shape for old, new in shapes), strict=True))
    of = {name: [path for path in paths if re.match(rf"{re.escape(name)}(\.|\[|$)", path)] for name in names}
    for name, within in of.items():
        if not within:
            layers = list(dict.fromkeys(re.split(r"[.\[]", path)[0] for path in paths))
            raise SettingError(
                f"freeze: got {name!r}, expected layers of the generator: {', '.join(layers)}{nearest(name, layers)}."
            )
        if not all(alike[path] for path in within):
            raise SettingError(f"freeze: {name!r} starts afresh, for the classes are others than those of start_from.")
    held = {path for within in of.values() for path in within}
    if len(held) == len(paths):
        raise SettingError("freeze: got all layers of the generator, expected some that are left to train.")
    return jax.tree.unflatten(jax.tree.structure(fresh), [path in held for path in paths])


def holding(step: Callable[..., Any], held: Any) -> Callable[..., Any]:
    """A step of a GAN that leaves these arrays of the generator as they are."""

    def kept(before: Any, after: Any) -> Any:
        return jax.tree.map(lambda stays, old, new: old if stays else new, held, before, after)

    def stepped(state: PictureState, data: PictureData) -> tuple[PictureState, dict[str, Any]]:
        new, losses = step(state, data)
        generator, average = kept(state.generator, new.generator), kept(state.average, new.average)
        return new._replace(generator=generator, average=average), losses

    return stepped
