"""Addresses of pages, where the page exists: no number links to nothing."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from deploys.models import Change, Service, Team
from incidents.models import Incident


def page_url(name: str, *arguments: object) -> str:
    """The address of a page by its URL name; empty when the instance has no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def incident_url(team: Team, incident: Incident) -> str:
    """The page of an incident."""
    return page_url("incident-detail", team.slug, incident.number)


def service_url(team: Team, service: Service) -> str:
    """The page of a service."""
    return page_url("service-detail", team.slug, service.public_id)


def change_url(team: Team, change: Change) -> str:
    """The page of a deploy; flag changes have none."""
    return page_url("deploy-detail", team.slug, change.public_id) if change.kind == Change.Kind.DEPLOY else ""


def week_url(team: Team, label: str) -> str:
    """The report of a week."""
    return page_url("report-week", team.slug, label)
