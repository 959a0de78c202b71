"""Codes become other codes of the same shape, one to one, under the key alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.masking.permute import permuted, permuted_numbers
from masquerade.masking.siphash import siphash

KEY = bytes(range(32))


def test_siphash_gives_the_reference_values() -> None:
    # Appendix A of the paper: key 00..0f; the messages are empty, 00..07 and 00..0f.
    key = bytes(range(16))
    words = [np.frombuffer(bytes(range(8 * i, 8 * i + 8)), "<u8").astype(np.uint64) for i in range(2)]
    assert int(siphash(key, words[:1])[0]) == 0x93F5F5799A932462
    assert int(siphash(key, words)[0]) == 0x3F2ACC7F57C29BDB


@pytest.mark.parametrize(
    "values",
    [
        [f"{i:04d}" for i in range(10_000)],
        [f"AC-{i:06d}" for i in range(0, 1_000_000, 37)],
        [f"{i:x}".rjust(32, "f") for i in range(0x100, 0x300)],
        [str(i) for i in range(5_000)],
        ["张三", "李四", "王五六", "诸葛亮"],
        ["é", "Ω", "Ж", "ß", "３"],
    ],
)
def test_different_codes_of_a_shape_stay_different(values: list[str]) -> None:
    made = permuted(pl.Series(values), KEY)
    assert made.n_unique() == len(values)
    assert made.str.len_chars().to_list() == [len(value) for value in values]


def test_the_shape_stays_and_a_number_does_not_begin_with_a_new_zero() -> None:
    made = permuted(pl.Series([f"{i}-Ab{i % 7}" for i in range(100, 900)]), KEY)
    assert made.str.contains(r"^[1-9][0-9]{2}-[A-Z][a-z][0-9]$").all()
    assert permuted(pl.Series(["0417"]), KEY).str.starts_with("0").all()


def test_a_code_alone_becomes_what_it_becomes_among_others() -> None:
    values = pl.Series([f"{i:03d}-{'x' * (i % 40)}{i}" for i in range(300)])
    made = permuted(values, KEY)
    assert all(permuted(values[i : i + 1], KEY)[0] == made[i] for i in (0, 7, 299))


def test_another_key_gives_other_codes_and_no_key_shows_the_truth_often() -> None:
    values = pl.Series([f"{i:08d}" for i in range(2_000)])
    one, two = permuted(values, KEY), permuted(values, bytes(32))
    assert (one == two).sum() <= 1
    assert (one == values).sum() <= 1


def test_a_permuted_code_looks_like_a_random_one() -> None:
    made = permuted(pl.Series([f"X{i:08d}" for i in range(20_000)]), KEY)
    digits = made.str.slice(1).str.split("").explode().value_counts()
    counts = digits.filter(pl.col(digits.columns[0]) != "")["count"].to_numpy()
    assert len(counts) == 10
    assert np.abs(counts / counts.sum() - 0.1).max() < 0.01


def test_letters_without_a_class_are_covered_too() -> None:
    made = permuted(pl.Series(["ქართული"]), KEY)
    assert made.str.contains("^[a-z]{7}$").all()


def test_pairs_of_numbers_are_permuted() -> None:
    left, right = (side.ravel().astype(np.uint64) for side in np.mgrid[0:700, 0:300])
    one, two = permuted_numbers(left, right, 700, 300, key=KEY, tweak=5)
    assert one.max() < 700
    assert two.max() < 300
    assert np.unique(one * np.uint64(300) + two).size == 210_000


def test_nothing_and_empty_text() -> None:
    assert permuted(pl.Series([], dtype=pl.String), KEY).len() == 0
    assert permuted(pl.Series(["", "--"]), KEY).to_list() == ["", "--"]
