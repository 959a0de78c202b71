"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from masquerade.errors import FileError

__all__ = ["atomic_path", "check_writable", "one_line"]


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder, which takes the place of `path` when the block ends well.

    If the block fails, the temporary file is removed and whatever was at `path` stays as it was. Missing folders are
    made.

    Args:
        path: where the file shall be.

    Yields:
        The path to write to; it keeps the ending of `path`.

    Raises:
        FileError: it cannot be written (no right to, a full disk, a folder of that name).

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    target = Path(path)
    target = target.resolve() if target.is_symlink() else target
    temporary = target.with_name(f".{secrets.token_hex(6)}.{target.name}")
    try:
        _refuse_folder(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({_reason(error)}).") from error
    except pl.exceptions.PolarsError as error:
        raise FileError(f"{path}: cannot be written ({one_line(error)}).") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_writable(path: str | Path, *, endings: Sequence[str] | None = None) -> None:
    """Refuse an output path before any long work is done.

    Args:
        path: where a file shall be written later.
        endings: the endings that are known, such as `[".csv"]`; None: any.

    Raises:
        FileError: the ending is unknown, there is a folder of this name, or its folder cannot be written to or made.
    """
    target = Path(path)
    if endings is not None and not target.name.lower().endswith(tuple(endings)):
        raise FileError(f"{path}: the ending {target.suffix!r} is unknown, expected one of {', '.join(endings)}.")
    try:
        _refuse_folder(target)
        folder = target.absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise FileError(f"{path}: cannot be written, {folder} is not a folder.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FileError(f"{path}: cannot be written, no right to write in the folder {folder}.")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({_reason(error)}).") from error


def _refuse_folder(target: Path) -> None:
    if target.is_dir():
        raise FileError(f"{target}: cannot be written, it is a folder; give the name of a file.")


def one_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _reason(error: OSError) -> str:
    return error.strerror or one_line(error)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last through a power cut, where the system allows it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
