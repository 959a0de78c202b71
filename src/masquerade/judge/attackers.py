"""Fresh attackers that guess a secret from a record: gradient boosting, a small neural network, nearest neighbours.

They know nothing of how a release was made; each is trained anew on rows whose secret the attacker knows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier, MLPRegressor

from masquerade import seeds
from masquerade.judge.models import Features
from masquerade.judge.tables import Side
from masquerade.judge.workers import fill_empty, side_by_side

__all__ = ["ATTACKERS", "Guess", "Known", "guesses"]

ATTACKERS = ("boosting", "network", "neighbours")
"""The names of the panel."""

_NEIGHBOURS = (5, 25, 100)  # how many vote; what serves best on the validation rows is used
_LOOKED_THROUGH = 10_000  # rows at most that neighbours are sought among
_WIDEST = 300  # columns for the network and the neighbours
_FEWEST_OF_A_CLASS = 10  # a rarer class is not learnt
_VALIDATION = 0.1  # of the known rows, to choose among attackers

Judge = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


@dataclass(frozen=True)
class Known:
    """Rows and what is secret about them.

    Args:
        side: what the attacker sees of the rows.
        secret: class numbers from 0, or numbers, shape (rows,).
    """

    side: Side
    secret: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.secret)

    def rows(self, index: NDArray[np.intp]) -> Known:
        """A selection of rows."""
        return Known(self.side.rows(index), self.secret[index])


@dataclass(frozen=True)
class Guess:
    """What one trained attacker says.

    Args:
        validation: how well it did on rows that were known but not used in training.
        tests: for each set of unseen rows its guesses: a share for each class, shape (rows, classes), or numbers, (rows,).
    """

    validation: float
    tests: tuple[NDArray[np.float64], ...]


def guesses(
    known: Known, unseen: Sequence[Side], sizes: Sequence[int], classes: int, judge: Judge, count: int, seed: int
) -> dict[str, list[Guess]]:
    """Train the whole panel `count` times on known rows, and let it guess the secret of unseen ones.

    Args:
        known: rows whose secret the attacker knows; each time nine tenths of them, drawn anew, train.
        unseen: sets of rows to guess.
        sizes: codes per discrete column.
        classes: how many classes the secret has; 0: it is a number.
        judge: (secret, guesses) → figure, higher is better; told the validation rows.
        count: how many times.
        seed: of the draws and of the attackers.

    Returns:
        By attacker, one guess for each time.
    """
    width = known.side.codes.shape[1]
    features = Features.of(known.side, range(known.side.numbers.shape[1]), range(width), sizes)
    trees = features.trees(known.side), [features.trees(side) for side in unseen]
    linear = _narrowed([features.linear(side) for side in (known.side, *unseen)], seed)
    shown = {name: trees if name == "boosting" else (linear[0], linear[1:]) for name in ATTACKERS}

    def attack(name: str, turn: int) -> Guess:
        order = seeds.stream(seed, "attack", turn).permutation(len(known))
        cut = max(1, round(_VALIDATION * len(known)))
        train, validation = order[cut:], order[:cut]
        if classes:
            train = train[_learnable(known.secret[train])]
        secret = known.secret[train]
        rows, sets = shown[name]
        asked = [rows[validation], *sets]
        if len(np.unique(secret)) < 2:
            said = [_constant(secret, len(block), classes) for block in asked]
        else:
            state = seeds.integer(seed, "attacker", name, turn)
            seen, block = fill_empty(rows[train], np.concatenate(asked))
            check = partial(judge, known.secret[validation])
            found = _TRAINERS[name](seen, secret, block, classes, features.is_level, cut, check, state)
            said = np.split(found, np.cumsum([len(part) for part in asked])[:-1])
        return Guess(judge(known.secret[validation], said[0]), tuple(said[1:]))

    jobs = [(name, turn) for name in ("network", "neighbours", "boosting") for turn in range(count)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = dict(zip(jobs, side_by_side([partial(attack, *job) for job in jobs]), strict=True))
    return {name: [found[name, turn] for turn in range(count)] for name in ATTACKERS}


def _narrowed(tables: list[NDArray[np.float64]], seed: int) -> list[NDArray[np.float64]]:
    """The same tables; very wide ones at random onto fewer columns, which keeps distances (Johnson, Lindenstrauss 1984)."""
    width = tables[0].shape[1]
    if width <= _WIDEST:
        return tables
    turn = seeds.stream(seed, "narrow").normal(size=(width, _WIDEST)) / np.sqrt(_WIDEST)
    return [table @ turn for table in tables]


def _learnable(secret: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of classes that enough rows have."""
    levels, place, counts = np.unique(secret, return_inverse=True, return_counts=True)
    del levels
    return np.flatnonzero(counts[place] >= _FEWEST_OF_A_CLASS)


