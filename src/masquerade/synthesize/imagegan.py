"""`ImageGAN`: a small conditional generative adversarial net of pictures."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from masquerade.nets.picture_gan import PictureGAN, PictureSettings
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator, PictureNetFactory
from masquerade.progress import Callback
from masquerade.synthesize.image_adversarial import AdversarialImages
from masquerade.synthesize.settings import check_positive

__all__ = ["ImageGAN"]

FEW_PICTURES = 5_000
"""Below so many pictures the critic sees augmented ones."""


class ImageGAN(AdversarialImages):
    """A small conditional GAN with the relativistic loss and zero-centred gradient penalties of R3GAN.

    No batch statistics, averaged generator weights; below 5,000 pictures the critic sees shifted and partly covered ones.

    Args:
        epochs: passes over the pictures; None: 12, and more on small sets.
        batch_size: pictures a step.
        latent_width: numbers of noise behind a picture.
        width: channels of both nets at a quarter of the pictures' size.
        learning_rate: of both nets.
        penalty: weight of the gradient penalties.
        patience: epochs without a better score before training stops; None: never. The score is less the Fréchet distance to
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
        patience: int | None = 10,
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
        self.penalty = penalty
        self.patience = patience
        self.max_minutes = max_minutes
        self.watch = watch
        self.keep_epochs = keep_epochs
        self.generator = generator
        self.discriminator = discriminator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.penalty != 0:
            check_positive("penalty", self.penalty)

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
        width = 4 * -(-self.width // 4)
        generator = self.generator or functools.partial(PictureGenerator, width=width)
        critic = self.discriminator or functools.partial(PictureCritic, width=width)
        return PictureGAN(self.shape_, self.classes_.size, settings, generator, critic)

    def _epochs(self, count: int) -> int:
        return self.epochs or int(np.clip(720_000 / count, 12, 300))
