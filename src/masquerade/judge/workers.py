"""Several fits side by side, one core each.

A fit that spreads over all cores by itself waits at every step for its slowest thread: on a machine whose cores others
use too, that is many times slower than one fit per core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

__all__ = ["side_by_side"]

T = TypeVar("T")

_WORKERS = min(os.cpu_count() or 1, 8)


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Do all jobs, a few at a time, and return what they return, in their order; the first error ends it.

    >>> side_by_side([lambda: 1, lambda: 2])
    [1, 2]
    """

    def alone(job: Callable[[], T]) -> T:
        with threadpool_limits(1, user_api="openmp"):
            return job()

    with ThreadPoolExecutor(min(_WORKERS, max(len(jobs), 1))) as pool:
        return list(pool.map(alone, jobs))
