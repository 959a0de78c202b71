"""One exception tree, and hints that name the nearest choice."""

from __future__ import annotations

import pytest

from masquerade import errors


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name not in ("nearest", "MasqueradeWarning")])
def test_everything_raised_is_below_the_root_and_has_an_exit_code(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.MasqueradeError)
    expected = {"GateError": 3, "InterruptedTraining": 130}.get(name, 2)
    assert kind("message").exit_code == expected
    assert name in (errors.__doc__ or "")


def test_bad_input_is_a_value_error_too() -> None:
    assert issubclass(errors.InputError, ValueError)
    assert not issubclass(errors.GateError, errors.InputError)
    assert issubclass(errors.MasqueradeWarning, UserWarning)


def test_the_nearest_choice_is_named_or_none() -> None:
    assert errors.nearest("incme", ["age", "income", "sex"]) == " (did you mean 'income'?)"
    assert errors.nearest("xyz", ["age", "income", "sex"]) == ""
    assert errors.nearest("age", []) == ""


@pytest.mark.parametrize("kind", [errors.FileError, errors.MasqueradeWarning])
def test_a_name_in_a_file_neither_breaks_the_line_nor_commands_the_terminal(kind: type[Exception]) -> None:
    message = str(kind("people.csv: got 'a\r\nb\x1b[2J\x9b31m\u2028ü —', expected one name."))
    assert message == r"people.csv: got 'a\r\nb\x1b[2J\x9b31m\u2028ü —', expected one name."
