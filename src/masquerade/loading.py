"""`mq.load`: a fitted model from a `.mq` file, whatever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from masquerade import artifact
from masquerade.errors import ArtifactError
from masquerade.release import picture_releases, releases
from masquerade.secret import Secret
from masquerade.synthesize import image_synthesizers, synthesizers

__all__ = ["load"]


def load(path: str | Path, *, generator: Any = None, discriminator: Any = None, secret: Secret | None = None) -> Any:
    """A fitted model from a `.mq` file. Loading never runs code from the file.

    Args:
        path: the file.
        generator: the net factory, where a GAN was fitted with one of the user's own.
        discriminator: likewise.
        secret: what the file was sealed with (`save(path, secret=...)`); None: it is not sealed.

    Returns:
        The fitted synthesizer or release.

    Raises:
        ArtifactError: the file is damaged, made by a newer version, or not a model; or it is sealed and the secret is wrong or
            missing, or not sealed and a secret was given.
    """
    part = artifact.read(path, secret=secret)
    with_nets = [*synthesizers().values(), *image_synthesizers().values(), *picture_releases().values()]
    made: dict[str, Any] = {cls.__name__: cls for cls in with_nets}
    kept = {cls.__name__: cls for cls in releases().values()}
    if part.kind not in made and part.kind not in kept:
        expected = ", ".join(sorted([*made, *kept]))
        raise ArtifactError(f"{path}: holds a {part.kind[:80]!r}, expected one of {expected}.")
    with artifact.doubted(path, loading=True):
        if part.kind in made:
            model: Any = made[part.kind]._load(part, generator=generator, discriminator=discriminator)
        else:
            model = kept[part.kind]._load(part)
    model._file = str(path)
    return model
