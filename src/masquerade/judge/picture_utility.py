"""What a classifier loses that is trained on released pictures: the classification accuracy score.

Ravuri and Vinyals 2019 (arXiv 1905.10887) show that it sees what distances of features do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.figures import Figure, Outcome, scored
from masquerade.judge.picture_intake import PictureSide
from masquerade.judge.scores import Score
from masquerade.metrics.intervals import wilson

__all__ = ["accuracies"]


def accuracies(
    by_released: NDArray[np.int64], by_real: NDArray[np.int64], holdout: PictureSide, trained: tuple[int, int]
) -> Outcome:
    """`tstr`, `trtr` and `utility_gap`, as shares of the holdout's pictures that are told rightly.

    Args:
        by_released: the class of each picture of the holdout, as told by a net that released pictures trained, shape (n,).
        by_real: as told by a net that real ones trained.
        holdout: real pictures that neither saw, with their classes.
        trained: how many released and real pictures trained the nets.

    Raises:
        ValueError: the holdout has no classes.
    """
    if holdout.classes is None:
        raise ValueError("holdout: it has no classes.")
    right, known = (told == holdout.classes for told in (by_released, by_real))
    tested = f"Share of {len(right):,} unseen real pictures whose class a small convolutional net tells rightly"
    scores = [
        Score(
            "tstr",
            float(right.mean()),
            "higher",
            interval=wilson(float(right.sum()), len(right)),
            ceiling=float(known.mean()),
            meaning=f"{tested}, trained on {trained[0]:,} released ones; the ceiling: on real ones.",
        ),
        Score(
            "trtr",
            float(known.mean()),
            "higher",
            interval=wilson(float(known.sum()), len(known)),
            meaning=f"{tested}, trained on {trained[1]:,} real ones.",
        ),
        scored(
            "utility_gap",
            Figure(float(known.mean() - right.mean()), (known.astype(np.float64) - right,)),
            "lower",
            "How much accuracy an analyst loses who trains on released instead of real pictures.",
            ceiling=0.0,
            low=-1.0,
        ),
    ]
    return Outcome(scores={score.name: score for score in scores})
