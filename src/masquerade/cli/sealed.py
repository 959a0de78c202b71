"""The secret of one run: it opens the sealed files that are read, and seals what is written.

Two options name it everywhere, `--password-file` and `--seal-key-file`; only the file's name is ever an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from masquerade import files
from masquerade.cli.boundary import session
from masquerade.errors import SettingError
from masquerade.sealing import is_sealed
from masquerade.secret import Secret

__all__ = ["check_secret", "forget", "read_table", "secret_files", "secret_of", "secret_of_model", "secret_of_output"]


def secret_files() -> list[Path]:
    """The files that hold the secret of this run: inputs, which nothing may overwrite."""
    return [path for path in (session.password_file, session.seal_key_file) if path is not None]


def forget() -> None:
    """No secret is given from here on, until the next options."""
    session.password_file, session.seal_key_file, session.plain = None, None, False


def secret_of_model() -> Secret | None:
    """What seals models that are saved; None: no secret was given.

    Raises:
        FileError: the file with the secret cannot be read, or what it holds is too short.
        SettingError: two secrets were given.
    """
    if session.password_file is not None and session.seal_key_file is not None:
        raise SettingError("--password-file, --seal-key-file: a run has one secret, give one of them.")
    if session.password_file is not None:
        return Secret.from_password_file(session.password_file)
    return None if session.seal_key_file is None else Secret.from_key_file(session.seal_key_file)


def secret_of_output() -> Secret | None:
    """What seals released tables; None: they stay plain."""
    return None if session.plain else secret_of_model()


def secret_of(path: Path) -> Secret | None:
    """What opens this file; None where it is not sealed, or no secret was given."""
    return secret_of_model() if is_sealed(path) else None


def read_table(path: Path) -> pl.DataFrame:
    """A table, plain or sealed, as `files.read_table`."""
    return files.read_table(path, secret=secret_of(path))


def check_secret(*, writes_table: bool, writes_model: bool, inputs: Iterable[Path | None]) -> None:
    """Refuse, before any work, a secret that does not serve, that would have no effect, or `--plain` without one.

    Args:
        writes_table: whether a released table is written.
        writes_model: whether a model is written.
        inputs: what is read; a file that is not there yet may come to be sealed.
    """
    secret = secret_of_model()
    if secret is None:
        if session.plain:
            raise SettingError("--plain: nothing is sealed without --password-file or --seal-key-file, leave it out.")
        return
    if writes_model or (writes_table and not session.plain):
        return
    if not any(path is not None and (is_sealed(path) or not path.exists()) for path in inputs):
        option = "--password-file" if session.password_file is not None else "--seal-key-file"
        raise SettingError(
            f"{option}: nothing that is read is sealed, and nothing that is written would be; leave it out."
        )
