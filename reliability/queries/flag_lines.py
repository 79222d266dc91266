"""What a report tells of flags beside their numbers: evidence, places in the code, risk, and those proven gone.

Kept with the report's snapshot, as known when it was made: a closed report does not change because code was scanned again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploys.actions.flag_cleanup import Case, cleanup_of
from deploys.domain.flag_cleanup import Rule
from deploys.domain.flag_dossier import DAY, Standing, Ticket
from deploys.domain.flag_summary import summary_of
from deploys.domain.instants import instant_text
from deploys.models import FlagRevision, Team
from deploys.queries.flag_code import ShownPlace, places_of
from deploys.queries.flag_usage import checks_by_week

Told = dict[str, Any]  # Any: JSON
WEEK: Final = 7 * DAY
MOST_PLACES: Final = 8
MOST_LINES: Final = 200


def flags_beside(team: Team, printed: Mapping[str, Any], now: dt.datetime) -> Told:  # Any: the printed report
    """What stands beside a printed report, by its key; nothing where no flag is known."""
    return {"flags": flag_lines(team=team, now=now)} if printed["flags"]["flags_count"] else {}


def flag_lines(*, team: Team, now: dt.datetime) -> Told:
    """The part of a report, as JSON. About forty queries, however many flags."""
    cleanup = cleanup_of(team, now=now)
    listed = [case for case in cleanup.cases if case.is_listed][:MOST_LINES]
    places = places_of(team, [case.dossier.key for case in listed])
    weeks = checks_by_week([row.pk for row in cleanup.files.environments if row.tier == "production"], now=now)
    changed = _changed(listed)
    summary = summary_of([(case.dossier, case.judged) for case in cleanup.cases], now)
    return {
        "as_of_at": instant_text(now),
        "active_count": summary.active_count, "made_count": summary.made_count, "removed_count": summary.removed_count,
        "net_count": summary.net_count, "due_count": summary.due_count, "question_count": summary.question_count,
        "undrilled_count": summary.undrilled_count, "over_cap_count": summary.over_cap_count,
        "median_age_seconds": None if summary.median_age is None else summary.median_age.total_seconds(),
        "owners": [list(each) for each in summary.owners],
        "zombies": [case.dossier.key for case in cleanup.cases if Rule.ZOMBIE in case.judged.rules],
        "undrilled": [case.dossier.key for case in cleanup.cases if Rule.UNTESTED in case.judged.rules],
        "removed": _removed(team, now),
        "lines": {
            case.dossier.key: _line(case, places.get(case.dossier.key, ()), weeks, changed, now) for case in listed
        },
    }  # fmt: skip


def _line(
    case: Case,
    places: Sequence[ShownPlace],
    weeks: Mapping[str, Sequence[int]],
    changed: Mapping[int, FlagRevision],
    now: dt.datetime,
) -> Told:
    dossier, task, code = case.dossier, case.task, case.dossier.code
    revision = changed.get(case.flag.pk) if case.flag is not None else None
    main = next(iter(dossier.production), None)
    return {
        "kind": str(dossier.kind) if case.flag is not None else "", "state": str(case.judged.state), "owner": dossier.owner,
        "created_at": _text(dossier.created_at),
        "findings": [{"rule": str(each.rule), "action": each.action, "since_at": _text(each.since)} for each in case.judged.findings],
        "questions": [{"rule": str(each.rule), "missing": each.missing} for each in case.judged.questions],
        "constant": main.constant if main else None, "percent": main.percent if main else None,
        "since_at": _text(main.since) if main else None,
        "checked": [_checked(each, now) for each in dossier.standings], "weeks": list(weeks.get(dossier.key, ())),
        "changed": None if revision is None else {
            "at": instant_text(revision.at), "by": revision.by.name if revision.by else "", "reason": revision.reason,
        },
        "references": {
            "count": code.count, "why": code.why, "repositories_count": code.repositories_count, "scanned_at": _text(code.scanned_at),
            "places": [{"path": each.path, "line": each.line, "url": each.url} for each in places[:MOST_PLACES]],
            "more_count": max(len(places) - MOST_PLACES, 0),
        },
        "ticket_url": case.flag.ticket_url if case.flag is not None else "", "ticket": _ticket(dossier.ticket),
        "todo": None if task is None else {"done_at": _text(task.done_at), "kept_count": task.kept_count},
        "dependants": list(dossier.dependants), "incidents_count": dossier.incidents_count, "risk": case.risk, "effort": case.effort,
    }  # fmt: skip


def _ticket(ticket: Ticket | None) -> Told | None:
    """What its tracker told of the ticket; None where it told nothing."""
    if ticket is None or not ticket.is_pushed or ticket.since is None:
        return None
    return {"is_closed": ticket.is_closed, "since_at": instant_text(ticket.since), "told_by": ticket.told_by}


def _checked(standing: Standing, now: dt.datetime) -> Told:
    """When it was last asked for there; where nobody could know, why."""
    at = standing.usage.checked_at
    is_recent = at is not None and now - at <= 14 * DAY
    unknown = "" if is_recent else standing.usage.why_unknown(now, 14 * DAY)
    return {"environment": standing.environment, "at": _text(at), "unknown": unknown}


def _changed(cases: Sequence[Case]) -> dict[int, FlagRevision]:
    """The last change of each flag that moved any user. One query."""
    rows = FlagRevision.objects.filter(
        flag__in=[case.flag for case in cases if case.flag is not None], change__isnull=False
    )
    return {row.flag_id: row for row in rows.select_related("by").order_by("at", "pk")}


def _removed(team: Team, now: dt.datetime) -> list[Told]:
    """Flags archived with a proof in the last week, newest first. One query."""
    rows = FlagRevision.objects.filter(
        flag__team=team, act=FlagRevision.Act.ARCHIVED, after__proof__isnull=False, at__gt=now - WEEK, at__lte=now
    )
    return [
        {"key": row.flag.key, "at": instant_text(row.at), "proof": row.reason}
        for row in rows.select_related("flag").order_by("-at", "-pk")[:20]
    ]


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else instant_text(at)
