"""What models and releases of pictures share: the shape they were fitted on, and their file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from masquerade import artifact
from masquerade.errors import ArtifactError
from masquerade.privacy.budget import Privacy
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.secret import Secret
from masquerade.synthesize.estimator import Learner

__all__ = ["PictureModel"]


class PictureModel(Learner):
    """Learns from pictures of one shape.

    Attributes after `fit`:
        shape_: height, width and channels.
        ledger_: what was guaranteed.
        history_: one mapping per epoch; empty where nothing was trained.
        interrupted_: True when Ctrl-C ended training early.
    """

    reference: ClassVar[str]
    """The paper behind it."""

    protect = 0
    unit = None
    random_state: int | None
    verbose: bool
    callbacks: Sequence[Callback]

    shape_: tuple[int, int, int]
    ledger_: Ledger
    history_: list[dict[str, float]]
    interrupted_: bool

    @abstractmethod
    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything learned: plain data and arrays."""

    @abstractmethod
    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """The reverse of `_to_state`; `shape_` is set."""

    @abstractmethod
    def _to_facts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What every model of this kind knows beside what is learned: plain data and arrays."""

    @abstractmethod
    def _from_facts(self, config: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """The reverse of `_to_facts`; takes its own arrays out of all of them."""

    def save(self, path: str | Path, *, secret: Secret | None = None) -> None:
        """Write what was fitted as one `.mq` file (atomic; no training picture inside).

        Args:
            path: where to.
            secret: what seals (encrypts) the file; None: it is not sealed.
        """
        self._check_fitted()
        config, arrays = self._to_state()
        facts, beside = self._to_facts()
        manifest = {
            "settings": self._settings(),
            "shape": list(self.shape_),
            "ledger": self.ledger_.to_dict(),
            "history": self.history_,
            "learned": config,
            **facts,
        }
        artifact.write(path, type(self).__name__, manifest, {**arrays, **beside}, secret=secret)

    @classmethod
    def _load(cls, part: artifact.Artifact, **nets: Any) -> Self:
        """What `save` wrote, fitted; `nets` are factories that the user brought."""
        config, arrays = part.config, dict(part.arrays)
        try:
            settings: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in config["settings"].items()
            }
            if settings.get("privacy") is not None:
                settings["privacy"] = Privacy.from_dict(settings["privacy"])
            model = cls(**settings, **{k: v for k, v in nets.items() if v is not None})
            height, width, channels = (int(side) for side in config["shape"])
            if min(height, width) < 1 or channels not in (1, 3):
                raise ValueError(f"pictures of {height} x {width} with {channels} channels")
            model.shape_ = (height, width, channels)
            model.history_, model.interrupted_ = list(config["history"]), False
            model._from_facts(config, arrays)
            model._from_state(config["learned"], arrays)
            model.ledger_ = Ledger.from_dict(config["ledger"])
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ArtifactError(
                f"the model file does not hold a complete {cls.__name__} ({type(error).__name__}: {error}); save it again."
            ) from error
        return model
