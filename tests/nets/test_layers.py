"""Layers: batch normalisation without hidden state, and all softmax spans at once."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade.nets.layers import BatchNorm, Residual, Spans


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_segmented_operations_agree_with_one_span_at_a_time(sizes: list[int], seed: int) -> None:
    spans = Spans(sizes)
    logits = np.random.default_rng(seed).normal(scale=30, size=(5, spans.width)).astype(np.float32)
    soft, log_soft, best = spans.softmax(logits), spans.log_softmax(logits), spans.argmax(logits)
    for index, (start, size) in enumerate(zip(spans.starts, sizes, strict=False)):
        part = jnp.asarray(logits[:, start : start + size])
        np.testing.assert_allclose(soft[:, start : start + size], jax.nn.softmax(part), atol=1e-5)
        np.testing.assert_allclose(log_soft[:, start : start + size], jax.nn.log_softmax(part), atol=1e-3)
        np.testing.assert_array_equal(best[:, index], part.argmax(axis=1))


def test_argmax_takes_the_first_of_equals_and_one_hot_reverses_it() -> None:
    spans = Spans([3, 2])
    codes = jnp.array([[2, 0], [0, 1]])
    np.testing.assert_array_equal(spans.argmax(spans.one_hot(codes)), codes)
    np.testing.assert_array_equal(spans.argmax(jnp.zeros((1, 5))), [[0, 0]])


def test_batch_norm_in_inference_does_not_look_at_the_batch() -> None:
    rows = jax.random.normal(jax.random.key(0), (500, 3)) * 4 + 7
    trained = BatchNorm(3).calibrated(rows)
    evaluated = eqx.nn.inference_mode(trained)
    np.testing.assert_allclose(evaluated(rows), trained(rows), atol=1e-4)
    np.testing.assert_allclose(evaluated(rows[:1]), evaluated(rows)[:1], atol=1e-5)
    assert (
        float(jnp.abs(trained(rows[:1])).max()) == 0.0
    )  # one row against itself: the fault that inference mode avoids


def test_a_residual_block_keeps_its_input() -> None:
    x = jax.random.normal(jax.random.key(1), (8, 4))
    y = Residual(4, 6, key=jax.random.key(2))(x)
    assert y.shape == (8, 10)
    np.testing.assert_array_equal(y[:, 6:], x)
    assert float(y[:, :6].min()) >= 0.0


def test_an_empty_span_list_is_refused_by_its_width() -> None:
    assert Spans([]).width == 0
    with pytest.raises(TypeError):
        Spans(None)  # type: ignore[arg-type]
