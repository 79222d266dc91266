"""Addresses of pages, where the page exists: no number links to nothing."""

from __future__ import annotations

from dataclasses import dataclass

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


def report_url(team: Team, label: str) -> str:
    """The report of a period."""
    return page_url("report", team.slug, label)


@dataclass(frozen=True, slots=True)
class Links:
    """Where the names in a report lead. `is_open` false: nowhere, for readers without an account."""

    team: Team
    is_open: bool = True

    def incident(self, number: int) -> str:
        """The page of an incident."""
        return self.page("incident-detail", number)

    def deploy(self, change_id: str) -> str:
        """The page of a deploy, by the public id of its change; empty for none."""
        return self.page("deploy-detail", change_id) if change_id else ""

    def report(self, label: str) -> str:
        """Another report."""
        return report_url(self.team, label) if self.is_open else ""

    def page(self, name: str, *arguments: object) -> str:
        """Any page of the team by its URL name."""
        return page_url(name, self.team.slug, *arguments) if self.is_open else ""
