"""The face of a scikit-learn estimator, without loading scikit-learn.

`clone`, `get_params` and `set_params` work as scikit-learn's users know them. Inheriting `sklearn.base.BaseEstimator` instead
would load SciPy's statistics, pandas and PyArrow with it: 130 MB and a second in every process that only trains or draws.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import polars as pl

from masquerade import artifact, inference, seeds
from masquerade.errors import SettingError, nearest
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback, ConsoleProgress, Progress
from masquerade.schema import Schema

__all__ = ["Estimator", "Learner", "careful"]

Model = TypeVar("Model", bound="Learner")
Given = ParamSpec("Given")
Result = TypeVar("Result")


def careful(method: Callable[Concatenate[Model, Given], Result]) -> Callable[Concatenate[Model, Given], Result]:
    """A method of a fitted model that, where the model came from a file, never fails but with an error of Masquerade's."""

    @functools.wraps(method)
    def doubted(self: Model, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        with artifact.doubted(self._file):
            return method(self, *args, **kwargs)

    return doubted


class Estimator:
    """Settings are the constructor's keyword arguments, stored under their own names.

    >>> class Scale(Estimator):
    ...     def __init__(self, *, factor=1.0, name=None):
    ...         self.factor, self.name = factor, name
    >>> Scale(factor=2.0).set_params(name="x").get_params()
    {'factor': 2.0, 'name': 'x'}
    >>> Scale(factor=2.0)
    Scale(factor=2.0)
    """

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = inspect.signature(cls).parameters
        return {name: parameter.default for name, parameter in parameters.items()}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name. No setting is an estimator itself, so `deep` makes no difference."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **settings: Any) -> Self:
        """Change settings by name; an unknown one is refused.

        Raises:
            SettingError: there is no setting of this name.
        """
        known = self._defaults()
        for name in settings:
            if name not in known:
                raise SettingError(f"{name}: {type(self).__name__} has no such setting{nearest(name, known)}.")
        for name, value in settings.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self._defaults()
        changed = {name: value for name, value in self.get_params().items() if value is not defaults[name]}
        shown = [f"{name}={value!r}" for name, value in changed.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(shown)})"


class Learner(Estimator, ABC):
    """An estimator that learns from a table: what synthesizers and the releases built on them share."""

    protect: int
    unit: str | None
    random_state: int | None
    verbose: bool
    callbacks: Sequence[Callback]

    _file: str | None = None
    """The file that it was loaded from; None: it was fitted here."""

    @abstractmethod
    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was done."""

    def _seed(self) -> int:
        return seeds.check_seed(self.random_state)

    def _tell(self, progress: Progress) -> None:
        """Hand a fact to every callback, and to a bar on the terminal where `verbose` asks for one."""
        callbacks: list[Callback] = list(self.callbacks)
        if self.verbose:
            if not hasattr(self, "_bar"):
                self._bar = ConsoleProgress()
            callbacks.append(self._bar)
        for callback in callbacks:
            callback(progress)

    def _schema_of(self, raw: pl.DataFrame, schema: Schema | None) -> Schema:
        if schema is None:
            return inference.infer(raw, protect=self.protect, unit=self.unit)
        if self.unit is not None and schema.unit not in (None, self.unit):
            raise SettingError(f"unit: got {self.unit!r}, but the schema says {schema.unit!r}; give one of them.")
        return schema if self.unit is None else dataclasses.replace(schema, unit=self.unit)

    def _settings(self) -> dict[str, Any]:
        """Constructor settings that are plain data (nets, callbacks and paths stay behind)."""
        kept = {k: v for k, v in self.get_params(deep=False).items() if k not in ("callbacks", "checkpoint")}
        return {k: _plain(v) for k, v in kept.items() if _is_plain(v)}

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError  # loaded for the error alone

            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit(table) first.")


def _is_plain(value: Any) -> bool:
    if isinstance(value, Privacy):
        return True
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool | None)


def _plain(value: Any) -> Any:
    """Tuples as lists, mappings and a `Privacy` as dictionaries."""
    if isinstance(value, Privacy):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
