"""A report as it is shown: the same parts for the page, for a shared link and for mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from deploys.domain.instants import parse_instant
from deploys.models import Team
from reliability.addresses import Links
from reliability.charts.numbers import NAMES
from reliability.charts.telling import KEY, MOST_TOLD, Telling, first_needed, read, telling_of
from reliability.charts.tiles import (
    Compared,
    Tile,
    availability_tile,
    budget_tile,
    failures_tile,
    recovery_tile,
    self_inflicted_tile,
)
from reliability.domain.beside import beside
from reliability.domain.contract import Report, contract
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.outlook import Fate, outlook_of
from reliability.domain.periods import COMPARED, Period, PeriodKind
from reliability.domain.since_closing import moved_since
from reliability.domain.verdicts import Word, headline, left_ratio, unit_of, verdict
from reliability.models import ReportSnapshot
from reliability.queries import week as reads
from reliability.queries.flag_lines import flags_beside
from reliability.queries.knowledge import knowledge_now
from reliability.queries.reports import report_as_of, snapshots_of

Context = dict[str, Any]  # what a template reads
Printed = Mapping[str, Any]  # Any: the printed report or a part of it

#: A window that began earlier than this is computed from the whole log: its requests are not shared.
SHARED_SPAN = dt.timedelta(days=99)
WORD_STATES = {Word.MET: "ok", Word.AT_RISK: "warn", Word.MISSED: "missed", Word.NOT_JUDGED: "off"}
REASON_WORDS = {
    "fully_on": "fully on", "fully_off": "fully off", "expired": "expired", "unevaluated": "not checked any more", "unreferenced": "no code left",
}  # fmt: skip
MEANS_WORDS = {"rollback": "rollback", "roll_forward": "another deploy", "flag": "flag", "none": "no known remedy"}


@dataclass(frozen=True, slots=True)
class Basis:
    """The numbers a report is made of: those of the snapshot that stands, else as of now."""

    team: Team
    period: Period
    now: dt.datetime
    printed: Printed
    beside: Printed
    snapshots: Sequence[ReportSnapshot]
    computed: Knowledge | None = None

    @property
    def window(self) -> Interval:
        """The instants of the period."""
        return self.period.interval

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the report."""
        return self.period.zone

    @property
    def as_of(self) -> dt.datetime:
        """When the numbers were known."""
        return self.snapshots[-1].as_of_at if self.snapshots else self.now

    @property
    def is_running(self) -> bool:
        """The period has not ended."""
        return self.now < self.window.end

    @property
    def is_told(self) -> bool:
        """A closed report that has its telling stored."""
        return bool(self.snapshots) and KEY in self.beside

    @property
    def known(self) -> Knowledge:
        """What is known today, from the beginning of the longest series on. Shared between pages."""
        return self.computed or knowledge_now(team=self.team, now=self.now, since=first_needed(self.period))


def basis_of(*, team: Team, period: Period, now: dt.datetime) -> Basis:
    """Reads or computes the numbers."""
    snapshots = snapshots_of(team=team, label=period.label)
    if snapshots and snapshots[-1].beside:
        return Basis(team, period, now, snapshots[-1].result, snapshots[-1].beside, snapshots)
    known = knowledge_now(team=team, now=now, since=first_needed(period))
    printed = snapshots[-1].result if snapshots else printed_now(team, known, period)
    besides = {**_beside(known, period), **flags_beside(team, printed, now)}
    return Basis(team, period, now, printed, besides, snapshots, known)


def telling_by(basis: Basis) -> Telling:
    """What stands beside the numbers: the stored one of a closed report, else from today's rows."""
    found = read(basis.beside) if basis.snapshots else None
    return found or telling_of(
        team=basis.team, period=basis.period, known=basis.known, printed=basis.printed, now=basis.now
    )


def printed_now(team: Team, known: Knowledge, period: Period) -> Printed:
    """The printed report of a period as of now."""
    window, now = period.interval, known.history.as_of
    if window.start > now - SHARED_SPAN:
        return contract(Report(known, window, period.zone))
    return report_as_of(team=team, window=window, as_of=now)


