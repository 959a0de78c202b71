"""How much of a picture may be kept: the largest share of its code by which attackers on released pictures gain nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.progress import Callback
from masquerade.release.image_attackers import Attack, attack, fresh_net, machines, placed
from masquerade.release.image_painter import Painter
from masquerade.release.image_secrets import Groups

__all__ = ["EVEN_TOLERANCE", "FINEST", "TOLERANCE", "of_chances", "safe_share"]

TOLERANCE = 0.01
"""How much more often than by guessing attackers may be right, at the upper end of its 95 % interval."""

EVEN_TOLERANCE = 0.05
"""The same where all secrets count alike, so that it also sees what is told of a rare one: near even odds a smaller trace of a
secret shows than where guessing is right on most."""

FINEST = 10
"""Steps in which a share rises from 0 to 1."""

LEARNED = 4_000
"""Released pictures that a support vector machine learns from at most."""
TRIED = 3_000
"""Pictures whose release it is tried on at most."""
LEARNED_DRAWS, TRIED_DRAWS = 2, 6
"""How often each picture is released for it, where there are few."""
LEAST_UNSEEN = 8
"""Pictures below which there is nothing to be shown."""
NET_FROM = 4_000
"""Pictures from which on a convolutional net attacks too; of fewer a support vector machine learns more."""

Ints = NDArray[np.int64]


def safe_share(
    painter: Painter,
    images: NDArray[np.uint8],
    groups: Ints,
    seen: Ints,
    unseen: Ints,
    seed: int,
    callback: Callback,
) -> float:
    """The largest share, in tenths, at which no attacker's gain may well be above what is tolerated; 0, where every one is.

    Attackers learn from the release of the pictures that the nets learned from and of half of those they did not, and are tried
    on the other half; then the halves change places. Support vector machines halve the shares in question; where there are
    pictures enough, a convolutional net then has to find nothing either, or the share falls on.

    Args:
        painter: what redraws.
        images, groups: the pictures, uint8 (n, height, width, channels), and their groups.
        seen, unseen: which of them the nets learned from, and which not.
        seed: of all chance.
        callback: told how far a net's training is.
    """
    random = seeds.stream(seed, "halves")
    unseen = random.permutation(unseen)
    low, high = 0, FINEST + 1  # the first is safe, the second not
    if len(unseen) < LEAST_UNSEEN:
        return 0.0
    while high - low > 1:
        step = FINEST if high > FINEST else (low + high) // 2
        found = _by_machines(painter, images, groups, seen, unseen, step / FINEST, seeds.integer(seed, "try", step))
        low, high = (step, high) if _tolerable(*found) else (low, step)
    while low and len(seen) >= NET_FROM:
        found = _by_net(painter, images, groups, seen, unseen, low / FINEST, seeds.integer(seed, "net", low), callback)
        if _tolerable(*found):
            break
        low -= 1
    return low / FINEST


def _by_machines(
    painter: Painter,
    images: NDArray[np.uint8],
    groups: Ints,
    seen: Ints,
    unseen: Ints,
    share: float,
    seed: int,
) -> tuple[Attack, Attack]:
    """The best support vector machine's gain, and that where all secrets count alike."""
    kept, secret = painter.groups.pairs[groups].T
    weights, even = (numbers[groups] for numbers in painter.groups.odds)
    half = len(unseen) // 2
    random = seeds.stream(seed, "pictures")
    found: list[list[NDArray[np.bool_]]] = []
    tried_all: list[Ints] = []
    draws = int(np.clip(TRIED // len(unseen), 1, TRIED_DRAWS))
    for turn, (other, tried) in enumerate(((unseen[:half], unseen[half:]), (unseen[half:], unseen[:half]))):
        tried = tried[: TRIED // 2]
        learned = np.concatenate([random.permutation(seen), other])
        learned = np.resize(random.permutation(learned)[:LEARNED], min(LEARNED, LEARNED_DRAWS * len(learned)))
        made = painter.redrawn(images[learned], groups[learned], share, 1.0, seeds.integer(seed, "learn", turn))
        again = np.tile(tried, draws)
        shown = painter.redrawn(images[again], groups[again], share, 1.0, seeds.integer(seed, "show", turn))
        plain, evenly = machines(
            made, kept[learned], secret[learned], weights[learned], seeds.integer(seed, "machines", turn)
        )
        rights = [(told(shown, kept[again]) == secret[again]).reshape(draws, -1) for told in (*plain, evenly)]
        found.append(rights)
        tried_all.append(tried)
    tried = np.concatenate(tried_all)
    guessed = painter.groups.likeliest(kept[tried]) == secret[tried]
    *plain_right, even_right = (np.hstack(rights) for rights in zip(*found, strict=True))
    best = max((attack(right, guessed) for right in plain_right), key=lambda attack: attack.upper)
    return best, attack(even_right, even[tried], weights[tried])


def _by_net(
    painter: Painter,
    images: NDArray[np.uint8],
    groups: Ints,
    seen: Ints,
    unseen: Ints,
    share: float,
    seed: int,
    callback: Callback,
) -> tuple[Attack, Attack]:
    """What a convolutional net gains, that learns from all that the nets have seen, and where all secrets count alike."""
    made, shown = (
        painter.redrawn(images[part], groups[part], share, 1.0, seeds.integer(seed, name))
        for name, part in (("learn", seen), ("show", unseen))
    )
    net = fresh_net(made, groups[seen], len(painter.groups), seeds.integer(seed, "net"), callback)
    return of_chances(painter.groups, net.probabilities(shown), groups[unseen])


def of_chances(groups: Groups, chances: NDArray[np.floating], truth: Ints) -> tuple[Attack, Attack]:
    """What somebody gains who knows the chances of each picture's groups, and where all secrets count alike.

    Args:
        groups: what groups there are.
        chances: shape (n, groups).
        truth: the group of each, shape (n,).
    """
    kept, secret = groups.pairs[truth].T
    weights, even = groups.odds
    right = placed(chances, groups.pairs[:, 1]).argmax(axis=1) == secret
    possible = groups.pairs[:, 0] == kept[:, None]
    evenly = np.where(possible, chances * weights, -1.0).argmax(axis=1) == truth
    plain = attack(right[None], groups.likeliest(kept) == secret)
    return plain, attack(evenly[None], even[truth], weights[truth])


def _tolerable(plain: Attack, even: Attack) -> bool:
    return plain.upper <= TOLERANCE and even.upper <= EVEN_TOLERANCE
