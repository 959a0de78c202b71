"""What attackers learn of a secret from codes and from released pictures, and what is still to be read of a kept label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.progress import Callback

__all__ = ["accuracy_of_fresh", "guessing", "mixed", "passes_for", "share_that_tells_nothing"]

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
GAIN = 0.01
"""How much more often than by guessing an attacker on codes may be right."""

MOST_CODES = 8_000
_FEWEST, _MOST = 16_000, 160_000  # pictures that training a classifier sees


def passes_for(count: int) -> int:
    """Pictures that training a classifier of so many different ones sees."""
    return int(np.clip(20 * count, _FEWEST, _MOST))


def guessing(secret: NDArray[np.int64], kept: NDArray[np.int64]) -> float:
    """How often the commonest secret among those with the same kept value is right."""
    right = sum(int(np.bincount(secret[kept == value]).max()) for value in np.unique(kept))
    return right / len(secret)


def share_that_tells_nothing(
    numbers: NDArray[np.float64], secret: NDArray[np.int64], kept: NDArray[np.int64], seed: int
) -> float:
    """The largest share of normal numbers that may be kept beside fresh noise, so that one attacker gains nothing by them.

    The attacker is a support vector machine that learns from half of the numbers and is tried on the other half.

    Args:
        numbers: shape (n, width), each about standard normal.
        secret, kept: places of each one's labels.
        seed: of the noise and the halves.

    Returns:
        ρ of ρ·number + √(1 - ρ²)·noise; 0, where any share told something.
    """
    from sklearn.svm import SVC

    random = seeds.stream(seed, "attack")
    chosen = random.permutation(len(numbers))[:MOST_CODES]
    numbers, secret, kept = numbers[chosen], secret[chosen], kept[chosen]
    beside = 2.0 * np.eye(int(kept.max()) + 1)[kept]
    half = len(chosen) // 2
    floor = guessing(secret[half:], kept[half:])
    for share in SHARES:
        seen = np.hstack([mixed(numbers, share, random), beside])
        attacker = SVC(C=3.0, gamma=1 / numbers.shape[1]).fit(seen[:half], secret[:half])
        if float((attacker.predict(seen[half:]) == secret[half:]).mean()) <= floor + GAIN:
            return share
    return 0.0


def mixed(numbers: NDArray[np.float64], share: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Normal numbers of which this share is kept and the rest is fresh: normal again."""
    fresh = random.normal(size=numbers.shape)
    return np.asarray(share * numbers + np.sqrt(1 - share**2) * fresh, np.float64)


def accuracy_of_fresh(
    learned: NDArray[np.uint8],
    labels: NDArray[np.int64],
    tried: NDArray[np.uint8],
    truth: NDArray[np.int64],
    count: int,
    seed: int,
    callback: Callback,
) -> float:
    """How often a fresh convolutional net, trained on some pictures, is right on others.

    Args:
        learned, labels: pictures and the places of their labels to learn from.
        tried, truth: those to try it on.
        count: how many labels there are.
        seed: of the net.
        callback: told how far training is.
    """
    shape = (int(learned.shape[1]), int(learned.shape[2]), int(learned.shape[3]))
    net = PictureClassifier(shape, count, seen=passes_for(len(learned)))
    net.fit(learned, labels, seed=seed, callback=callback)
    return float((net.predict(tried) == truth).mean())
