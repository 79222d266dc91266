"""The rows behind a number of a report as a table: what it is, by which rule, and what each row counts as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploys.domain.instants import parse_instant
from deploys.domain.wording import UNKNOWN, count, counted, duration, listed, percent_range, percent_up, rate

Printed = Mapping[str, Any]  # Any: a part of the printed report
Rows = Sequence[Printed]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, or an instant that the page shows in the report's zone; `named`: what the text speaks of, (kind, id)."""

    text: str = ""
    at: dt.datetime | None = None
    is_number: bool = False
    named: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what it is about (kind deploy, incident, commit or flag, and its id), and whether it is part of the numerator."""

    kind: str
    id: str
    name: str
    cells: Sequence[Cell]
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its rows. `rule` is how it is counted, sentence by sentence; `policy` names what of the policy decides."""

    slug: str
    title: str
    value: str
    said: str
    rule: Sequence[str]
    policy: Sequence[str]
    columns: Sequence[str]
    lines: Sequence[Line]

    @property
    def is_second_spare(self) -> bool:
        """Whether the column beside the name may go on narrow screens."""
        return self.columns[1] in {"Kind", "Class"}


RULES_OF_FAILURE: Final = {
    "incident": "confirmed cause of", "withdrawn": "withdrawn after traffic", "undone": "undone by the return to", "suggested": "suspected of",
    "carried": "carried along by the return to",
}  # fmt: skip
CAUSES: Final = ("own_change", "external", "infrastructure", "capacity", "unknown")


def numbers_of(total: Printed, rows: Printed) -> dict[str, Callable[[], Number]]:
    """Every number that has rows, by the name in its address. total: the whole of a printed report; rows: those behind it."""
    return {
        "failed-changes": lambda: failed_changes(total, rows["deploys"]),
        "availability": lambda: availability(total, rows["incidents"]),
        "self-inflicted": lambda: self_inflicted(total, rows["incidents"]),
        "recovery": lambda: recovery(total, rows["recoveries"]),
        "time-to-restore": lambda: time_to_restore(total, rows["incidents"]),
        "issues": lambda: issues(total, rows["incidents"]),
        "deploys": lambda: deploys(total, rows["deploys"]),
        "all-changes": lambda: all_changes(total, rows["deploys"], rows["flag_changes"]),
        "rework": lambda: rework(total, rows["deploys"]),
        "lead-time": lambda: lead_time(total, rows["commits"]),
    }


NAMES: Final = (
    "failed-changes", "availability", "self-inflicted", "recovery", "time-to-restore", "issues", "deploys", "all-changes", "rework",
    "lead-time",
)  # fmt: skip


def failed_changes(total: Printed, rows: Rows) -> Number:
    """Failed of deployed."""
    part = total["change_failure"]
    versions = sorted((row for row in rows if row["is_counted"]), key=lambda row: _VERDICTS.index(row["verdict"]))
    said = "nothing was deployed"
    if part["deploys_count"]:
        said = f"likely {percent_range(part['interval_low_ratio'], part['interval_high_ratio'])}"
        said += f"; {counted(part['suspected_count'], 'suspect')}" if part["suspected_count"] else ""
        said += f"; {count(part['pending_count'])} still young" if part["pending_count"] else ""
    return Number(
        "failed-changes", "Failed changes", _of(part["failed_count"], part["deploys_count"]), said,
        (
            "Counted are forward deploys and hotfixes that took traffic, in the period they went live in; rollbacks and redeploys never.",
            "A deploy failed if it is a confirmed cause of an incident that counts, if it was withdrawn after it took traffic, or if a rollback went back behind it and it was the earliest it took back.",
            "Suspected ones are not failed: they widen the range until somebody decides. The interval is Wilson's, 95 %.",
        ),
        ("failure_classes", "pending_seconds"), ("Deploy", "Kind", "Live", "Counts as"),
        [_deploy(row, Cell(_kind(row)), Cell(at=_at(row["at"])), _verdict(row), is_counted=row["verdict"] == "failed") for row in versions],
    )  # fmt: skip


