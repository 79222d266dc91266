"""The story of an incident: what people wrote, what they and the machine did, and the changes around it, in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from deploys import clock
from deploys.domain.instants import optional_instant
from deploys.domain.wording import duration, percent
from deploys.models import Change
from deploys.templatetags.ui import clock_words
from incidents.domain.clocks import Clock
from incidents.domain.response import Ending, ResponseRole
from incidents.formats.markdown import note_html
from incidents.models import Cause, Incident, RunbookUse, TimelineEntry
from incidents.queries.incident_detail import IncidentDetail
from incidents.views.naming import OTHER_CAUSES, by_whom, in_words, named_change

Kind = TimelineEntry.Kind
PEOPLE, CHANGES, ERRORS = "people", "changes", "errors"
TABS = (("", "Everything"), (PEOPLE, "People"), (CHANGES, "Changes"), (ERRORS, "Errors"))
_SILENCE = dt.timedelta(minutes=30)
_CAUSE_WORDS = {
    "confirmed": "{} confirmed as the cause.",
    "rejected": "{} is not the cause.",
    "withdrawn": "{}: what was said about it as a cause is taken back.",
    "remedy": "{} ended it.",
    "no remedy": "{} did not end it after all.",
    "suggested": "{} is suspected.",
}
_STATE_WORDS = {
    "lead": "Took the lead.",
    "dismissed": "Dismissed: a false alarm. It counts nowhere.",
    "undismissed": "No false alarm after all. It counts again.",
    "retrospective": "The retrospective is written.",
    "retrospective_reopened": "The retrospective is not finished after all.",
    "not_duplicate": "Stands for itself after all.",
}


def _role_words(data: Mapping[str, Any]) -> str:  # Any: JSON
    role = str(data.get("role", ""))
    name = ResponseRole(role).words if role in set(ResponseRole) else "a role"
    was = f", was {data['from']}" if data.get("from") else ""
    return f"{name.capitalize()}: {data.get('to') or 'nobody'}{was}."


def _severity_words(data: Mapping[str, Any]) -> str:  # Any: JSON
    to, was = (str(data[key]).upper() if data.get(key) else "not said" for key in ("to", "from"))
    return f"Severity {to}, was {was}."


def _noticed_words(data: Mapping[str, Any]) -> str:  # Any: JSON
    return f"Noticed first {NOTICED_WORDS.get(str(data.get('to')), str(data.get('to', '')))}."


def _missing_test_words(data: Mapping[str, Any]) -> str:  # Any: JSON
    return f"Missing test: {data['to']}" if data.get("to") else "No missing test is named any more."


def _ended_words(data: Mapping[str, Any]) -> str:  # Any: JSON
    to = str(data.get("to", ""))
    return f"What ended it: {Ending(to).words if to in set(Ending) else 'something else'}."


_OUTCOMES = dict(RunbookUse.Outcome.choices)
NOTICED_WORDS = {"upshot": "by our machines", "person": "by one of us", "users": "by users"}
_SAID: dict[str, Callable[[Mapping[str, Any]], str]] = {  # Any: JSON
    "role": _role_words,
    "severity": _severity_words,
    "noticed": _noticed_words,
    "missing_test": _missing_test_words,
    "ended": _ended_words,
    "merged": lambda data: f"INC-{data.get('number')} was merged into it.",
    "split": lambda data: f"INC-{data.get('number')} was split off.",
    "promised": lambda data: f"Promised: {data.get('title', '')}",
    "promise_changed": lambda data: f"Promise changed: {data.get('title', '')}",
    "promise_dropped": lambda data: f"Promise dropped: {data.get('title', '')}",
    "promise_reopened": lambda data: f"Promise open again: {data.get('title', '')}",
    "kept": lambda data: f"Promise kept: {data.get('title', '')}",
    "runbook": lambda data: (
        f"Runbook {data.get('title', '')}, version {data.get('version')}: {_OUTCOMES.get(str(data.get('outcome')), 'used')}."
    ),
    "split_from": lambda data: f"Split off INC-{data.get('number')}.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line, as `ui/timeline.html` wants it. `about` is the tab it belongs to, `source` the Markdown behind `html`."""

    at: dt.datetime | None
    sign: str = "clock"
    text: str = ""
    html: SafeString | None = None
    by: str = ""
    kind: str = ""
    cause: bool = False
    url: str = ""
    gap: str = ""
    about: str = ""
    source: str = ""


