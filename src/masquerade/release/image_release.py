"""The contract of releases that keep their pictures: picture i of what comes out was made from picture i of what went in."""

from __future__ import annotations

import html
import secrets
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning, SchemaError, TableError
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.pictures import Pictures
from masquerade.progress import Callback, Progress
from masquerade.synthesize.image_model import PictureModel

__all__ = ["PictureRelease", "blocks", "check_modelled", "under"]

LEAST_SIDE, MOST_SIDE = 8, 64


def check_modelled(pictures: Pictures, least: int) -> None:
    """Refuse pictures that nets cannot learn from.

    Args:
        pictures: those to learn from.
        least: how many there must be.

    Raises:
        TableError: too few, or of a size that no net here has.
    """
    if len(pictures) < least:
        raise TableError(f"images: got {len(pictures)} pictures, expected at least {least}.")
    height, width = pictures.size
    if any(side % 4 or not LEAST_SIDE <= side <= MOST_SIDE for side in (height, width)):
        raise TableError(
            f"images: got {height} x {width} pixels, expected multiples of 4 from {LEAST_SIDE} to {MOST_SIDE}; read them "
            "with size=(28, 28), say."
        )


class PictureNet(Protocol):
    """Nets that train: `init` makes a state, one field of which is `average`, the weights worth keeping."""

    def init(self, seed: int) -> Any: ...

    def step(self, state: Any, data: Any) -> tuple[Any, dict[str, Any]]: ...


class PictureRelease(PictureModel):
    """Makes each picture of a set safer. A subclass's constructor only stores plain settings.

    Attributes after `fit`, beside those of `PictureModel`:
        audit_: what was measured when fitting, by name.
    """

    audit_: dict[str, float]

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise `SettingError` for a setting out of range, before any work."""

    def _train(self, net: PictureNet, data: Any, schedule: Schedule, seed: int) -> Any:
        """Train nets from their beginning; sets `history_` and `interrupted_`, warns where training broke off.

        Args:
            net: their pure functions.
            data: what each step is shown.
            schedule: how long.
            seed: of the first weights and all chance of training.

        Returns:
            The averaged weights.
        """

        def waiting(seconds: float) -> None:
            self._tell(Progress("compile", 0, schedule.epochs, seconds))

        state = Compilation(net.init, seed).result(waiting)(seed)
        outcome = train(net.step, state, data, schedule, snapshot=lambda state: state.average, callback=self._tell)
        self.history_ = [{k: v for k, v in entry.items() if k != "score"} for entry in outcome.trail.history]
        self.interrupted_ = outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                "training left the finite numbers and was stopped; the nets before are kept. A smaller learning_rate usually "
                "helps.",
                MasqueradeWarning,
                stacklevel=4,
            )
        return outcome.trail.best

    def _tell_apart(self, stage: str) -> Callback:
        """Tells of a small net's training beside that of the generator, under a name of its own."""

        def told(progress: Progress) -> None:
            if progress.stage == "train":
                self._tell(Progress(stage, progress.done, progress.total, progress.seconds, finished=progress.finished))

        return told

    def _transform_seed(self, random_state: int | None) -> int:
        """The seed of one `transform`: the same for the same setting, else fresh."""
        if random_state is not None:
            return seeds.check_seed(random_state)
        return secrets.randbits(63) if self.random_state is None else seeds.integer(self._seed(), "apply")

    def _check_same(self, pictures: Pictures) -> None:
        """Refuse pictures of another size or mode than the fitted ones."""
        if pictures.images.shape[1:] != self.shape_:
            raise SchemaError(
                f"images: got {pictures.images.shape[1:]} (height, width, channels), expected {self.shape_} as fitted."
            )

    def _to_facts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"audit": self.audit_}, {}

    def _from_facts(self, config: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        self.audit_ = {str(name): float(value) for name, value in config["audit"].items()}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ledger_")

    def _repr_html_(self) -> str:
        """A card for notebooks: the settings that differ from the defaults, the shape and the guarantee."""
        head = f"<strong>{html.escape(repr(self))}</strong>"
        if not self.__sklearn_is_fitted__():
            return f"<div>{head}<br>not fitted</div>"
        height, width, channels = self.shape_
        facts = [
            f"pictures of {height} x {width}, {'grey' if channels == 1 else 'RGB'}",
            html.escape(self.ledger_.sentence()),
        ]
        return f"<div>{head}<ul>{''.join(f'<li>{fact}</li>' for fact in facts)}</ul></div>"


def blocks(count: int, size: int) -> list[NDArray[np.int64]]:
    """Places 0 to count, in blocks of a size; the last one is filled up with repeats of its last place."""
    found = []
    for start in range(0, count, size):
        found.append(np.minimum(np.arange(start, start + size), count - 1))
    return found


def under(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, without that beginning."""
    return {key.removeprefix(name): array for key, array in arrays.items() if key.startswith(name)}
