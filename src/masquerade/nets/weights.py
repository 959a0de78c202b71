"""A pytree of arrays to named NumPy arrays, and back into a skeleton of known shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade.errors import ArtifactError

__all__ = ["from_arrays", "is_array", "to_arrays"]


def is_array(leaf: Any) -> bool:
    """Whether a leaf of a net is trained: an array of real numbers, or the shape of one."""
    return eqx.is_inexact_array(leaf) or (
        isinstance(leaf, jax.ShapeDtypeStruct) and jnp.issubdtype(leaf.dtype, jnp.inexact)
    )


def to_arrays(tree: Any) -> dict[str, NDArray[Any]]:
    """Each array of the tree under its path.

    >>> to_arrays({"a": (jnp.zeros(2),)})
    {"['a'][0]": array([0., 0.], dtype=float32)}
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def from_arrays(skeleton: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The tree of `skeleton`'s structure with the saved arrays in it.

    Args:
        skeleton: a pytree whose leaves have `shape` and `dtype` (arrays, or what `jax.eval_shape` gives).
        arrays: as from `to_arrays`.

    Raises:
        ArtifactError: an array is missing, left over, or has another shape or dtype than the skeleton asks for.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(skeleton)
    wanted = {jax.tree_util.keystr(path): leaf for path, leaf in leaves}
    if wanted.keys() != arrays.keys():
        odd = sorted(wanted.keys() ^ arrays.keys())[0]
        raise ArtifactError(
            f"the saved net and the net to fill differ at {odd!r}; pass the same `generator` (and `discriminator`) factory "
            "as when fitting."
        )
    for name, leaf in wanted.items():
        got = arrays[name]
        if got.shape != leaf.shape or got.dtype != leaf.dtype:
            raise ArtifactError(
                f"the saved net has {got.dtype}{list(got.shape)} at {name!r}, expected {leaf.dtype}{list(leaf.shape)}; pass "
                "the same net factory as when fitting."
            )
        if not np.isfinite(got).all():
            raise ArtifactError(f"the saved net holds a number that is not finite at {name!r}; fit again.")
    return jax.tree_util.tree_unflatten(structure, [jnp.asarray(arrays[name]) for name in wanted])
