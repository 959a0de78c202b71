"""Several fits side by side, one core each, and what they all need.

A fit that spreads over all cores by itself waits at every step for its slowest thread: on a machine whose cores others
use too, that is many times slower than one fit per core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

__all__ = ["fill_empty", "one_thread", "side_by_side"]

T = TypeVar("T")

_WORKERS = min(os.cpu_count() or 1, 8)


def fill_empty(
    train: NDArray[np.float64], test: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same features, those without any value to learn from set to 0: boosting cannot bin an empty column.

    >>> fill_empty(np.array([[np.nan, 1.0]]), np.array([[5.0, 2.0]]))[1].tolist()
    [[0.0, 2.0]]
    """
    empty = np.isnan(train).all(axis=0)
    return (np.where(empty, 0.0, train), np.where(empty, 0.0, test)) if empty.any() else (train, test)


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, linear algebra keeps to one thread; to be entered by one thread at a time, for it is set for the process."""
    with threadpool_limits(1, user_api="blas"):
        yield


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Do all jobs, a few at a time, and return what they return, in their order; the first error ends it.

    >>> side_by_side([lambda: 1, lambda: 2])
    [1, 2]
    """

    def alone(job: Callable[[], T]) -> T:
        with threadpool_limits(1, user_api="openmp"):
            return job()

    with one_thread(), ThreadPoolExecutor(min(_WORKERS, max(len(jobs), 1))) as pool:
        return list(pool.map(alone, jobs))
