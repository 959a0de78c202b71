"""Integer Gaussian noise, drawn exactly and from the operating system's randomness.

Floating-point noise has gaps that tell data apart (Mironov 2012); counts get integer noise instead, from OpenDP's exact
sampler of the discrete Gaussian (Canonne, Kamath and Steinke, arXiv 2004.00010).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError

__all__ = ["need_opendp", "noised_counts"]


def need_opendp() -> Any:
    """The library `opendp.prelude`.

    Raises:
        SettingError: the extra `dp` is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise SettingError(
            "privacy: differential privacy needs the extra 'dp', which is not installed; "
            "install it with: pip install 'masquerade[dp]'."
        ) from error
    dp.enable_features("contrib")
    return dp


@functools.lru_cache(maxsize=256)
def _measurement(scale: float) -> Any:
    dp = need_opendp()
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=scale)


def noised_counts(counts: NDArray[np.integer[Any]], scale: float) -> NDArray[np.int64]:
    """Counts with independent discrete Gaussian noise of this scale (its standard deviation, for scales from 1 up).

    Args:
        counts: whole numbers of any shape.
        scale: noise multiplier times what one unit can change.
    """
    flat = _measurement(float(scale))(counts.astype(np.int64).ravel().tolist())
    return np.array(flat, np.int64).reshape(counts.shape)
