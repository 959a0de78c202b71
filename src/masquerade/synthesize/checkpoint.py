"""A training run on disk, so that it can go on after a power cut: weights, optimisers, random key, best snapshot, history.

A checkpoint is for whoever trains, not for release: beside the generator it holds the critic.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade import artifact
from masquerade.errors import SettingError
from masquerade.nets.loop import Trail
from masquerade.nets.weights import from_arrays, to_arrays

__all__ = ["Checkpoint"]

KIND = "checkpoint"
INTERVAL_SECONDS = 60.0
FREE_SETTINGS = ("epochs", "max_minutes", "patience", "verbose")
"""Settings that may change between two runs of one training."""


class Checkpoint:
    """Save and restore a training run.

    Args:
        path: the file.
        settings: the estimator's settings; all but the number of epochs and the time limits must be the same to go on.
        codec_state: the fitted codec's state; the table must be the same to go on.
    """

    def __init__(
        self, path: str | Path, settings: Mapping[str, Any], codec_state: tuple[dict[str, Any], dict[str, NDArray[Any]]]
    ):
        self.path = Path(path)
        config, arrays = codec_state
        fixed = {k: v for k, v in settings.items() if k not in FREE_SETTINGS}
        digest = hashlib.sha256(json.dumps([fixed, config], sort_keys=True, default=str).encode())
        for name in sorted(arrays):
            digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
        self.fingerprint = digest.hexdigest()
        self._saved_at = time.monotonic()

    def save(self, state: Any, trail: Trail, *, now: bool = False) -> None:
        """Write the run, at most once a minute unless `now`."""
        if not now and time.monotonic() - self._saved_at < INTERVAL_SECONDS:
            return
        config = {
            "fingerprint": self.fingerprint,
            "epoch": trail.epoch,
            "best_score": None if np.isinf(trail.best_score) else trail.best_score,
            "stale": trail.stale,
            "history": trail.history,
        }
        arrays = {f"state{k}": v for k, v in to_arrays(_without_key(state)).items()}
        arrays |= {f"best{k}": v for k, v in to_arrays(trail.best).items()}
        artifact.write(self.path, KIND, config, arrays)
        self._saved_at = time.monotonic()

    def restore(self, state: Any, trail: Trail) -> tuple[Any, Trail]:
        """The saved run where the file exists, else what was handed in.

        Raises:
            SettingError: the file was made with other settings or from another table.
        """
        if not self.path.exists():
            return state, trail
        part = artifact.read(self.path)
        if part.kind != KIND or part.config.get("fingerprint") != self.fingerprint:
            raise SettingError(
                f"checkpoint: {self.path} was made with other settings or from another table; name another file, or remove it."
            )
        plain = from_arrays(_without_key(state), _part(part.arrays, "state"))
        best = from_arrays(state.average, _part(part.arrays, "best"))
        score = part.config["best_score"]
        trail = Trail(
            part.config["epoch"],
            float("inf") if score is None else score,
            best,
            part.config["stale"],
            part.config["history"],
        )
        return plain._replace(key=jax.random.wrap_key_data(plain.key)), trail


def _without_key(state: Any) -> Any:
    """The state with its random key as plain integers."""
    return state._replace(key=jax.random.key_data(state.key))


def _part(arrays: Mapping[str, NDArray[Any]], head: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)}
