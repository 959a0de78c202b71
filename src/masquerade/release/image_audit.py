"""What fresh attackers and readers find in the release of pictures that nothing was learned from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.progress import Callback
from masquerade.release.image_attackers import accuracy, attack, fresh_net, guessing, machines
from masquerade.release.image_painter import Painter
from masquerade.release.image_share import LEARNED, TOLERANCE, of_chances

__all__ = ["audited", "warn_of"]


def audited(
    painter: Painter,
    classifier: PictureClassifier,
    images: NDArray[np.uint8],
    groups: NDArray[np.int64],
    known: NDArray[np.int64],
    held: NDArray[np.int64],
    share: float,
    strength: float,
    seed: int,
    callback: Callback,
) -> dict[str, float]:
    """How often nets are right, by name, as `ImageDesensitizer.audit_` says.

    Args:
        painter: what redraws.
        classifier: a net that tells groups of real pictures.
        images, groups: the pictures, uint8 (n, height, width, channels), and their groups.
        known: places of those whose release attackers learn from.
        held: places of those on whose release they are tried.
        share: how much of a code is kept.
        strength: share of the pictures whose secret is drawn anew.
        seed: of all chance.
        callback: told how far training is.
    """
    pairs = painter.groups.pairs
    kept, secret = pairs[groups].T
    released, tried = (
        painter.redrawn(images[part], groups[part], share, strength, seeds.integer(seed, name))
        for name, part in (("known", known), ("held", held))
    )
    net = fresh_net(released, groups[known], len(painter.groups), seeds.integer(seed, "net"), callback)
    chances, before = net.probabilities(tried), classifier.probabilities(images[held])
    some = seeds.stream(seed, "some").permutation(len(known))[:LEARNED]
    weights, even = (numbers[groups] for numbers in painter.groups.odds)
    learned = released[some], kept[known][some], secret[known][some], weights[known][some]
    plain, evenly = machines(*learned, seeds.integer(seed, "machines"))
    guessed = painter.groups.likeliest(kept[held]) == secret[held]
    by_net, even_by_net = of_chances(painter.groups, chances, groups[held])
    attacks = [by_net, *(attack((told(tried, kept[held]) == secret[held])[None], guessed) for told in plain)]
    best = max(attacks, key=lambda found: found.right)
    rights = (evenly(tried, kept[held]) == secret[held])[None]
    best_even = max([even_by_net, attack(rights, even[held], weights[held])], key=lambda found: found.right)
    audit = {
        "secret_before": accuracy(before, pairs[:, 1], secret[held]),
        "secret_after": best.right,
        "secret_guess": best.guess,
        "secret_gain_lower": best.lower,
        "secret_gain_upper": best.upper,
        "secret_even_after": best_even.right,
        "secret_even_guess": best_even.guess,
        "code_share": share,
    }
    if len(painter.groups.kept) > 1:
        audit |= {
            "keep_before": accuracy(before, pairs[:, 0], kept[held]),
            "keep_after": accuracy(chances, pairs[:, 0], kept[held]),
            "keep_by_real": accuracy(classifier.probabilities(tried), pairs[:, 0], kept[held]),
            "keep_guess": guessing(kept[held], np.zeros(len(held), np.int64)),
        }
    return audit


def warn_of(audit: Mapping[str, float], hide: str) -> None:
    """Warn where attackers surely gain more than is tolerated; called by a method that the user calls.

    Args:
        audit: what `audited` found.
        hide: the secret's name.
    """
    if audit["secret_gain_lower"] > TOLERANCE:
        warnings.warn(
            f"{hide}: fresh attackers tell it of {audit['secret_after']:.1%} of held-out pictures, guessing of "
            f"{audit['secret_guess']:.1%}. Give more pictures, or a smaller latent_width.",
            MasqueradeWarning,
            stacklevel=3,
        )
