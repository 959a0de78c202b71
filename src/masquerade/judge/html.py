"""The report as one page: facts and scores in, self-contained HTML out.

The page fetches nothing. Plotly's script travels inside it, gzipped, and is unpacked by the browser; charts are drawn
when they come into view, and all of them before printing.
"""

from __future__ import annotations

import base64
import functools
import gzip
import html
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

import masquerade
from masquerade.judge import (
    panel_plots,
    plots,
    relation_plots,
    words_of_attacks,
    words_of_guarantee,
    words_of_isolation,
    words_of_people,
    words_of_report,
)
from masquerade.judge.panels import Panel
from masquerade.judge.reading import fidelity_headline, privacy_headline

__all__ = ["card", "page", "page_of_panels"]


def page(report: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The whole report as HTML that works offline.

    Args:
        report: as from `Report.to_dict`.
        facts: as from `masquerade.judge.describe.facts`, perhaps with `distances`; may be empty.

    Raises:
        RuntimeError: where the installed Plotly carries no script of its own.

    >>> page({"scores": {}}, {}).startswith("<!DOCTYPE html>")
    True
    """
    figures, columns = _figures(facts)
    figures |= _of_attacks(report, facts)
    return _rendered(
        "report.html",
        figures,
        **words_of_report.tables(report, facts, columns),
        privacy=words_of_guarantee.told(report, facts),
    )


def page_of_panels(title: str, lede: str, cautions: Sequence[str], panels: Sequence[Panel]) -> str:
    """A page of a few panels alone, which works offline as the report does.

    Args:
        title: its heading.
        lede: one sentence below it.
        cautions: what the reader must know first.
        panels: what it shows.
    """
    told = [panel.to_dict() for panel in panels]
    shown = words_of_attacks.panels(told)
    return _rendered("panels.html", _of_panels(told), title=title, lede=lede, cautions=cautions, panels=shown)


def _rendered(template: str, figures: Mapping[str, Any], **words: Any) -> str:
    return (
        _templates()
        .get_template(template)
        .render(
            **words,
            charts=figures,
            figures=_script_safe(json.dumps(figures, ensure_ascii=False, allow_nan=False, separators=(",", ":"))),
            plotly=Markup(_plotly()),
            css=Markup(_text("report.css")),
            script=Markup(_text("report.js")),
            version=masquerade.__version__,
        )
        .lstrip()
    )


def card(report: Mapping[str, Any]) -> str:
    """A few lines of HTML for notebooks: the two headline figures.

    Args:
        report: as from `Report.to_dict`.
    """
    blocks = [
        f'<div style="flex:1;min-width:16em"><div style="opacity:.65;font-size:85%">{html.escape(headline.title)}</div>'
        f'<div style="font-size:190%;font-weight:600">{html.escape(headline.figure)}</div>'
        f"<div>{html.escape(headline.sentence)}</div></div>"
        for headline in (fidelity_headline(report["scores"]), privacy_headline(report["scores"]))
    ]
    guaranteed = html.escape(words_of_report.guaranteed(report.get("ledger") or {})[0])
    return (
        '<div style="border:1px solid #8888;border-radius:8px;padding:.8em 1em;max-width:52em">'
        f'<div style="display:flex;gap:2em;flex-wrap:wrap">{"".join(blocks)}</div>'
        f'<div style="margin-top:.7em;opacity:.8">{guaranteed}</div></div>'
    )


def _figures(facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Every figure by its id, and for each column the ids of its own."""
    figures: dict[str, Any] = {}
    columns: dict[str, dict[str, str]] = {}
    for place, (name, column) in enumerate((facts.get("columns") or {}).items()):
        drawn = {"chart": plots.distribution(column), "cumulative": plots.cumulative(column)}
        columns[name] = {part: f"{part}-{place}" for part, figure in drawn.items() if figure is not None}
        figures |= {f"{part}-{place}": figure for part, figure in drawn.items() if figure is not None}
    if facts.get("distances"):
        figures["distances"] = relation_plots.distances(facts["distances"])
    if facts.get("association"):
        for part in ("real", "released", "difference"):
            figures[f"association-{part}"] = relation_plots.association(facts["association"], part)
    if facts.get("dependencies"):
        figures["dependencies"] = relation_plots.drawn_from(facts["dependencies"])
    if facts.get("cloud"):
        figures |= {f"cloud-{side}": relation_plots.cloud(facts["cloud"], side) for side in ("real", "released")}
    if facts.get("logs"):
        figures |= {f"logs-{part}": relation_plots.logs(facts["logs"], part) for part in ("mean", "std")}
    return figures, columns


def _of_attacks(report: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of attacks and of the release's own panels, by their ids."""
    attacks = report.get("attacks") or {}
    secrets = attacks.get("attribute") or {}
    drawn = {
        f"secret-chart-{i}": panel_plots.dots(**words_of_attacks.dotted(told))
        for i, told in enumerate(secrets.values())
    }
    if attacks.get("membership"):
        drawn["membership-chart"] = panel_plots.dots(**words_of_people.dotted(attacks["membership"]))
    if attacks.get("isolation"):
        drawn["isolation-chart"] = panel_plots.dots(**words_of_isolation.dotted(attacks["isolation"]))
    return drawn | _of_panels(facts.get("panels") or []) | _of_panels(facts.get("what_if") or [], "what-if")


def _of_panels(panels: Sequence[Mapping[str, Any]], prefix: str = "panel") -> dict[str, Any]:
    """The figures of panels by their ids."""
    return {
        f"{prefix}-chart-{place}": panel_plots.panel(panel["chart"])
        for place, panel in enumerate(panels)
        if panel.get("chart")
    }


def _script_safe(text: str) -> Markup:
    """JSON that cannot end the script element it stands in, or be read as anything else."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


@functools.cache
def _plotly() -> str:
    """Plotly's script, gzipped, in base64."""
    source = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    if not source.is_file():
        raise RuntimeError("the installed plotly carries no plotly.min.js, expected plotly 6 or newer.")
    return base64.b64encode(gzip.compress(source.read_bytes(), 6, mtime=0)).decode("ascii")


def _text(name: str) -> str:
    return (importlib.resources.files("masquerade.judge") / "templates" / name).read_text(encoding="utf-8")


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("masquerade.judge", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
