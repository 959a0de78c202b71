"""`DCGAN`: the articles' deep convolutional generative adversarial net of pictures."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from masquerade.nets.dcgan_nets import DCCritic, DCGenerator
from masquerade.nets.picture_gan import PictureGAN, PictureSettings
from masquerade.nets.picture_nets import PictureNetFactory
from masquerade.progress import Callback
from masquerade.synthesize.image_adversarial import AdversarialImages

__all__ = ["DCGAN"]

EPOCHS = 25


class DCGAN(AdversarialImages):
    """The articles' DCGAN, conditional: strided convolutions, batch normalisation, Adam at 2e-4 with beta 0.5.

    Args:
        epochs: passes over the pictures; None: 25.
        batch_size: pictures a step.
        latent_width: numbers of noise behind a picture.
        width: channels of the generator at a quarter of the pictures' size.
        learning_rate: of both nets.
        patience: judgements without a better score before training stops, one each epoch (each 150 steps on small sets);
            None: never. The score is less the Fréchet distance to
            held-out pictures, and far below any where drawn pictures lie nearer to training pictures than to those.
        max_minutes: wall-clock limit of training; None: no limit.
        watch: a folder for a grid of drawn pictures per epoch; None: none.
        keep_epochs: a folder for the model as it stands after each epoch; None: only the best is kept.
        generator: factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another generator net.
        discriminator: likewise, of another critic.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    >>> DCGAN(epochs=1, width=8, random_state=0).fit(images).sample(3).images.shape
    (3, 8, 8, 1)
    """

    reference: ClassVar[str] = "Radford, Metz, Chintala, DCGAN, 2015, arXiv 1511.06434"

    width: int

    def __init__(
        self,
        *,
        epochs: int | None = None,
        batch_size: int = 128,
        latent_width: int = 100,
        width: int = 128,
        learning_rate: float = 2e-4,
        patience: int | None = None,
        max_minutes: float | None = None,
        watch: str | Path | None = None,
        keep_epochs: str | Path | None = None,
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
        self.patience = patience
        self.max_minutes = max_minutes
        self.watch = watch
        self.keep_epochs = keep_epochs
        self.generator = generator
        self.discriminator = discriminator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _epochs(self, count: int) -> int:
        return self.epochs or EPOCHS

    def _gan(self, count: int, steps: int) -> PictureGAN:
        settings = PictureSettings(
            batch_size=self._batch(count),
            latent_width=self.latent_width,
            generator_lr=self.learning_rate,
            critic_lr=self.learning_rate,
            loss="standard",
            penalty=0.0,
            beta1=0.5,
            beta2=0.999,
            steps=steps,
        )
        width = 4 * -(-self.width // 4)
        generator = self.generator or functools.partial(DCGenerator, width=width)
        critic = self.discriminator or functools.partial(DCCritic, width=width // 2)
        return PictureGAN(self.shape_, self.classes_.size, settings, generator, critic)
