"""The bundled table is the published one, whole, with its licence beside it."""

from __future__ import annotations

import gzip
import hashlib

from masquerade.datasets import bank_path, load_bank

PUBLISHED = "74adfc578bf77a7ff4bb1ba4a9f8709d9e3c6907342959c2c8416847e0afb4d8"


def test_the_bank_table_is_the_published_one() -> None:
    assert hashlib.sha256(gzip.decompress(bank_path().read_bytes())).hexdigest() == PUBLISHED


def test_it_loads_with_numbers_as_numbers() -> None:
    bank = load_bank()
    assert bank.shape == (41188, 21)
    assert bank["age"].dtype.is_integer()
    assert bank["euribor3m"].dtype.is_float()
    assert bank["y"].value_counts().sort("y")["count"].to_list() == [36548, 4640]


def test_its_licence_lies_beside_it() -> None:
    text = bank_path().with_name("ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "Moro" in text