def _constant(secret: NDArray[np.float64], rows: int, classes: int) -> NDArray[np.float64]:
    """The guesses of one who saw no two different secrets."""
    if not classes:
        return np.full(rows, secret[0] if len(secret) else 0.0)
    shares = np.zeros((rows, classes))
    if len(secret):
        shares[:, int(secret[0])] = 1.0
    return shares


def _spread(shares: NDArray[np.float64], known: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Shares of the classes that were seen, with zeros for the others, shape (rows, classes)."""
    full = np.zeros((len(shares), classes))
    full[:, known.astype(np.intp)] = shares
    return full


def _boosting(
    seen: NDArray[np.float64],
    secret: NDArray[np.float64],
    asked: NDArray[np.float64],
    classes: int,
    is_level: NDArray[np.bool_],
    _cut: int,
    _check: Callable[[NDArray[np.float64]], float],
    state: int,
) -> NDArray[np.float64]:
    stop = len(seen) >= 200  # fewer rows are too few to stop by
    settings = {"max_iter": 200 if stop else 50, "early_stopping": stop, "max_leaf_nodes": 12, "l2_regularization": 5.0}
    settings["random_state"] = state
    if not classes:
        model = HistGradientBoostingRegressor(categorical_features=is_level, **settings).fit(seen, secret)
        return np.asarray(model.predict(asked))
    model = HistGradientBoostingClassifier(categorical_features=is_level, **settings).fit(seen, secret)
    return _spread(model.predict_proba(asked), model.classes_, classes)


def _network(
    seen: NDArray[np.float64],
    secret: NDArray[np.float64],
    asked: NDArray[np.float64],
    classes: int,
    _is_level: NDArray[np.bool_],
    _cut: int,
    _check: Callable[[NDArray[np.float64]], float],
    state: int,
) -> NDArray[np.float64]:
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (64, 32),
        "alpha": 1e-3,
        "learning_rate_init": 2e-3,
        "batch_size": max(32, min(400, len(seen) // 20)),
        "max_iter": 40,
        "early_stopping": len(seen) >= 200,
        "n_iter_no_change": 5,
        "random_state": state,
    }
    seen, asked = seen.astype(np.float32), asked.astype(np.float32)
    if not classes:
        mean, deviation = float(secret.mean()), float(secret.std()) or 1.0
        model = MLPRegressor(**settings).fit(seen, (secret - mean) / deviation)
        return np.asarray(model.predict(asked), dtype=np.float64) * deviation + mean
    model = MLPClassifier(**settings).fit(seen, secret.astype(np.int64))
    return _spread(model.predict_proba(asked), model.classes_, classes)


def _neighbours(
    seen: NDArray[np.float64],
    secret: NDArray[np.float64],
    asked: NDArray[np.float64],
    classes: int,
    _is_level: NDArray[np.bool_],
    cut: int,
    check: Callable[[NDArray[np.float64]], float],
    _state: int,
) -> NDArray[np.float64]:
    """The mean secret, or the shares of classes, among the nearest known rows."""
    seen, secret = seen[:_LOOKED_THROUGH], secret[:_LOOKED_THROUGH]  # in random order
    most = min(_NEIGHBOURS[-1], len(seen))
    search = NearestNeighbors(n_neighbors=most, algorithm="brute").fit(seen.astype(np.float32))
    near = search.kneighbors(asked.astype(np.float32), return_distance=False)
    told = np.eye(classes)[secret.astype(np.intp)] if classes else secret
    best, answer = -np.inf, np.empty(0)
    for count in sorted({min(k, most) for k in _NEIGHBOURS}):
        mean: NDArray[np.float64] = told[near[:, :count]].mean(axis=1)
        figure = check(mean[:cut])
        if figure > best or not len(answer):
            best, answer = figure, mean
    return answer


_TRAINERS = {"boosting": _boosting, "network": _network, "neighbours": _neighbours}
