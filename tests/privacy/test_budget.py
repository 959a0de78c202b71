"""A budget is a setting that is checked once, and stays."""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import Any

import pytest

from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.privacy.budget import Privacy


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epsilon": 0}, "epsilon: got 0, expected a finite number above 0"),
        ({"epsilon": -1.0}, "epsilon: got -1.0"),
        ({"epsilon": math.nan}, "epsilon: got nan"),
        ({"epsilon": math.inf}, "epsilon: got inf"),
        ({"epsilon": "1"}, "epsilon: got '1'"),
        ({"epsilon": True}, "epsilon: got True"),
        ({"epsilon": 1.0, "delta": 0.0}, "delta: got 0.0, expected a number above 0 and below 1"),
        ({"epsilon": 1.0, "delta": 1.0}, "delta: got 1.0"),
        ({"epsilon": 1.0, "rows_per_unit": 0}, "rows_per_unit: got 0"),
        ({"epsilon": 1.0, "rows_per_unit": True}, "rows_per_unit: got True"),
        ({"epsilon": 1.0, "unit": ""}, "unit: got ''"),
        ({"epsilon": 1.0, "unit": 3}, "unit: got 3"),
        ({"epsilon": 20.5}, "epsilon: got 20.5, and above 20 next to nothing"),
    ],
)
def test_figures_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Privacy(**settings)


@pytest.mark.parametrize(("epsilon", "i_know"), [(10.5, False), (25.0, True)])
def test_a_weak_guarantee_warns(epsilon: float, i_know: bool) -> None:
    with pytest.warns(MasqueradeWarning, match="is a weak guarantee"):
        Privacy(epsilon, i_know=i_know)


def test_a_usual_one_does_not_warn_and_cannot_be_changed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        privacy = Privacy(10.0, unit="person", rows_per_unit=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        privacy.epsilon = 2.0  # type: ignore[misc]
    assert Privacy.from_dict(privacy.to_dict()) == privacy


def test_a_saved_one_is_read_without_a_second_warning() -> None:
    with pytest.warns(MasqueradeWarning):
        loose = Privacy(30.0, i_know=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Privacy.from_dict(loose.to_dict()) == loose
