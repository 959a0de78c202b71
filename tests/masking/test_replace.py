"""Surrogates: the same value, the same surrogate; without the key nothing of it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from stdnum import iban, luhn
from stdnum.cn import ric

from masquerade.errors import FileError, SettingError
from masquerade.masking import Batch, Replace
from masquerade.masking.keys import Key
from masquerade.masking.pools import KINDS
from masquerade.schema import Column

Make = Callable[..., Batch]


@pytest.mark.parametrize("kind", ["id", "phone", "card", "cn_id", "iban", *KINDS])
def test_the_same_value_gets_the_same_surrogate_and_another_key_another(kind: str, batch: Make) -> None:
    cells = ["Ann Lee 4155550132", "张三丰 13812345678", "Ann Lee 4155550132", None, ""]
    first, again, other = (
        Replace(kind=kind).apply("x", batch(cells, key=key, seed=seed)).to_list()
        for key, seed in (("k" * 16, 0), ("k" * 16, 1), ("l" * 16, 0))
    )
    assert first == again
    assert first[0] == first[2] not in cells
    assert first[3:] == [None, ""]
    assert first != other


def test_a_value_alone_gets_what_it_gets_among_others(batch: Make) -> None:
    cells = [f"C{i:05d}" for i in range(1_000)]
    assert Replace().apply("x", batch(cells))[700] == Replace().apply("x", batch([cells[700]]))[0]


def test_names_go_by_script_or_locale_and_whatever_their_case(batch: Make) -> None:
    made = Replace(kind="name").apply("x", batch(["Ann Lee", " ANN  LEE", "张三"]))
    assert made[0] == made[1]
    assert made[0].isascii()
    assert made.str.contains(r"^\p{Han}{2,4}$").to_list() == [False, False, True]
    assert Replace(kind="name", locale="zh").apply("x", batch(["Ann Lee"])).str.contains(r"^\p{Han}{2,4}$").all()
    assert "Straße" in " ".join(
        Replace(kind="address", locale="de").apply("x", batch(["a b", "b"] * 40 + [f"c{i}" for i in range(99)]))
    ) or (Replace(kind="address", locale="de").apply("x", batch(["a"]))[0] != "a")


def test_many_emails_stay_different(batch: Make) -> None:
    made = Replace(kind="email").apply("x", batch([f"person{i}@bank.com" for i in range(20_000)]))
    assert made.n_unique() == 20_000
    assert made.str.contains(r"^[a-z]+\.[a-z]+[0-9a-z]{4}@example\.(com|net|org)$").all()


def test_codes_keep_what_makes_them_valid(batch: Make) -> None:
    random = np.random.default_rng(0)
    cards = [f"4{n:014d}" for n in random.integers(0, 10**14, 300)]
    cards = [card + luhn.calc_check_digit(card) for card in cards]
    made = Replace(kind="card").apply("x", batch(cards))
    assert all(map(luhn.is_valid, made))
    assert made.n_unique() == 300
    people = [f"110105{year}1231{n:03d}" for year in (1939, 1949, 1999, 2011) for n in range(100)]
    people = [person + ric.calc_check_digit(person) for person in people]
    made = Replace(kind="cn_id").apply("x", batch(people))
    assert made.n_unique() == 400
    assert made.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).is_not_null().all()
    assert [ric.calc_check_digit(code) for code in made] == made.str.slice(17).to_list()
    assert iban.is_valid(
        Replace(kind="iban").apply("x", batch(["DE89 3704 0044 0532 0130 00"]))[0], check_country=False
    )


def test_phones_stay_phones_of_their_country(batch: Make) -> None:
    made = Replace(kind="phone").apply(
        "x", batch(["+86 138-1234-5678", "13812345678", "(415) 555-0132", "+44 20 7946 0958"])
    )
    patterns = [
        r"\+86 1[3-9]\d-\d{4}-\d{4}",
        r"1[3-9]\d{9}",
        r"\([2-9]\d\d\) [2-9]\d\d-\d{4}",
        r"\+44 [1-9]\d \d{4} \d{4}",
    ]
    for value, pattern in zip(made, patterns, strict=True):
        assert pl.Series([value]).str.contains(f"^{pattern}$").all(), value


def test_whole_numbers_stay_numbers(batch: Make) -> None:
    made = Replace().apply("x", batch(pl.Series([1001, 1002, None, 1001]), kind="id"))
    assert made.dtype == pl.Int64
    assert made[0] == made[3] != 1001
    assert made[2] is None


def test_what_a_column_holds_is_found(batch: Make) -> None:
    emails = [f"someone{i}@bank.com" for i in range(20)]
    assert Replace().apply("x", batch(emails)).str.contains("@example").all()
    assert Replace().apply("x", batch(["AC-1", "AC-2"])).str.contains(r"^[A-Z]{2}-\d$").all()
    column = Column("x", "text", pii="name")
    assert Replace().settled(column, pl.Series(["Zork"])) == Replace(kind="name")


def test_domains_keep_columns_apart(batch: Make) -> None:
    cells = [f"{i:06d}" for i in range(100)]
    one, two = (Replace(domain=domain).apply("x", batch(cells)) for domain in ("", "loans"))
    assert (one == two).sum() <= 1


@pytest.mark.parametrize("options", [{"kind": "nmae"}, {"locale": "zz_ZZ"}, {"kinds": "name"}, {"domain": 3}])
def test_options_that_are_off(options: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="column 'x'"):
        Replace.of("x", options)


def test_a_key_tells_nothing_of_itself(tmp_path: Path) -> None:
    secret = "a long enough secret"
    key = Key(secret)
    assert secret not in repr(key)
    assert copy.deepcopy(key) is key
    with pytest.raises(SettingError):
        pickle.dumps(key)
    with pytest.raises(SettingError, match="at least 16") as caught:
        Key("too short secret"[:15])
    assert "too short" not in str(caught.value)
    (tmp_path / "key").write_text(secret + "\n")
    assert Key.read(tmp_path / "key").digests("p", ["v"]) == key.digests("p", ["v"])
    with pytest.raises(FileError):
        Key.read(tmp_path / "none")
