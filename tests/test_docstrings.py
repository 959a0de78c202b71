"""Every example in a docstring runs and says the truth."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import masquerade

MODULES = sorted(module.name for module in pkgutil.walk_packages(masquerade.__path__, "masquerade."))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert doctest.testmod(importlib.import_module(name)).failed == 0
