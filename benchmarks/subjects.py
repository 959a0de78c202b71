"""What a file to damage is: its bytes, how it is damaged, and what is done with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mutations import Mutant, broken_text, mutant_of

__all__ = ["MEGABYTES", "Damage", "Subject", "damaged_model", "damaged_text"]

MEGABYTES = 500

Damage = Callable[[bytes, random.Random], Mutant]
"""One damaged file of a whole one."""


def damaged_model(content: bytes, rng: random.Random) -> Mutant:
    """A `.mq` file, broken or forged."""
    return mutant_of(content, model=True, rng=rng)


def damaged_text(content: bytes, rng: random.Random) -> Mutant:
    """A file that people write."""
    return broken_text(content, rng)


@dataclass(frozen=True)
class Subject:
    """A file to damage.

    Args:
        name: of the file.
        content: its bytes while it is whole.
        use: what is done with it: loads, and draws or transforms.
        damage: how it is damaged.
        seconds: how long using it takes while it is whole.
        megabytes: how much memory using it may take.
    """

    name: str
    content: bytes
    use: Callable[[Path], object]
    damage: Damage
    seconds: float = 0.0
    megabytes: float = MEGABYTES
