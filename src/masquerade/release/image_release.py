"""The contract of releases that keep their pictures: picture i of what comes out was made from picture i of what went in."""

from __future__ import annotations

import html
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from masquerade import artifact, seeds
from masquerade.errors import ArtifactError, SchemaError, TableError
from masquerade.pictures import Pictures
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.secret import Secret
from masquerade.synthesize.estimator import Learner

__all__ = ["PictureRelease", "check_modelled"]

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


class PictureRelease(Learner):
    """Makes each picture of a set safer. A subclass's constructor only stores plain settings.

    Attributes after `fit`:
        shape_: height, width and channels.
        ledger_: what was guaranteed.
        history_: one mapping per epoch; empty where nothing was trained.
        interrupted_: True when Ctrl-C ended training early.
        audit_: what was measured when fitting, by name.
    """

    reference: ClassVar[str]
    """The paper behind the release."""

    protect = 0
    unit = None
    random_state: int | None
    verbose: bool
    callbacks: Sequence[Callback]

    shape_: tuple[int, int, int]
    ledger_: Ledger
    history_: list[dict[str, float]]
    interrupted_: bool
    audit_: dict[str, float]

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise `SettingError` for a setting out of range, before any work."""

    @abstractmethod
    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything learned: plain data and arrays."""

    @abstractmethod
    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """The reverse of `_to_state`; `shape_` is set."""

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

    def save(self, path: str | Path, *, secret: Secret | None = None) -> None:
        """Write the fitted release as one `.mq` file (atomic; no training picture inside).

        Args:
            path: where to.
            secret: what seals (encrypts) the file; None: it is not sealed.
        """
        self._check_fitted()
        config, arrays = self._to_state()
        manifest = {
            "settings": self._settings(),
            "shape": list(self.shape_),
            "ledger": self.ledger_.to_dict(),
            "history": self.history_,
            "audit": self.audit_,
            "learned": config,
        }
        artifact.write(path, type(self).__name__, manifest, arrays, secret=secret)

    @classmethod
    def _load(cls, part: artifact.Artifact, **nets: Any) -> Self:
        """A fitted release from what `save` wrote; `nets` are factories that the user brought."""
        config = part.config
        try:
            settings = {k: tuple(v) if isinstance(v, list) else v for k, v in config["settings"].items()}
            release = cls(**settings, **{k: v for k, v in nets.items() if v is not None})
            height, width, channels = (int(side) for side in config["shape"])
            release.shape_ = (height, width, channels)
            release.history_, release.interrupted_ = list(config["history"]), False
            release.audit_ = {str(name): float(value) for name, value in config["audit"].items()}
            release._from_state(config["learned"], part.arrays)
            release.ledger_ = Ledger.from_dict(config["ledger"])
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ArtifactError(
                f"the model file does not hold a complete {cls.__name__} ({type(error).__name__}: {error}); save it again."
            ) from error
        return release

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
