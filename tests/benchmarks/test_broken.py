"""Private mechanisms that are broken in one place are caught by the audit; whole ones are not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dp_accounting")

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "broken.py"
SURE = 1 - 1e-6
"""Right but for one time in a million."""


@pytest.fixture(scope="module")
def broken() -> Any:
    spec = importlib.util.spec_from_file_location("broken_builds", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_there_are_five(broken: Any) -> None:
    assert set(broken.BROKEN) == {"no noise", "no clip", "shuffled rows", "reused key", "raw domain"}


@pytest.mark.parametrize("name", ["no noise", "no clip", "shuffled rows", "reused key", "raw domain"])
def test_a_broken_build_is_caught(broken: Any, name: str) -> None:
    breaking, audit, trials = broken.BROKEN[name]
    with breaking():
        found = audit(trials, SURE)
    assert found.disproved, found.sentence()


@pytest.mark.parametrize("name", ["no noise", "raw domain"])
def test_the_whole_build_is_not(broken: Any, name: str) -> None:
    _, audit, trials = broken.BROKEN[name]
    found = audit(trials, SURE)
    assert not found.disproved, found.sentence()
    assert found.epsilon <= 1.0
