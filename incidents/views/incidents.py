"""Pages of incidents: the list, one incident."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deploys import clock
from deploys.charts.figures import Figure, ReleaseCounts
from deploys.charts.figures import errors_by_release as errors_figure
from deploys.domain.wording import duration
from deploys.models import Change, RegisteredFlag, Role, User
from deploys.queries.flag_switchable import switchable
from deploys.views.access import TeamRequest, is_at_least, team_page
from incidents.actions.bulk import UNDO_FOR
from incidents.domain.cursors import read_cursor
from incidents.domain.response import Ending, ResponseRole, Severity
from incidents.models import BulkAct, Incident, Proposal, TimelineEntry
from incidents.queries.error_counts import BUCKET, errors_by_release, floor_bucket
from incidents.queries.incident_detail import IncidentDetail, incident_detail, incident_numbered
from incidents.queries.incident_version import incident_version
from incidents.queries.incidents import incident_page
from incidents.queries.runbooks import runbooks_of
from incidents.queries.signals import signals_of
from incidents.views.clock_rail import clock_rail
from incidents.views.completeness import incomplete
from incidents.views.forms import IncidentFilterForm, OtherCauseForm
from incidents.views.naming import leading_cause, named_change
from incidents.views.suspects import cause_key, suspects_card
from incidents.views.timeline import NOTICED_WORDS, TABS, timeline_rows
from incidents.views.verdict_story import proof_of, undoing, verdict_story

CHART_BEFORE = dt.timedelta(minutes=60)
CHART_LONGEST = dt.timedelta(hours=12)
BAD_INPUT = 422
BULK_ACTS = [
    (BulkAct.Act.CLOSE.value, "Close"),
    *((f"{BulkAct.Act.SEVERITY.value}:{each.value}", f"Severity {each.words}") for each in Severity if each),
    (BulkAct.Act.DISMISS.value, "Dismiss as false alarms"),
]


def can_write(request: TeamRequest) -> bool:
    """Whether this member may work on incidents."""
    return is_at_least(request, Role.RESPONDER)


def found(request: TeamRequest, number: int) -> Incident:
    """The team's incident of this number, or 404."""
    try:
        return incident_numbered(team=request.team, number=number)
    except Incident.DoesNotExist as error:
        raise Http404 from error


@require_GET
@team_page()
def incident_list(request: TeamRequest) -> HttpResponse:
    """Incidents of the team, newest first, narrowed by the query string."""
    form = IncidentFilterForm(request.GET, team=request.team)
    wanted = form.wanted
    page = incident_page(team=request.team, wanted=wanted, after=read_cursor(request.GET.get("after", "")))
    rows = [(incident, leading_cause(incident, request.team.slug), lasted(incident)) for incident in page.incidents]
    context = {
        "form": form,
        "rows": rows,
        "next_cursor": page.next_cursor,
        "is_first_page": not request.GET.get("after"),
        "is_narrow": wanted.is_narrow,
        "can_write": can_write(request),
        "query": request.GET.urlencode(),
        "acts": BULK_ACTS,
        "last_act": _last_act(request),
        "proposals_count": Proposal.objects.filter(team=request.team, state=Proposal.State.WAITING).count(),
    }
    return render(request, "incidents/list.html", context)


def _last_act(request: TeamRequest) -> BulkAct | None:
    """What this person last did to many, while it can be taken back. One query."""
    rows = BulkAct.objects.filter(team=request.team, by=request.user, at__gt=clock.now() - UNDO_FOR, undone_at=None)
    return rows.order_by("-at").first()


def lasted(incident: Incident) -> str:
    """How long the impact lasted, or has lasted so far."""
    end = incident.restored_at or clock.now()
    return duration(max(end - incident.begins_at, dt.timedelta(0)))


@require_GET
@team_page()
def incident_page_view(request: TeamRequest, number: int) -> HttpResponse:
    """One incident."""
    incident = found(request, number)
    tab = request.GET.get("show", "")
    return render(request, "incidents/detail.html", detail_context(request, incident, tab=tab))