_VERDICTS: Final = ("failed", "suspected", "pending", "")


def _verdict(row: Printed) -> Cell:
    """What a deploy counts as, by which rule, and what did it."""
    if row["verdict"] not in {"failed", "suspected"}:
        return Cell("not failed so far, still young" if row["verdict"] == "pending" else "not failed")
    rules = listed([RULES_OF_FAILURE[each] for each in dict.fromkeys(each["rule"] for each in row["why"])])
    named = [
        ("incident" if each["rule"] in _OF_INCIDENTS else "deploy", each["id"]) for each in row["why"] if each["id"]
    ]
    return Cell(f"{row['verdict']}: {rules}", named=named)


_OF_INCIDENTS: Final = {"incident", "suggested"}


def availability(total: Printed, rows: Rows) -> Number:
    """What the downtime consists of."""
    part = total["availability"]
    hurt = sorted((row for row in rows if row["lost_seconds"]), key=lambda row: -row["lost_seconds"])
    said = f"down {duration(part['downtime_seconds'])} of {duration(part['observed_seconds'])} observed"
    if part["excused_seconds"]:
        said += f"; announced maintenance of {duration(part['excused_seconds'])} not counted"
    if part["unknown_seconds"]:
        said += f"; nobody watched for {duration(part['unknown_seconds'])}"
    return Number(
        "availability", "Availability", percent_up(part["downtime_seconds"], part["observed_seconds"]),
        said if part["observed_seconds"] else "nothing was observed",
        (
            "One minus downtime over observed time; the percentage is cut, not rounded.",
            "Down means that at least one critical service is. Overlapping incidents count once: the worst at each moment, shared equally among those that are equally bad.",
            "Maintenance announced in time leaves the calculation; time that nobody watched is neither up nor down.",
        ),
        ("maintenance_notice_seconds",), ("Incident", "Class", "Began", "Restored", "Downtime"),
        [_incident(row, *_clocks(row), _length(row["lost_seconds"]), is_counted=True) for row in hurt],
    )  # fmt: skip


def self_inflicted(total: Printed, rows: Rows) -> Number:
    """Downtime by cause."""
    part = total["downtime_by_cause"]
    hurt = sorted((row for row in rows if row["lost_seconds"]), key=lambda row: -row["lost_seconds"])
    said = f"{duration(part['own_change_seconds'])} of {duration(part['total_seconds'])} down"
    if part["unknown_seconds"]:
        said += f"; {duration(part['unknown_seconds'])} not explained"
    return Number(
        "self-inflicted", "Self-inflicted",
        percent_range(part["self_inflicted_low_ratio"], part["self_inflicted_high_ratio"], places=0),
        said if part["total_seconds"] else "nothing was down",
        (
            "Each moment of downtime is divided among the worst incidents of that moment, and each part among that incident's confirmed causes: by their weights, else equally.",
            "What no confirmed cause claims is unknown. The range goes from own changes alone to own changes and unknown.",
        ),
        (), ("Incident", "Downtime", "Own change", "External", "Infrastructure", "Capacity", "Unknown"),
        [
            _incident(row, _length(row["lost_seconds"]), *(_length(row["by_cause"].get(name)) for name in CAUSES), is_counted="own_change" in row["by_cause"])
            for row in hurt
        ],
    )  # fmt: skip


def recovery(total: Printed, rows: Rows) -> Number:
    """How long failed deploys hurt."""
    part = total["failed_deployment_recovery"]
    return Number(
        "recovery", "Recovery of failed deploys", _median(part), _ended(part, "recovered"),
        (
            "From first traffic of a failed deploy to the restoration of everything it broke; without an incident, to its withdrawal or the rollback.",
            "It belongs to the period in which it recovered. What has not recovered stands at its age at the end: a median that it could still move is written ≥.",
        ),
        ("failure_classes",), ("Deploy", "Live", "Recovered", "Took"),
        [
            _deploy(row, Cell(at=_at(row["live_at"])), _until(row["recovered_at"], "not yet" if row["is_open"] else "nobody said when"), _took(row), is_counted=not row["is_open"])
            for row in sorted(rows, key=lambda row: -(row["seconds"] or 0))
        ],
    )  # fmt: skip


