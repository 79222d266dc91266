"""What the templates of a report read: the page, the shared link and the PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reliability.addresses import Links
from reliability.charts.report import (
    WORD_STATES,
    Basis,
    Shown,
    days_in_words,
    numbers_urls,
    period_name,
    shown_report,
)
from reliability.charts.report_figures import report_figures
from reliability.domain.history import IMPACT_CLASSES

Context = dict[str, Any]  # what a template reads
Printed = Mapping[str, Any]  # Any: a part of the printed report


def report_context(basis: Basis, links: Links) -> Context:
    """Everything but what is known of missing data."""
    period, printed = basis.period, basis.printed
    shown = shown_report(basis=basis, links=links)
    figures = report_figures(shown)
    return {
        "label": period.label, "kind": str(period.kind), "window": basis.window, "zone": period.zone.key, "days": days_in_words(basis.window, period.zone),
        "name": period_name(period), "team": basis.team, "now": basis.now, "as_of": basis.as_of, "is_running": basis.is_running, "snapshots": basis.snapshots,
        "word": shown.word.value, "word_is": WORD_STATES[shown.word], "parts": shown.parts, "tiles": shown.tiles,
        "strip": figures.get("strip"), "strip_left_out": shown.telling.strip_left_out,
        "broken": [shown.row(each) for each in shown.severe], "folded": [shown.row(each) for each in shown.folded],
        "undecided": [shown.row(each) for each in shown.undecided], "figures": figures, "objectives": shown.objectives,
        "moved": shown.moved, "recoveries": shown.recoveries, "ahead": shown.telling.ahead, "promised": shown.telling.promised, "printed": printed, "total": printed["total"],
        "failed": [{"deploy": each, "url": links.deploy(each.change_id)} for each in shown.telling.failed],
        "owed": _owed(shown, links), "is_stored": basis.is_told,
        "issue_rates": _issue_rates(printed["total"]["issues"]), "flags": printed["flags"], "stale": shown.stale, "flag_news": shown.flag_news, "cleanup_url": links.page("flag-cleanup"), "window_part": printed["window"],
        "behind": {name.replace("-", "_"): url for name, url in numbers_urls(basis, links).items()},
    }  # fmt: skip


def _owed(shown: Shown, links: Links) -> Context:
    """The promises that are overdue and the incidents nobody has written about, with where they lead."""
    return {
        "items": [(item, links.page("action-item", item.public_id)) for item in shown.telling.promised.overdue],
        "unwritten": [
            (each, links.page("incident-retrospective", each.number)) for each in shown.telling.promised.unwritten
        ],
    }


def _issue_rates(issues: Printed) -> list[tuple[str, str]]:
    """Issues per 100 deploys by class, in words."""
    if not issues["deploys_count"]:
        return []
    return [
        (name.replace("_", "-"), f"{100 * issues[f'{name}_per_deploy_ratio']:.0f}")
        for name in IMPACT_CLASSES if issues[f"{name}_count"]
    ] or [("of any class", "0")]  # fmt: skip
