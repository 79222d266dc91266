"""Who may reach which address. One row per route of the URLconf; a route without a row fails `tests/test_permissions.py`.

To add a page, add a line to TABLE: the route as `path()` has it, and a Row.

- `Row(PUBLIC)`: anybody.  `Row(SIGNED_IN)`: any person with an account.  `Row(TOKEN, read="deploys:read")`: API tokens.
- `Row(TEAM)`: members of the team in the path; reading from viewer up, writing (POST) from responder up. Change either
  with `read=Role.ADMIN`, `write=Role.VIEWER`; `write=None` for a page that takes no POST at all.
- `args`: a function that makes what the rest of the path names, for a given team, and returns the path's arguments.
  The test also asks for the things of another team under one's own team's path, which must be 404.
- `body`: what is posted, if an empty form would be refused before permissions are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploys.models import Role, Scope, Team
from tests.factories.access import github_source
from tests.factories.catalog import ServiceFactory
from tests.factories.changes import DeployFactory

PUBLIC, SIGNED_IN, TEAM, TOKEN = "public", "signed in", "team", "token"

Arguments = Callable[[Team], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """Who may read (GET) and write (POST) an address; see the module."""

    reach: str
    read: str | None = None
    write: str | None = Role.RESPONDER
    args: Arguments | None = None
    body: dict[str, Any] = field(default_factory=dict)


def deploy(team: Team) -> dict[str, Any]:
    return {"public_id": DeployFactory(team=team).change.public_id}


def service(team: Team) -> dict[str, Any]:
    return {"public_id": ServiceFactory(team=team).public_id}


def webhook(team: Team) -> dict[str, Any]:
    return {"public_id": github_source(team)[0].public_id}


def service_id(team: Team) -> dict[str, Any]:
    return {"service_id": ServiceFactory(team=team).public_id, "what": "event"}


TABLE: dict[str, Row] = {
    # getting in, and oneself
    "": Row(PUBLIC),
    "sign-in/": Row(PUBLIC),
    "sign-out/": Row(PUBLIC),
    "link/<str:secret>/": Row(PUBLIC, args=lambda _: {"secret": "none"}),
    "start/team/": Row(SIGNED_IN),
    "account/": Row(SIGNED_IN),
    "account/details/": Row(SIGNED_IN),
    "account/password/": Row(SIGNED_IN),
    "account/theme/": Row(SIGNED_IN),
    "t/<slug:team_slug>/start/service/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    "t/<slug:team_slug>/services/<uuid:service_id>/setup/": Row(TEAM, read=Role.RESPONDER, write=None, args=service_id),
    "t/<slug:team_slug>/services/<uuid:service_id>/setup/heard/<str:what>/": Row(
        TEAM, read=Role.RESPONDER, write=None, args=service_id
    ),
    # machines
    "api/v1/deploys": Row(TOKEN, read=Scope.DEPLOYS_READ, write=Scope.DEPLOYS_WRITE),
    "api/v1/deploys/<uuid:public_id>": Row(TOKEN, read=Scope.DEPLOYS_READ, write=None, args=deploy),
    "api/v1/flags": Row(TOKEN, read=None, write=Scope.DEPLOYS_WRITE),
    # signed by the sender instead; tests/deploys/api/test_webhooks.py
    "webhooks/github/<uuid:public_id>": Row(PUBLIC, args=webhook),
    # pages of this room
    "problems/<slug:slug>": Row(PUBLIC, args=lambda _: {"slug": "not-found"}),
    "t/<slug:team_slug>/deploys/": Row(TEAM, write=None),
    "t/<slug:team_slug>/deploys/<uuid:public_id>/": Row(TEAM, write=None, args=deploy),
    "t/<slug:team_slug>/services/": Row(TEAM, write=None),
    "t/<slug:team_slug>/services/<uuid:public_id>/": Row(TEAM, write=None, args=service),
    "ui/": Row(PUBLIC),
    # reliability
    "healthz": Row(PUBLIC),
    "readyz": Row(PUBLIC),
    "ui/figures/": Row(PUBLIC),
}
