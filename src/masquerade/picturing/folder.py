"""A folder of pictures, a class by sub-folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from masquerade.errors import FileError, MasqueradeWarning
from masquerade.pictures import LABEL
from masquerade.picturing.decoding import ENDINGS
from masquerade.picturing.labelling import from_texts, of_files, with_class_first
from masquerade.picturing.source import Source

__all__ = ["LABELS_FILE", "open_folder"]

LABELS_FILE = "labels.csv"
"""The file in a folder of pictures that says their labels and order."""
_NOISE = ("thumbs.db", "desktop.ini", "__macosx")


def open_folder(path: Path, labels: Path | None, *, search: bool = True) -> Source:
    """A folder with pictures in class sub-folders, or with pictures alone.

    Args:
        path: the folder.
        labels: a table with a column `file`; it also orders the pictures, and a column `label` goes before the names of the
            sub-folders. None: `labels.csv` in the folder, or else FOLDER.csv or `labels.csv` beside it, where there is one.
        search: False: look for no such table.

    Raises:
        FileError: no pictures in it, or pictures beside class folders.
        TableError: the table of labels does not match the pictures.
    """
    alone, classes, remarks = _found_in(path)
    if labels is None and search:
        beside = path.resolve()
        candidates = (path / LABELS_FILE, beside.with_name(f"{beside.name}.csv"), beside.with_name(LABELS_FILE))
        labels = next((candidate for candidate in candidates if candidate.is_file()), None)
    if alone and classes and labels is None:
        raise FileError(
            f"{path}: pictures lie beside the class folders ({len(alone):,}, first {alone[0]}); put each into the folder of "
            f"its class, or name them in {LABELS_FILE}."
        )
    files = [*alone, *(name for names in classes.values() for name in names)]
    if not files:
        raise FileError(f"{path}: {_why_empty(path)}")
    for remark in remarks:
        warnings.warn(f"{path}: {remark}", MasqueradeWarning, stacklevel=4)
    found: dict[str, NDArray[Any]] = {}
    if labels is not None:
        files, found = of_files(labels, files, path)
    if classes and not alone and LABEL not in found:
        found[LABEL] = from_texts([name.split("/")[0] for name in files])

    def encoded() -> Iterator[tuple[str, Path | bytes]]:
        for name in files:
            yield name, path / name

    return Source(path, len(files), with_class_first(found), tuple(files), encoded=encoded)


def _found_in(path: Path) -> tuple[list[str], dict[str, list[str]], list[str]]:
    """The pictures right in a folder, those of each sub-folder that has any (sorted names), and what is left out."""
    alone, classes, remarks = [], {}, []
    for entry in _entries(path):
        if not entry.is_dir():
            alone += [entry.name] if _is_picture(entry) else []
            continue
        inside = [file for file in _entries(entry) if not file.is_dir()]
        names = [f"{entry.name}/{file.name}" for file in inside if _is_picture(file)]
        if names:
            classes[entry.name] = names
            others = [file.name for file in inside if not _is_picture(file)]
            if others:
                remarks.append(
                    f"files in {entry.name} that are no pictures by their ending are left out ({len(others):,})."
                )
        elif not any(file.is_dir() for file in _entries(entry)):
            remarks.append(f"there is no picture in the folder {entry.name}; it is left out.")
    return alone, classes, remarks


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS


def _entries(path: Path) -> list[Path]:
    """What lies in a folder, without hidden files and those that file managers leave behind."""
    try:
        return sorted(e for e in path.iterdir() if e.name[0] != "." and e.name.lower() not in _NOISE)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from error


def _why_empty(path: Path) -> str:
    entries = _entries(path)
    for folder in (entry for entry in entries if entry.is_dir()):
        for deeper in (entry for entry in _entries(folder) if entry.is_dir()):
            if any(_is_picture(file) for file in _entries(deeper)):
                return f"its pictures lie deeper, in {folder.name}/{deeper.name}; give {folder}."
    return f"there is no picture in it nor in its sub-folders, expected {', '.join(ENDINGS)}."
