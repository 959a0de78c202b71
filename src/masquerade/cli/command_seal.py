"""`masquerade seal` and `masquerade unseal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import Debug, PasswordFile, Quiet, SealKeyFile, examples

if TYPE_CHECKING:
    from masquerade.secret import Secret

EXAMPLES = examples(
    "masquerade seal people.csv -o safe/people.csv --password-file password.txt",
    "masquerade seal model.mq -o safe/model.mq --seal-key-file secret.key",
)
UNSEALING = examples("masquerade unseal out.csv -o plain/out.csv --password-file password.txt")

File = Annotated[Path, typer.Argument(metavar="FILE", help="Any file.")]
Sealed = Annotated[Path, typer.Argument(metavar="FILE", help="A sealed file.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to.")]


def seal(
    file: File,
    output: Output,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Seal (encrypt) a file of any size with a password or a key.

    Every command then reads it as it is, given the same secret. The plain FILE
    stays; keep OUT's ending, which tells the format. A lost secret is lost.
    """
    from masquerade import sealing
    from masquerade.errors import FileError
    from masquerade.files import atomic_path

    secret = _checked(file, output)
    if sealing.is_sealed(file):
        raise FileError(f"{file}: it is sealed already.")
    with atomic_path(output) as temporary, file.open("rb") as source, temporary.open("wb") as target:
        sealing.seal(source, target, secret)
    tell(f"Wrote {output}, sealed; {file} is still there")


def unseal(
    file: Sealed,
    output: Output,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Open a sealed file of any size, and write it plain."""
    from masquerade import sealing
    from masquerade.errors import FileError
    from masquerade.files import atomic_path

    secret = _checked(file, output)
    if not sealing.is_sealed(file):
        raise FileError(f"{file}: it is not sealed.")
    with atomic_path(output) as temporary, file.open("rb") as source, temporary.open("wb") as target:
        sealing.unseal(source, target, secret, name=file)
    tell(f"Wrote {output}, plain")


def _checked(file: Path, output: Path) -> Secret:
    """The secret, once there is the file and the output can be written."""
    from masquerade.cli import checks, sealed
    from masquerade.errors import FileError, SettingError

    if not file.is_file():
        raise FileError(f"{file}: there is no such file.")
    checks.check_outputs([("--output", output, checks.SEALED)], [file])
    secret = sealed.secret_of_model()
    if secret is None:
        raise SettingError("--password-file: no secret is given, expected --password-file F or --seal-key-file F.")
    return secret
