"""A picture as a code that does not hold its group, and any group's picture of a code: losses and a step. Arrays in and out.

A conditional variational autoencoder (Kingma and Welling 2013, arXiv 1312.6114; Sohn et al. 2015): the decoder is told the
group, so the code need not hold it, and every nat that it does hold is paid for. With a critic, what the code of one picture,
mixed with any share of noise, becomes in another group has to look like a real picture of that group (as in VAE/GAN, arXiv
1512.09300). It joins when codes tell something: from the start, the decoder would satisfy it without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.nets.convolution import Conv, Dense, leaky
from masquerade.nets.picture_nets import PictureNetFactory, Shape, scaled
from masquerade.nets.randomness import index, normal, uniforms
from masquerade.nets.relativistic import PENALTY_EVERY, critic_loss, pairing_loss
from masquerade.nets.weights import is_array

__all__ = ["PictureVeil", "VeilData", "VeilEncoder", "VeilSettings"]


WARM = 0.3
"""Share of the steps after which what codes tell is paid for in full."""

STEADY = 0.1
"""Weight of the cross-entropy beside the squared error: its slope stays where a decoder is stuck at all black or all white."""

ALONE = 0.35
"""Share of the steps before the critic joins."""


class VeilEncoder(eqx.Module):
    """From a picture and its group to the mean and the log variance of its code.

    Args:
        shape: of the pictures.
        latent_width: numbers of a code.
        groups: how many.
        width: channels at a quarter of the size.
        key: of the initial weights.
    """

    see: Conv
    down: Conv
    look: Conv
    sum: Dense
    tell: Dense
    head: Dense

    def __init__(self, shape: Shape, latent_width: int, groups: int, *, width: int, key: PRNGKeyArray):
        keys = jax.random.split(key, 6)
        height, across, channels = shape
        self.see = Conv(channels, width // 2, 4, 2, key=keys[0])
        self.down = Conv(width // 2, width, 4, 2, key=keys[1])
        self.look = Conv(width, width, key=keys[2])
        self.sum = Dense(height // 4 * (across // 4) * width, 4 * width, key=keys[3])
        self.tell = Dense(groups, 4 * width, key=keys[4])
        self.head = Dense(4 * width, 2 * latent_width, gain=0.1, key=keys[5])

    def __call__(
        self, x: Float[Array, "batch height width channels"], hot: Float[Array, "batch groups"]
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        x = leaky(self.look(leaky(self.down(leaky(self.see(x))))))
        found = self.head(leaky(self.sum(x.reshape(len(x), -1)) + self.tell(hot)))
        mean, log_variance = jnp.split(found, 2, axis=1)
        return mean, 8 * jnp.tanh(log_variance / 8)


@dataclass(frozen=True)
class VeilSettings:
    """What shapes a step.

    Args:
        batch_size: pictures a step.
        latent_width: numbers of a code.
        width: channels of the encoder at a quarter of the size.
        learning_rate: of Adam, which falls to a tenth by a cosine.
        penalty: weight of the critic's gradient penalties.
        deviation: standard deviation of a pixel from 0 to 1 around what the decoder paints: the smaller, the more a code tells.
        closeness: with a critic, weight of the autoencoder's loss (nats a pixel) beside the critic's.
        average: decay of the averaged weights.
        steps: planned steps, for the schedule.
    """

    batch_size: int = 64
    latent_width: int = 16
    width: int = 32
    learning_rate: float = 1e-3
    penalty: float = 2.0
    deviation: float = 0.25
    closeness: float = 10.0
    average: float = 0.995
    steps: int = 2_000


class VeilData(NamedTuple):
    """Training pictures on the device."""

    images: Array  # uint8 (n, height, width, channels)
    groups: Int[Array, " n"]


class VeilState(NamedTuple):
    """All that training changes; without a critic its parts are empty."""

    nets: PyTree  # encoder and decoder
    critic: PyTree
    average: PyTree
    optimizer: PyTree
    critic_optimizer: PyTree
    key: Array
    steps: Array


class PictureVeil:
    """The pure functions for pictures of one shape.

    Args:
        shape: height, width, channels.
        groups: how many.
        settings: what shapes a step.
        decoder: makes the net that paints a code in a group.
        critic: makes the critic; None: there is none, and a plain variational autoencoder is learned.
    """

    def __init__(
        self,
        shape: Shape,
        groups: int,
        settings: VeilSettings,
        decoder: PictureNetFactory,
        critic: PictureNetFactory | None,
    ):
        self.shape, self.groups, self.settings = shape, groups, settings
        self._make_decoder, self._make_critic = decoder, critic
        falling = optax.cosine_decay_schedule(settings.learning_rate, max(settings.steps, 1), 0.1)
        self._optimizer = optax.adam(falling, b1=0.5 if critic else 0.9, b2=0.99)
        self._critic_optimizer = optax.adam(falling, b1=0.0, b2=0.99)
        nets = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        self._static, self._critic_static = (eqx.partition(net, is_array)[1] for net in nets)

    def _nets(self, key: PRNGKeyArray) -> tuple[tuple[Any, Any], Any]:
        keys = jax.random.split(key, 3)
        settings = self.settings
        arguments = (self.shape, settings.latent_width, self.groups)
        encoder = VeilEncoder(*arguments, width=settings.width, key=keys[0])
        critic = None if self._make_critic is None else self._make_critic(*arguments, key=keys[2])
        return (encoder, self._make_decoder(*arguments, key=keys[1])), critic

    def init(self, seed: int) -> VeilState:
        """Fresh nets and optimisers."""
        nets, critic = (eqx.filter(net, is_array) for net in self._nets(jax.random.key(seed, impl="unsafe_rbg")))
        optimizers = self._optimizer.init(nets), self._critic_optimizer.init(critic)
        return VeilState(nets, critic, nets, *optimizers, jax.random.key(seed), jnp.zeros((), jnp.int32))

    def skeleton(self) -> PyTree:
        """The shapes of the arrays of encoder and decoder."""
        return eqx.filter_eval_shape(lambda: self.init(0).nets)

    def encode(self, params: PyTree, images: Array, groups: Array, key: PRNGKeyArray, block: Array) -> Array:
        """A random code (batch, latent_width) of each picture, uint8; `block` numbers the blocks of a key."""
        encoder, _ = eqx.combine(params, self._static)
        mean, log_variance = encoder(scaled(images), self._hot(groups))
        (u,) = uniforms(key, [mean.shape], block)
        code: Array = mean + jnp.exp(log_variance / 2) * normal(u)
        return code

    def decode(self, params: PyTree, codes: Array, groups: Array) -> Array:
        """The picture, uint8 (batch, height, width, channels), of each code in a group."""
        _, decoder = eqx.combine(params, self._static)
        made = decoder(codes, self._hot(groups))
        return jnp.clip(jnp.round((made + 1) * 127.5), 0, 255).astype(jnp.uint8)

    def _hot(self, groups: Int[Array, " batch"]) -> Float[Array, "batch groups"]:
        return jax.nn.one_hot(groups, self.groups)

    def step(self, state: VeilState, data: VeilData) -> tuple[VeilState, dict[str, Array]]:
        """One update of the critic, where there is one and it has joined, and one of encoder and decoder."""
        settings, count = self.settings, self.settings.batch_size
        wide = (count, settings.latent_width)
        u_rows, u_noise, u_share = uniforms(state.key, [(count,), (4, *wide), (2, count, 1)], state.steps)
        rows = index(u_rows, len(data.images))
        real, hot = scaled(data.images[rows]), self._hot(data.groups[rows])
        noise = normal(u_noise)
        judged = state.steps >= ALONE * settings.steps

        def coded(nets: Any, noise: Array) -> tuple[Array, Array, Array]:
            mean, log_variance = nets[0](real, hot)
            return mean + jnp.exp(log_variance / 2) * noise, mean, log_variance

        def swapped(nets: Any, code: Array, draw: int) -> Array:
            """What the codes of other pictures become in this group, each mixed with noise."""
            share = u_share[draw]
            mixed = share * jnp.roll(code, 1, axis=0) + jnp.sqrt(1 - jnp.square(share)) * noise[2 + draw]
            made: Array = nets[1](mixed, hot)
            return made

        critic, critic_optimizer = state.critic, state.critic_optimizer
        losses: dict[str, Array] = {}
        if self._make_critic is not None:
            losses["critic"], critic, critic_optimizer = jax.lax.cond(
                judged,
                lambda: self._judge(state, real, hot, lambda nets: swapped(nets, coded(nets, noise[0])[0], 0)),
                lambda: (jnp.zeros(()), critic, critic_optimizer),
            )

        def part(params: Any) -> tuple[Array, tuple[Array, Array]]:
            nets = eqx.combine(params, self._static)
            code, mean, log_variance = coded(nets, noise[1])
            rate = 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(axis=1).mean()
            made = nets[1](code, hot)
            apart = jnp.square((real - made) / (2 * settings.deviation)).sum(axis=(1, 2, 3)).mean() / 2
            # Paid from the start, codes are given up before the decoder has learned what they are for.
            paid = jnp.minimum(state.steps / (WARM * settings.steps), 1.0)
            loss = (apart + paid * rate + STEADY * _surprise(real, made)) / real[0].size
            if self._make_critic is not None:

                def unlike() -> Array:
                    net = eqx.combine(critic, self._critic_static)
                    both = jnp.concatenate([swapped(nets, code, 1), real])
                    scores = net(both, jnp.concatenate([hot, hot]))
                    return pairing_loss(scores[:count], scores[count:])

                loss = settings.closeness * loss + jax.lax.cond(judged, unlike, lambda: jnp.zeros(()))
            return loss, (apart, rate)

        (_, (apart, rate)), slope = jax.value_and_grad(part, has_aux=True)(state.nets)
        update, optimizer = self._optimizer.update(slope, state.optimizer, state.nets)
        nets = optax.apply_updates(state.nets, update)
        steps = state.steps + 1
        decay = jnp.minimum(settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, nets)
        losses |= {"error": apart, "rate": rate}
        return VeilState(nets, critic, average, optimizer, critic_optimizer, state.key, steps), losses

    def _judge(
        self, state: VeilState, real: Array, hot: Array, made: Callable[[Any], Array]
    ) -> tuple[Array, PyTree, PyTree]:
        """The critic's loss, and the critic and its optimiser after one update; `made` paints with nets."""
        pictures = made(eqx.combine(state.nets, self._static))
        penalised = state.steps % PENALTY_EVERY == 0

        def part(params: Any) -> Array:
            net = eqx.combine(params, self._critic_static)
            return critic_loss(net, real, pictures, hot, penalised, self.settings.penalty)

        loss, slope = jax.value_and_grad(part)(state.critic)
        update, optimizer = self._critic_optimizer.update(slope, state.critic_optimizer, state.critic)
        return loss, optax.apply_updates(state.critic, update), optimizer


def _surprise(real: Array, made: Array) -> Array:
    """Cross-entropy of pixels taken as shares of white, nats a picture."""
    white, share = (real + 1) / 2, jnp.clip((made + 1) / 2, 1e-6, 1 - 1e-6)
    lost: Array = -(white * jnp.log(share) + (1 - white) * jnp.log1p(-share)).sum(axis=(1, 2, 3)).mean()
    return lost
