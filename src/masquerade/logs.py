"""Training as other programs show it: `TensorBoard` (without TensorFlow), `WeightsAndBiases` (offline).

Both are callbacks. Every model hands them its losses and scores; a model of pictures also an `Epoch`: what it draws, and its
weights. Any callback with a method `epoch` is handed these.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError
from masquerade.picture_files import contact_sheet
from masquerade.progress import Progress

__all__ = ["Epoch", "EpochLog", "TensorBoard", "WeightsAndBiases"]


@dataclass(frozen=True)
class Epoch:
    """What a model of pictures is like after an epoch.

    Args:
        number: of the epoch, from 1.
        scores: how it was judged by name: `score`, `frechet_distance`, `memorisation`; empty where nothing judges.
        pictures: drawn ones, uint8, shape (n, height, width, channels), class after class in rows of 10.
        weights: of the generator, by name.
    """

    number: int
    scores: Mapping[str, float]
    pictures: NDArray[np.uint8]
    weights: Mapping[str, NDArray[Any]]


@runtime_checkable
class EpochLog(Protocol):
    """A callback that wants to be told of epochs, too."""

    def __call__(self, progress: Progress, /) -> None:
        """Told how far training is."""

    def epoch(self, epoch: Epoch) -> None:
        """Record it."""


class _Log(ABC):
    """One point of losses and score an epoch of training."""

    folder: Path

    def __init__(self) -> None:
        self._epoch = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> _Log:
        return self  # its open file cannot be copied; scikit-learn's clone would try

    def __call__(self, progress: Progress) -> None:
        """Record this progress if it completes an epoch of training."""
        epoch = int(progress.done)
        if progress.stage != "train" or (epoch == self._epoch and not progress.finished):
            return
        self._epoch = epoch
        found = {f"loss/{name}": float(value) for name, value in progress.losses.items()}
        if progress.score is not None:
            found["score"] = float(progress.score)
        self._numbers(found, epoch, last=progress.finished)

    @abstractmethod
    def _numbers(self, found: Mapping[str, float], epoch: int, *, last: bool) -> None:
        """Write the numbers of an epoch; the last one of a training is there to stay."""


class TensorBoard(_Log):
    """Training for TensorBoard, written without TensorFlow; look at it with `tensorboard --logdir FOLDER`.

    One point an epoch of `loss/NAME` and `score`; of models of pictures also `frechet_distance` and `memorisation`, a grid of
    drawn pictures (`drawn`), and a histogram of each of the generator's weights (`weights/NAME`).

    Args:
        folder: where the event files go.

    Raises:
        SettingError: the extra `tensorboard` is not installed.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> board = TensorBoard(folder)
    >>> board(Progress("train", 1, 1, 0.5, {"critic": 0.7}, finished=True))
    >>> board.close()
    >>> len(list(Path(folder).glob("events.out.tfevents.*")))
    1
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        module = _needed("tensorboardX", "TensorBoard", "tensorboard")
        self.folder = Path(folder)
        self._writer: Any = module.SummaryWriter(str(folder))

    def _numbers(self, found: Mapping[str, float], epoch: int, *, last: bool) -> None:
        for name, value in found.items():
            self._writer.add_scalar(name, value, epoch)
        if last:
            self._writer.flush()

    def epoch(self, epoch: Epoch) -> None:
        """Record what a model of pictures is like."""
        for name, value in epoch.scores.items():
            if name != "score":  # which comes with the losses
                self._writer.add_scalar(name, float(value), epoch.number)
        self._writer.add_image("drawn", contact_sheet(epoch.pictures, 10), epoch.number, dataformats="HWC")
        for name, weight in epoch.weights.items():
            self._writer.add_histogram(f"weights/{name}", np.asarray(weight), epoch.number)
        self._writer.flush()

    def close(self) -> None:
        """Write what is still in memory, and close the event file."""
        self._writer.close()


class WeightsAndBiases(_Log):
    """Training for Weights & Biases, written to a folder; nothing is sent, until `wandb sync FOLDER/wandb/offline-*` does it.

    The same as of `TensorBoard`: losses and scores, a grid of drawn pictures, histograms of weights.

    Args:
        folder: where the run goes.
        project: the name under which runs are gathered.

    Raises:
        SettingError: the extra `wandb` is not installed.
    """

    def __init__(self, folder: str | Path, *, project: str = "masquerade") -> None:
        super().__init__()
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # which it would send of its own accord
        self._module = _needed("wandb", "Weights & Biases", "wandb")
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        quiet = self._module.Settings(silent=True)
        self._run: Any = self._module.init(
            project=project, dir=str(folder), mode="offline", reinit="create_new", settings=quiet
        )
        self._run.define_metric("*", step_metric="epoch")

    def _numbers(self, found: Mapping[str, float], epoch: int, *, last: bool) -> None:
        self._run.log({"epoch": epoch, **found})

    def epoch(self, epoch: Epoch) -> None:
        """Record what a model of pictures is like."""
        scores = {name: float(value) for name, value in epoch.scores.items() if name != "score"}
        sheet = contact_sheet(epoch.pictures, 10)
        drawn = self._module.Image(sheet if sheet.shape[2] == 3 else sheet[:, :, 0])
        weights = {f"weights/{name}": self._module.Histogram(np.asarray(w)) for name, w in epoch.weights.items()}
        self._run.log({"epoch": epoch.number, **scores, "drawn": drawn, **weights})

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def _needed(module: str, what: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SettingError(
            f"{what} needs the extra {extra!r}, install it with: pip install 'masquerade[{extra}]'"
        ) from error
