"""The nets of a tabular variational autoencoder, and the prior of its latent points."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.nets.layers import linear

__all__ = ["Clouds", "Decoder", "Layers"]


class Layers(eqx.Module):
    """Fully connected layers with ReLU between them."""

    layers: tuple[eqx.nn.Linear, ...]

    def __init__(self, sizes: Sequence[int], *, key: PRNGKeyArray):
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(eqx.nn.Linear(a, b, key=k) for a, b, k in zip(sizes[:-1], sizes[1:], keys, strict=True))

    def __call__(self, x: Float[Array, "batch in_width"]) -> Float[Array, "batch out_width"]:
        for layer in self.layers[:-1]:
            x = jax.nn.relu(linear(layer, x))
        return linear(self.layers[-1], x)


class Clouds(eqx.Module):
    """The prior of the latent points: a learned mixture of Gaussians.

    Each row's own cloud covers the standard Gaussian of the paper with gaps, and points drawn from a gap decode to rows that
    are no one's; a mixture learns where the rows are (Tomczak and Welling 2018, arXiv 1705.07120).
    """

    means: Float[Array, "clouds latent"]
    log_spreads: Float[Array, "clouds latent"]
    logits: Float[Array, " clouds"]

    def __init__(self, count: int, latent: int, *, key: PRNGKeyArray):
        self.means = jax.random.normal(key, (count, latent))
        self.log_spreads, self.logits = jnp.zeros((count, latent)), jnp.zeros(count)

    def log_density(self, z: Float[Array, "batch latent"]) -> Float[Array, " batch"]:
        """Without the constant −½ log 2π for each dimension."""
        # Σ ((z − m) / s)², written as matrix products.
        weight = jnp.exp(-2 * self.log_spreads)
        square = jnp.square(z) @ weight.T - 2 * z @ (self.means * weight).T + (jnp.square(self.means) * weight).sum(1)
        return jax.nn.logsumexp(-0.5 * square + jax.nn.log_softmax(self.logits) - self.log_spreads.sum(1), axis=1)

    def draw(
        self, u_cloud: Float[Array, " batch"], noise: Float[Array, "batch latent"]
    ) -> Float[Array, "batch latent"]:
        """Points of the mixture, from a uniform number and standard normal ones a row."""
        running = jnp.cumsum(jax.nn.softmax(self.logits))
        which = jnp.minimum((u_cloud[:, None] * running[-1] >= running).sum(axis=1), len(running) - 1)
        return self.means[which] + jnp.exp(self.log_spreads[which]) * noise


class Decoder(eqx.Module):
    """From a latent point to the logits of every code and the mean of every code's scalar; spreads are learned constants.

    It holds the prior too, where that is learned: all that drawing needs.
    """

    net: Layers
    log_spread: Float[Array, " scalar_places"]
    clouds: Clouds | None

    def __init__(self, sizes: Sequence[int], scalar_places: int, clouds: int, *, key: PRNGKeyArray):
        net_key, cloud_key = jax.random.split(key)
        self.net = Layers(sizes, key=net_key)
        self.log_spread = jnp.full(scalar_places, np.log(0.1), jnp.float32)
        self.clouds = Clouds(clouds, sizes[0], key=cloud_key) if clouds > 1 else None
