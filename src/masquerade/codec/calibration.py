"""Marginal calibration: a fitted generator's single columns are brought to the protected frequencies of its training table.

A net learns how columns hang together well and how often each value occurs less well. What a column's codes and scalars look
like one at a time is known exactly, so it need not be left to the net: a bias per code (exponential tilting, found by iterative
scaling; Deming and Stephan 1940) corrects the codes, and a monotone map per code (quantile matching) the scalars. Both are
fixed after training, so a row does not depend on its neighbours, and conditions keep their effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import ArtifactError

__all__ = ["ScalarMap", "frequency_bias", "scalar_bins"]

_MOST_KNOTS = 65
_LARGEST_BIAS = 8.0


def frequency_bias(
    draw: Callable[[NDArray[np.float32]], NDArray[np.int32]],
    layout: Layout,
    *,
    rounds: int = 8,
    damping: float = 0.8,
    start: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """A bias on the logits of every code under which drawn codes have the layout's frequencies.

    Args:
        draw: codes, shape (rows, columns), drawn with a bias.
        layout: shape of the table, with the frequencies aimed at.
        rounds: draws; each moves the bias by `damping` of the log ratio still missing.
        damping: in (0, 1].
        start: the bias to start from; None: zeros.

    Returns:
        float32, shape (sum of sizes,), at most 8 in absolute value.
    """
    wanted = np.concatenate(layout.frequencies)
    bias = np.zeros(len(wanted), np.float32) if start is None else start
    for _ in range(rounds):
        codes = draw(bias)
        least = 0.5 / len(codes)
        drawn = np.concatenate(
            [np.bincount(codes[:, i], minlength=size) / len(codes) for i, size in enumerate(layout.sizes)]
        )
        step = damping * np.log((wanted + least) / (drawn + least))
        bias = np.clip(bias + step, -_LARGEST_BIAS, _LARGEST_BIAS).astype(np.float32)
    return bias


@dataclass(frozen=True)
class ScalarMap:
    """A monotone, piecewise linear map of the scalars of each code.

    Args:
        places: int32, shape (maps, 2): column and code of each map.
        source: float32, shape (maps, knots): quantiles of drawn scalars, not falling.
        target: float32, shape (maps, knots): quantiles of training scalars, each interval holding at least `protect` rows.
    """

    places: NDArray[np.int32]
    source: NDArray[np.float32]
    target: NDArray[np.float32]

    @classmethod
    def none(cls) -> Self:
        """The map that leaves all scalars as they are."""
        empty = np.zeros((0, _MOST_KNOTS), np.float32)
        return cls(np.zeros((0, 2), np.int32), empty, empty)

    @classmethod
    def fit(cls, real: Encoded, drawn: Encoded, layout: Layout, *, protect: int) -> Self:
        """Match the drawn scalars of each code to the training ones, with at most 65 knots.

        A code with fewer than `4 * protect` training rows, or 40 drawn ones, is left as it is.
        """
        places, sources, targets = [], [], []
        knots = np.linspace(0, 1, _MOST_KNOTS)
        least = max(protect, 1)
        for column in np.flatnonzero(layout.continuous):
            for code in np.flatnonzero(layout.has_scalar[column]):
                have = real.scalars[real.codes[:, column] == code, column]
                got = drawn.scalars[drawn.codes[:, column] == code, column]
                intervals = min(_MOST_KNOTS - 1, len(have) // least)
                if intervals < 4 or len(got) < 40:
                    continue
                # Fewer real knots where rows are few: both sides are interpolated from that many quantiles.
                coarse = np.linspace(0, 1, intervals + 1)
                # The outermost knots are means over `least` rows, never one person's value.
                target = np.quantile(have, coarse)
                ends = np.partition(have, (least - 1, len(have) - least))
                target[0], target[-1] = ends[:least].mean(), ends[-least:].mean()
                places.append((column, code))
                targets.append(np.interp(knots, coarse, np.maximum.accumulate(target)))
                sources.append(np.interp(knots, coarse, np.quantile(got, coarse)))
        shape = (len(places), _MOST_KNOTS)
        return cls(
            np.array(places, np.int32).reshape(len(places), 2),
            np.array(sources, np.float32).reshape(shape),
            np.array(targets, np.float32).reshape(shape),
        )

    def apply(self, encoded: Encoded) -> Encoded:
        """The same codes with their scalars mapped."""
        scalars = encoded.scalars.copy()
        for (column, code), source, target in zip(self.places, self.source, self.target, strict=True):
            mine = np.flatnonzero(encoded.codes[:, column] == code)
            scalars[mine, column] = np.interp(scalars[mine, column], source, target)
        return Encoded(encoded.codes, scalars)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For saving."""
        return {"places": self.places, "source": self.source, "target": self.target}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], layout: Layout) -> Self:
        """The reverse of `to_arrays`; `ArtifactError` where the maps do not fit the layout."""
        places, source, target = arrays["places"], arrays["source"], arrays["target"]
        fits = places.ndim == 2 and places.shape[1] == 2 and source.shape == target.shape == (len(places), _MOST_KNOTS)
        if not fits or any(not 0 <= c < len(layout.sizes) or not 0 <= k < layout.sizes[c] for c, k in places):
            raise ArtifactError("the saved calibration does not fit the model's columns; fit again.")
        return cls(places, source, target)


def scalar_bins(encoded: Encoded, layout: Layout, edges: Sequence[float] = (-0.25, 0.0, 0.25)) -> Encoded:
    """Codes refined by where inside a code a scalar lies; for scores that know codes only."""
    continuous = np.flatnonzero(layout.continuous)
    refined = encoded.codes.copy()
    refined[:, continuous] *= np.int32(len(edges) + 1)
    refined[:, continuous] += np.digitize(encoded.scalars[:, continuous], edges).astype(np.int32)
    return Encoded(refined, encoded.scalars)
