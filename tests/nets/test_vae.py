"""The variational autoencoder's parts: the evidence bound, the learned prior, drawing with and without a condition."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from masquerade.codec.arrays import Encoded, Layout
from masquerade.nets.randomness import normal, uniforms
from masquerade.nets.vae import TabularVAE, VAESettings
from masquerade.nets.vae_nets import Clouds

ROWS = 2_000


@pytest.fixture(scope="module")
def table() -> tuple[Encoded, Layout]:
    """Two levels; a numeric column with an atom and two components that follows them."""
    random = np.random.default_rng(0)
    level = (random.random(ROWS) < 0.2).astype(np.int32)
    code = np.where(random.random(ROWS) < 0.1, 0, level + 1).astype(np.int32)
    scalars = np.zeros((ROWS, 2), np.float32)
    scalars[:, 1] = np.where(code > 0, np.clip(random.normal(0.5 * level - 0.25, 0.05, ROWS), -1, 1), 0)
    codes = np.stack([level, code], 1)
    layout = Layout(
        ("a", "x"),
        (2, 3),
        ((False, False), (False, True, True)),
        (True, False),
        tuple(np.bincount(codes[:, i], minlength=size) / ROWS for i, size in enumerate((2, 3))),
    )
    return Encoded(codes, scalars), layout


def make(layout: Layout, **settings: Any) -> TabularVAE:
    small: dict[str, Any] = {"batch_size": 100, "embedding_dim": 3, "compress_dims": (16,), "decompress_dims": (16,)}
    return TabularVAE(layout, VAESettings(**(small | settings)))


@pytest.fixture(scope="module")
def trained(table: tuple[Encoded, Layout]) -> tuple[TabularVAE, Any]:
    encoded, layout = table
    vae = make(layout, prior_components=4, lr=5e-3, average=0.99)
    data = vae.data(encoded)
    state = jax.jit(lambda state: jax.lax.fori_loop(0, 1_500, lambda _, s: vae.step(s, data)[0], state))(vae.init(0))
    return vae, state.average


def draw(vae: TabularVAE, params: Any, count: int, column: int = -1, code: Any = 0, key: int = 0) -> tuple[Any, Any]:
    codes = np.broadcast_to(np.asarray(code, np.int32), (count,))
    drawn = jax.jit(vae.draw)(
        params, jax.random.key(key), 0, jnp.zeros(vae.spans.width), np.full(count, column, np.int32), codes
    )
    return np.asarray(drawn[0]), np.asarray(drawn[1])


def test_the_bound_is_the_one_worked_out_by_hand(table: tuple[Encoded, Layout]) -> None:
    encoded, layout = table
    vae = make(layout, prior_components=1)
    encoder, decoder = eqx.combine(vae.init(0).params, vae._static)
    u = jax.random.uniform(jax.random.key(3), (5, 3))
    codes, scalars = encoded.codes[:5], encoded.scalars[:5]
    error, divergence = vae.loss((encoder, decoder), jnp.asarray(codes), jnp.asarray(scalars[:, 1:]), u)
    hot = np.concatenate([np.eye(2)[codes[:, 0]], np.eye(3)[codes[:, 1]]], axis=1)
    out = np.asarray(encoder(jnp.asarray(np.concatenate([scalars[:, 1:], hot], axis=1))))
    mean, spread = out[:, :3], np.exp(out[:, 3:] / 2)
    raw = np.asarray(decoder.net(jnp.asarray(mean + spread * stats.norm.ppf(np.asarray(u)))))
    wanted, divergences = [], []
    for i in range(5):
        loss = -np.log(np.exp(raw[i, codes[i, 0]]) / np.exp(raw[i, :2]).sum())
        loss -= np.log(np.exp(raw[i, 2 + codes[i, 1]]) / np.exp(raw[i, 2:5]).sum())
        if codes[i, 1] > 0:
            centre = np.tanh(raw[i, 5 + codes[i, 1] - 1])
            loss -= stats.norm.logpdf(scalars[i, 1], centre, 0.1) + 0.5 * np.log(2 * np.pi)
        wanted.append(loss)
        divergences.append((0.5 * (mean[i] ** 2 + spread[i] ** 2 - 1) - np.log(spread[i])).sum())
    assert float(error) == pytest.approx(np.mean(wanted), rel=1e-4)
    assert float(divergence) == pytest.approx(np.mean(divergences), rel=1e-4)


def test_the_learned_prior_has_the_density_that_it_draws() -> None:
    clouds = Clouds(3, 2, key=jax.random.key(0))
    spread = jnp.asarray([[0.0, -1.0], [0.5, 0.2], [-0.3, 0.0]])
    clouds = eqx.tree_at(lambda c: (c.log_spreads, c.logits), clouds, (spread, jnp.asarray([0.0, 1.0, -1.0])))
    weights = np.exp([0.0, 1.0, -1.0]) / np.exp([0.0, 1.0, -1.0]).sum()
    points = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    means, spreads = np.asarray(clouds.means), np.exp(np.asarray(spread))
    wanted = np.log(
        sum(w * stats.norm.pdf(points, m, s).prod(axis=1) for w, m, s in zip(weights, means, spreads, strict=True))
    )
    np.testing.assert_allclose(
        clouds.log_density(jnp.asarray(points)) - np.log(2 * np.pi), wanted, rtol=1e-4, atol=1e-4
    )
    u, u_noise = uniforms(jax.random.key(1), [(20_000,), (20_000, 2)])
    drawn = np.asarray(clouds.draw(u, normal(u_noise)))
    np.testing.assert_allclose(drawn.mean(axis=0), weights @ means, atol=0.04)

    # The density's mean over its own draws is minus its entropy; drawn from elsewhere it would be lower.
    def mean_log(x: Any) -> float:
        return float(np.asarray(clouds.log_density(jnp.asarray(x))).mean())

    assert mean_log(drawn) > mean_log(drawn + 1.0) + 0.1


def test_drawn_rows_are_as_the_table(trained: tuple[TabularVAE, Any], table: tuple[Encoded, Layout]) -> None:
    vae, params = trained
    codes, scalars = draw(vae, params[1], 8_000)
    real = table[0].codes
    assert codes[:, 0].mean() == pytest.approx(real[:, 0].mean(), abs=0.05)
    joint = np.bincount(codes[:, 0] * 3 + codes[:, 1], minlength=6) / len(codes)
    wanted = np.bincount(real[:, 0] * 3 + real[:, 1], minlength=6) / len(real)
    np.testing.assert_allclose(joint, wanted, atol=0.05)
    assert (scalars[codes[:, 1] == 0] == 0).all()
    for code, centre in ((1, -0.25), (2, 0.25)):
        mine = scalars[codes[:, 1] == code, 0]
        assert mine.mean() == pytest.approx(centre, abs=0.05)
        assert 0.02 < mine.std() < 0.12
    assert np.abs(scalars).max() <= 1


def test_a_condition_moves_the_latent_points(trained: tuple[TabularVAE, Any]) -> None:
    """What follows a given level is what follows it in unconditional draws that happen to have it."""
    vae, params = trained
    free, _ = draw(vae, params[1], 16_000)
    wanted = np.arange(2_000) % 2
    codes, _ = draw(vae, params[1], 2_000, column=0, code=wanted, key=5)
    np.testing.assert_array_equal(codes[:, 0], wanted)
    for level in (0, 1):
        ours = np.bincount(codes[wanted == level, 1], minlength=3) / (wanted == level).sum()
        theirs = free[free[:, 0] == level, 1]
        np.testing.assert_allclose(ours, np.bincount(theirs, minlength=3) / len(theirs), atol=0.08)
    assert codes[wanted == 1, 1].mean() > codes[wanted == 0, 1].mean() + 0.5


def test_layouts_without_scalars_or_discrete_columns_work() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 2, (50, 2)).astype(np.int32)
    for has_scalar, discrete in (((False, False), (True, True)), ((True, True), (False, False))):
        layout = Layout(("a", "b"), (2, 2), (has_scalar, has_scalar), discrete, (np.full(2, 0.5),) * 2)
        scalars = random.uniform(-1, 1, (50, 2)).astype(np.float32) * has_scalar[0]
        vae = make(layout)
        state, losses = jax.jit(vae.step)(vae.init(0), vae.data(Encoded(codes, scalars)))
        assert np.isfinite(float(losses["error"]))
        drawn, places = draw(vae, state.average[1], 20)
        assert drawn.shape == (20, 2)
        assert places.shape == (20, 2 * has_scalar[0])
