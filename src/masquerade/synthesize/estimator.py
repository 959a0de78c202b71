"""The face of a scikit-learn estimator, without loading scikit-learn.

`clone`, `get_params` and `set_params` work as scikit-learn's users know them. Inheriting `sklearn.base.BaseEstimator` instead
would load SciPy's statistics, pandas and PyArrow with it: 130 MB and a second in every process that only trains or draws.
"""

from __future__ import annotations

import inspect
from typing import Any, Self

from masquerade.errors import SettingError, nearest

__all__ = ["Estimator"]


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
