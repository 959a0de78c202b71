"""The command line: thin, one module a command, no arithmetic.

Only light imports here: Ctrl-C must answer from the first moment, and `--help` must be quick.
"""

from __future__ import annotations

from masquerade.cli.boundary import main, run

__all__ = ["main", "run"]