def _beside(known: Knowledge, period: Period) -> Printed:
    return beside(known, Report(known, period.interval, period.zone).scope(None))


@dataclass(frozen=True, slots=True)
class Shown:
    """What all forms of a report tell. `chosen` is the objective the verdict speaks of.

    moved: incidents of a closed report that are known otherwise today, with what is.
    """

    basis: Basis
    links: Links
    word: Word
    parts: Sequence[Any]
    tiles: Sequence[Tile]
    telling: Telling
    undecided: Sequence[reads.Broken]
    chosen: Printed | None
    moved: Sequence[Context]

    @property
    def broken(self) -> Sequence[reads.Broken]:
        """Incidents of the period, worst first."""
        return self.telling.broken

    @property
    def severe(self) -> list[reads.Broken]:
        """Incidents told in full, worst first."""
        return [each for each in self.broken if each.is_severe][:MOST_TOLD]

    @property
    def folded(self) -> list[reads.Broken]:
        """All others."""
        told = {id(each) for each in self.severe}
        return [each for each in self.broken if id(each) not in told]

    def row(self, broken: reads.Broken) -> Context:
        """One incident, with where it leads."""
        shown = broken.confirmed or broken.suggested
        return {
            "broken": broken, "incident": broken, "url": self.links.incident(broken.number), "lasted": broken.lasted,
            "is_open": broken.restored_at is None, "services": ", ".join(broken.services),
            "cause_url": self.links.deploy(shown.change_id) if shown else "", "probability": shown.probability if shown else None,
        }  # fmt: skip

    @property
    def objectives(self) -> list[Context]:
        """Objectives, least budget left first."""
        ordered = sorted(self.basis.printed["objectives"].items(), key=lambda item: left_ratio(item[1]))
        policies = self.telling.policies
        return [objective_row(key, each, self.basis.zone, policies.get(key, "")) for key, each in ordered]

    @property
    def stale(self) -> list[Context]:
        """The stale flags to remove first."""
        flags = self.basis.printed["flags"]["stale"][:MOST_TOLD]
        lines: Mapping[str, Any] = self.flag_news.get("lines", {})
        return [
            {
                **flag,
                "why": ", ".join(REASON_WORDS.get(each, each) for each in flag["reasons"]),
                "line": _line(lines.get(flag["key"])),
            }
            for flag in flags
        ]

    @property
    def flag_news(self) -> Printed:
        """What is told of flags beside their numbers, as known when the report was made; nothing to readers without an account."""
        news: Printed = self.basis.beside.get("flags", {}) if self.links.is_open else {}
        return news

    @property
    def recoveries(self) -> list[Context]:
        """How incidents were ended, those that were at all."""
        parts: Mapping[str, Any] = self.basis.beside.get("recoveries", {})
        return [{"means": MEANS_WORDS[name], **parts[name]} for name in MEANS_WORDS if parts.get(name, {}).get("count")]

    @property
    def is_quiet(self) -> bool:
        """Nothing was deployed, nothing broke, nothing waits."""
        deploys = self.basis.printed["total"]["deploys"]["took_traffic_count"]
        return not self.broken and not deploys and not self.undecided


def _line(told: Printed | None) -> Context | None:
    """The evidence on one flag, its instants as such."""
    if told is None:
        return None
    instants = {name: parse_instant(told[name]) if told[name] else None for name in ("created_at", "since_at")}
    checked = [{**each, "at": parse_instant(each["at"]) if each["at"] else None} for each in told["checked"]]
    changed, references, ticket = told["changed"], told["references"], told.get("ticket")
    return {
        **told, **instants, "checked": checked,
        "changed": {**changed, "at": parse_instant(changed["at"])} if changed else None,
        "ticket": {**ticket, "since_at": parse_instant(ticket["since_at"])} if ticket else None,
        "references": {**references, "scanned_at": parse_instant(references["scanned_at"]) if references["scanned_at"] else None},
    }  # fmt: skip