def time_to_restore(total: Printed, rows: Rows) -> Number:
    """How long incidents lasted."""
    part = total["time_to_restore"]["all"]
    those = [row for row in rows if row["ends"] or row["restored_at"] is None]
    return Number(
        "time-to-restore", "Time to restore", _median(part), _ended(part, "restored"),
        (
            "From the beginning of an incident to its restoration; incidents of every class and cause, in the period of the restoration.",
            "Without a stated start, its detection is the beginning. What goes on stands at its age at the end of the period.",
        ),
        (), ("Incident", "Class", "Began", "Restored", "Took"),
        [
            _incident(row, *_clocks(row), _length(row["seconds"]), is_counted=row["ends"])
            for row in sorted(those, key=lambda row: -row["seconds"])
        ],
    )  # fmt: skip


def issues(total: Printed, rows: Rows) -> Number:
    """Incidents that began."""
    part = total["issues"]
    deploys_count = part["deploys_count"]
    per = f"{100 * part['total_per_deploy_ratio']:.0f} per 100 deploys" if deploys_count else "nothing was deployed"
    return Number(
        "issues", "Issues", count(part["total_count"]), f"{per}; cause not established",
        (
            "Incidents by the period in which they began, whatever their cause, and their number per deploy that counts.",
            "This is no change failure rate: it may exceed one.",
        ),
        (), ("Incident", "Class", "Began", "Restored", "Laid at"),
        [
            _incident(row, *_clocks(row), Cell(row["origin"].replace("_", " ")), is_counted=True)
            for row in rows if row["begins"]
        ],
    )  # fmt: skip


def deploys(total: Printed, rows: Rows) -> Number:
    """How often."""
    part = total["deployment_frequency"]
    per_day = part["deploys_per_day"]
    said = "" if per_day is None else f"{per_day:.1f} a day, on {counted(part['days_with_deploy_count'], 'day')}"
    return Number(
        "deploys", "Deploys", count(part["deploys_count"]), said,
        (
            "Forward deploys and hotfixes that took traffic, by their first production traffic, over the calendar days of the report's zone.",
            "Rollbacks, redeploys and what never took traffic are listed beside and not counted.",
        ),
        ("deploy_timeout_seconds",), ("Deploy", "Kind", "Live", "Ended as"),
        [
            _deploy(row, Cell(_kind(row)), Cell(at=_at(row["at"])), Cell(row["outcome"].replace("_", " ")), is_counted=row["is_counted"])
            for row in rows
        ],
    )  # fmt: skip


def all_changes(total: Printed, rows: Rows, flips: Rows) -> Number:
    """Deploys of any kind and flag changes."""
    part = total["change_fault"]
    lines = [
        _deploy(row, Cell(_kind(row)), Cell(at=_at(row["at"])), Cell("did harm" if row["verdict"] == "failed" else ""), is_counted=row["verdict"] == "failed")
        for row in rows if row["took_traffic"]
    ]  # fmt: skip
    lines += [
        Line("flag", row["id"], row["key"], (Cell(f"flag to {row['new_percent']:g} %"), Cell(at=_at(row["at"])), Cell("did harm" if row["is_failed"] else "")), row["is_failed"])
        for row in flips
    ]  # fmt: skip
    return Number(
        "all-changes", "All changes", _of(part["failed_count"], part["changes_count"]),
        f"{counted(part['deploys_count'], 'deploy')} that took traffic and {counted(part['flag_changes_count'], 'flag change')}",
        (
            "Deploys of every kind that took traffic, rollbacks and redeploys too, and changes of flags; a line that repeats a flag's state is no change.",
            "A change did harm if it failed as a deploy, or is a confirmed cause of an incident that counts.",
        ),
        ("failure_classes",), ("Change", "Kind", "When", "Counts as"), sorted(lines, key=lambda line: not line.is_counted),
    )  # fmt: skip


