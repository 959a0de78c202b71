"""What a release of pictures measured of itself when it was fitted, as parts of the report's page."""

from __future__ import annotations

from collections.abc import Mapping

from masquerade.judge.panels import Panel, Rows

__all__ = ["fills_panel", "readers_panel"]


def fills_panel(audit: Mapping[str, float]) -> Panel | None:
    """How far fills are from what they hide; None: nothing was learned.

    >>> fills_panel({"error": 48.5, "error_if_seen": 49.1, "spread": 39.6}).table.rows[0]
    ('a fill and the truth', '48.5')
    """
    if not audit:
        return None
    rows = (
        ("a fill and the truth", "error"),
        ("a fill by a net that had seen the picture, and the truth", "error_if_seen"),
        ("two fills of one picture", "spread"),
    )
    return Panel(
        "Fills",
        "How far hidden pixels are apart on average, of 255 grey levels. Every picture is filled by a net that never saw it; "
        "nets that learned pictures by heart would be much nearer to those they had seen. Fills that vary say that nobody "
        "can be sure of what was hidden.",
        table=Rows(("between", "grey levels"), tuple((title, f"{audit[name]:.1f}") for title, name in rows)),
    )


def readers_panel(audit: Mapping[str, float], hide: str, keep: str | None) -> Panel | None:
    """What fresh attackers still read of the secret, and others of the kept label; None: it was not measured.

    >>> audit = {"secret_before": 0.99, "secret_after": 0.53, "secret_guess": 0.51}
    >>> readers_panel(audit, "parity", None).table.rows
    (('parity (hidden)', '99%', '53%', '51%'),)
    """
    if not audit:
        return None
    rows = [(f"{hide} (hidden)", *(f"{audit[f'secret_{name}']:.0%}" for name in ("before", "after", "guess")))]
    if keep is not None:
        rows.append((f"{keep} (kept)", *(f"{audit[f'keep_{name}']:.0%}" for name in ("before", "after", "guess"))))
    return Panel(
        "What can still be read",
        "How often a net is right on pictures that nothing was learned from: on the real ones, on released ones by a fresh "
        "net that learned from released ones, and by guessing from what is known without the picture. A secret is hidden "
        "where the released figure is near to guessing.",
        table=Rows(("label", "real pictures", "released", "guessing"), tuple(rows)),
    )
