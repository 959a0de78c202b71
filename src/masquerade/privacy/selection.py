"""The exponential mechanism: the best of several candidates, chosen exactly and with the operating system's randomness."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from masquerade.errors import SettingError
from masquerade.privacy.noise import need_opendp

__all__ = ["choose"]


@functools.lru_cache(maxsize=256)
def _measurement(scale: float) -> Any:
    dp = need_opendp()
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.linf_distance(T=float)
    return dp.m.make_noisy_max(*space, dp.zero_concentrated_divergence(), scale=scale)


def choose(scores: ArrayLike, epsilon: float, sensitivity: float) -> int:
    """The index of one candidate, drawn with probability proportional to exp(epsilon * score / (2 * sensitivity)).

    That is the exponential mechanism (McSherry and Talwar 2007), drawn as the largest score after Gumbel noise is added
    (OpenDP's exact sampler: it compares as many binary digits as a decision needs, so no rounding tells scores apart). It is
    to be paid for as `masquerade.privacy.events.exponential(epsilon, ...)`, before it is called.

    Args:
        scores: one finite number for each candidate, shape (candidates,); more is better.
        epsilon: ε of this choice, above 0.
        sensitivity: the most that adding or removing one unit changes any one score, above 0. Where one unit moves all scores
            the same way (all up, or all down), half of it may be given.

    Raises:
        SettingError: there is no candidate, or a figure that is not finite and in its range.

    >>> choose([0.0, 1.0, 500.0], epsilon=1.0, sensitivity=1.0)
    2
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise SettingError(
            f"scores: expected one finite number for each of at least one candidate, got {values.shape}."
        )
    for name, figure in (("epsilon", epsilon), ("sensitivity", sensitivity)):
        if not math.isfinite(figure) or figure <= 0:
            raise SettingError(f"{name}: got {figure!r}, expected a finite number above 0.")
    return int(_measurement(2.0 * sensitivity / epsilon)(values.tolist()))
