"""What the pages of deploys and services show of incidents and issues."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from deploys import clock
from deploys.charts.figures import Figure, RatePoint, rate_around
from deploys.domain.wording import duration, probability
from deploys.models import Deploy, Role, Service, Tier
from deploys.queries.derived import ShownDeploy
from deploys.views.access import is_at_least
from incidents.charts.latency import ReleaseLatency, latency_by_release
from incidents.models import Cause, ImpactClass, Incident, Issue, IssueCount
from incidents.queries.change_links import incidents_of_service, links_of_change
from incidents.queries.error_counts import BUCKET, floor_bucket
from incidents.queries.issues import new_issues_since
from incidents.queries.latency import latencies, together
from incidents.queries.signals import alerts_of
from incidents.views.naming import leading_cause

BEFORE = dt.timedelta(hours=1)
AFTER = dt.timedelta(hours=3)
WEEK = dt.timedelta(days=7)
LATENCY_STEP = dt.timedelta(hours=1)
NEW_FOR = dt.timedelta(hours=24)


def _render(name: str, request: HttpRequest, **context: Any) -> str:  # Any: context
    return render_to_string(f"incidents/panels/{name}.html", context, request=request)


def began_at(shown: ShownDeploy) -> dt.datetime:
    """When it began to matter to users, as far as known."""
    return shown.live_at or shown.deploy.started_at


def lasted_words(incident: Incident) -> str:
    """How long the impact lasted; for an open one, so far."""
    end = incident.restored_at or clock.now()
    words = duration(max(end - incident.begins_at, dt.timedelta(0)))
    return words if incident.restored_at else f"{words} so far"


def what_it_did(request: HttpRequest, shown: ShownDeploy) -> str:
    """A deploy: the incidents that are laid at it, by whom and how surely. One query."""
    deploy = shown.deploy
    links = links_of_change(deploy.change)
    rows = [
        {
            "incident": link.incident,
            "lasted": lasted_words(link.incident),
            "said": "confirmed" if link.status == Cause.Status.CONFIRMED else probability(link.probability),
            "by": _by(link),
            "counts": not link.incident.is_dismissed and link.incident.duplicate_of_id is None,
        }
        for link in links
    ]
    is_down = any(link.incident.impact_class == ImpactClass.DOWNTIME for link in links)
    now = clock.now()
    watched = duration(max(now - began_at(shown), dt.timedelta(0)))
    return _render("what_it_did", request, rows=rows, is_down=is_down, now=now, watched=watched, deploy=deploy)


def _by(link: Cause) -> str:
    if link.by == Cause.By.PERSON:
        return "a person"
    return "the model" if link.status == Cause.Status.CONFIRMED else "the model, not yet a person"


def errors_around(request: HttpRequest, shown: ShownDeploy) -> str:
    """A deploy: errors of its service before and after, beside the same hours a week before. Two queries."""
    figure = errors_around_figure(shown, now=clock.now())
    return _render("errors_around", request, figure=figure) if figure else ""


def errors_around_figure(shown: ShownDeploy, *, now: dt.datetime) -> Figure | None:
    """Five-minute counts from an hour before it began to three hours after; None where nothing was counted."""
    deploy = shown.deploy
    begins_at = floor_bucket(deploy.started_at - BEFORE)
    ends_at = min(floor_bucket(now) + BUCKET, begins_at + BEFORE + AFTER)
    if ends_at <= begins_at:
        return None
    points = _points(deploy, begins_at, ends_at)
    baseline = _points(deploy, begins_at - WEEK, ends_at - WEEK)
    if not any(point.failed for point in (*points, *baseline)):
        return None
    release = deploy.release.version if deploy.release else deploy.external_id
    return rate_around(
        points=points,
        baseline=baseline if any(point.failed for point in baseline) else (),
        step=BUCKET,
        live_at=began_at(shown),
        name=release,
        zone=ZoneInfo(timezone.get_current_timezone_name()),
        rollout=(deploy.started_at, deploy.finished_at) if deploy.finished_at else None,
        figure_id="errors-around",
    )


def _points(deploy: Deploy, begins_at: dt.datetime, ends_at: dt.datetime) -> list[RatePoint]:
    rows = IssueCount.objects.filter(
        issue__service=deploy.service_id,
        issue__merged_into=None,
        environment=deploy.environment_id,
        bucket_at__gte=begins_at,
        bucket_at__lt=ends_at,
    )
    found = dict(rows.values("bucket_at").annotate(total=Sum("count")).values_list("bucket_at", "total"))
    buckets = (ends_at - begins_at) // BUCKET
    return [
        RatePoint(at=begins_at + place * BUCKET, failed=found.get(begins_at + place * BUCKET, 0))
        for place in range(buckets)
    ]


def new_issues(request: HttpRequest, shown: ShownDeploy) -> str:
    """A deploy: issues first seen in the day after its start: new errors come while it rolls out. One query."""
    since = shown.deploy.started_at
    issues = new_issues_since(service=shown.deploy.service, since=since, until=since + NEW_FOR)
    return _render("new_issues", request, issues=issues)


def wrong_now(request: HttpRequest, service: Service) -> str:
    """A service: its open incidents. Three queries."""
    incidents = incidents_of_service(service, is_open=True, most=10)
    if not incidents:
        return ""
    rows = [(each, lasted_words(each), leading_cause(each, service.team.slug)) for each in incidents]
    is_down = any(each.impact_class == ImpactClass.DOWNTIME for each in incidents)
    return _render("wrong_now", request, rows=rows, is_down=is_down)


def last_incidents(request: HttpRequest, service: Service) -> str:
    """A service: its last incidents. Three queries."""
    incidents = incidents_of_service(service, is_open=False, most=8)
    rows = [(each, lasted_words(each), leading_cause(each, service.team.slug)) for each in incidents]
    return _render("last_incidents", request, rows=rows, service=service)


def last_alerts(request: HttpRequest, service: Service) -> str:
    """A service: what other tools said of it in the last day; nothing where they said nothing. At most two queries."""
    rows = alerts_of(service, now=clock.now())
    return _render("last_alerts", request, rows=rows, may_declare=is_at_least(request, Role.RESPONDER)) if rows else ""


def open_issues(request: HttpRequest, service: Service) -> str:
    """A service: its open issues, last seen first. One query."""
    issues = list(
        Issue.objects.filter(service=service, status=Issue.Status.OPEN, merged_into=None).order_by(
            "-last_seen_at", "-pk"
        )[:8]
    )
    return _render("open_issues", request, issues=issues, service=service)


def latency(request: HttpRequest, service: Service) -> str:
    """A service: how long its requests in production took, by release, in the last 24 hours. Two queries."""
    return _render("latency", request, figure=latency_figure(service, now=clock.now()))


def latency_figure(service: Service, *, now: dt.datetime) -> Figure | None:
    """p50, p95 and p99 by release of the 24 hours up to now; None where no request was told."""
    ends_at = floor_bucket(now) + BUCKET
    begins_at = ends_at - dt.timedelta(hours=24)
    production = list(service.team.environments.filter(tier=Tier.PRODUCTION).values_list("pk", flat=True))
    found = latencies(
        services=[service.pk], begins_at=begins_at, ends_at=ends_at, step=LATENCY_STEP, environments=production
    )
    if not found:
        return None
    steps = [begins_at + LATENCY_STEP * place for place in range(24)]
    releases = []
    for release in sorted({name for name, _ in found}):
        whole = together(part for (name, _), part in found.items() if name == release)
        slow = [found[release, at].p95 if (release, at) in found else None for at in steps]
        releases.append(ReleaseLatency(release, whole.count, whole.failed, whole.p50, whole.p95, whole.p99, slow))
    return latency_by_release(
        begins_at=begins_at,
        step=LATENCY_STEP,
        releases=releases,
        zone=ZoneInfo(timezone.get_current_timezone_name()),
    )


PANELS = (
    ("deploy-answer", what_it_did, 10),
    ("deploy-figure", errors_around, 10),
    ("deploy-main", new_issues, 10),
    ("service-answer", wrong_now, 10),
    ("service-main", last_incidents, 40),
    ("service-main", last_alerts, 45),
    ("service-main", open_issues, 50),
    ("service-main", latency, 60),
)
