"""`ImageGAN` and `DCGAN`: conditional generative adversarial nets of pictures."""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning
from masquerade.nets.dcgan_nets import DCCritic, DCGenerator
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.picture_gan import PictureData, PictureGAN, PictureSettings
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator, PictureNetFactory
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.progress import Callback, Progress
from masquerade.synthesize.image_base import ImageSynthesizer
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["DCGAN", "ImageGAN"]

BLOCK = 500
"""Pictures drawn in one compiled call."""

FEW_PICTURES = 5_000
"""Below so many pictures the critic sees augmented ones."""


class ImageGAN(ImageSynthesizer):
    """A small conditional GAN with the relativistic loss and zero-centred gradient penalties of R3GAN.

    No batch statistics, averaged generator weights; below 5,000 pictures the critic sees shifted and partly covered ones.

    Args:
        epochs: passes over the pictures; None: 12, and more on small sets.
        batch_size: pictures a step.
        latent_width: numbers of noise behind a picture.
        width: channels of both nets at a quarter of the pictures' size.
        learning_rate: of both nets.
        penalty: weight of the gradient penalties.
        max_minutes: wall-clock limit of training; None: no limit.
        generator: factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another generator net.
        discriminator: likewise, of another critic.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    >>> model = ImageGAN(epochs=1, width=8, random_state=0).fit(images, np.arange(40) % 4)
    >>> made, classes = model.sample(4, given={"label": 3})
    >>> made.shape, classes.tolist()
    ((4, 8, 8), [3, 3, 3, 3])
    """

    reference: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN! (R3GAN), 2024, arXiv 2501.05441"

    def __init__(
        self,
        *,
        epochs: int | None = None,
        batch_size: int = 128,
        latent_width: int = 64,
        width: int = 64,
        learning_rate: float = 1e-3,
        penalty: float = 2.0,
        max_minutes: float | None = None,
        generator: PictureNetFactory | None = None,
        discriminator: PictureNetFactory | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_width = latent_width
        self.width = width
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.max_minutes = max_minutes
        self.generator = generator
        self.discriminator = discriminator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        for name in ("batch_size", "latent_width"):
            check_count(name, getattr(self, name))
        check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.penalty != 0:
            check_positive("penalty", self.penalty)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)

    def _factories(self) -> tuple[PictureNetFactory, PictureNetFactory]:
        width = 4 * -(-self.width // 4)
        return (
            self.generator or functools.partial(PictureGenerator, width=width),
            self.discriminator or functools.partial(PictureCritic, width=width),
        )

    def _gan(self, count: int, steps: int) -> PictureGAN:
        settings = PictureSettings(
            batch_size=min(self.batch_size, max(count // 2, 2)),
            latent_width=self.latent_width,
            generator_lr=self.learning_rate,
            critic_lr=self.learning_rate,
            penalty=self.penalty,
            augment=count < FEW_PICTURES,
            steps=steps,
        )
        return PictureGAN(self.shape_, self.classes_.size, settings, *self._factories())

    def _epochs(self, count: int) -> int:
        return self.epochs or int(np.clip(720_000 / count, 12, 300))

    def _learn(self, images: NDArray[np.uint8], classes: NDArray[np.int32], seed: int) -> None:
        began = time.monotonic()
        epochs = self._epochs(len(images))
        steps = max(len(images) // min(self.batch_size, max(len(images) // 2, 2)), 1)
        gan = self._gan(len(images), epochs * steps)
        beginning = seeds.integer(seed, "train")
        state = Compilation(gan.init, beginning).result(
            lambda seconds: self._tell(Progress("compile", 0, epochs, seconds))
        )(beginning)
        limit = None if self.max_minutes is None else max(60 * self.max_minutes - (time.monotonic() - began), 0.0)
        outcome = train(
            gan.step,
            state,
            PictureData(jnp.asarray(images), jnp.asarray(classes)),
            Schedule(epochs, steps, limit, validate_every=1, quick=True),
            snapshot=lambda state: state.average,
            callback=self._tell,
        )
        self.history_, self.interrupted_ = outcome.trail.history, outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                f"training left the finite numbers after epoch {outcome.trail.epoch} and was stopped; the best model before "
                "is kept. A smaller learning_rate usually helps.",
                MasqueradeWarning,
                stacklevel=3,
            )
        self._net, self._params = gan, outcome.trail.best

    def _draw(self, classes: NDArray[np.int32], seed: int, start: int) -> NDArray[np.uint8]:
        if not hasattr(self, "_drawing"):
            key, block = jax.eval_shape(jax.random.key, 0), jnp.zeros((), jnp.int32)
            numbers = jnp.zeros(BLOCK, jnp.int32)
            self._drawing = Compilation(self._net.draw, self._params, key, block, numbers, quick=True).result()
        key = jax.random.key(seeds.integer(seed, "noise"))
        made = np.empty((len(classes), *self.shape_), np.uint8)
        for number, first in enumerate(range(0, len(classes), BLOCK)):
            part = classes[first : first + BLOCK]
            padded = np.zeros(BLOCK, np.int32)
            padded[: len(part)] = part
            found = self._drawing(self._params, key, jnp.int32(number), padded)
            made[first : first + BLOCK] = np.asarray(found)[: len(part)]
        return made

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {f"net{name}": array for name, array in to_arrays(self._params).items()}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._check_settings()
        self._net = self._gan(FEW_PICTURES, 1)
        saved = {name.removeprefix("net"): array for name, array in arrays.items()}
        self._params = from_arrays(self._net.skeleton(), saved)


class DCGAN(ImageGAN):
    """The articles' DCGAN, conditional: strided convolutions and batch normalisation, Adam at 2e-4 with beta 0.5.

    Args:
        epochs: passes over the pictures; None: 25.
        batch_size: pictures a step.
        latent_width: numbers of noise behind a picture.
        width: channels of the generator at a quarter of the pictures' size.
        learning_rate: of both nets.
        max_minutes, generator, discriminator, verbose, callbacks, random_state: as of `ImageGAN`.
    """

    reference: ClassVar[str] = "Radford, Metz, Chintala, DCGAN, 2015, arXiv 1511.06434"

    def __init__(
        self,
        *,
        epochs: int | None = 25,
        batch_size: int = 128,
        latent_width: int = 100,
        width: int = 128,
        learning_rate: float = 2e-4,
        max_minutes: float | None = None,
        generator: PictureNetFactory | None = None,
        discriminator: PictureNetFactory | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        super().__init__(
            epochs=epochs,
            batch_size=batch_size,
            latent_width=latent_width,
            width=width,
            learning_rate=learning_rate,
            penalty=0.0,
            max_minutes=max_minutes,
            generator=generator,
            discriminator=discriminator,
            verbose=verbose,
            callbacks=callbacks,
            random_state=random_state,
        )

    def _factories(self) -> tuple[PictureNetFactory, PictureNetFactory]:
        width = 4 * -(-self.width // 4)
        return (
            self.generator or functools.partial(DCGenerator, width=width),
            self.discriminator or functools.partial(DCCritic, width=width // 2),
        )

    def _gan(self, count: int, steps: int) -> PictureGAN:
        settings = PictureSettings(
            batch_size=min(self.batch_size, max(count // 2, 2)),
            latent_width=self.latent_width,
            generator_lr=self.learning_rate,
            critic_lr=self.learning_rate,
            loss="standard",
            penalty=0.0,
            beta1=0.5,
            beta2=0.999,
            steps=steps,
        )
        return PictureGAN(self.shape_, self.classes_.size, settings, *self._factories())
