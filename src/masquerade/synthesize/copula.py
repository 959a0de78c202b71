"""GaussianCopula: single columns as they are, and one correlation for each pair; the baseline that fits in a second.

Reference: Nelsen, "An Introduction to Copulas", Springer 2006, section 2.3; estimation of the latent correlation: see
`masquerade.synthesize.factors`. Guarantee: none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.calibration import ScalarMap
from masquerade.errors import ArtifactError
from masquerade.progress import Callback, Progress
from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.factors import Factors, fit_factors
from masquerade.synthesize.given import Condition
from masquerade.synthesize.latent import Boxes, Gaps, code_orders

__all__ = ["GaussianCopula"]

FIT_ROWS = 100_000
"""Rows, at most, that the correlation is estimated from."""

BLOCK_CELLS = 1 << 22
"""Latent numbers drawn at a time, to keep memory small in wide tables."""


class GaussianCopula(Synthesizer):
    """Gaussian copula: every column is a normal number cut into its codes, and those numbers are correlated.

    Codes of numbers and moments are taken in rising order, levels in the order that goes best with the other columns; whether a
    number is missing is a column of its own. The latent correlation is the one under which the columns' normal scores are
    correlated as observed, shrunk towards none; in tables of over 1,000 columns it is a few common factors and noise. A
    condition on a discrete column is met exactly: its latent number is drawn inside the code's interval and the others given
    it; `mq.Autoregressive` takes any columns.

    No net is trained: this is the second's baseline, and knows nothing that is not pairwise and monotone.

    Args:
        discrete_columns: columns to treat as discrete besides those whose kind is; conditions can be put on them.
        protect: a level or exact value is reproduced only if at least so many units share it; 0 switches this off.
        unit: the column that says whose row it is; None: each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh.

    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
    >>> model = GaussianCopula(random_state=0).fit(table)
    >>> model.sample(5, given={"sex": "f"})["sex"].to_list()
    ['f', 'f', 'f', 'f', 'f']
    """

    reference: ClassVar[str] = "Nelsen: An Introduction to Copulas. Springer 2006, section 2.3."
    quantiles: ClassVar[bool] = True

    def __init__(
        self,
        *,
        discrete_columns: Sequence[str] | None = None,
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.discrete_columns = discrete_columns
        self.protect = protect
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        """There is nothing to check beside what every synthesizer has."""

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        began = time.monotonic()
        self._tell(Progress("calibrate", 0, 1, 0.0))
        self.history_, self.interrupted_ = [], False
        chosen = seeds.stream(seed, "rows").permutation(len(encoded))[:FIT_ROWS]
        part = encoded.rows(chosen) if len(encoded) > FIT_ROWS else encoded
        by_value, self._missing = self._by_value(layout)
        self._gaps = Gaps(layout, self._missing)
        whole, there = self._gaps.split(part)
        by_value += [np.arange(2)] * (whole.codes.shape[1] - len(by_value))
        orders = code_orders(whole, self._gaps.layout, by_value, seeds.integer(seed, "orders"))
        self._boxes = Boxes(self._gaps.layout, orders)
        shares = self._boxes.shares_in_codes(whole)
        self._factors = fit_factors(self._boxes, whole, shares, there)
        # The map from evenly spread scalars to the training ones is each code's inverse distribution.
        even = self._gaps.join(Encoded(whole.codes, self._boxes.scalars_of(whole.codes, shares)))
        self._map = ScalarMap.fit(part, even, layout, protect=self.protect)
        self._tell(Progress("calibrate", 1, 1, time.monotonic() - began, finished=True))

    def _by_value(self, layout: Layout) -> tuple[list[NDArray[np.int64] | None], list[int]]:
        """For each modelled column of numbers or moments its codes by rising value, missing last; None for levels.

        Beside it the code of missing values that are to be a column of their own, or -1. Where a condition can be put on a
        column, missing stays one of its codes.
        """
        orders: list[NDArray[np.int64] | None] = []
        missing = [-1] * len(layout.names)
        for i, (name, size) in enumerate(zip(layout.names, layout.sizes, strict=True)):
            if not self.codec_.schema[name].is_numeric:
                orders.append(None)
                continue
            codes, scalars = np.arange(size, dtype=np.int32), np.zeros(size, np.float32)
            values = self.codec_.codecs[name].decode(codes, scalars, seeds.stream(0, "order"))
            null = values.is_null().to_numpy()
            orders.append(np.lexsort((values.to_physical().fill_null(0).to_numpy(), null)))
            if null.any() and not null.all() and not layout.discrete[i]:
                missing[i] = int(np.argmax(null))
        return orders, missing

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, rows: int, condition: Condition | None, seed: int) -> Encoded:
        random = seeds.stream(seed, "latent")
        width = len(self._boxes.orders)
        codes, scalars = np.empty((rows, width), np.int32), np.empty((rows, width), np.float32)
        step = max(BLOCK_CELLS // width, 64)
        for start in range(0, rows, step):
            part = slice(start, min(start + step, rows))
            latent = self._factors.draw(part.stop - start, random)
            if condition is not None:
                inside = self._boxes.latent(condition.column, condition.codes[part], random.random(part.stop - start))
                latent = self._factors.given(latent, condition.column, inside)
            codes[part], shares = self._boxes.codes(latent)
            if condition is not None:
                # The end of an interval may be rounded into the next one.
                codes[part, condition.column] = condition.codes[part]
            scalars[part] = self._boxes.scalars_of(codes[part], shares)
        return self._map.apply(self._gaps.join(Encoded(codes, scalars)))

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {"order": np.concatenate(self._boxes.orders).astype(np.int32)}
        arrays |= {"loadings": self._factors.loadings, "noise": self._factors.noise}
        arrays |= {f"map.{name}": array for name, array in self._map.to_arrays().items()}
        return {"missing": list(self._missing)}, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        self._missing = [int(code) for code in config["missing"]]
        order, loadings, noise = arrays["order"], arrays["loadings"], arrays["noise"]
        fits = len(self._missing) == len(layout.sizes) and all(
            -1 <= code < size for code, size in zip(self._missing, layout.sizes, strict=True)
        )
        if fits:
            self._gaps = Gaps(layout, self._missing)
            sizes = self._gaps.layout.sizes
            fits = order.shape == (sum(sizes),) and loadings.ndim == 2 and len(loadings) == len(noise) == len(sizes)
        if fits:
            orders = [part.astype(np.int64) for part in np.split(order, np.cumsum(sizes)[:-1])]
            fits = all(np.array_equal(np.sort(o), np.arange(size)) for o, size in zip(orders, sizes, strict=True))
        if not fits:
            raise ArtifactError("the saved copula does not fit the model's columns; fit again.")
        self._boxes, self._factors = Boxes(self._gaps.layout, orders), Factors(loadings, noise)
        self._map = ScalarMap.from_arrays(
            {k.removeprefix("map."): v for k, v in arrays.items() if k.startswith("map.")}, layout
        )
