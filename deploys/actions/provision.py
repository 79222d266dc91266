"""Setting up one service for a script: team, service, environment, DSN, token and webhook in one go."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from deploys.actions.catalog import clean_name, environment_of, make_service, make_team
from deploys.actions.sources import make_source, rotate_secret
from deploys.actions.tokens import create_token, revoke_token
from deploys.formats import github
from deploys.models import ApiToken, Scope, Service, Source, Team
from deploys.queries.addresses import deploys_url, dsn_of, service_url, webhook_url

SCOPES: Final = (Scope.DEPLOYS_WRITE, Scope.RELEASES_WRITE, Scope.SERVICES_WRITE)


@transaction.atomic
def provision(
    *, team_name: str, service_name: str, environment_name: str, is_rotated: bool, now: dt.datetime
) -> dict[str, Any]:  # Any: the printed object
    """Makes what is missing and says where everything is. Secrets are None unless they were made just now.

    `is_rotated` makes a new token, which ends the old one, and a new webhook secret beside which the old one is
    accepted for 24 hours. NotThatName for names that cannot be.
    """
    team = _team(clean_name(team_name, what="team", longest=100), now)
    name = clean_name(service_name, what="service", longest=200)
    service = team.services.filter(name=name, is_declared=True).first() or make_service(team=team, name=name, now=now)
    environment = environment_of(team=team, name=clean_name(environment_name, what="environment", longest=100), now=now)
    source, secret = _source(team, service, is_rotated=is_rotated, now=now)
    return {
        "team": team.slug,
        "service": service.name,
        "environment": environment.name,
        "dsn": dsn_of(service),
        "deploy_token": _token(team, service, is_rotated=is_rotated, now=now),
        "deploys_url": deploys_url(),
        "webhooks": {"github": {"url": webhook_url(source), "secret": secret}},
        "web_url": settings.BASE_URL + service_url(service),
    }


def _team(name: str, now: dt.datetime) -> Team:
    named = Team.objects.filter(Q(slug=slugify(name)[:50]) | Q(name__iexact=name)).order_by("id").first()
    return named or make_team(name=name, now=now)


def _token(team: Team, service: Service, *, is_rotated: bool, now: dt.datetime) -> str | None:
    name = f"provision {service.name if len(service.name) <= 80 else service.public_id}"
    usable = ApiToken.objects.filter(team=team, name=name, revoked_at__isnull=True)
    if usable.exists() and not is_rotated:
        return None
    for token in usable:
        revoke_token(token=token, now=now)
    return create_token(team=team, name=name, scopes=SCOPES, now=now)[1]


def _source(team: Team, service: Service, *, is_rotated: bool, now: dt.datetime) -> tuple[Source, str | None]:
    kind = github.KIND.slug
    source = Source.objects.filter(team=team, kind=kind, service=service).order_by("id").first()
    if source is None:
        name = f"GitHub, {service.name}"
        name = name if len(name) <= 100 else f"GitHub, {service.public_id}"
        return make_source(team=team, kind=kind, name=name, now=now, service=service)
    return source, rotate_secret(source=source, now=now) if is_rotated else None
