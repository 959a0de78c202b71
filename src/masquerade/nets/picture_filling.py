"""Hidden regions of pictures filled by nets that never saw them, G(x, m) → x̂: losses and a step. Arrays in, arrays out.

Two nets take turns at training, each on its own half of the pictures. A fill has to look real to a relativistic critic, to be
right on average over two draws, and to vary as much as the truth does: the reward of spread is the one under which normal
draws have the right mean and the right spread (Bendel, Ahmad and Schniter 2022, arXiv 2210.13389).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.nets.convolution import Conv, Dense, leaky, smooth
from masquerade.nets.picture_nets import Block, PictureCritic, Shape, scaled
from masquerade.nets.randomness import index, normal, uniforms
from masquerade.nets.relativistic import PENALTY_EVERY, critic_loss, pairing_loss
from masquerade.nets.weights import is_array

__all__ = ["FillData", "FillNet", "FillNetFactory", "FillSettings", "PictureFilling"]

SPREAD = 1 / (2 * math.sqrt(3))
"""Reward of the distance between two draws, beside the error of their mean."""


TOLD, ASKED = 0.75, 0.75
"""Shares of the training pictures whose class is told, and that have a region which will be asked for; the other regions are
boxes anywhere."""


class FillNetFactory(Protocol):
    """Makes an Equinox module from pictures with holes (batch, height, width, channels) in [-1, 1], masks (batch, height,
    width, 1), noise (batch, latent_width) and one-hot classes (batch, classes) to whole pictures in (-1, 1)."""

    def __call__(self, shape: Shape, latent_width: int, classes: int, *, key: PRNGKeyArray) -> Any: ...


class FillNet(eqx.Module):
    """Down to a quarter of the size, where noise and class come in, and up again beside what was seen on the way.

    Args:
        shape: of the pictures; height and width are multiples of 4.
        latent_width: numbers of noise.
        classes: how many; 0 for none.
        width: channels at a quarter of the size; a multiple of 4.
        key: of the initial weights.
    """

    see: Conv
    down: Conv
    tell: Dense
    gather: Dense
    spread: Dense
    think: Block
    up: Conv
    join: Conv
    paint: Conv

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 64, key: PRNGKeyArray):
        keys = jax.random.split(key, 9)
        height, across, channels = shape
        places = height // 4 * (across // 4)
        self.see = Conv(channels + 1, width // 2, 4, 2, key=keys[0])
        self.down = Conv(width // 2, width, 4, 2, key=keys[1])
        self.tell = Dense(max(classes, 1), latent_width, gain=float(max(classes, 1)) ** 0.5, key=keys[2])
        self.gather = Dense(places * width, 4 * width, key=keys[3])
        self.spread = Dense(4 * width + 2 * latent_width, places * width, key=keys[4])
        self.think = Block(width, key=keys[5])
        self.up = Conv(width, 2 * width, key=keys[6])
        self.join = Conv(width, width, key=keys[7])
        self.paint = Conv(width, 4 * channels, key=keys[8])

    def __call__(
        self,
        holed: Float[Array, "batch height width channels"],
        mask: Float[Array, "batch height width 1"],
        noise: Float[Array, "batch latent"],
        hot: Float[Array, "batch classes"],
    ) -> Float[Array, "batch height width channels"]:
        half = self.see(jnp.concatenate([holed, mask], axis=3))
        quarter = self.down(leaky(half))
        told = self.tell(hot) if hot.shape[1] else jnp.zeros_like(noise)
        whole = self.gather(leaky(quarter).reshape(len(quarter), -1))
        x = self.spread(jnp.concatenate([leaky(whole), noise, told], axis=1)).reshape(quarter.shape)
        x = self.think(x + quarter)
        x = jnp.concatenate([smooth(self.up(leaky(x))), half], axis=3)
        return jnp.tanh(smooth(self.paint(leaky(self.join(leaky(x))))))


@dataclass(frozen=True)
class FillSettings:
    """What shapes a step.

    Args:
        batch_size: pictures a step.
        latent_width: numbers of noise.
        learning_rate: of Adam, which falls to a tenth by a cosine.
        penalty: weight of the critic's gradient penalties.
        closeness: weight of the error of the mean of two draws, beside the critic's.
        average: decay of the averaged weights.
        steps: planned steps of each net, for the schedule.
    """

    batch_size: int = 32
    latent_width: int = 32
    learning_rate: float = 1e-3
    penalty: float = 2.0
    closeness: float = 10.0
    average: float = 0.995
    steps: int = 2_000


class FillData(NamedTuple):
    """Training pictures on the device, those of the first half before those of the second."""

    images: Array  # uint8 (n, height, width, channels)
    classes: Int[Array, " n"]  # -1: not told
    masks: Array  # bool (m, height, width): regions that will be asked for
    starts: Int[Array, " 2"]
    counts: Int[Array, " 2"]


class FillState(NamedTuple):
    """All that training changes; of nets and optimisers there are two of each, one behind the other."""

    generator: PyTree
    critic: PyTree
    average: PyTree
    generator_optimizer: PyTree
    critic_optimizer: PyTree
    key: Array
    steps: Array


class PictureFilling:
    """The pure functions for pictures of one shape.

    Args:
        shape: height, width, channels.
        classes: how many; 0 for none.
        settings: what shapes a step.
        generator: makes the nets that fill.
        critic: makes their critics, which see a picture with the mask as one more channel.
    """

    def __init__(
        self, shape: Shape, classes: int, settings: FillSettings, generator: FillNetFactory, critic: Any = PictureCritic
    ):
        self.shape, self.classes, self.settings = shape, classes, settings
        self._make_generator, self._make_critic = generator, critic
        falling = optax.cosine_decay_schedule(settings.learning_rate, max(settings.steps, 1), 0.1)
        self._optimizer = optax.adam(falling, b1=0.0, b2=0.99)
        nets = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        self._generator_static, self._critic_static = (eqx.partition(net, is_array)[1] for net in nets)

    def _nets(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        height, across, channels = self.shape
        latent = self.settings.latent_width
        generator = self._make_generator(self.shape, latent, self.classes, key=keys[0])
        return generator, self._make_critic((height, across, channels + 1), latent, self.classes, key=keys[1])

    def init(self, seed: int) -> FillState:
        """Two fresh nets of each kind."""

        def fresh(key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
            generator, critic = (eqx.filter(net, is_array) for net in self._nets(key))
            return generator, critic

        made = [fresh(key) for key in jax.random.split(jax.random.key(seed, impl="unsafe_rbg"))]
        optimizers = [tuple(self._optimizer.init(net) for net in pair) for pair in made]
        generator, critic = _stacked([pair[0] for pair in made]), _stacked([pair[1] for pair in made])
        first, second = _stacked([pair[0] for pair in optimizers]), _stacked([pair[1] for pair in optimizers])
        return FillState(generator, critic, generator, first, second, jax.random.key(seed), jnp.zeros((), jnp.int32))

    def skeleton(self) -> PyTree:
        """The shapes of the arrays of both generators."""
        return eqx.filter_eval_shape(lambda: self.init(0).generator)

    def one_hot(self, classes: Int[Array, " batch"]) -> Float[Array, "batch classes"]:
        """Classes as the nets see them; all zero where they are not told."""
        return jax.nn.one_hot(classes, self.classes)

    def fill(
        self, params: PyTree, half: Array, key: PRNGKeyArray, images: Array, masks: Array, classes: Array, places: Array
    ) -> Array:
        """Pictures uint8 (batch, height, width, channels) whose hidden pixels a net draws; the others stay as they are.

        Args:
            params: both generators' arrays.
            half: 0 or 1: which of them draws.
            key: of the noise.
            images: pictures, uint8.
            masks: booleans (batch, height, width): what is hidden.
            classes: their numbers; -1: not told.
            places: the number of each picture: its noise depends on nothing else.
        """
        latent = self.settings.latent_width

        def own(place: Array) -> Array:
            noise: Array = normal(uniforms(key, [(latent,)], place)[0])
            return noise

        hidden = masks[..., None]
        made = self._filled(_taken(params, half), scaled(images), hidden, jax.vmap(own)(places), self.one_hot(classes))
        painted = jnp.clip(jnp.round((made + 1) * 127.5), 0, 255).astype(jnp.uint8)
        return jnp.where(hidden, painted, images)

    def _filled(self, params: Any, real: Array, hidden: Array, noise: Array, hot: Array) -> Array:
        """The picture with what the net draws in the hole."""
        net = eqx.combine(params, self._generator_static)
        return jnp.where(hidden, net(jnp.where(hidden, 0.0, real), hidden.astype(jnp.float32), noise, hot), real)

    def _score(self, params: Any, pictures: Array, hidden: Array, hot: Array) -> Array:
        seen = jnp.concatenate([pictures, 2.0 * hidden - 1], axis=3)
        scores: Array = eqx.combine(params, self._critic_static)(seen, hot)
        return scores

    def step(self, state: FillState, data: FillData) -> tuple[FillState, dict[str, Array]]:
        """One update of one critic and its generator; the other ones' turn is next."""
        settings, count = self.settings, self.settings.batch_size
        half = state.steps % 2
        u_rows, u_told, u_asked, u_box, u_noise = uniforms(
            state.key, [(count,), (count,), (2, count), (4, count), (3, count, settings.latent_width)], state.steps
        )
        rows = data.starts[half] + index(u_rows, data.counts[half])
        real = scaled(data.images[rows])
        hot = self.one_hot(jnp.where(u_told < TOLD, data.classes[rows], -1))
        asked = data.masks[index(u_asked[0], len(data.masks))]
        hidden = jnp.where((u_asked[1] < ASKED)[:, None, None], asked, boxes(u_box, self.shape))[..., None]
        noise = normal(u_noise)
        penalised = (state.steps // 2) % PENALTY_EVERY == 0

        generator, critic = _taken(state.generator, half), _taken(state.critic, half)
        plane = 2.0 * hidden - 1

        def critic_part(params: Any) -> Array:
            net = eqx.combine(params, self._critic_static)
            made = jax.lax.stop_gradient(self._filled(generator, real, hidden, noise[0], hot))
            better, worse = (jnp.concatenate([pictures, plane], axis=3) for pictures in (real, made))
            return critic_loss(net, better, worse, hot, penalised, settings.penalty)

        critic_found, slope = jax.value_and_grad(critic_part)(critic)
        update, critic_optimizer = self._optimizer.update(slope, _taken(state.critic_optimizer, half), critic)
        critic = optax.apply_updates(critic, update)

        def generator_part(params: Any) -> tuple[Array, tuple[Array, Array]]:
            truth, holes, told = (jnp.concatenate([x, x]) for x in (real, hidden, hot))
            made = self._filled(params, truth, holes, noise[1:].reshape(2 * count, -1), told)
            first, second = made[:count], made[count:]
            scores = self._score(critic, jnp.concatenate([first, real]), holes, told)
            adversary = pairing_loss(scores[:count], scores[count:])
            pixels = jnp.maximum(hidden.sum() * self.shape[2], 1)
            error = jnp.abs(real - (first + second) / 2).sum() / pixels
            apart = jnp.abs(first - second).sum() / pixels
            return adversary + settings.closeness * (error - SPREAD * apart), (error, apart)

        (generator_found, (error, apart)), slope = jax.value_and_grad(generator_part, has_aux=True)(generator)
        update, generator_optimizer = self._optimizer.update(slope, _taken(state.generator_optimizer, half), generator)
        generator = optax.apply_updates(generator, update)
        done = state.steps // 2 + 1
        decay = jnp.minimum(settings.average, (1 + done) / (10 + done))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, _taken(state.average, half), generator)
        new = (generator, critic, average, generator_optimizer, critic_optimizer)
        put = jax.tree.map(lambda a, b: a.at[half].set(b), tuple(state[:5]), new)
        losses = {"generator": generator_found, "critic": critic_found, "error": error, "spread": apart}
        return FillState(put[0], put[1], put[2], put[3], put[4], state.key, state.steps + 1), losses


def boxes(u: Float[Array, "4 batch"], shape: Shape) -> Array:
    """Random boxes as masks: booleans (batch, height, width); sides from a quarter to three quarters of the picture's."""
    height, across, _ = shape

    def along(size: int, side: Array, place: Array) -> Array:
        long = jnp.round(size * (0.25 + 0.5 * side)).astype(jnp.int32)
        first = index(place, size - long + 1)
        spots = jnp.arange(size)
        inside: Array = (spots >= first[:, None]) & (spots < (first + long)[:, None])
        return inside

    return along(height, u[0], u[1])[:, :, None] & along(across, u[2], u[3])[:, None, :]


def _stacked(trees: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def _taken(tree: Any, half: Array) -> Any:
    return jax.tree.map(lambda leaf: leaf[half], tree)
