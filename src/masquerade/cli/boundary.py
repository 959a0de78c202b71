"""Where the program meets the shell: one clear line for every error and warning, and the exit code.

Exit codes: 0 done, 2 bad input or usage, 3 a policy gate was not met, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from masquerade.cli.interrupt import INTERRUPTED, watched
from masquerade.errors import MasqueradeError, MasqueradeWarning

__all__ = ["Session", "main", "run", "say", "session", "tell"]

BAD_INPUT = 2


@dataclass
class Session:
    """What holds for one run of the program.

    Args:
        quiet: whether warnings, progress and results stay off the screen.
        debug: whether an error shows its traceback.
        warned: the warnings shown so far; each is shown once.
        interrupted: whether the command has already told that it was interrupted.
        password_file: the file with the password that seals and opens files; None: not given.
        seal_key_file: likewise with a key.
        plain: whether released tables stay plain all the same.
        kept: a sentence on what was written and stays when the command is interrupted from here on.
    """

    quiet: bool = False
    debug: bool = False
    warned: set[str] = field(default_factory=set)
    interrupted: bool = False
    password_file: Path | None = None
    seal_key_file: Path | None = None
    plain: bool = False
    kept: str = "nothing was written."


session = Session()


def main() -> NoReturn:
    """The program `masquerade`."""
    code = run(sys.argv[1:])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(
        code
    )  # a thread that compiles can neither be joined nor outlive the interpreter: that would end in an abort


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code.

    >>> run(["inspect", "missing.csv"])
    2
    """
    vars(session).update(vars(Session(debug=os.environ.get("MASQUERADE_DEBUG", "") not in ("", "0"))))
    try:
        with watched(), _warnings_in_one_line():
            code = _dispatch(arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED and not session.interrupted:
        say("interrupted", session.kept)
    return code


def _dispatch(arguments: Sequence[str]) -> int:
    import typer

    from masquerade.cli.app import command

    try:
        result = command().main(args=list(arguments), prog_name="masquerade", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except MasqueradeError as error:
        return _failed(str(error), error.exit_code)
    except MemoryError:
        return _failed("out of memory; give fewer rows or columns, or a machine with more.", BAD_INPUT)
    except OSError as error:
        return _failed(f"{error.filename or 'input or output'}: {error.strerror or error}.", BAD_INPUT)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user unasked
        if hasattr(error, "format_message"):  # a usage error, whichever Click this Typer brings
            return _failed(_usage_message(error, error.format_message()), BAD_INPUT)
        text = f"unexpected {type(error).__name__}: {error}"
        return _failed(f"{text[:300]} (this is a fault in Masquerade; --debug shows where)", BAD_INPUT)
    return result if isinstance(result, int) else 0


def _usage_message(error: Exception, text: str) -> str:
    context = getattr(error, "ctx", None)
    path = "masquerade" if context is None else context.command_path
    return f"{text} (see {path} --help)"


def _failed(message: str, code: int) -> int:
    if session.debug:
        traceback.print_exc()
    say("error", message)
    return code


def say(word: str, message: str) -> None:
    """One line on standard error: `word: message`."""
    from rich.console import Console
    from rich.text import Text

    styles = {"error": "bold red", "warning": "yellow", "interrupted": "bold yellow"}
    line = Text.assemble((f"{word}:", styles.get(word, "")), " ", " ".join(message.split()))
    Console(stderr=True, soft_wrap=True, highlight=False).print(line)


def tell(message: object) -> None:
    """A result on standard output, unless `--quiet`."""
    from rich.console import Console

    if not session.quiet:
        Console(highlight=False, soft_wrap=isinstance(message, str)).print(message, markup=False)


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Masquerade's own warnings become one line each, once each; those of libraries are for developers."""

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        text = str(message)
        if session.quiet or text in session.warned:
            return
        session.warned.add(text)
        say("warning", text)

    with warnings.catch_warnings():
        if not session.debug:
            warnings.simplefilter("ignore")
        warnings.simplefilter("always", MasqueradeWarning)
        warnings.showwarning = show
        yield
