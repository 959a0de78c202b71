"""`masquerade verify`: every claim is recomputed from its file alone, and a claim that is too low does not pass."""

from __future__ import annotations

import io
import json
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masquerade import artifact
from masquerade.cli import run
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import discrete_gaussian, exponential, poisson_gaussian
from masquerade.privacy.ledger import Ledger
from masquerade.secret import Secret

pytest.importorskip("dp_accounting")


def made(epsilon: float = 1.0, delta: float = 1e-6, unit: str = "row") -> Ledger:
    accountant = Accountant(Privacy(epsilon, delta), unit)
    accountant.spend(discrete_gaussian(accountant.sigma(0.1, 3), stage="domains", what="histograms", count=3))
    for _ in range(5):
        accountant.spend(exponential(accountant.selection_epsilon(0.1, 5), what="pair"))
    sigma = accountant.calibrate(lambda s: [discrete_gaussian(s, stage="marginals", what="pairs", count=6)])
    accountant.spend(discrete_gaussian(sigma, stage="marginals", what="pairs", count=6))
    return accountant.ledger("Marginals")


def saved(path: Path, ledger: Ledger | dict[str, Any], secret: Secret | None = None) -> Path:
    told = ledger.to_dict() if isinstance(ledger, Ledger) else ledger
    if path.suffix == ".json":
        path.write_text(json.dumps(told))
    else:
        artifact.write(path, "Marginals", {"ledger": told}, {"x": np.zeros(2)}, secret=secret)
    return path


def verified(*arguments: object) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["verify", *map(str, arguments)])
    return code, out.getvalue(), " ".join(err.getvalue().split())


@pytest.mark.parametrize("name", ["m.mq", "out.csv.ledger.json"])
def test_a_claim_that_holds(name: str, tmp_path: Path) -> None:
    code, out, err = verified(saved(tmp_path / name, made()))
    assert (code, err) == (0, "")
    for words in (
        "holds",
        "0.9996",
        "Rényi",
        "domains alone",
        "selection alone",
        "marginals alone",
        "add or remove",
        "1e-06",
    ):
        assert words in out
    assert "training alone" not in out
    assert "together" not in out
    assert verified(tmp_path / name, "--quiet") == (0, "", "")


def test_a_claim_that_was_lowered_does_not_pass(tmp_path: Path) -> None:
    told = made().to_dict() | {"epsilon": 0.5}
    code, out, err = verified(saved(tmp_path / "m.mq", told), saved(tmp_path / "fine.mq", made()))
    assert code == 3
    assert "too low" in out
    assert "holds" in out
    assert "m.mq: it claims ε = 0.5, and its events give 0.9947; do not rely on the claim." in err


def test_events_that_were_left_out_or_noise_that_was_lowered_show(tmp_path: Path) -> None:
    ledger = made()
    louder = [dict(event) for event in ledger.events]
    louder[-1]["sigma"] *= 0.9
    assert verified(saved(tmp_path / "a.mq", ledger.to_dict() | {"events": louder}))[0] == 3
    assert verified(saved(tmp_path / "b.mq", ledger.to_dict() | {"delta": 1e-9}))[0] == 3
    code, _, err = verified(saved(tmp_path / "c.mq", ledger.to_dict() | {"events": []}))
    assert code == 2
    assert "without an event; nothing supports it" in err


def test_several_models_of_one_table_are_composed(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one.mq", made()), saved(tmp_path / "two.mq", made(0.5, 1e-7))
    code, out, _ = verified(one, two)
    assert code == 0
    assert "together" in out
    assert "1.1e-06" in out
    assert verified(one, two, "--at-most", 1.6)[0] == 0  # less than the sum: composition is sharper
    code, _, err = verified(one, two, "--at-most", 1.1)
    assert code == 3
    assert "--at-most: ε is 1.1" in err
    assert "expected at most 1.1" in err
    assert verified(one, "--at-most", 1)[0] == 0
    other = saved(tmp_path / "other.mq", made(unit="person"))
    code, out, _ = verified(one, other)
    assert code == 0
    assert "do not add up to one" in out
    assert verified(one, other, "--at-most", 9)[0] == 3


def test_without_a_guarantee_it_says_so(tmp_path: Path) -> None:
    none = saved(tmp_path / "none.mq", Ledger(mechanism="CTGAN", protections={"protect": 10}))
    code, out, err = verified(none)
    assert (code, err) == (0, "")
    assert "none.mq: Guaranteed: none." in out
    assert verified(none, "--at-most", 5)[0] == 3
    code, out, _ = verified(none, saved(tmp_path / "m.mq", made()))
    assert code == 0
    assert "holds" in out
    assert "Guaranteed: none." in out


def test_sealed_models_are_opened(tmp_path: Path) -> None:
    (tmp_path / "k.key").write_text(bytes(range(32)).hex())
    key = Secret.from_key_file(tmp_path / "k.key")
    model = saved(tmp_path / "m.mq", made(), secret=key)
    assert verified(model, "--seal-key-file", tmp_path / "k.key")[0] == 0
    code, _, err = verified(model)
    assert code == 2
    assert "it is sealed" in err


DAMAGED = [
    {"guarantee": 3},
    {"epsilon": None},
    {"epsilon": "1"},
    {"delta": 2.0},
    {"unit": ["row"]},
    {"mechanism": None},
    {"events": [{"kind": "gaussian"}]},
    {"events": ["gaussian"]},
    {"events": [[1, 2]]},
    {"events": 7},
    {"events": [poisson_gaussian(0.1, 1.0, 5, what="x") | {"stage": "later"}]},
    {"events": [poisson_gaussian(0.1, 1.0, 5, what="x") | {"rate": -1}]},
]


@pytest.mark.parametrize("change", DAMAGED, ids=str)
@pytest.mark.parametrize("name", ["m.mq", "m.json"])
def test_damaged_ledgers_are_refused_in_one_line(change: dict[str, Any], name: str, tmp_path: Path) -> None:
    code, out, err = verified(saved(tmp_path / name, made_once() | change))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert name in err
    assert "unexpected" not in err


_MADE: list[dict[str, Any]] = []


def made_once() -> dict[str, Any]:
    if not _MADE:
        _MADE.append(made().to_dict())
    return dict(_MADE[0])


def test_hostile_figures_do_not_keep_it_busy(tmp_path: Path) -> None:
    began = time.monotonic()
    for events in (
        [poisson_gaussian(1.0, 1e-9, 10**6, what="x")],
        [poisson_gaussian(1e-9, 1e-3, 10**6, what="x")],
        [discrete_gaussian(1e12, stage="domains", what="x", count=10**6)],
        [exponential(1e-9, what="x", count=10**6)],
        [exponential(50.0, what="x", count=3)],
    ):
        code, _, err = verified(saved(tmp_path / "m.json", made_once() | {"events": events}))
        assert code in (0, 3), err
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.mq"], "none.mq: there is no such file"),
        (["none.json"], "none.json: cannot be read as a ledger"),
        (["text.mq"], "text.mq: not a Masquerade model"),
        (["bare.mq"], "bare.mq: there is no ledger inside"),
        (["bare.mq", "bare.mq"], "a file is named twice"),
        (["bare.mq", "--at-most", "0"], "--at-most: got 0.0"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_verified(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mq").write_text("x")
    artifact.write("bare.mq", "Marginals", {}, {"x": np.zeros(2)})
    code, _, err = verified(*arguments)
    assert code == 2
    assert words in err
