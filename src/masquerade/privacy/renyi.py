"""Rényi divergences of events (Mironov, arXiv 1702.07476): they add up, are quick, and hold for budgets spent step by step."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError

__all__ = ["epsilon_of_orders", "need_dp", "orders", "orders_of"]


def need_dp() -> Any:
    """The library `dp_accounting`.

    Raises:
        SettingError: the extra `dp` is not installed.
    """
    try:
        import dp_accounting
        from dp_accounting import pld, rdp  # noqa: F401 - loaded as attributes
    except ImportError as error:
        raise SettingError(
            "privacy: differential privacy needs the extra 'dp', which is not installed; "
            "install it with: pip install 'masquerade[dp]'."
        ) from error
    return dp_accounting


@functools.cache
def orders() -> NDArray[np.float64]:
    """The orders α that are looked at."""
    return np.asarray(need_dp().rdp.RdpAccountant()._orders, float)


def orders_of(events: Iterable[Mapping[str, Any]]) -> NDArray[np.float64]:
    """The Rényi divergence at each of `orders` of events that were checked."""
    total = np.zeros(orders().size)
    for event in events:
        if event["kind"] == "exponential":
            total += event["count"] * event["epsilon"] ** 2 / 8 * orders()
        else:
            # Integer noise keeps the zCDP of continuous noise of its scale, in any dimension (arXiv 2004.00010).
            total += event["count"] * _of_gaussian(event["sigma"], event.get("rate", 1.0))
    return total


def epsilon_of_orders(divergences: NDArray[np.float64], delta: float) -> float:
    """The least ε at this δ that the divergences imply (arXiv 2004.00010)."""
    return float(need_dp().rdp.compute_epsilon(orders(), divergences, delta)[0])


@functools.lru_cache(maxsize=256)
def _of_gaussian(sigma: float, rate: float) -> NDArray[np.float64]:
    if rate == 1:
        return orders() / (2 * sigma**2)
    dp = need_dp()
    accountant = dp.rdp.RdpAccountant()
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)  # an order that it leaves out is infinite, which is safe and nobody's concern
    try:
        accountant.compose(dp.PoissonSampledDpEvent(rate, dp.GaussianDpEvent(sigma)))
    finally:
        logger.setLevel(level)
    return np.asarray(accountant._rdp, float)
