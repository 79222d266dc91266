"""Small pictures of one number for a README: label left, value right, drawn without fonts of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from deploys.domain.wording import UNKNOWN, percent, percent_up, rate
from reliability.domain.verdicts import headline, left_ratio

Printed = dict[str, Any]  # Any: a part of the printed report
#: Ground of the right half: words say it as well, colour only repeats them.
_COLOURS = {"ok": "#2f6f4f", "bad": "#b3261e", "plain": "#4a4346"}
_LETTER, _PAD = 6.6, 8


@dataclass(frozen=True, slots=True)
class Badge:
    """A label, a value in words, and whether it is good (ok), bad, or not to be judged (plain)."""

    label: str
    value: str
    is_: str = "plain"


def uptime_badge(part: Printed) -> Badge:
    """Availability of 28 days."""
    up = part["availability"]
    return Badge("uptime 28 d", percent_up(up["downtime_seconds"], up["observed_seconds"]))


def failures_badge(part: Printed) -> Badge:
    """Failed of deployed in 28 days, with the counts: a rate alone would say more than is known."""
    failure = part["change_failure"]
    failed, deploys = failure["failed_count"], failure["deploys_count"]
    return Badge("failed changes 28 d", f"{rate(failed, deploys)} ({failed} of {deploys})" if deploys else UNKNOWN)


def budget_badge(objectives: list[Printed]) -> Badge:
    """What is left of the tightest budget; of the whole before those of services."""
    chosen = headline(objectives)
    if chosen is None:
        return Badge("error budget", "not set" if not objectives else UNKNOWN)
    left = left_ratio(chosen)
    name = f"error budget {chosen['service']}".strip() if chosen["service"] else "error budget"
    return Badge(name, "overspent" if left < 0 else f"{percent(left, 0)} left", "bad" if left < 0 else "ok")


def badge_svg(badge: Badge) -> str:
    """The picture, with its words as title. Fonts differ between readers: texts are stretched to their boxes."""
    left, right = _width(badge.label), _width(badge.value)
    label, value, whole = escape(badge.label), escape(badge.value), left + right
    words = escape(f"{badge.label}: {badge.value}", {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:g}" height="20" role="img" aria-label="{words}"><title>{words}</title>'
        f'<rect width="{left:g}" height="20" fill="#241d20"/><rect x="{left:g}" width="{right:g}" height="20" fill="{_COLOURS[badge.is_]}"/>'
        '<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14" textLength="{left - 2 * _PAD:g}">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14" textLength="{right - 2 * _PAD:g}">{value}</text></g></svg>'
    )


def _width(text: str) -> float:
    return round(len(text) * _LETTER + 2 * _PAD, 1)
