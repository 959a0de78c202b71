"""The critic of pictures under a guarantee, and what any other must be like to take its place."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.errors import SettingError
from masquerade.nets.convolution import Conv, Dense, fold, leaky
from masquerade.nets.picture_gan import PictureGAN
from masquerade.nets.picture_nets import Shape

__all__ = ["PrivateCritic", "check_critic"]


class PrivateCritic(eqx.Module):
    """From a picture and a class to a score and to what class it looks like, with few weights: noise grows with their number.

    Each of two convolutions looks at pictures of half the size before, whose pixels lie folded in the channels; the score is
    a projection (arXiv 1802.05637), and beside it stand the logits of an auxiliary classifier (AC-GAN, arXiv 1610.09585): under
    noise, which class a picture looks like is learned long before what tells it from a made one. There is no normalisation.

    Args:
        shape: of the pictures; height and width are multiples of 4.
        latent_width: not a critic's business.
        classes: how many; 0 for none.
        width: channels at a quarter of the size.
        key: of the initial weights.
    """

    see: Conv
    look: Conv
    sum: Dense
    head: Dense
    ask: Dense | None
    name: Dense | None

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 32, key: PRNGKeyArray):
        keys = jax.random.split(key, 6)
        height, across, channels = shape
        self.see = Conv(4 * channels, width // 2, key=keys[0])
        self.look = Conv(2 * width, width, 2, key=keys[1])
        self.sum = Dense(height // 4 * (across // 4) * width, 2 * width, key=keys[2])
        self.head = Dense(2 * width, 1, key=keys[3])
        self.ask = Dense(classes, 2 * width, gain=(classes / (2 * width)) ** 0.5, key=keys[4]) if classes else None
        self.name = Dense(2 * width, classes, key=keys[5]) if classes else None

    def __call__(
        self, x: Float[Array, "batch height width channels"], classes: Float[Array, "batch classes"]
    ) -> Float[Array, " batch"] | Float[Array, "batch score_and_classes"]:
        x = leaky(self.see(fold(x)))
        x = leaky(self.look(fold(x)))
        features = leaky(self.sum(x.reshape(len(x), -1)))
        score = self.head(features)[:, 0]
        if self.ask is None or self.name is None:
            return score
        score += (features * self.ask(classes)).sum(axis=1)
        return jnp.concatenate([score[:, None], self.name(features)], axis=1)


def check_critic(gan: PictureGAN) -> None:
    """Refuse a critic whose score of a picture depends on other pictures.

    Raises:
        SettingError: it does.
    """
    if type(gan.critic(gan.critic_skeleton())) is PrivateCritic:
        return

    def both() -> tuple[Array, Array]:
        critic = gan.nets(jax.random.key(0))[1]
        pictures = jax.random.uniform(jax.random.key(1), (6, *gan.shape), minval=-1.0)
        hot = gan.one_hot(jnp.arange(6) % max(gan.classes, 1))
        alone = jnp.stack([critic(pictures[i : i + 1], hot[i : i + 1])[0] for i in range(6)])
        return critic(pictures, hot), alone

    together, alone = jax.jit(both)()
    if together.shape not in ((6,), (6, 1 + gan.classes)) or not np.allclose(together, alone, rtol=1e-3, atol=1e-4):
        raise SettingError(
            "discriminator: got a critic whose score of a picture depends on other pictures (as batch normalisation makes it), "
            "and under a guarantee each must be judged on its own; take a net without."
        )
