"""Blocks of autoencoders side by side: they do not touch one another, lose little, and each keeps its own best."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.nets.autoencoder import (
    Autoencoder,
    AutoencoderData,
    AutoencoderSettings,
    Best,
    encode,
    slopes,
)

BLOCKS = np.array([0] * 8 + [1] * 4)


def net(secrets: int = 0, **settings: float) -> Autoencoder:
    return Autoencoder(BLOCKS, [4, 2], np.ones(12), secrets, AutoencoderSettings(**settings))  # type: ignore[arg-type]


def trained(made: Autoencoder, data: AutoencoderData, steps: int, seed: int = 0) -> dict[str, object]:
    state = made.init(seed)

    def body(_: int, state: object) -> object:
        return made.step(state, data)[0]  # type: ignore[arg-type]

    return jax.jit(lambda state: jax.lax.fori_loop(0, steps, body, state))(state).average


def test_the_layers_are_three_quarters_and_half_of_the_inputs() -> None:
    assert [np.bincount(layer).tolist() for layer in net().layout] == [[8, 4], [6, 3], [4, 2]]
    narrow = Autoencoder(BLOCKS, [1, 1], np.ones(12), 0, AutoencoderSettings())
    assert [np.bincount(layer).tolist() for layer in narrow.layout] == [[8, 4], [6, 3], [4, 2], [1, 1]]


def test_a_block_does_not_see_the_others() -> None:
    made = net()
    layers = made.encoder([made.init(0).params] * 2)
    inputs = np.random.default_rng(0).normal(size=(5, 12))
    other = inputs.copy()
    other[:, BLOCKS == 1] += 1
    same = encode(layers, inputs) == encode(layers, other)
    assert same[:, made.layout[-1] == 0].all()
    assert not same[:, made.layout[-1] == 1].any()


def test_numpy_and_jax_encode_alike() -> None:
    made = net()
    params = made.init(3).params
    inputs = np.random.default_rng(0).normal(size=(7, 12)).astype(np.float32)
    codes = made.lost(params, jnp.asarray(inputs))[1]
    assert np.allclose(encode(made.encoder([params] * 2), inputs), codes, atol=1e-5)


def test_what_fits_through_the_bottleneck_comes_back_and_what_does_not_is_lost() -> None:
    random = np.random.default_rng(0)
    narrow = random.normal(size=(3000, 3)) @ random.normal(size=(3, 8))
    inputs = np.concatenate([narrow / narrow.std(axis=0), random.normal(size=(3000, 4))], axis=1)
    made = net(learning_rate=5e-3)
    data = AutoencoderData(jnp.asarray(inputs, jnp.float32), jnp.zeros((3000, 0)))
    lost = np.asarray(made.lost(trained(made, data, 2000), data.inputs)[0])
    assert lost[0] < 0.05, "three directions through four codes"
    assert 0.4 < lost[1] < 0.6, "of four independent inputs two codes keep half"


def test_the_adversary_takes_the_secret_out_of_the_codes() -> None:
    random = np.random.default_rng(0)
    secret = random.choice([-1.0, 1.0], size=4000)
    inputs = random.normal(size=(4000, 12))
    inputs[:, 0] = secret + 0.3 * random.normal(size=4000)
    inputs[:, 1] = secret + 0.3 * random.normal(size=4000)
    found = []
    for strength in (0.0, 3.0):
        made = net(secrets=1, learning_rate=5e-3, adversary=strength)
        data = AutoencoderData(jnp.asarray(inputs, jnp.float32), jnp.asarray(secret[:, None], jnp.float32))
        codes = encode(made.encoder([trained(made, data, 1000)] * 2), inputs)[:, made.layout[-1] == 0]
        design = np.c_[codes, np.ones(len(codes))]
        guess = design @ np.linalg.lstsq(design, secret, rcond=None)[0]
        found.append(float(np.corrcoef(guess, secret)[0, 1]))
    assert found[0] > 0.8
    assert found[1] < 0.35


def test_each_block_keeps_its_own_best() -> None:
    made = net()
    held = jnp.asarray(np.random.default_rng(0).normal(size=(50, 12)), jnp.float32)
    params = [made.init(seed).params for seed in range(6)]
    best = Best(made, held, params[0])
    scores = [best(p) for p in params]
    lost = np.stack([np.asarray(made.lost(p, held)[0]) for p in params])
    assert np.allclose(best.lost, lost.min(axis=0))
    assert [list(map(id, params)).index(id(kept)) for kept in best.params] == lost.argmin(axis=0).tolist()
    improved = [i == 0 or (lost[i] < lost[:i].min(axis=0)).any() for i in range(6)]
    assert [scores[i] > max(scores[:i], default=-np.inf) for i in range(6)] == improved


def test_slopes_are_what_a_small_push_does() -> None:
    made = net()
    layers = made.encoder([made.init(1).params] * 2)
    inputs = np.random.default_rng(0).normal(size=(20, 12))
    pushed = np.stack(
        [
            np.abs(encode(layers, inputs + 1e-6 * np.eye(12)[i]) - encode(layers, inputs)).mean(axis=0) / 1e-6
            for i in range(12)
        ]
    )
    assert slopes(layers, inputs) == pytest.approx(pushed, rel=1e-3, abs=1e-6)