def head_context(request: TeamRequest, incident: Incident) -> dict[str, Any]:  # Any: context
    """What the head of the page shows, and what it needs to ask for news. Three queries."""
    minute = int(clock.now().timestamp() // 60)
    return {
        "incident": incident,
        "lasted": lasted(incident),
        "class_is_persons": "class" in incident.person_keys,
        "can_write": can_write(request),
        "severity": Severity(incident.severity),
        "version": f"{incident_version(incident)}.{minute}",
    }


def detail_context(
    request: TeamRequest, incident: Incident, *, tab: str = "", **more: Any
) -> dict[str, Any]:  # Any: context
    """What the page of one incident shows."""
    now = clock.now()
    detail = incident_detail(incident, now=now)
    signals = signals_of(incident)
    slug = request.team.slug
    writes = can_write(request)
    said_by = {
        cause_key(entry.change_id, str(entry.data.get("cause", ""))): entry.actor.name
        for entry in reversed(detail.entries)
        if entry.kind == TimelineEntry.Kind.CAUSE and entry.actor
    }
    return {
        **head_context(request, incident),
        "detail": detail,
        "clocks": clock_rail(incident, detail.entries, slug, can_write=writes, told_by=signals.first),
        "signals": signals,
        "card": suspects_card(
            detail, slug, said_by, _flags(request, detail, now) if writes and incident.restored_at is None else None
        ),
        "proof": proof_of(detail, slug),
        "story": verdict_story(detail.verdicts, slug),
        "remedies": [named_change(each.change, slug) for each in detail.remedies if each.change is not None],
        "remedy_changes": [
            (change, named_change(change, slug))
            for change in detail.nearby
            if change.at >= incident.begins_at and change.pk not in {each.change_id for each in detail.remedies}
        ][:8],
        "other_cause_form": OtherCauseForm(),
        "figure": errors_chart(detail, now=now),
        "rows": timeline_rows(detail, slug, tab if tab in dict(TABS) else ""),
        "tabs": TABS,
        "tab": tab,
        "roles": _roles(incident, detail),
        "runbooks": runbooks_of(detail.services, incident=incident),
        "noticed": NOTICED_WORDS.get(incident.detected_by, f"by {incident.detected_by}"),
        "ending": Ending(incident.ended_by),
        "now": now,
        "incomplete": incomplete(
            slug=slug,
            services=detail.services,
            begins_at=incident.begins_at,
            ends_at=incident.restored_at or now,
            zone=_zone(),
        ),
        **more,
    }


def _flags(request: TeamRequest, detail: IncidentDetail, now: dt.datetime) -> dict[int, RegisteredFlag]:
    """Suspected or confirmed flags that could be turned off. One query; none where no flag is named."""
    named: list[Change | None] = [
        *(each.change for each in detail.candidates),
        *(each.change for each in detail.causes),
    ]
    return switchable(request.team, [change for change in named if change is not None], now=now)


def _roles(incident: Incident, detail: IncidentDetail) -> list[tuple[ResponseRole, User | None]]:
    """Every role with who holds it."""
    held = {row.role: row.person for row in detail.role_holders}
    return [(role, incident.lead if role is ResponseRole.LEAD else held.get(role.value)) for role in ResponseRole]


def errors_chart(detail: IncidentDetail, *, now: dt.datetime) -> Figure | None:
    """Errors by release around the impact: from an hour before it to its end, at most twelve hours. One query.

    Of its issues where it has some, else of its services. None where there was no error at all.
    """
    incident = detail.incident
    begins_at = floor_bucket(incident.begins_at - CHART_BEFORE)
    ends_at = min((incident.restored_at or now) + 2 * BUCKET, now, begins_at + CHART_LONGEST)
    ends_at = floor_bucket(ends_at) + BUCKET
    step = BUCKET if ends_at - begins_at <= dt.timedelta(hours=4) else 3 * BUCKET
    series = errors_by_release(
        begins_at=begins_at,
        ends_at=ends_at,
        step=step,
        issues=[link.issue_id for link in detail.links],
        services=[service.pk for service in detail.services],
        environment_id=incident.environment_id,
    )
    if not series:
        return None
    suspect = detail.accused
    deploy = suspect.deploy if suspect is not None and suspect.kind == "deploy" else None
    release = deploy.release.version if deploy is not None and deploy.release else None
    return errors_figure(
        begins_at=begins_at,
        step=step,
        releases=[ReleaseCounts(each.release, each.counts, is_suspect=each.release == release) for each in series],
        zone=_zone(),
        change=(suspect.at, named_change(suspect, "").name) if suspect else None,
        rollout_until=deploy.finished_at if deploy is not None else None,
        undone=undoing(detail),
        first_error_at=incident.begins_at,
        is_last_open=incident.is_open and ends_at > now,
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(timezone.get_current_timezone_name())
