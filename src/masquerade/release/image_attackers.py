"""Attackers on released pictures: how often they tell a label, beside how often the kept label alone would tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.progress import Callback

__all__ = ["Attack", "accuracy", "attack", "fresh_net", "guessing", "machines", "passes_for", "placed"]

SIDED = 1.645
"""Standard errors from a mean to the end of its one-sided 95 % interval."""

_FEWEST, _MOST = 8_000, 60_000  # pictures that training a classifier sees
PARTS = 40
"""Principal components of pictures that a support vector machine sees."""
MACHINES = ((10.0, 3.0), (1.0, 1.0))
"""How closely each support vector machine follows what it learns: C, and the inverse squared width of its kernel."""

Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]
Attacker = Callable[[Pixels, Labels], Labels]
"""From released pictures and their kept labels to guesses of the secret."""


def passes_for(count: int) -> int:
    """Pictures that training a classifier of so many different ones sees."""
    return int(np.clip(20 * count, _FEWEST, _MOST))


def guessing(secret: Labels, kept: Labels) -> float:
    """How often the commonest secret among those with the same kept value is right.

    >>> guessing(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.75
    """
    right = sum(int(np.bincount(secret[kept == value]).max()) for value in np.unique(kept))
    return right / len(secret)


def placed(chances: NDArray[np.floating], places: Labels) -> NDArray[np.float64]:
    """Chances of groups, shape (n, groups), summed to those of labels, of which each group has the one at its place."""
    return np.stack([chances[:, places == place].sum(axis=1) for place in range(int(places.max()) + 1)], axis=1)


def accuracy(chances: NDArray[np.floating], places: Labels, truth: Labels) -> float:
    """How often the likeliest label is right; arguments as for `placed`."""
    return float((placed(chances, places).argmax(axis=1) == truth).mean())


@dataclass(frozen=True)
class Attack:
    """What an attacker reached.

    Args:
        right: share of the pictures that it was right on.
        guess: share that guessing by the kept label alone is right on.
        gain: how much more often it was right.
        lower, upper: ends of the gain's intervals; each holds in 95 % of samples of pictures.
    """

    right: float
    guess: float
    gain: float
    lower: float
    upper: float


def attack(
    right: NDArray[np.bool_],
    guessed: NDArray[np.bool_ | np.floating],
    weights: NDArray[np.floating] | None = None,
) -> Attack:
    """How much was gained, picture by picture.

    Args:
        right: whether the attacker was right, shape (draws, n): of each picture several draws may have been released.
        guessed: whether guessing was right, or how likely it was to be, shape (n,).
        weights: how much each picture counts, shape (n,); None: all alike.

    >>> one = attack(np.ones((2, 50), bool), np.arange(50) % 2 == 0)
    >>> one.right, one.guess, one.gain
    (1.0, 0.5, 0.5)
    """
    weights = np.ones(right.shape[1]) if weights is None else weights / weights.mean()
    gained = (right.mean(axis=0) - guessed) * weights
    mean = float(gained.mean())
    error = SIDED * float(gained.std(ddof=1)) / len(gained) ** 0.5 if len(gained) > 1 else 1.0
    guess = float((guessed * weights).mean())
    return Attack(mean + guess, guess, mean, mean - error, mean + error)


def machines(
    images: Pixels, kept: Labels, secret: Labels, weights: NDArray[np.floating], seed: int
) -> tuple[list[Attacker], Attacker]:
    """Support vector machines that have learned to tell secrets from released pictures and the label released with them.

    Args:
        images: uint8 (n, height, width, channels).
        kept, secret: places of each one's labels; the machines are told the kept one.
        weights: of pictures, shape (n,), such that all secrets count alike.
        seed: of the principal components.

    Returns:
        Those that learned the secrets as often as they come, and one that learned them by the weights; of a rare secret only
        that one ever speaks.
    """
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    flat = images.reshape(len(images), -1) / np.float32(255)
    count = min(PARTS, *flat.shape)
    parts = PCA(count, random_state=seed % 2**32, svd_solver="covariance_eigh" if flat.shape[1] < 1_000 else "auto")
    found = parts.fit_transform(flat)
    scale = max(float(found.var(axis=0).sum()) ** 0.5, 1e-6)
    values = int(kept.max()) + 1

    def beside(seen: NDArray[np.floating], kept: Labels) -> NDArray[np.float64]:
        return np.hstack([seen / scale, np.eye(values)[kept]])

    def attacker(machine: SVC) -> Attacker:
        def told(images: Pixels, kept: Labels) -> Labels:
            seen = parts.transform(images.reshape(len(images), -1) / np.float32(255))
            return np.asarray(machine.predict(beside(seen, kept)), np.int64)

        return told

    learned = beside(found, kept)
    plain = [attacker(SVC(C=c, gamma=gamma).fit(learned, secret)) for c, gamma in MACHINES]
    c, gamma = MACHINES[-1]
    return plain, attacker(SVC(C=c, gamma=gamma).fit(learned, secret, sample_weight=weights))


def fresh_net(images: Pixels, groups: Labels, count: int, seed: int, callback: Callback) -> PictureClassifier:
    """A small convolutional net that has learned to tell the groups of pictures apart, and so both their labels.

    Args:
        images, groups: what to learn from.
        count: how many groups there are.
        seed: of the net.
        callback: told how far training is.
    """
    shape = (int(images.shape[1]), int(images.shape[2]), int(images.shape[3]))
    return PictureClassifier(shape, count, seen=passes_for(len(images))).fit(
        images, groups, seed=seed, callback=callback
    )
