"""The nets that a desensitizer's settings ask for."""

from __future__ import annotations

import functools
from typing import Literal, Protocol

from masquerade.errors import SettingError, nearest
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator, PictureNetFactory, Shape
from masquerade.nets.picture_veil import PictureVeil, VeilSettings
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["NetSettings", "check_nets", "veil_of"]


class NetSettings(Protocol):
    """Settings of `ImageDesensitizer` that its nets depend on, by their names."""

    generator: Literal["vae"] | PictureNetFactory | None
    discriminator: PictureNetFactory | None
    batch_size: int
    latent_width: int
    width: int
    learning_rate: float
    penalty: float


def check_nets(settings: NetSettings) -> None:
    """Refuse settings that make no nets.

    Raises:
        SettingError: one of them is out of range.
    """
    if isinstance(settings.generator, str) and settings.generator != "vae":
        known = nearest(settings.generator, ["vae"])
        raise SettingError(f"generator: got {settings.generator!r}, expected 'vae'{known}.")
    if settings.generator == "vae" and settings.discriminator is not None:
        raise SettingError("discriminator: a variational autoencoder has none; leave it out.")
    for name in ("batch_size", "latent_width"):
        check_count(name, getattr(settings, name), least=2)
    check_count("width", settings.width, least=4)
    check_positive("learning_rate", settings.learning_rate)
    if settings.penalty != 0:
        check_positive("penalty", settings.penalty)


def veil_of(settings: NetSettings, shape: Shape, groups: int, steps: int) -> PictureVeil:
    """The functions of the nets.

    Args:
        settings: what is asked for.
        shape: of the pictures.
        groups: how many.
        steps: planned steps of training.
    """
    width = 4 * -(-settings.width // 4)
    own = settings.generator
    decoder = functools.partial(PictureGenerator, width=width) if own is None or isinstance(own, str) else own
    critic = None if own == "vae" else settings.discriminator or functools.partial(PictureCritic, width=width)
    shaping = VeilSettings(
        batch_size=settings.batch_size,
        latent_width=settings.latent_width,
        width=width,
        learning_rate=settings.learning_rate,
        penalty=settings.penalty,
        steps=steps,
    )
    return PictureVeil(shape, groups, shaping, decoder, critic)
