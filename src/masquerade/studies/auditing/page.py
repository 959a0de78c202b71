"""An audit as one small page that needs nothing from outside."""

from __future__ import annotations

import html

from masquerade.studies.auditing.whole import Audit

__all__ = ["page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1b1f24; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d8dee4 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: #b42318; font-weight: 600 }
.note { color: #57606a }
@media (prefers-color-scheme: dark) { body { background: #14171a; color: #e6e8ea } th, td { border-color: #3a4046 }
.note { color: #9aa4ae } .bad { color: #ff8a80 } }
"""


def page(audit: Audit) -> str:
    """The page as HTML."""
    rows = []
    for found in audit.findings:
        verdict = '<span class="bad">above the claim</span>' if found.disproved else "within the claim"
        wrong = f"{found.fpr:.1%}" + ("" if found.fnr != found.fnr else f" / {found.fnr:.1%}")
        cells = [f"{found.bound:.3f}", f"{found.epsilon:.3f}", f"{found.plain:.3f}", f"{found.judged:,}", wrong]
        rows.append(
            f"<tr><td>{html.escape(found.mechanism)}</td>"
            + "".join(f'<td class="n">{cell}</td>' for cell in cells)
            + f"<td>{verdict}</td></tr>"
        )
    head = ["mechanism", "ε at least", "ε claimed", "whatever the noise", "runs judged", "wrong without / with", ""]
    said = (
        '<span class="bad">A claim does not hold.</span>'
        if audit.disproved
        else "No claim was contradicted. That is no proof: an audit shows what it found, and another attacker may find more."
    )
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Audit of {html.escape(audit.model)}</title>'
        f"<style>{_STYLE}</style><h1>Audit of {html.escape(audit.model)}</h1><p>{html.escape(audit.ledger.sentence())}</p>"
        f"<p>{said}</p><table><thead><tr>"
        + "".join(f'<th class="{"n" if 0 < i < 6 else ""}">{name}</th>' for i, name in enumerate(head))
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f'<p class="note">All bounds hold at once with {100 * audit.confidence:.10g} % confidence. A canary was planted in '
        "some runs and not in others; how often an attacker was wrong about it says which ε is needed at least. The first "
        "bound takes the noise for what the ledger says it is, of unknown scale; the one whatever the noise assumes "
        "nothing.</p></html>"
    )
