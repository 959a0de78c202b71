"""The groups of pictures that a secret and a kept label make together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError, TableError, nearest
from masquerade.pictures import Pictures

__all__ = ["Groups", "check_labels", "label_of"]

LEAST = 20
"""Pictures of each group that there must be."""
MOST_GROUPS = 60


def check_labels(hide: str, keep: str | None) -> None:
    """Refuse what cannot be the names of a secret and of a label that is kept.

    Raises:
        SettingError: one of them is no name, or both are the same.
    """
    for name, label in (("hide", hide), ("keep", keep)):
        if (label is not None or name == "hide") and (type(label) is not str or not label):
            raise SettingError(f"{name}: got {label!r}, expected the name of one label.")
    if keep == hide:
        raise SettingError(f"keep: label {keep!r} is also to be hidden; name it in one of them.")


def label_of(pictures: Pictures, name: str, setting: str) -> NDArray[Any]:
    """A label by its name.

    Raises:
        SettingError: there is no such label.
    """
    if name not in pictures.labels:
        known = ", ".join(map(repr, pictures.labels)) or "none"
        raise SettingError(
            f"{setting}: the pictures have no label {name!r}{nearest(name, pictures.labels)}; they have {known}."
        )
    return pictures.labels[name]


@dataclass(frozen=True)
class Groups:
    """Which values of the kept label and of the secret go together, and how often.

    Args:
        secrets: the values of the secret, sorted.
        kept: the values of the kept label, sorted; one empty text where none is kept.
        pairs: of each group the place of its kept value and of its secret, shape (groups, 2).
        counts: training pictures of each group.
    """

    secrets: NDArray[Any]
    kept: NDArray[Any]
    pairs: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def fit(cls, pictures: Pictures, hide: str, keep: str | None) -> tuple[Groups, NDArray[np.int64]]:
        """The groups, and the number of each picture's group.

        Raises:
            SettingError: an unknown label, a secret of one value, or one that the kept label tells.
            TableError: a group of too few pictures, or too many groups.
        """
        secrets, secret = np.unique(label_of(pictures, hide, "hide"), return_inverse=True)
        if len(secrets) < 2:
            raise SettingError(f"hide: label {hide!r} has one value only, so there is nothing to hide.")
        kept, place = np.array([""]), np.zeros(len(pictures), np.int64)
        if keep is not None:
            kept, place = np.unique(label_of(pictures, keep, "keep"), return_inverse=True)
        numbers, group, counts = np.unique(place * len(secrets) + secret, return_inverse=True, return_counts=True)
        pairs = np.stack([numbers // len(secrets), numbers % len(secrets)], axis=1)
        if len(pairs) > MOST_GROUPS:
            raise TableError(
                f"hide, keep: their values make {len(pairs)} groups of pictures, at most {MOST_GROUPS} can be told apart."
            )
        if len(pairs) == len(kept):
            raise SettingError(
                f"keep: label {keep!r} tells {hide!r} of every picture, so it cannot be kept while that is hidden."
            )
        if counts.min() < LEAST:
            first, second = pairs[counts.argmin()]
            beside = "" if keep is None else f" with {keep} = {kept[first]!s}"
            raise TableError(
                f"hide: {counts.min()} pictures have {hide} = {secrets[second]!s}{beside}, expected at least {LEAST}."
            )
        return cls(secrets, kept, pairs.astype(np.int64), counts.astype(np.int64)), group.astype(np.int64)

    def __len__(self) -> int:
        return len(self.pairs)

    def numbers(
        self, pictures: Pictures, hide: str, keep: str | None, chances: NDArray[np.floating] | None
    ) -> NDArray[np.int64]:
        """The group of each picture: by its labels where it has them, else the likeliest of those that its labels allow.

        Args:
            pictures: those whose groups are wanted.
            hide, keep: names of the labels.
            chances: of each group, shape (n, groups); None: all labels are there.

        Raises:
            SettingError: a value that no fitted picture had.
        """
        allowed = np.ones((len(pictures), len(self)), np.bool_)
        for name, column, values in ((keep, 0, self.kept), (hide, 1, self.secrets)):
            if name is not None and name in pictures.labels:
                given = pictures.labels[name]
                same = given[:, None].astype(str) == values[None, :].astype(str)
                if not same.any(axis=1).all():
                    odd = given[~same.any(axis=1)][0]
                    raise SettingError(f"label {name!r}: {odd!s} is none of the values that were fitted.")
                allowed &= same[:, self.pairs[:, column]]
        likely = np.where(allowed, self.counts / self.counts.sum() if chances is None else chances + 1e-9, -1.0)
        if not allowed.any(axis=1).all():
            raise SettingError(
                f"labels {keep!r}, {hide!r}: two values go together that no fitted pictures have together."
            )
        return np.asarray(likely.argmax(axis=1), np.int64)

    def likeliest(self, kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """The commonest secret among fitted pictures with the same kept value; both are places."""
        table = np.zeros((len(self.kept), len(self.secrets)), np.int64)
        table[self.pairs[:, 0], self.pairs[:, 1]] = self.counts
        return np.asarray(table.argmax(axis=1)[kept], np.int64)

    @property
    def odds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each group the weight that makes all secrets equally frequent beside its kept value, and how likely it then is."""
        beside = self.pairs[:, 0]
        even = 1 / np.bincount(beside)[beside]
        return np.bincount(beside, self.counts)[beside] * even / self.counts, even

    def redrawn(self, groups: NDArray[np.int64], strength: float, random: np.random.Generator) -> NDArray[np.int64]:
        """Groups with the same kept values and another secret, drawn as often as it comes with what is kept.

        Args:
            groups: of each picture.
            strength: share of them that is drawn anew.
            random: where chance comes from.
        """
        out = groups.copy()
        anew, place = random.random((2, len(groups)))
        for kept in range(len(self.kept)):
            members = np.flatnonzero(self.pairs[:, 0] == kept)
            chosen = np.flatnonzero((anew < strength) & (self.pairs[groups, 0] == kept))
            rising = np.cumsum(self.counts[members]) / max(self.counts[members].sum(), 1)
            out[chosen] = members[np.minimum(np.searchsorted(rising, place[chosen], side="right"), len(members) - 1)]
        return out
