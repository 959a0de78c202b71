"""Private gradients: the bound, the draw, the noise, and that without them they are plain ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import Array
from scipy import stats

from masquerade.codec.arrays import Layout
from masquerade.errors import SettingError
from masquerade.nets.autoregressive import AutoregressiveNet, NetSettings, Weights
from masquerade.nets.autoregressive_private import PrivateTraining, grouped
from masquerade.nets.ghost import Examples, ghost_sum, unit_loss
from masquerade.nets.private import ClippedSum, clipped_sum, drawn, fresh_key, noised, private_gradient
from masquerade.nets.slots import Slots
from masquerade.privacy.dpsgd import WORDS, Plan

pytest.importorskip("jax_privacy")

ALL = WORDS - 1
SILENT = 1e-60
"""A noise multiplier that is nothing in single precision."""


def plan(**settings: Any) -> Plan:
    return Plan(
        **({"threshold": ALL, "clip": 1.0, "sigma": SILENT, "steps": 10, "divisor": 1.0, "what": "steps"} | settings)
    )


def build(narrow: int | None = None, **settings: Any) -> tuple[AutoregressiveNet, Weights]:
    """A net of three columns, one of them numbers with missing, spelled in several digits."""
    random = np.random.default_rng(0)
    sizes = (3, 7, 6)
    numbers = np.column_stack([np.linspace(0.1, 0.9, 7), np.linspace(-1, 1, 7)]).astype(np.float32)
    numbers[-1] = np.nan
    frequencies = tuple(random.dirichlet(np.full(size, 3.0)) for size in sizes)
    flags = tuple((False,) * size for size in sizes)
    layout = Layout(("a", "b", "c"), sizes, flags, (True, False, True), frequencies, (None, numbers, None))
    net = AutoregressiveNet(Slots(layout, 4), NetSettings(embedding=3, hidden=5, narrow=narrow, **settings))
    return net, net.weights(0)


def rows_of(units: int, most: int) -> Examples:
    """Random rows; with several a unit, some of them missing."""
    random = np.random.default_rng(1)
    codes = np.stack([random.integers(0, size, (units, most)) for size in (3, 7, 6)], axis=-1).astype(np.int32)
    there = (random.random((units, most)) < 0.7) | (np.arange(most) == 0)
    return Examples(jnp.asarray(codes), jnp.asarray(there), jnp.zeros((units, 0), jnp.int32))


def norm(tree: Any) -> float:
    return float(np.sqrt(sum((np.asarray(leaf, np.float64) ** 2).sum() for leaf in jax.tree.leaves(tree))))


def close(one: Any, other: Any, tolerance: float = 2e-5) -> None:
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=tolerance * max(1.0, float(jnp.abs(b).max())))


# ── the clipped sum ────────────────────────────────────────────────────────────────────────────────────────────


def linear(weights: Array, example: Array) -> Array:
    """A loss whose gradient is the example."""
    return (weights * example).sum().astype(jnp.float32)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
def test_nobody_adds_more_than_the_bound(dtype: Any) -> None:
    clip = 0.7
    clipped = clipped_sum(linear, clip)
    function = jax.jit(clipped.function)
    assert clipped.sensitivity() == pytest.approx(clip)
    for value in (0.0, 1e-30, 1e-4, 0.3, 1.0, 7.0, 6e4, 3e38, np.nan, np.inf, -np.inf):
        numbers = np.full((2, 33), 0.011)
        numbers[0], numbers[0, 5] = value, 1.0
        with np.errstate(over="ignore"):
            examples = jnp.asarray(numbers, dtype)
        alone = function(jnp.zeros(33, dtype), examples, np.array([True, False]))
        assert norm(alone) <= clip, value
        assert np.isfinite(alone).all()
        both = function(jnp.zeros(33, dtype), examples, np.array([True, True]))
        others = np.asarray(examples[1], np.float64)
        np.testing.assert_allclose(np.asarray(both, np.float64) - np.asarray(alone), others, atol=1e-6)


def test_nobody_adds_more_than_the_bound_to_a_ghost_sum_either() -> None:
    net, weights = build()
    examples = rows_of(6, 1)._replace(order=jnp.tile(net.slots.order, (6, 1)))
    clipped = ghost_sum(net, 0.5)
    function, lengths = jax.jit(clipped.function), []
    for scale in (0.0, 1.0, 1e4, 1e12, 1e25, np.nan, np.inf):
        far = jax.tree.map(lambda leaf, scale=scale: leaf * scale, weights)
        for unit in range(6):
            found = function(far, examples, jnp.arange(6) == unit)
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
            lengths.append(norm(found))
    assert 0.4999 < max(lengths) <= clipped.sensitivity() == 0.5


def test_an_unsound_unit_adds_nothing_and_spoils_nobody_elses_gradient() -> None:
    net, weights = build()
    examples = rows_of(6, 1)._replace(order=jnp.tile(net.slots.order, (6, 1)))
    nodes = np.asarray(net.slots.spelled(examples.codes[:, 0])[1][2])  # where the second digit of b is asked for
    net.slots.log_share = net.slots.log_share.at[nodes[0]].set(jnp.nan)
    well = jnp.asarray(nodes != nodes[0])
    assert 0 < int(well.sum()) < 6
    clipped = jax.jit(ghost_sum(net, 0.5).function)
    everyone = clipped(weights, examples, jnp.ones(6, bool))
    close(everyone, clipped(weights, examples, well))
    assert norm(everyone) > 0


@pytest.mark.parametrize(("kind", "most"), [("ghost", 1), ("ghost", 3), ("written out", 3), ("written out, narrow", 1)])
def test_the_sum_is_that_of_a_loop_over_units(kind: str, most: int) -> None:
    net, weights = build(narrow=4 if "narrow" in kind else None)
    weights = jax.tree.map(lambda leaf: 1.5 * leaf, weights)
    units = 5
    order = net.random_order(jax.random.key(4))
    examples = rows_of(units, most)._replace(order=jnp.tile(order, (units, 1)))
    present = jnp.array([True, True, False, True, True])
    gradient = jax.jit(jax.grad(lambda w, e: unit_loss(net, w, e)))
    each = [gradient(weights, jax.tree.map(lambda leaf, u=u: leaf[u], examples)) for u in range(units)]
    lengths = [norm(g) for g in each]
    clip = float(np.median(lengths))
    assert min(lengths) < clip < max(lengths)
    expected = jax.tree.map(np.zeros_like, weights)
    for unit in np.flatnonzero(present):
        factor = min(1.0, clip / lengths[unit])
        expected = jax.tree.map(lambda a, b, factor=factor: a + factor * np.asarray(b), expected, each[unit])
    clipped = ghost_sum(net, clip) if kind == "ghost" else clipped_sum(lambda w, e: unit_loss(net, w, e), clip)
    close(jax.jit(clipped.function)(weights, examples, present), expected)


# ── who is drawn ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_unit_is_drawn_on_its_own_at_the_plans_rate() -> None:
    units, steps, rate = 200, 1_500, 0.13
    threshold = round(rate * WORDS)
    index, count = jax.jit(jax.vmap(lambda key: drawn(key, threshold, units, 64)))(
        jax.random.split(jax.random.key(0), steps)
    )
    index, count = np.asarray(index), np.asarray(count)
    assert index.shape == (steps, 256)
    chosen = np.zeros((steps, units), bool)
    for step in range(steps):
        here = index[step, : count[step]]
        assert (np.diff(here) > 0).all()
        chosen[step, here] = True
    each = chosen.sum(axis=0)
    assert (
        stats.chisquare([each.sum(), chosen.size - each.sum()], [chosen.size * rate, chosen.size * (1 - rate)])[1]
        > 1e-3
    )
    spread = ((each - steps * rate) ** 2 / (steps * rate * (1 - rate))).sum()
    assert 1e-3 < stats.chi2.cdf(spread, units) < 1 - 1e-3
    # Batches of one size, as shuffling makes them, would not vary; independent draws vary as a binomial.
    assert 0.85 < count.var() / (units * rate * (1 - rate)) < 1.15
    together = np.corrcoef(chosen.T[:40])[np.triu_indices(40, 1)]
    assert abs(together.mean()) < 4 / np.sqrt(steps * together.size)


def everyone(weights: Array, examples: Any, present: Array) -> Array:
    """A sum to which each unit adds 1 in a place of its own."""
    return jnp.zeros_like(weights).at[examples].add(present.astype(jnp.float32))


def test_no_batch_is_cut_whatever_its_size() -> None:
    clipped = ClippedSum(everyone, 1.0)
    for units in (8, 37):
        found = private_gradient(
            clipped, plan(), jnp.zeros(units), lambda index, keys: index, units, jax.random.key(1), microbatch=8
        )
        np.testing.assert_allclose(found, np.ones(units), atol=1e-6)


def test_an_empty_batch_still_gets_its_noise_and_the_constant_divides() -> None:
    clipped = ClippedSum(everyone, 1.0)
    found = private_gradient(
        clipped, plan(threshold=1, sigma=3.0, divisor=20.0), jnp.zeros(5_000), lambda index, keys: index, 5_000,
        jax.random.key(2), microbatch=512,
    )  # fmt: skip
    assert stats.kstest(np.asarray(found) * 20 / 3, "norm").pvalue > 1e-3


def test_what_is_random_belongs_to_the_unit_not_to_its_place() -> None:
    def fakes(index: Array, keys: Any) -> Any:
        return index, jax.vmap(jax.random.uniform)(keys)

    clipped = ClippedSum(lambda w, e, present: jnp.zeros_like(w).at[e[0]].add(jnp.where(present, e[1], 0.0)), 1.0)
    half = plan(threshold=WORDS // 2)
    found = [
        np.asarray(private_gradient(clipped, half, jnp.zeros(50), fakes, 50, jax.random.key(3), microbatch=size))
        for size in (4, 50)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert len(set(found[0][found[0] > 0])) == (found[0] > 0).sum() > 10


def test_a_sum_with_a_larger_bound_than_the_plans_is_refused() -> None:
    with pytest.raises(SettingError, match="clip"):
        private_gradient(
            ClippedSum(everyone, 2.0),
            plan(),
            jnp.zeros(3),
            lambda index, keys: index,
            3,
            jax.random.key(0),
            microbatch=2,
        )


# ── noise ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_noise_has_its_deviation_and_neither_two_thirds_nor_three_halves_of_it() -> None:
    noise = np.asarray(noised(jax.random.key(5), jnp.zeros(20_000), 2.5)) / 2.5
    assert stats.kstest(noise, "norm").pvalue > 1e-3
    for wrong in (2 / 3, 3 / 2):
        assert stats.kstest(noise / wrong, "norm").pvalue < 1e-9


def test_noise_is_uncorrelated_between_leaves_and_steps() -> None:
    tree = {"a": jnp.zeros(4_000), "b": jnp.zeros(4_000), "c": jnp.zeros((40, 100))}
    keys = [jax.random.fold_in(jax.random.key(6), step) for step in range(3)]
    drawn_ = np.stack([np.asarray(leaf).ravel() for key in keys for leaf in jax.tree.leaves(noised(key, tree, 1.0))])
    apart = np.corrcoef(drawn_) - np.eye(len(drawn_))
    assert np.abs(apart).max() < 5 / np.sqrt(4_000)


def test_keys_come_from_the_operating_system_and_are_of_the_strong_generator() -> None:
    keys = [fresh_key() for _ in range(50)]
    assert len({tuple(np.asarray(jax.random.key_data(key))) for key in keys}) == 50
    assert all(jax.random.key_impl(key) == "threefry2x32" for key in keys)


# ── training ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_noise_and_with_a_huge_clip_it_is_plain_training() -> None:
    net, weights = build(any_order=0.0, learning_rate=1e-2, weight_decay=0.01)
    rows, steps = 24, 6
    codes = np.asarray(rows_of(rows, 1).codes[:, 0])
    training = PrivateTraining(net, plan(clip=1e6, divisor=float(rows), steps=steps), 8)
    state, step = training.begin(weights), jax.jit(training.step)
    for _ in range(steps):
        state, told = step(training.refreshed(state), grouped(codes, None))
        assert told == {}

    def loss(weights: Weights) -> Array:
        log = net.log_probabilities(weights, net.slots.log_share, jnp.asarray(codes), net.slots.order)
        return -log.sum() / rows

    @jax.jit
    def plain_step(weights: Weights, optimizer: Any) -> Any:
        update, optimizer = training.optimizer.update(jax.grad(loss)(weights), optimizer, weights)
        return optax.apply_updates(weights, update), optimizer

    plain, optimizer = weights, training.optimizer.init(weights)
    for _ in range(steps):
        plain, optimizer = plain_step(plain, optimizer)
    # Weights that do alike may share rounding errors, which Adam makes visible; so what they do is compared.
    before, after, expected = (
        net.log_probabilities(w, net.slots.log_share, jnp.asarray(codes), net.slots.order)
        for w in (weights, state.weights, plain)
    )
    assert np.abs(before - expected).max() > 0.05
    np.testing.assert_allclose(after, expected, atol=2e-4)


def test_a_table_without_rows_trains_on_noise() -> None:
    nobody = grouped(np.zeros((0, 3), np.int32), None)
    assert nobody.there.shape == (1, 1)
    assert not nobody.there.any()


def test_two_trainings_differ_and_a_chunk_gets_a_new_key() -> None:
    net, weights = build()
    codes = np.asarray(rows_of(24, 1).codes[:, 0])
    training = PrivateTraining(net, plan(threshold=WORDS // 4, sigma=1.0, divisor=6.0), 8)
    step = jax.jit(training.step)
    first, second = (step(training.begin(weights), grouped(codes, None))[0] for _ in range(2))
    moments = [
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(s.optimizer) if leaf.ndim]) for s in (first, second)
    ]
    assert abs(np.corrcoef(*moments)[0, 1]) < 0.5
    old, new = (np.asarray(jax.random.key_data(s.key)) for s in (first, training.refreshed(first)))
    assert (old != new).any()
