"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from masquerade.atomic import one_line
from masquerade.errors import FileError

__all__ = ["atomic_folder"]


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`, which takes its place, and that of a folder there, when the block ends well.

    If the block fails, the temporary folder is removed and whatever was at `path` stays as it was.

    Raises:
        FileError: it cannot be written, or there is a file of that name.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "set"
    >>> with atomic_folder(target) as temporary:
    ...     _ = (temporary / "note.txt").write_text("whole")
    >>> (target / "note.txt").read_text()
    'whole'
    """
    target = path.resolve()
    mark = secrets.token_hex(6)
    temporary, old = (target.with_name(f".{mark}.{word}.{target.name}") for word in ("new", "old"))
    if target.exists() and not target.is_dir():
        raise FileError(f"{path}: cannot be written, there is a file of this name; give another one.")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if not target.exists():
            temporary.rename(target)
            return
        target.rename(old)
        try:
            temporary.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise FileError(
            f"{path}: cannot be written ({os.strerror(error.errno) if error.errno else one_line(error)})."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
