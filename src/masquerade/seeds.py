"""One integer becomes named, independent random streams.

Each stream hashes the seed with its names (NumPy's `SeedSequence` spreads the entropy), so adding a stream
never shifts another one, and the global random state is never touched.

>>> stream(0, "codec", "age").integers(100) == stream(0, "codec", "age").integers(100)
np.True_
"""

from __future__ import annotations

import hashlib
import secrets

import numpy as np

from masquerade.errors import SettingError

__all__ = ["check_seed", "integer", "stream"]


def check_seed(random_state: int | None) -> int:
    """The seed itself, or a fresh one from the operating system when it is None.

    Raises `SettingError` unless it is None or an integer of at least 0.
    """
    if random_state is None:
        return secrets.randbits(63)
    if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer):
        raise SettingError(f"random_state: got {random_state!r}, expected an integer of at least 0, or None.")
    if random_state < 0:
        raise SettingError(f"random_state: got {random_state}, expected an integer of at least 0, or None.")
    return int(random_state)


def _sequence(seed: int, names: tuple[str | int, ...]) -> np.random.SeedSequence:
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """An independent NumPy generator for these names."""
    return np.random.default_rng(_sequence(seed, names))


def integer(seed: int, *names: str | int) -> int:
    """An independent integer in [0, 2**31) for libraries that take a seed of their own."""
    return int(_sequence(seed, names).generate_state(1, np.uint32)[0] >> 1)
