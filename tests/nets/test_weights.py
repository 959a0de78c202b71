"""Weights by path: there and back, and refused where they do not fit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.errors import ArtifactError
from masquerade.nets.weights import from_arrays, to_arrays

TREE = {"a": (jnp.ones(2), jnp.zeros((2, 3))), "b": jnp.arange(3)}


def test_round_trip() -> None:
    back = from_arrays(TREE, to_arrays(TREE))
    np.testing.assert_array_equal(back["a"][0], TREE["a"][0])
    np.testing.assert_array_equal(back["b"], TREE["b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("['b']"), "differ at"),
        (lambda arrays: arrays.update(more=np.zeros(1)), "differ at 'more'"),
        (lambda arrays: arrays.update({"['b']": np.zeros(3, np.float64)}), "float64"),
        (lambda arrays: arrays.update({"['a'][0]": np.ones(3, np.float32)}), r"\[3\]"),
        (lambda arrays: arrays.update({"['a'][0]": np.full(2, np.nan, np.float32)}), "not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: object, message: str) -> None:
    arrays = to_arrays(TREE)
    change(arrays)  # type: ignore[operator]
    with pytest.raises(ArtifactError, match=message):
        from_arrays(TREE, arrays)
