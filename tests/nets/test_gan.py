"""The conditional tabular GAN's parts: conditions, matching rows, expansion, losses, evaluation mode."""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.codec.arrays import Encoded, Layout
from masquerade.nets.gan import GANSettings, TabularGAN
from masquerade.nets.gan_nets import Critic, Generator
from masquerade.nets.randomness import uniforms

ROWS = 4_000


@pytest.fixture(scope="module")
def table() -> tuple[Encoded, Layout]:
    """A discrete column, a numeric one with an atom and two components, and a rare discrete one."""
    random = np.random.default_rng(0)
    codes = np.stack(
        [random.choice(3, ROWS, p=[0.7, 0.2, 0.1]), random.choice(3, ROWS), (random.random(ROWS) < 0.01).astype(int)], 1
    ).astype(np.int32)
    scalars = np.zeros((ROWS, 3), np.float32)
    scalars[:, 1] = np.where(codes[:, 1] > 0, random.uniform(-0.9, 0.9, ROWS), 0)
    sizes = (3, 3, 2)
    layout = Layout(
        ("a", "x", "rare"),
        sizes,
        ((False,) * 3, (False, True, True), (False,) * 2),
        (True, False, True),
        tuple(np.bincount(codes[:, i], minlength=size) / ROWS for i, size in enumerate(sizes)),
    )
    return Encoded(codes, scalars), layout


def make(layout: Layout, **settings: Any) -> TabularGAN:
    small = functools.partial(Generator, widths=(16,)), functools.partial(Critic, widths=(16,), dropout=0.5)
    return TabularGAN(layout, GANSettings(batch_size=40, embedding_dim=8, **settings), *small)


def test_widths(table: tuple[Encoded, Layout]) -> None:
    gan = make(table[1])
    assert (gan.width, gan.scalar_count, gan.conditions.width) == (1 + 8, 1, 5)


def test_a_real_row_always_has_the_drawn_condition(table: tuple[Encoded, Layout]) -> None:
    encoded, layout = table
    gan = make(layout)
    column, code, condition, real = gan.batch(jax.random.uniform(jax.random.key(0), (3, 40)), gan.data(encoded))
    table_column = np.asarray(gan.conditions.columns)[np.asarray(column)]
    places = 1 + np.asarray(gan.spans.starts)[table_column] + np.asarray(code)
    np.testing.assert_array_equal(np.asarray(real)[np.arange(40), places], 1.0)
    np.testing.assert_array_equal(np.asarray(condition).sum(axis=1), 1.0)


def test_training_conditions_follow_log_frequencies_and_sampling_ones_the_true_ones(
    table: tuple[Encoded, Layout],
) -> None:
    encoded, layout = table
    gan = make(layout)
    count = 60_000
    rare = 1  # the second discrete column
    share = float(layout.frequencies[2][1])
    for weights, wanted in (
        (
            gan.data(encoded).rows.log_weights,
            np.log1p(share * ROWS) / (np.log1p(share * ROWS) + np.log1p((1 - share) * ROWS)),
        ),
        (jnp.asarray(gan.conditions.true_weights), share),
    ):
        column, code = gan.conditions.choose(*jax.random.uniform(jax.random.key(1), (2, count)), weights)
        mine = np.asarray(code)[np.asarray(column) == rare]
        assert mine.mean() == pytest.approx(wanted, abs=4 * np.sqrt(wanted / len(mine)))
        assert len(mine) == pytest.approx(count / 2, rel=0.03)


def test_expansion_puts_scalars_first_then_one_hot_spans(table: tuple[Encoded, Layout]) -> None:
    encoded, layout = table
    gan = make(layout)
    data = gan.data(encoded)
    expanded = np.asarray(gan.expand(data.codes[:50], data.scalars[:50]))
    np.testing.assert_array_equal(expanded[:, 0], encoded.scalars[:50, 1])
    np.testing.assert_array_equal(expanded[:, 1:4].argmax(axis=1), encoded.codes[:50, 0])
    np.testing.assert_array_equal(expanded[:, 1:].sum(axis=1), 3.0)


@pytest.mark.parametrize("settings", [{"loss": "wgan-gp", "pac": 10}, {"loss": "relativistic", "pac": 1}])
def test_both_losses_learn_the_conditioned_column(table: tuple[Encoded, Layout], settings: dict[str, Any]) -> None:
    encoded, layout = table
    gan = make(layout, generator_lr=5e-3, discriminator_lr=1e-3, **settings)
    data = gan.data(encoded)

    @jax.jit
    def train(state: Any, data: Any) -> Any:
        return jax.lax.fori_loop(0, 300, lambda _, state: gan.step(state, data)[0], state)

    state = train(gan.init(3), data)
    assert int(state.steps) == 300
    assert all(
        bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves((state.generator, state.critic, state.average))
    )
    generator = eqx.combine(state.generator, gan._generator_static)
    u, noise, choice = uniforms(jax.random.key(4), [(2, 1_000), (1_000, 8), (1_000, gan.spans.width)])
    column, code = gan.conditions.choose(u[0], u[1], data.rows.log_weights)
    logits = gan.fake(generator, noise, choice, gan.conditions.one_hot(column, code))[1]
    asked = np.asarray(gan.spans.argmax(logits))[np.arange(1_000), gan.conditions.columns[np.asarray(column)]]
    assert (asked == code).mean() > 0.9


def test_evaluation_mode_does_not_depend_on_neighbours_and_meets_conditions(table: tuple[Encoded, Layout]) -> None:
    encoded, layout = table
    gan = make(layout)
    params = gan.normalised(gan.init(5).average, jax.random.key(6), gan.data(encoded).rows.log_weights)
    bias = jnp.zeros(gan.spans.width)
    ones = jnp.ones(64, jnp.int32)
    codes, scalars = gan.draw(params, jax.random.key(7), jnp.int32(0), bias, ones, ones)
    np.testing.assert_array_equal(codes[:, 2], 1)
    assert np.abs(scalars).max() <= 1.0
    mixed, _ = gan.draw(params, jax.random.key(7), jnp.int32(0), bias, ones.at[1:].set(0), ones.at[1:].set(0))
    np.testing.assert_array_equal(
        mixed[0], codes[0]
    )  # the first row's condition and noise are the same, its neighbours' not
    assert not np.array_equal(mixed[:, 0], codes[:, 0])


def test_a_table_without_discrete_columns_trains_unconditionally() -> None:
    random = np.random.default_rng(1)
    layout = Layout(("x",), (1,), ((True,),), (False,), (np.ones(1),))
    encoded = Encoded(np.zeros((100, 1), np.int32), random.uniform(-1, 1, (100, 1)).astype(np.float32))
    gan = make(layout)
    state, losses = jax.jit(gan.step)(gan.init(0), gan.data(encoded))
    assert gan.conditions.width == 0
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    assert int(state.steps) == 1
