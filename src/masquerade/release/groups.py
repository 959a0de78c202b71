"""Named groups of columns: read from a file, and checked against the columns there are.

```toml
[groups]
person = ["age", "job"]
money = ["housing", "loan"]
```
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from masquerade import datasets, toml_text
from masquerade.errors import FileError, SettingError, nearest

__all__ = ["check_groups", "read_groups"]


def read_groups(path: str | Path) -> dict[str, list[str]]:
    """The groups of a TOML file with one table `[groups]`, or of a bundled one by its name.

    Args:
        path: a file, or `"bank"` for the four groups of Bank Marketing.

    Raises:
        FileError: there is no such file, or it does not hold groups.

    >>> list(read_groups("bank"))
    ['pers', 'fina', 'camp', 'econ']
    """
    file = Path(path)
    if file.name == str(path) and not file.suffix and not file.exists():
        bundled = Path(datasets.__file__).with_name(f"{path}-groups.toml")
        file = bundled if bundled.exists() else file
    try:
        data = toml_text.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise FileError(f"{path}: is no TOML file ({error}).") from error
    groups = data.get("groups")
    if not isinstance(groups, dict) or len(data) != 1:
        odd = next((key for key in data if key != "groups"), None)
        found = "nothing" if odd is None else f"the key {odd!r}"
        raise FileError(f"{path}: expected one table [groups] with lines such as person = ['age', 'job'], got {found}.")
    _check_shape(groups, f"{path}: group")
    return groups


def check_groups(
    groups: Any, names: Sequence[str], *, apart: Collection[str] = (), hidden: Collection[str] = ()
) -> None:
    """Refuse groups that do not hold each column just once.

    Args:
        groups: what was given.
        names: the table's columns.
        apart: columns that need not be in a group, such as ids.
        hidden: columns that are in no code, whether a group names them or not.

    Raises:
        SettingError: a group without columns, a column that is not there (the nearest is named), is named twice, or is left
            out.
    """
    if not isinstance(groups, Mapping) or not groups:
        raise SettingError(f"groups: got {groups!r}, expected names with their columns, such as {{'person': ['age']}}.")
    _check_shape(groups, "groups:")
    seen: dict[str, str] = {}
    for group, columns in groups.items():
        for name in columns:
            if name not in names:
                raise SettingError(
                    f"groups: {group!r} names a column {name!r} that is not there{nearest(name, names)}."
                )
            if name in seen:
                where = f"twice in {group!r}" if seen[name] == group else f"in {seen[name]!r} and in {group!r}"
                raise SettingError(f"groups: the column {name!r} is named {where}, expected once.")
            seen[name] = group
    left = [name for name in names if name not in seen and name not in apart and name not in hidden]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise SettingError(
            f"groups: the column {left[0]!r}{more} is in no group, expected each column in one; add it to a group, drop it "
            "from the table, or name it as the target."
        )


def _check_shape(groups: Mapping[Any, Any], what: str) -> None:
    for group, columns in groups.items():
        if not isinstance(group, str) or not group:
            raise SettingError(f"{what} {group!r}: expected a name in letters.")
        if not isinstance(columns, list | tuple) or not columns or not all(isinstance(name, str) for name in columns):
            raise SettingError(f"{what} {group!r} is {columns!r}, expected a list of at least one column name.")
