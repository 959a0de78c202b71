"""`masquerade inspect` on a picture set."""

from __future__ import annotations

import json
from pathlib import Path

from masquerade.atomic import atomic_path
from masquerade.cli.boundary import tell
from masquerade.cli.checks import check_outputs
from masquerade.cli.refusing import refuse_for_pictures
from masquerade.errors import FileError
from masquerade.picture_files import open_source, write_sheet
from masquerade.picturing.facts import survey
from masquerade.picturing.overview import overview

__all__ = ["inspect_pictures"]

ENDINGS = (".png", ".json")
_COLUMNS = 10


def inspect_pictures(data: Path, output: Path | None, *, protect: int, schema: Path | None, unit: str | None) -> None:
    """Show what is in a picture set, and write a contact sheet or the facts.

    Raises:
        FileError: it cannot be read, or no picture of it can; or the output cannot be written.
        SettingError: an option that is for tables.
    """
    refuse_for_pictures(data, {"--schema": schema, "--unit": unit})
    check_outputs([("--output", output, ENDINGS)], [data])
    facts = survey(open_source(data))
    if facts.count == 0:
        name, reason = facts.first_bad[0]
        raise FileError(f"{data}: none of {facts.bad:,} pictures can be read, first {name} ({reason}).")
    tell(overview(facts, protect=protect))
    if output is None:
        return
    if output.suffix.lower() == ".png" and facts.shown is not None:
        write_sheet(output, facts.shown, _COLUMNS)
        tell(f"Wrote {output}: it shows {len(facts.shown):,} of the pictures themselves")
    else:
        with atomic_path(output) as temporary:
            temporary.write_text(json.dumps(facts.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        tell(f"Wrote {output}")
