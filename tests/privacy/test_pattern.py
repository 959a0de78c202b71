"""Fresh values look like real ones and are none."""

from __future__ import annotations

import json
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade.privacy.pattern import Pattern


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("real", "shape"),
    [
        ([f"AC-{i:06d}" for i in range(2000)], r"^AC-\d{6}$"),
        ([f"{c}{i}" for i in range(1000, 1500) for c in "XYZ"], r"^[A-Z][1-9]\d{3}$"),
        ([f"{int(x):08x}" for x in rng().integers(1 << 32, size=3000)], r"^[0-9a-f]{8}$"),
        ([f"李{chr(0x4E00 + i)}{chr(0x5E00 - i)}" for i in range(500)], r"^\p{Han}{3}$"),
        ([f"Ив{i}" for i in range(1000, 1500)], r"^Ив\d{4}$"),
    ],
)
def test_looks_alike_and_is_new(real: list[str], shape: str) -> None:
    values = pl.Series(real)
    pattern = Pattern.learn(values, 10)
    fresh = pattern.generate(3000, rng())
    assert fresh.str.contains(shape).all()
    assert not set(fresh) & set(real)
    assert fresh.n_unique() > 250


@settings(max_examples=60, deadline=None)
@given(
    real=st.lists(st.text(max_size=6) | st.text("0123456789", min_size=1, max_size=2), min_size=1, max_size=60),
    protect=st.sampled_from([0, 2, 10]),
)
def test_never_a_real_value_even_after_loading(real: list[str], protect: int) -> None:
    pattern = Pattern.learn(pl.Series(real * 3, dtype=pl.String), protect)
    loaded = Pattern.from_state(json.loads(json.dumps(pattern.to_state())))
    fresh = loaded.generate(300, rng())
    numbered = loaded.generate(300, rng(), distinct=True)
    assert fresh.equals(pattern.generate(300, rng()))
    assert not (set(fresh) | set(numbered)) & set(real)
    assert numbered.n_unique() == 300


def test_distinct_goes_on_where_it_stopped() -> None:
    pattern = Pattern.learn(pl.Series([f"{i:03d}" for i in range(900)]), 10)
    parts = [pattern.generate(2_000, rng(5), distinct=True, start=start) for start in range(0, 10_000, 2_000)]
    assert pl.concat(parts).n_unique() == 10_000


def test_full_space_makes_longer_values() -> None:
    real = [f"{i:02d}" for i in range(100)]
    fresh = Pattern.learn(pl.Series(real), 10).generate(500, rng())
    assert not set(fresh) & set(real)
    assert fresh.str.contains(r"^\d{3,}$").all()


def test_forbidden_values_are_not_made() -> None:
    pattern = Pattern.learn(pl.Series([f"{i:03d}" for i in range(500)]), 10)
    taken = pattern.generate(200, rng()).unique()
    assert not set(pattern.generate(200, rng(), forbidden=taken)) & set(taken)


def test_rare_shapes_and_words_are_not_kept() -> None:
    common = [f"paid shop {i} thanks" for i in range(1000, 1300)]
    real = [*common, "Ω§secret§Ω " * 3, "whistle blower called at 9"]
    state = json.dumps(Pattern.learn(pl.Series(real), 10).to_state(), ensure_ascii=False)
    assert "§" not in state
    assert "whistle" not in state
    assert "1234" not in state
    assert "§" in json.dumps(Pattern.learn(pl.Series(real * 10), 10).to_state(), ensure_ascii=False)


def test_one_unit_with_many_rows_shares_nothing() -> None:
    real = pl.Series([f"Ж-{i:03d}" for i in range(50)] + [f"ab{i:04d}" for i in range(50)])
    units = pl.Series([0] * 50 + list(range(1, 51)))
    assert "-" not in json.dumps(Pattern.learn(real, 10, units).to_state()["templates"], ensure_ascii=False)
    assert "-" in json.dumps(Pattern.learn(real, 10).to_state()["templates"], ensure_ascii=False)


def test_free_text_keeps_the_words_that_many_share() -> None:
    draw = rng()
    words = np.array(["transfer", "card", "fee", "rent", "cash"])
    real = pl.Series([" ".join([*draw.choice(words, draw.integers(2, 9)), f"ref{i}x{i * 31}"]) for i in range(4000)])
    fresh = Pattern.learn(real, 50).generate(2000, rng())
    assert not set(fresh) & set(real)
    shared = fresh.str.split(" ").explode().is_in(words.tolist()).mean()
    assert 0.3 < shared < 0.95
    assert abs(fresh.str.len_chars().mean() - real.str.len_chars().mean()) < 8


def test_a_million_in_seconds() -> None:
    real = pl.Series(rng().integers(10**9, 10**10, 300_000)).cast(pl.String)
    began = time.perf_counter()
    pattern = Pattern.learn(real, 10, room=4e6)
    fresh = pattern.generate(1_000_000, rng(), distinct=True)
    assert time.perf_counter() - began < 12
    assert fresh.n_unique() == 1_000_000
    assert not fresh.is_in(real.implode()).any()


def test_nothing_to_learn_from_still_makes_values() -> None:
    fresh = Pattern.learn(pl.Series([None, None], dtype=pl.String), 10).generate(5, rng())
    assert fresh.str.len_chars().min() > 0
    assert Pattern.learn(pl.Series(["--"] * 30), 10).generate(0, rng()).len() == 0
