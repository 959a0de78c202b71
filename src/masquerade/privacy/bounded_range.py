"""How much many exponential mechanisms tell together: the tightest bound for choices that each depend on those before.

The privacy loss of the exponential mechanism lies in an interval of width ε, wherever that interval is: it has *bounded range*
(Durfee and Rogers, arXiv 1905.04273). The worst such mechanism is a coin with the losses t and t − ε, where an adversary
picks t between 0 and ε; picking anew after each outcome, he does best by dynamic programming (Dong, Durfee and Rogers, arXiv
1909.13830). With δ_k(x) the hockey-stick divergence at x of the last k choices,

    δ_k(x) = max over t of  p δ_{k-1}(x - t) + (1 - p) δ_{k-1}(x - t + ε),    p = (1 - e^(t-ε)) / (1 - e^-ε).

The result holds for any order in which other mechanisms stand between the choices, as long as what is fixed beforehand about
them is fixed: max and average change places at the adversary's cost, so that he does best if all others come first.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["adaptive_curve"]

FINE = 128
"""Steps into which the range of a choice is cut."""

MOST_STEPS = 6_000
"""Steps of the whole curve."""

TAIL = 1e-15
"""What is left of δ where the curve ends."""


@functools.lru_cache(maxsize=64)
def adaptive_curve(ranges: tuple[float, ...], grid: float) -> tuple[int, NDArray[np.float64]]:
    """The hockey-stick divergence of exponential mechanisms done one after another, each chosen after what came before.

    All is rounded so that the figures are upper bounds: a range up by less than two steps (which also covers every t between
    two steps, by convexity), and δ beyond the end of the curve to δ at its end.

    Args:
        ranges: ε of each, in order of time.
        grid: the step of the curve is a multiple of it.

    Returns:
        The step in multiples of `grid`, and δ at -n, ..., 0, ..., n steps.

    >>> step, deltas = adaptive_curve((1.0,), 1e-4)
    >>> round(float(deltas[deltas.size // 2]), 3), round(math.tanh(1 / 4), 3)
    (0.248, 0.245)
    """
    rho = sum(epsilon**2 / 8 for epsilon in ranges)
    end = min(rho + 2 * math.sqrt(-rho * math.log(TAIL)), sum(ranges))
    step = max(1, math.floor(min(ranges) / FINE / grid), math.ceil(end / MOST_STEPS / grid))
    width = step * grid
    widths = [math.ceil(epsilon / width - 1e-9) + 1 for epsilon in ranges]
    steps = math.ceil(end / width) + 1
    falling = np.exp(-width * np.arange(steps + 1))
    right = np.zeros(steps + 1)  # δ at 0, 1, ..., of no mechanism at all
    for size in reversed(widths):
        around = _around(right, falling, size)
        best = np.zeros(steps + 1)
        kept = -math.expm1(-size * width)
        for t in range(size + 1):
            p = -math.expm1((t - size) * width) / kept
            # `around` begins at -size, so that x - t stands at size - t, and x - t + size at 2 size - t
            np.maximum(
                best, p * around[size - t :][: steps + 1] + (1 - p) * around[2 * size - t :][: steps + 1], out=best
            )
        right = np.minimum.accumulate(best)
    return step, _around(right, falling, steps)[: 2 * steps + 1]


def _around(right: NDArray[np.float64], falling: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """δ at -size, ..., n + size: to the left by the symmetry of both directions, to the right no less than at the end."""
    reach = min(size, right.size - 1)
    left = 1 - falling[1 : reach + 1] * (1 - right[1 : reach + 1])
    beyond = np.ones(size - reach)  # δ is at most 1
    return np.concatenate([beyond, left[::-1], right, np.full(size, right[-1])])
