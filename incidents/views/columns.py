"""What the lists of deploys and services show of incidents: a cell each, in one query per list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deploys.domain.wording import probability
from deploys.models import Deploy, Service, Team
from deploys.ports import Column
from deploys.templatetags.ui import badge
from incidents.models import Cause, Incident, IncidentService

MOST_SHOWN = 3


def what_deploys_did(team: Team, deploys: Sequence[Deploy]) -> dict[int, str]:
    """The incidents laid at each deploy, confirmed or suggested, that count. One query."""
    links = Cause.objects.filter(
        change__in=[deploy.pk for deploy in deploys],
        incident__team=team,
        incident__is_dismissed=False,
        incident__duplicate_of=None,
    ).exclude(status=Cause.Status.REJECTED)
    found: dict[int, list[SafeString]] = defaultdict(list)
    for link in links.select_related("incident").order_by("incident__begins_at", "pk"):
        said = "confirmed" if link.status == Cause.Status.CONFIRMED else f"suspected, {probability(link.probability)}"
        found[link.change_id or 0].append(
            format_html(
                '{} {}<br><span class="small soft">{}</span>',
                incident_link(team, link.incident),
                badge(link.incident.impact_class),
                said,
            )
        )
    return {key: _joined(pieces) for key, pieces in found.items()}


def open_incidents(team: Team, services: Sequence[Service]) -> dict[int, str]:
    """The open incidents of each service, newest first. One query."""
    rows = IncidentService.objects.filter(
        service__in=services,
        incident__team=team,
        incident__restored_at=None,
        incident__is_dismissed=False,
        incident__duplicate_of=None,
    )
    found: dict[int, list[SafeString]] = defaultdict(list)
    for row in rows.select_related("incident").order_by("-incident__begins_at", "-incident__pk"):
        found[row.service_id].append(
            format_html("{} {}", incident_link(team, row.incident), badge(row.incident.impact_class))
        )
    return {key: _joined(pieces) for key, pieces in found.items()}


def incident_link(team: Team, incident: Incident) -> SafeString:
    """Its number, leading to its page."""
    return format_html(
        '<a href="{}">{}</a>', reverse("incident-detail", args=[team.slug, incident.number]), incident.slug
    )


def _joined(pieces: Sequence[SafeString]) -> SafeString:
    shown = format_html_join(SafeString("<br>"), "{}", ((piece,) for piece in pieces[:MOST_SHOWN]))
    more = len(pieces) - MOST_SHOWN
    return format_html('{}<br><span class="small soft">and {} more</span>', shown, more) if more > 0 else shown


COLUMNS = (
    ("deploy-list", Column("What it did", what_deploys_did)),
    ("service-list", Column("Open incidents", open_incidents)),
)
