"""Named groups of columns: read from files, refused where they do not hold each column once."""

from __future__ import annotations

from pathlib import Path

import pytest

from masquerade.datasets import load_bank
from masquerade.errors import FileError, SettingError
from masquerade.release.groups import check_groups, read_groups


def test_the_bundled_groups_hold_each_column_of_the_bank_table_once() -> None:
    groups = read_groups("bank")
    assert list(groups) == ["pers", "fina", "camp", "econ"]
    check_groups(groups, load_bank().columns, apart=["y"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected one table \[groups\] .* got nothing"),
        ("[group]\na = ['x']", "got the key 'group'"),
        ("[groups]\na = 3", "expected a list of at least one column"),
        ("[groups]\na = []", "expected a list of at least one column"),
        ("[groups", "is no TOML file"),
    ],
)
def test_a_file_without_groups_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "g.toml"
    path.write_text(text)
    with pytest.raises((FileError, SettingError), match=message):
        read_groups(path)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(FileError, match=r"none.toml: cannot be read"):
        read_groups("none.toml")
    with pytest.raises(FileError, match="bnak: cannot be read"):
        read_groups("bnak")


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"p": ["age", "jobb"], "q": ["loan"]}, r"'p' names a column 'jobb' .* \(did you mean 'job'\?\)"),
        ({"p": ["age", "job"], "q": ["age", "loan"]}, "'age' is named in 'p' and in 'q'"),
        ({"p": ["age", "age", "job", "loan"]}, "'age' is named twice in 'p'"),
        ({"p": ["age"]}, "the column 'job' and 1 more is in no group"),
        ({}, "expected names with their columns"),
        ({"p": "age"}, "expected a list"),
        (["age"], "expected names with their columns"),
    ],
)
def test_groups_that_do_not_hold_each_column_once_are_refused(groups: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        check_groups(groups, ["age", "job", "loan"])


def test_columns_apart_and_hidden_need_no_group() -> None:
    check_groups({"p": ["age"]}, ["age", "job", "loan"], apart=["job"], hidden=["loan"])