def rework(total: Printed, rows: Rows) -> Number:
    """Unplanned deploys."""
    part = total["rework"]

    def is_rework(row: Printed) -> bool:
        return row["kind"] in {"hotfix", "rollback"} or (row["kind"] == "redeploy" and row["is_remedy"])

    lines = [
        _deploy(row, Cell(_kind(row)), Cell(at=_at(row["at"])), Cell("rework" if is_rework(row) else ""), is_counted=is_rework(row))
        for row in rows if row["took_traffic"]
    ]  # fmt: skip
    return Number(
        "rework", "Rework", _of(part["rework_count"], part["deploys_count"]), "",
        ("Hotfixes, rollbacks, and redeploys that ended an incident, of all deploys that took traffic.",), (),
        ("Deploy", "Kind", "Live", "Counts as"), sorted(lines, key=lambda line: not line.is_counted),
    )  # fmt: skip


def lead_time(total: Printed, rows: Rows) -> Number:
    """From commit to traffic."""
    part = total["lead_time"]
    known = part["commits_count"]
    said = (
        f"median of {counted(known, 'commit')}, p90 {duration(part['p90_seconds'])}"
        if known
        else "no commit with a known time"
    )
    if part["unknown_count"]:
        said += f"; {count(part['unknown_count'])} not known"
    return Number(
        "lead-time", "Lead time", duration(part["median_seconds"]), said,
        (
            "From each commit to its first traffic in a succeeded deploy, in the period of that traffic; a commit counts once.",
            "Medians are over commits, not over deploys. Without a time of the commit, or with one after its traffic, it is not known.",
        ),
        (), ("Commit", "Committed", "Live", "Took"),
        [
            Line("commit", row["sha"], row["sha"][:12], (_until(row["committed_at"], UNKNOWN), Cell(at=_at(row["live_at"])), _took(row)), row["seconds"] is not None)
            for row in sorted(rows, key=lambda row: -(row["seconds"] or 0))
        ],
    )  # fmt: skip


def _of(part: int, whole: int) -> str:
    return f"{rate(part, whole)}, {count(part)} of {count(whole)}" if whole else UNKNOWN


def _median(part: Printed) -> str:
    return ("≥ " if part["median_is_lower_bound"] else "") + duration(part["median_seconds"])


def _ended(part: Printed, word: str) -> str:
    said = f"median over {count(part['completed_count'])} {word} and {count(part['open_count'])} still open"
    return said + (f"; {count(part['unknown_count'])} not known" if part["unknown_count"] else "")


def _kind(row: Printed) -> str:
    return row["kind"] or "never live"


def _deploy(row: Printed, *cells: Cell, is_counted: bool) -> Line:
    return Line("deploy", row["id"], f"{row['service']} {row['release'] or row['id']}", cells, is_counted)


def _incident(row: Printed, *cells: Cell, is_counted: bool) -> Line:
    return Line("incident", row["id"], f"{row['id']} on {', '.join(row['services'])}", cells, is_counted)


def _clocks(row: Printed) -> tuple[Cell, Cell, Cell]:
    """Class, beginning and end of an incident."""
    return Cell(row["class"].replace("_", "-")), Cell(at=_at(row["begin_at"])), _until(row["restored_at"], "goes on")


def _until(value: str | None, else_text: str) -> Cell:
    return Cell(else_text) if value is None else Cell(at=_at(value))


def _length(value: float | None) -> Cell:
    return Cell(duration(value) if value else "", is_number=True)


def _took(row: Printed) -> Cell:
    return Cell(UNKNOWN if row["seconds"] is None else duration(row["seconds"]), is_number=True)


def _at(value: str) -> dt.datetime:
    return parse_instant(value)
