"""Pictures redrawn: what a trained veil and its transport make of each picture, with another secret and a share of noise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.nets.loop import Compilation
from masquerade.nets.picture_veil import PictureVeil
from masquerade.release.image_release import blocks
from masquerade.release.image_secrets import Groups
from masquerade.release.image_transport import Transport

__all__ = ["Painter", "mixed"]

BLOCK = 250
"""Pictures in one compiled call."""


def mixed(numbers: NDArray[np.float64], share: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Normal numbers of which this share is kept and the rest is fresh: normal again.

    >>> random = np.random.default_rng(0)
    >>> round(float(mixed(np.ones((20_000, 1)), 0.6, random).mean()), 1)
    0.6
    """
    fresh = random.normal(size=numbers.shape)
    return np.asarray(share * numbers + np.sqrt(1 - share**2) * fresh, np.float64)


class Painter:
    """Redraws pictures.

    Args:
        net: the functions of the encoder and the decoder.
        params: their weights.
        groups: what kept labels and secrets there are.
        transport: makes codes normal and back; None: it is learned with `fit`.
    """

    def __init__(self, net: PictureVeil, params: Any, groups: Groups, transport: Transport | None = None):
        self.net, self.params, self.groups = net, params, groups
        if transport is not None:
            self.transport = transport

    def fit(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> Painter:
        """Learn how the codes of each group become normal, from pictures (n, height, width, channels) and their groups."""
        codes = self.codes(images, groups, seeds.integer(seed, "codes"))
        self.transport = Transport.fit(codes, groups, len(self.groups), seed=seeds.integer(seed, "turns"))
        return self

    def redrawn(
        self, images: NDArray[np.uint8], groups: NDArray[np.int64], share: float, strength: float, seed: int
    ) -> NDArray[np.uint8]:
        """Pictures of the same kept labels and other secrets.

        Args:
            images: uint8 (n, height, width, channels).
            groups: their groups.
            share: how much of a code is kept beside noise; with 0 nothing of a picture is left but its kept label.
            strength: share of the pictures whose secret is drawn anew; the others are painted with their own.
            seed: of all chance.
        """
        numbers = self.transport.normal(self.codes(images, groups, seeds.integer(seed, "codes")), groups)
        random = seeds.stream(seed, "secrets")
        drawn = self.groups.redrawn(groups, strength, random)
        codes = self.transport.back(mixed(numbers, share, random), drawn).astype(np.float32)
        made = np.empty_like(images)
        for block in blocks(len(images), BLOCK):
            made[block] = np.asarray(self._programs[1](self.params, codes[block], drawn[block].astype(np.int32)))
        return made

    def codes(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        """A random code of each picture in its group, shape (n, latent_width)."""
        codes = np.empty((len(images), self.net.settings.latent_width), np.float32)
        key = jax.random.key(seed)
        for number, block in enumerate(blocks(len(images), BLOCK)):
            found = self._programs[0](
                self.params, images[block], groups[block].astype(np.int32), key, jnp.int32(number)
            )
            codes[block] = np.asarray(found)
        return codes

    @property
    def _programs(self) -> tuple[Any, Any]:
        """The compiled encoder and decoder."""
        if not hasattr(self, "_compiled"):
            numbers, key = jnp.zeros(BLOCK, jnp.int32), jax.eval_shape(jax.random.key, 0)
            pictures = jnp.zeros((BLOCK, *self.net.shape), jnp.uint8)
            codes = jnp.zeros((BLOCK, self.net.settings.latent_width))
            encode = Compilation(self.net.encode, self.params, pictures, numbers, key, jnp.int32(0), quick=True)
            decode = Compilation(self.net.decode, self.params, codes, numbers, quick=True)
            self._compiled = encode.result(), decode.result()
        return self._compiled