def oldest_first(rows: Iterable[Row]) -> list[Row]:
    """The lines as a story is told, without gaps."""
    told = [(row.at, place, row) for place, row in enumerate(rows) if row.at is not None]
    return [row for _, _, row in sorted(told, key=lambda each: each[:2])]


def timeline_rows(detail: IncidentDetail, team_slug: str, tab: str = "") -> list[Row]:
    """All lines of the tab (empty: everything); newest first while it is open, oldest first once it is over."""
    incident = detail.incident
    blamed = {cause.change_id for cause in detail.causes if cause.change_id and cause.status == Cause.Status.CONFIRMED}
    told = {(entry.data.get("clock"), entry.data.get("to")) for entry in detail.entries if entry.kind == Kind.CLOCK}
    rows = [_entry_row(entry, incident, team_slug) for entry in detail.entries]
    rows += [_change_row(change, team_slug, is_cause=change.pk in blamed) for change in _changes(detail)]
    rows += _clock_rows(incident, told, has_opening=any(entry.kind == Kind.OPENED for entry in detail.entries))
    shown = [row for row in rows if not tab or row.about == tab]
    shown.sort(key=lambda row: row.at or incident.begins_at, reverse=incident.is_open)
    return _with_gaps(shown)


def _changes(detail: IncidentDetail) -> list[Change]:
    """The changes around it and those that are linked to it, each once."""
    linked = [link.change for link in detail.causes if link.change is not None]
    linked += [link.change for link in detail.remedies if link.change is not None]
    return list({change.pk: change for change in (*detail.nearby, *linked)}.values())


def _clock_rows(incident: Incident, told: Iterable[tuple[object, object]], *, has_opening: bool) -> list[Row]:
    """The clocks that no entry tells of; the opening tells of the detection."""
    edited = {name for name, to in told if to}
    words = {
        Clock.STARTED: ("errors", "Impact began.", ERRORS),
        Clock.DETECTED: ("errors", "Detected.", ERRORS),
        Clock.ACKNOWLEDGED: ("person", "Acknowledged.", PEOPLE),
        Clock.MITIGATED: ("clock", "Mitigated.", PEOPLE),
        Clock.RESTORED: ("check", "Restored.", ERRORS),
        Clock.CLOSED: ("check", "Closed.", PEOPLE),
    }
    rows = []
    for each, (sign, text, about) in words.items():
        at = getattr(incident, each.value)
        is_told = each.value in edited or (each is Clock.DETECTED and has_opening)
        if at is not None and not is_told:
            rows.append(Row(at=at, sign=sign, text=text, about=about))
    return rows


def _change_row(change: Change, team_slug: str, *, is_cause: bool) -> Row:
    named = named_change(change, team_slug)
    if change.kind == Change.Kind.FLAG:
        return Row(at=change.at, sign="flag", text=f"Flag {named.name}.", cause=is_cause, url=named.url, about=CHANGES)
    deploy = change.deploy
    if deploy.status == "failure":
        end = "failed"
    elif deploy.finished_at is not None:
        end = f"live after {duration(deploy.finished_at - deploy.started_at)}"
    else:
        end = "still running"
    share = (
        f", {percent(deploy.percent / 100, 0)} of traffic"
        if deploy.percent is not None and deploy.percent < 100
        else ""
    )
    return Row(
        at=change.at, sign=named.sign, text=f"{named.kind} {named.name} started; {end}{share}.", cause=is_cause,
        url=named.url, about=CHANGES,
    )  # fmt: skip


