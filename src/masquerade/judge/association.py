"""How strongly columns go together: Pearson's correlation, the correlation ratio, Theil's U, in one matrix."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from masquerade.metrics.association import correlation_ratio, pearson, theils_u

__all__ = ["association_matrix"]

Matrix = NDArray[np.float64]


def association_matrix(
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.int64]], sizes: Mapping[str, int]
) -> Matrix:
    """The association of every pair of columns.

    Args:
        columns: name to values, each of shape (rows,): numbers with NaN where missing, or codes from 0.
        sizes: name to the number of codes; 0 says that a column is numeric.

    Returns:
        Shape (columns, columns). Two numeric columns: Pearson's correlation, -1 to 1. A numeric and a discrete one: the
        correlation ratio η, 0 to 1. Two discrete ones: Theil's U of the row's column given the other, 0 to 1 (not
        symmetric). 0 where a column is constant.

    >>> m = association_matrix({"a": np.array([1.0, 2.0, 3.0]), "b": np.array([2.0, 4.0, 6.0])}, {"a": 0, "b": 0})
    >>> m.round(3).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    names = list(columns)
    numeric = [i for i, name in enumerate(names) if sizes[name] == 0]
    out: Matrix = np.zeros((len(names), len(names)))
    if numeric:
        out[np.ix_(numeric, numeric)] = pearson(
            np.stack([columns[names[i]] for i in numeric], axis=1).astype(np.float64)
        )
    for i, name in enumerate(names):
        size = sizes[name]
        if size == 0:
            continue
        codes = columns[name].astype(np.int64)
        for j in numeric:
            out[i, j] = out[j, i] = correlation_ratio(codes, columns[names[j]].astype(np.float64), size)
        for j in range(i + 1, len(names)):
            width = sizes[names[j]]
            if width > 0:
                joint = np.bincount(codes * width + columns[names[j]].astype(np.int64), minlength=size * width)
                table = joint.reshape(size, width).astype(np.float64)
                out[i, j], out[j, i] = theils_u(table), theils_u(table.T)
    np.fill_diagonal(out, 1.0)
    return np.nan_to_num(out)