def shown_report(*, basis: Basis, links: Links) -> Shown:
    """Everything but figures. Of a closed report that has its telling one query, else about thirty."""
    period, telling = basis.period, telling_by(basis)
    undecided = [each for each in telling.broken if each.suggested]
    word, parts = verdict(basis.printed, reads.worst_of(telling.broken), len(undecided), str(period.kind))
    chosen = headline(list(basis.printed["objectives"].values()))
    return Shown(
        basis, links, word, parts, _tiles(basis, links, telling, chosen), telling, undecided, chosen, _moved(basis, links)
    )  # fmt: skip


def _moved(basis: Basis, links: Links) -> list[Context]:
    """What is known otherwise today than at the closing. One query."""
    rows = basis.beside.get("rows")
    if not basis.snapshots or rows is None:
        return []
    found = reads.known_today(team=basis.team, window=basis.window)
    if found is None:
        return []
    today, named = found
    return [
        {
            "words": each.words,
            "name": named[each.id][0] if each.id in named else each.id,
            "url": links.incident(named[each.id][1]) if each.id in named else "",
        }
        for each in moved_since(rows["incidents"], today, end=basis.window.end)
    ]


def _tiles(basis: Basis, links: Links, telling: Telling, chosen: Printed | None) -> list[Tile]:
    """The row of figures; several periods before are one window of their own, not a mean of several."""
    period, points = basis.period, telling.points
    compared = Compared(
        telling.one_before,
        telling.many_before,
        f"{period.kind} before",
        f"{COMPARED[period.kind]} {period.kind}s before",
    )
    total = basis.printed["total"]
    whole = next(
        (each for each in basis.printed["objectives"].values() if not each["service"] and each["sli"] == "time"), None
    )
    down = sum(1 for each in telling.broken if each.impact_class == "downtime")
    tiles = {
        "availability": availability_tile(total, whole, points, compared, down),
        "budget": budget_tile(chosen, telling.remaining, compared.one_words),
        "failed-changes": failures_tile(total, points, compared),
        "recovery": recovery_tile(total, points, compared),
        "self-inflicted": self_inflicted_tile(total, points, compared),
    }
    behind = numbers_urls(basis, links)
    return [replace(tile, url=behind.get(name) or tile.url) for name, tile in tiles.items()]


def numbers_urls(basis: Basis, links: Links) -> dict[str, str]:
    """Where each number of the report leads: to its rows; empty for readers without an account."""
    return {name: links.page("report-rows", basis.period.label, name) for name in NAMES}


def objective_row(key: str, printed: Printed, zone: ZoneInfo, policy: str) -> Context:
    """An objective in the report's table. policy: shown once its budget is spent."""
    unit = unit_of(printed)
    outlook = outlook_of(printed)
    return {
        "key": key, "printed": printed, "name": printed["service"] or "the whole", "unit": unit, "budget": printed[f"budget_{unit}"],
        "remaining": printed[f"remaining_{unit}"], "spent": printed[f"report_spent_{unit}"], "share": printed[f"report_budget_{unit}"],
        "outlook": outlook.words(zone), "policy": policy if outlook.fate is Fate.SPENT else "",
    }  # fmt: skip


def days_in_words(window: Interval, zone: ZoneInfo) -> str:
    """`9–15 November 2026`, `28 December 2026 – 3 January 2027`."""
    first, last = window.start.astimezone(zone), (window.end - dt.timedelta(hours=1)).astimezone(zone)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%B} – {last.day} {last:%B %Y}"
    return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"


def period_name(period: Period) -> str:
    """`week 47`, `March 2026`, `quarter 1 of 2026`."""
    if period.kind is PeriodKind.WEEK:
        return f"week {period.label.partition('-W')[2].lstrip('0')}"
    if period.kind is PeriodKind.MONTH:
        return f"{period.first:%B %Y}"
    return f"quarter {period.label[-1]} of {period.first.year}"