def _entry_row(entry: TimelineEntry, incident: Incident, team_slug: str) -> Row:
    who = by_whom(entry.actor)
    match entry.kind:
        case Kind.NOTE:
            html = mark_safe(note_html(entry.text))  # noqa: S308 -- note_html is what makes it safe
            return Row(at=entry.at, sign="note", html=html, by=who, kind="note", about=PEOPLE, source=entry.text)
        case Kind.CLOCK:
            return Row(at=entry.at, sign="clock", text=_with_reason(_clock_words(entry), entry), by=who, about=PEOPLE)
        case Kind.CLASS:
            return Row(at=entry.at, sign="errors", text=_with_reason(_class_words(entry), entry), by=who, about=PEOPLE)
        case Kind.CAUSE:
            text = _with_reason(_cause_words(entry, team_slug), entry)
            return Row(
                at=entry.at, sign="cause", text=text, by=who, cause=True, about=PEOPLE if entry.actor else CHANGES
            )
        case Kind.STATE:
            return Row(at=entry.at, sign="person", text=_with_reason(_state_words(entry), entry), by=who, about=PEOPLE)
        case Kind.OPENED if entry.actor is not None:
            return Row(at=entry.at, sign="person", text=entry.text or "Declared by hand.", by=who, about=PEOPLE)
        case Kind.VERDICT:
            return Row(at=entry.at, sign="cause", text=entry.text, by=who, cause=True, about=CHANGES)
        case Kind.CHANGE:
            return Row(at=entry.at, sign="deploy", text=entry.text, by=who, about=CHANGES)
        case _:
            return Row(at=entry.at, sign="errors", text=entry.text or "Incident opened.", by=who, about=ERRORS)


def _with_reason(words: str, entry: TimelineEntry) -> str:
    return f"{words} “{entry.text}”" if entry.text and entry.actor is not None else (entry.text or words)


def _clock_words(entry: TimelineEntry) -> str:
    """What became of a clock: set by the way, moved, or withdrawn."""
    name = Clock(entry.data["clock"]).words if entry.data.get("clock") in set(Clock) else "a clock"
    before, after = optional_instant(entry.data.get("from")), optional_instant(entry.data.get("to"))
    if after is None:
        return f"{name.capitalize()}: withdrawn."
    if before is None and abs(after - entry.at) < dt.timedelta(seconds=1):
        return f"{name.capitalize()}."
    words = clock_words(after, clock.now())
    return f"{name.capitalize()} set to {words}" + (f", was {clock_words(before, clock.now())}." if before else ".")


def _class_words(entry: TimelineEntry) -> str:
    data = entry.data
    if "spells" in data:
        count = data["spells"]
        return "Spells of impact: none, it hurt from start to end." if not count else f"Spells of impact set: {count}."
    if "services" in data:
        return f"Services: {in_words(data['services'])}."
    if "degradation" in data:
        share = data["degradation"]
        return "Share lost: as its class says." if share is None else f"Share of the service lost: {percent(share, 0)}."
    to = str(data.get("to", "")).replace("_", "-")
    was = str(data.get("from", "")).replace("_", "-")
    return f"Class {to} confirmed." if was == to else f"Class set to {to}, was {was}."


def _cause_words(entry: TimelineEntry, team_slug: str) -> str:
    status = str(entry.data.get("status", ""))
    if entry.change is not None:
        named = named_change(entry.change, team_slug)
        return _CAUSE_WORDS.get(status, "{}.").format(f"{named.kind} {named.name}")
    cause = str(entry.data.get("cause", ""))
    if cause in OTHER_CAUSES:
        if status == "withdrawn":
            return "What was said about the cause is taken back."
        said = {"unknown": "what did is not known", "capacity": "it ran out of capacity"}
        return f"No change did this: {said.get(cause, OTHER_CAUSES[cause])}."
    return "Cause changed."


def _state_words(entry: TimelineEntry) -> str:
    state = str(entry.data.get("state", ""))
    if state == "reopened":
        return "Reopened: it came back." if entry.data.get("came_back") else "Reopened: it never stopped."
    if state == "duplicate":
        return f"Repeats INC-{entry.data.get('number')}. It counts nowhere."
    if state == "renamed":
        return f"Renamed, was “{entry.data.get('from', '')}”."
    if state in _SAID:
        return _SAID[state](entry.data)
    return _STATE_WORDS.get(state, "Changed.")


def _with_gaps(rows: Sequence[Row]) -> list[Row]:
    """A line that says so where long nothing happened."""
    told: list[Row] = []
    for row in rows:
        before = told[-1].at if told else None
        if before is not None and row.at is not None and abs(row.at - before) > _SILENCE:
            told.append(Row(at=None, gap=f"nothing for {duration(abs(row.at - before))}"))
        told.append(row)
    return told
