"""What a service's page says when its record of deploys and what serves users do not agree."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from deploys import clock
from deploys.models import Environment, Service
from incidents.domain.drift import Drift, Finding
from incidents.queries.releases_seen import drift_of_service


def out_of_line(request: HttpRequest, service: Service) -> str:
    """A service: each environment whose live release is not the reported one. Two queries, and more only for what was seen."""
    found = drift_of_service(service, now=clock.now())
    if not found:
        return ""
    names = Environment.objects.in_bulk([key for key, _ in found])
    lines = [(names[key].name, drift, sentence(drift, names[key].name)) for key, drift in found]
    return render_to_string("incidents/panels/out_of_line.html", {"lines": lines, "service": service}, request=request)


def sentence(drift: Drift, place: str) -> str:
    """What is seen, what was reported, and what follows; one or two sentences."""
    match drift.finding:
        case Finding.NAMED_DIFFERENTLY:
            return (
                f"Errors and sessions from {place} name releases like {drift.release}, deploys like {drift.expected}. "
                "While the two differ, errors cannot be laid at a release, and an unreported deploy stays unnoticed. "
                "Give the SDK and the CI job the same name."
            )
        case Finding.UNSEEN:
            return f"{drift.expected} was reported live in {place}, but nothing has been seen of it: users are on {drift.release}."
        case Finding.UNREPORTED_ROLLBACK:
            return f"Users in {place} are on {drift.release} again instead of {drift.expected}, and nobody reported a rollback."
        case _:
            return f"Users in {place} are on {drift.release}, a release nobody reported."
