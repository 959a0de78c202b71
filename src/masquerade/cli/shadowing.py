"""How `evaluate --attacks thorough` refits a generator: by the settings of a saved model, or by a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from masquerade.errors import SettingError
from masquerade.interrupts import whole
from masquerade.privacy.budget import Privacy
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Schema

__all__ = ["refitting"]


def refitting(
    using: Path | None,
    model: str | None,
    schema: Schema | None,
    *,
    unit: str | None,
    ledger: Ledger | None,
    protect: int,
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Rows → as many rows of a model fitted afresh to them.

    Args:
        using: a saved model, whose settings are taken; or None.
        model: the name of one, taken with its defaults, the threshold of protection and, where the ledger claims one, the
            guarantee; or None.
        schema: what each column is; None: each refit infers it from the rows that it is given.
        unit: the column that says whose row it is.
        ledger: of the release that is judged.
        protect: how many rows must share a value for it to be shown.

    Raises:
        SettingError: there is no such model, the file holds something that does not make new rows, or the model cannot keep the
            guarantee that the ledger claims.
    """
    made, settings = _settings(using, model, unit, ledger, protect)

    def refit(rows: pl.DataFrame) -> pl.DataFrame:
        released: pl.DataFrame = whole(made(**settings).fit(rows, schema=schema)).sample(rows.height)
        return released

    return refit


def _settings(
    using: Path | None, model: str | None, unit: str | None, ledger: Ledger | None, protect: int
) -> tuple[Any, dict[str, Any]]:
    if using is not None:
        from masquerade.cli.sealed import secret_of
        from masquerade.loading import load
        from masquerade.synthesize.base import Synthesizer

        saved = load(using, secret=secret_of(using))
        if not isinstance(saved, Synthesizer):
            raise SettingError(
                f"--using: {using} holds a {type(saved).__name__}, expected a model that makes new rows: the attack asks who "
                "was in the table, and of changed records everybody knows."
            )
        kept = saved.get_params(deep=False)
        kept |= {name: None for name in ("random_state", "checkpoint", "start_from") if name in kept}
        return type(saved), kept | {"callbacks": (), "verbose": False}
    from masquerade.cli.models import synthesizer

    assert model is not None, "one of both is given"
    chosen = synthesizer(model)
    defaults = chosen._defaults()
    settings: dict[str, Any] = {"protect": protect} if "protect" in defaults else {}
    if "unit" in defaults:
        settings["unit"] = unit
    if ledger is not None and ledger.epsilon is not None:
        if chosen.spends is None:
            raise SettingError(
                f"--model {model}: cannot keep the guarantee that the release claims; name the model it is from."
            )
        settings["privacy"] = Privacy.from_dict({"epsilon": ledger.epsilon, "delta": ledger.delta, "i_know": True})
        settings.pop("protect", None)
    return chosen, settings
