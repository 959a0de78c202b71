"""How often what was released lies nearer to what trained than to what did not: the share that a copier drives to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade.metrics.intervals import from_clusters, wilson

__all__ = ["nearer_share"]


def nearer_share(
    to_train: NDArray[np.float64],
    train_index: NDArray[np.intp],
    to_holdout: NDArray[np.float64],
    holdout_index: NDArray[np.intp],
) -> tuple[float, tuple[float, float]]:
    """The share of released points nearer to a training than to a holdout point, ties counting half, and its interval.

    Released points around one real point stand and fall together; the interval is the wider of the sandwich estimator's, with
    the nearest real point as the cluster, and of Wilson's for as many trials as there are clusters.

    Args:
        to_train: the distance of each released point to its nearest training point, among as many as there are holdout points.
        train_index: which that is.
        to_holdout, holdout_index: likewise.

    >>> near, far = np.zeros(100), np.ones(100)
    >>> nearer_share(near, np.arange(100), far, np.arange(100))[0]
    1.0
    """
    nearer = np.where(to_train < to_holdout, 1.0, np.where(to_train == to_holdout, 0.5, 0.0))
    clusters = np.where(to_train <= to_holdout, train_index, holdout_index + train_index.max(initial=0) + 1)
    share = float(nearer.mean())
    low, high = from_clusters(nearer, clusters)
    count = len(np.unique(clusters))
    fewer, more = wilson(share * count, count)
    return share, (min(low, fewer), max(high, more))
