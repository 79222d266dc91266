"""Who may reach which address. One row per route of the URLconf; a route without a row fails `tests/test_permissions.py`.

To add a page, add a line to TABLE: the route as `path()` has it, and a Row.

- `Row(PUBLIC)`: anybody.  `Row(SIGNED_IN)`: any person with an account.  `Row(TOKEN, read="deploys:read")`: API tokens.
- `Row(INSTANCE)`: administrators of the instance (`is_superuser`); 404 for every other account.
- `Row(TEAM)`: members of the team in the path; reading from viewer up, writing (POST) from responder up. Change either
  with `read=Role.ADMIN`, `write=Role.VIEWER`; `write=None` for a page that takes no POST at all.
- `args`: a function that makes what the rest of the path names, for a given team, and returns the path's arguments.
  The test also asks for the things of another team under one's own team's path, which must be 404.
- `is_owned=False`: what the path names belongs to no team (a week), so there is nothing of another team to ask for.
- `body`: what is posted, if an empty form would be refused before permissions are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploys.actions.deliveries import log_delivery
from deploys.actions.facts import record_fact
from deploys.actions.flag_segments import save_segment
from deploys.models import Role, Scope, Team, User
from incidents.actions.pings import renew_ping_key
from incidents.actions.runbooks import write_runbook
from incidents.models import ActionItem, BulkAct, Job, Maintenance, Monitor, Proposal
from reliability.actions.badges import renew_badge_key
from reliability.actions.channels import leave_address
from reliability.actions.flag_reminders import stop_token as flag_stop_token
from reliability.actions.report_mail import stop_token
from reliability.actions.report_shares import share_report
from reliability.actions.reports import close_report
from reliability.models import ReportSubscription
from tests.conftest import NOON
from tests.factories.access import github_source
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, ServiceFactory
from tests.factories.changes import DeployFactory, ReleaseFactory
from tests.factories.flags import registered
from tests.factories.inbox import DeadLetterFactory, dead_letter_of
from tests.factories.incidents import IssueFactory, incident_of
from tests.factories.notices import channel_of, link_of, notice_of

PUBLIC, SIGNED_IN, TEAM, TOKEN, INSTANCE = "public", "signed in", "team", "token", "instance"

Arguments = Callable[[Team], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """Who may read (GET) and write (POST) an address; see the module."""

    reach: str
    read: str | None = None
    write: str | None = Role.RESPONDER
    args: Arguments | None = None
    is_owned: bool = True
    body: dict[str, Any] = field(default_factory=dict)


def deploy(team: Team) -> dict[str, Any]:
    return {"public_id": DeployFactory(team=team).change.public_id}


def flag(team: Team) -> dict[str, Any]:
    return {"public_id": registered(team, key=f"flag-{team.registered_flags.count()}").public_id}


def segment(team: Team) -> dict[str, Any]:
    key = f"segment-{team.flag_segments.count()}"
    return {"key": save_segment(team=team, key=key, said={"included": ["u"]}, now=NOON, by=None).key}


def service(team: Team) -> dict[str, Any]:
    return {"public_id": ServiceFactory(team=team).public_id}


def webhook(team: Team) -> dict[str, Any]:
    return {"kind": "github", "public_id": github_source(team)[0].public_id}


def delivery(team: Team) -> dict[str, Any]:
    made = log_delivery(team=team, kind="api", event="deploy", received_at=NOON, verdict="created")
    return {"public_id": made.public_id}


def service_id(team: Team) -> dict[str, Any]:
    return {"service_id": ServiceFactory(team=team).public_id, "what": "event"}


def proposal(team: Team) -> dict[str, Any]:
    return {"number": Proposal.objects.create(team=team, key="a", payload={}, created_at=NOON).pk}


def maintenance(team: Team) -> dict[str, Any]:
    slot = {"id": "m", "starts_at": "2026-03-04T12:00:00Z", "ends_at": "2026-03-04T13:00:00Z"}
    record_fact(team=team, kind="maintenance", payload=slot, received_at=NOON, origin="live")
    return {"public_id": Maintenance.objects.get(team=team).public_id}


def closed_week(team: Team) -> dict[str, Any]:
    close_report(team=team, label="2026-W08", now=NOON)
    return {"label": "2026-W08"}


def flag_mail(team: Team) -> dict[str, Any]:
    return {"token": flag_stop_token(team, MembershipFactory(team=team).user)}


def mail_stop(team: Team) -> dict[str, Any]:
    row = ReportSubscription.objects.create(team=team, email="a@example.org", kind="week", zone="UTC", created_at=NOON)
    return {"token": stop_token(row)}


def shared_report(team: Team) -> dict[str, Any]:
    by = User.objects.create_user("sharer@example.org")
    return {"secret": share_report(team=team, label="2026-W10", by=by, now=NOON)}


def incident(team: Team) -> dict[str, Any]:
    return {"number": incident_of(team).number, "clock_name": "detected"}


def promise(team: Team) -> dict[str, Any]:
    made = ActionItem.objects.create(team=team, incident=incident_of(team), title="Backfill first", created_at=NOON)
    return {"public_id": made.public_id}


def runbook(team: Team) -> dict[str, Any]:
    by = User.objects.create_user(f"writer-{team.slug}@example.org")
    made = write_runbook(service=ServiceFactory(team=team), title="It is down", text="Restart it.", by=by, now=NOON)
    return {"public_id": made.public_id}


def issue(team: Team) -> dict[str, Any]:
    return {"public_id": IssueFactory(service=ServiceFactory(team=team)).public_id}


def dead_letter(team: Team) -> dict[str, Any]:
    return {"number": dead_letter_of(ServiceFactory(team=team)).pk}


def stray_letter(_: Team) -> dict[str, Any]:
    return {"number": DeadLetterFactory(project=10**12).pk}


def week(_: Team) -> dict[str, Any]:
    return {"label": "2026-W10"}


def week_number(_: Team) -> dict[str, Any]:
    return {"label": "2026-W10", "number": "failed-changes"}


def monitor(team: Team) -> dict[str, Any]:
    service = ServiceFactory(team=team)
    environment = EnvironmentFactory(team=team)
    made = Monitor.objects.create(
        service=service, environment=environment, url="https://a.example/", due_at=NOON, created_at=NOON
    )
    return {"public_id": service.public_id, "monitor_id": made.public_id}


def channel(team: Team) -> dict[str, Any]:
    return {"public_id": channel_of(team).public_id}


def notice(team: Team) -> dict[str, Any]:
    return {"public_id": notice_of(team).public_id}


def acknowledge_link(team: Team) -> dict[str, Any]:
    return {"secret": link_of(team).rstrip("/").rpartition("/")[2]}


def leave_token(team: Team) -> dict[str, Any]:
    return {"token": leave_address(channel_of(team), "a@example.org").rstrip("/").rpartition("/")[2]}


def bulk_act(team: Team) -> dict[str, Any]:
    return {"public_id": BulkAct.objects.create(team=team, act="close", at=NOON).public_id}


def job(team: Team) -> dict[str, Any]:
    made = Job.objects.create(
        service=ServiceFactory(team=team), environment=EnvironmentFactory(team=team), slug="nightly", created_at=NOON
    )
    return {"public_id": made.service.public_id, "job_id": made.public_id}


def pinged(team: Team) -> dict[str, Any]:
    made = Job.objects.get(public_id=job(team)["job_id"])
    return {"public_id": made.public_id, "key": renew_ping_key(service=made.service).key}


def release(team: Team) -> dict[str, Any]:
    made = ReleaseFactory(service=ServiceFactory(team=team))
    return {"organization": team.slug, "project": made.service.name, "version": made.version}


T = "t/<slug:team_slug>"
ORGANIZATION = "api/0/organizations/<slug:organization>"
PROJECT = "api/0/projects/<slug:organization>/<str:project>"

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
    f"{T}/services/<uuid:public_id>/monitors/": Row(TEAM, read=None, write=Role.ADMIN, args=service),
    f"{T}/services/<uuid:public_id>/monitors/<uuid:monitor_id>/stop/": Row(
        TEAM, read=None, write=Role.ADMIN, args=monitor
    ),
    f"{T}/services/<uuid:public_id>/watched-by-hand/": Row(TEAM, read=None, write=Role.ADMIN, args=service),
    f"{T}/services/<uuid:public_id>/jobs/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN, args=service),
    f"{T}/services/<uuid:public_id>/jobs/<uuid:job_id>/": Row(TEAM, write=Role.ADMIN, args=job),
    f"{T}/services/<uuid:public_id>/ping-key/": Row(TEAM, read=None, write=Role.ADMIN, args=service),
    # the address is the secret; tests/incidents/views/test_pings.py
    **{
        f"ping/{address}": Row(PUBLIC, args=lambda team: {**pinged(team), "what": "log"})
        for address in ("<uuid:public_id>", "<uuid:public_id>/<str:what>")
    },
    **{
        f"ping/{address}": Row(PUBLIC, args=lambda team: {"key": pinged(team)["key"], "slug": "nightly", "what": "log"})
        for address in ("<str:key>/<slug:slug>", "<str:key>/<slug:slug>/<str:what>")
    },
    f"{T}/objectives/": Row(TEAM, write=None),
    f"{T}/objectives/openslo/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    f"{T}/objectives/openslo.yaml": Row(TEAM, write=None),
    f"{T}/objectives/set/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    f"{T}/start/service/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    f"{T}/services/<uuid:service_id>/setup/": Row(TEAM, read=Role.RESPONDER, write=None, args=service_id),
    f"{T}/services/<uuid:service_id>/setup/heard/<str:what>/": Row(
        TEAM, read=Role.RESPONDER, write=None, args=service_id
    ),
    f"{T}/services/<uuid:service_id>/setup/ci/<slug:name>/": Row(
        TEAM, read=Role.RESPONDER, write=None, args=lambda team: {**service_id(team), "name": "jenkins"}
    ),
    f"{T}/services/<uuid:service_id>/setup/token/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN, args=service_id),
    f"{T}/settings/": Row(TEAM, write=Role.ADMIN, body={"act": "invite", "role": "viewer"}),
    f"{T}/settings/machines/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN, body={"act": "token"}),
    f"{T}/settings/machines/<uuid:public_id>/heard/": Row(
        TEAM, read=Role.ADMIN, write=None, args=lambda team: {"public_id": github_source(team)[0].public_id}
    ),
    f"{T}/settings/counting/": Row(TEAM, write=Role.ADMIN, body={"act": "policy"}),
    # machines
    "api/v1/deploys": Row(TOKEN, read=Scope.DEPLOYS_READ, write=Scope.DEPLOYS_WRITE),
    "api/v1/deploys/<uuid:public_id>": Row(TOKEN, read=Scope.DEPLOYS_READ, write=None, args=deploy),
    "api/v1/live": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=None),
    "api/v1/incidents": Row(
        TOKEN, read=Scope.INCIDENTS_READ, write=Scope.INCIDENTS_WRITE, body={"title": "It broke", "service": "shop"}
    ),
    "api/v1/incidents/<str:incident>/attribution": Row(
        TOKEN, read=Scope.INCIDENTS_READ, write=None, args=lambda team: {"incident": incident_of(team).public_id}
    ),
    "api/v1/flags": Row(TOKEN, read=None, write=Scope.DEPLOYS_WRITE),
    "api/v1/flags/references": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=Scope.DEPLOYS_WRITE),
    "api/v1/metrics": Row(TOKEN, read=Scope.METRICS_READ, write=None),
    "api/v1/reports": Row(TOKEN, read=Scope.METRICS_READ, write=None),
    "api/v1/reports/<str:label>": Row(TOKEN, read=Scope.METRICS_READ, write=None, args=closed_week),
    "api/v1/objectives/openslo": Row(TOKEN, read=Scope.METRICS_READ, write=Scope.OBJECTIVES_WRITE),
    "api/v1/objectives": Row(TOKEN, read=Scope.METRICS_READ, write=Scope.OBJECTIVES_WRITE),
    "metrics": Row(TOKEN, read=Scope.METRICS_READ, write=None),
    "api/openapi.yaml": Row(PUBLIC),
    "ci/deploy.sh": Row(PUBLIC),
    "ci/flags.py": Row(PUBLIC),
    "ci/flag_patch.py": Row(PUBLIC),
    "api/v1/<path:rest>": Row(PUBLIC, args=lambda _: {"rest": "nothing"}),
    # Sentry's release API: a token of the team that the address names
    "api/0/": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=None),
    f"{ORGANIZATION}/repos/": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=None, args=release),
    **{
        f"{owner}/releases/": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=Scope.DEPLOYS_WRITE, args=release)
        for owner in (ORGANIZATION, PROJECT)
    },
    **{
        f"{address}/": Row(TOKEN, read=Scope.DEPLOYS_WRITE, write=None, args=release)
        for owner in (ORGANIZATION, PROJECT)
        for address in (f"{owner}/releases/<str:version>", f"{owner}/releases/<str:version>/commits")
    },
    f"{ORGANIZATION}/releases/<str:version>/previous-with-commits/": Row(
        TOKEN, read=Scope.DEPLOYS_WRITE, write=None, args=release
    ),
    f"{ORGANIZATION}/releases/<str:version>/deploys/": Row(
        TOKEN, read=Scope.DEPLOYS_WRITE, write=Scope.DEPLOYS_WRITE, args=release
    ),
    "api/0/<path:rest>": Row(PUBLIC, args=lambda _: {"rest": "organizations/acme/monitors/"}),
    "api/docs/": Row(PUBLIC),
    # signed by the sender instead; tests/deploys/api/test_webhooks.py
    "webhooks/<slug:kind>/<uuid:public_id>": Row(PUBLIC, args=webhook),
    # pages of this room
    "docs/": Row(PUBLIC),
    "docs/<path:name>/": Row(PUBLIC, args=lambda _: {"name": "ci/curl"}),
    "problems/<slug:slug>": Row(PUBLIC, args=lambda _: {"slug": "not-found"}),
    f"{T}/deploys/": Row(TEAM, write=None),
    f"{T}/deploys/live/": Row(TEAM, write=None),
    f"{T}/deploys/<uuid:public_id>/": Row(TEAM, write=None, args=deploy),
    f"{T}/services/<uuid:public_id>/compare/": Row(TEAM, write=None, args=service),
    f"{T}/flags/": Row(TEAM, write=None),
    f"{T}/flags/new/": Row(TEAM, read=Role.RESPONDER),
    f"{T}/flags/cleanup/": Row(TEAM, body={"act": "done"}),
    f"{T}/flags/import/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    f"{T}/flags/keys/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN, body={"act": "make"}),
    f"{T}/flags/segments/": Row(TEAM),
    f"{T}/flags/segments/<str:key>/": Row(TEAM, args=segment, body={"act": "delete"}),
    f"{T}/flags/<uuid:public_id>/": Row(TEAM, args=flag, body={"act": "describe"}),
    f"{T}/services/": Row(TEAM, write=None),
    f"{T}/services/<uuid:public_id>/": Row(TEAM, write=None, args=service),
    f"{T}/services/<uuid:public_id>/edit/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN, args=service),
    f"{T}/deliveries/": Row(TEAM, write=None),
    f"{T}/deliveries/<uuid:public_id>/": Row(TEAM, write=None, args=delivery),
    f"{T}/deliveries/<uuid:public_id>/replay/": Row(TEAM, read=None, write=Role.RESPONDER, args=delivery),
    "ui/": Row(PUBLIC),
    # incidents
    f"{T}/incidents/": Row(TEAM),
    f"{T}/incidents/declare/": Row(TEAM, read=Role.RESPONDER),
    f"{T}/incidents/incidents.csv": Row(TEAM, write=None),
    f"{T}/incidents/incidents.jsonl": Row(TEAM, write=None),
    f"{T}/incidents/many/": Row(TEAM, read=None),
    f"{T}/incidents/many/<uuid:public_id>/undo/": Row(TEAM, read=None, args=bulk_act),
    f"{T}/incidents/import/": Row(TEAM, read=Role.RESPONDER),
    f"{T}/incidents/<int:number>/": Row(TEAM, args=incident),
    f"{T}/incidents/<int:number>/clocks/<slug:clock_name>/": Row(TEAM, read=Role.RESPONDER, args=incident),
    f"{T}/incidents/<int:number>/class/": Row(TEAM, read=Role.RESPONDER, args=incident),
    f"{T}/incidents/<int:number>/edit/": Row(TEAM, read=Role.RESPONDER, args=incident),
    f"{T}/incidents/<int:number>/state/": Row(TEAM, args=incident, body={"act": "acknowledge"}),
    f"{T}/incidents/<int:number>/notes/": Row(TEAM, args=incident),
    f"{T}/incidents/<int:number>/cause/": Row(TEAM, args=incident, body={"act": "other", "kind": "external"}),
    f"{T}/incidents/<int:number>/choose/": Row(TEAM, read=Role.RESPONDER, args=incident),
    **{
        f"{T}/incidents/<int:number>/{page}/": Row(TEAM, read=Role.RESPONDER, args=incident)
        for page in ("roles", "spells", "ending", "split")
    },
    f"{T}/incidents/<int:number>/retrospective/": Row(TEAM, args=incident),
    f"{T}/incidents/<int:number>/retrospective/write/": Row(TEAM, read=Role.RESPONDER, args=incident),
    f"{T}/incidents/<int:number>/retrospective.md": Row(TEAM, write=None, args=incident),
    f"{T}/incidents/<int:number>/promises/": Row(TEAM, read=None, args=incident),
    f"{T}/incidents/<int:number>/runbook/": Row(TEAM, read=None, args=incident, body={"outcome": "worked"}),
    f"{T}/action-items/": Row(TEAM, write=None),
    f"{T}/action-items/<uuid:public_id>/": Row(TEAM, args=promise),
    f"{T}/runbooks/": Row(TEAM, write=None),
    f"{T}/runbooks/new/": Row(TEAM, read=Role.RESPONDER),
    f"{T}/runbooks/<uuid:public_id>/": Row(TEAM, args=runbook),
    f"{T}/runbooks/<uuid:public_id>/edit/": Row(TEAM, read=Role.RESPONDER, args=runbook),
    f"{T}/incidents/<int:number>/live/": Row(TEAM, write=None, args=incident),
    f"{T}/incidents/<int:number>/duplicate/": Row(TEAM, read=Role.RESPONDER, args=incident),
    f"{T}/incidents/proposals/": Row(TEAM),
    f"{T}/incidents/proposals/<int:number>/": Row(TEAM, args=proposal, body={"act": "reject"}),
    f"{T}/incidents/planned-work/": Row(TEAM),
    f"{T}/settings/privacy/": Row(TEAM, write=Role.ADMIN, body={"act": "save"}),
    f"{T}/incidents/planned-work/<uuid:public_id>/": Row(TEAM, args=maintenance, body={"act": "excuse"}),
    f"{T}/ingest/": Row(TEAM, write=None),
    f"{T}/services/<uuid:public_id>/ingest/": Row(TEAM, write=None, args=service),
    f"{T}/dead-letters/": Row(TEAM, write=None),
    f"{T}/dead-letters/<int:number>/": Row(TEAM, write=None, args=dead_letter),
    f"{T}/dead-letters/replay/": Row(TEAM, read=None),
    f"{T}/dead-letters/discard/": Row(TEAM, read=None, write=Role.ADMIN),
    "instance/": Row(INSTANCE, write=None),
    "instance/dead-letters/": Row(INSTANCE, write=None),
    "instance/dead-letters/<int:number>/": Row(INSTANCE, write=None, args=stray_letter),
    "instance/dead-letters/replay/": Row(INSTANCE, read=None),
    "instance/dead-letters/discard/": Row(INSTANCE, read=None),
    f"{T}/find/": Row(TEAM),
    f"{T}/issues/": Row(TEAM),
    f"{T}/issues/<uuid:public_id>/": Row(TEAM, args=issue),
    f"{T}/issues/<uuid:public_id>/state/": Row(TEAM, args=issue, body={"act": "resolve"}),
    f"{T}/issues/<uuid:public_id>/assign/": Row(TEAM, args=issue),
    f"{T}/issues/<uuid:public_id>/merge/": Row(TEAM, read=Role.RESPONDER, args=issue),
    f"{T}/issues/<uuid:public_id>/take-out/": Row(TEAM, read=None, args=issue, body={"act": "all"}),
    # reliability
    f"{T}/": Row(TEAM, write=None),
    f"{T}/now/": Row(TEAM, write=None),
    f"{T}/calibration/": Row(TEAM, write=Role.ADMIN, body={"act": "reset"}),
    f"{T}/reports/": Row(TEAM, write=None),
    f"{T}/reports/<str:label>/": Row(TEAM, write=None, args=week, is_owned=False),
    f"{T}/reports/<str:label>/share/": Row(TEAM, read=Role.RESPONDER, args=week, is_owned=False),
    f"{T}/reports/<str:label>/rows/<slug:number>/": Row(TEAM, write=None, args=week_number, is_owned=False),
    f"{T}/reports/<str:label>/report.json": Row(TEAM, write=None, args=week, is_owned=False),
    f"{T}/reports/<str:label>/report.csv": Row(TEAM, write=None, args=week, is_owned=False),
    f"{T}/reports/<str:label>/report.pdf": Row(TEAM, write=None, args=week, is_owned=False),
    f"{T}/reports/plan/": Row(TEAM, read=Role.ADMIN, write=Role.ADMIN),
    f"{T}/reports/mail/": Row(TEAM, write=Role.VIEWER, body={"act": "add"}),
    f"{T}/reports/badges/": Row(TEAM, write=Role.ADMIN),
    f"{T}/settings/notifications/": Row(TEAM, write=Role.ADMIN, body={"act": "add-email"}),
    f"{T}/settings/notifications/<uuid:public_id>/act/": Row(TEAM, read=None, args=channel, body={"act": "mute"}),
    f"{T}/settings/notifications/<uuid:public_id>/": Row(
        TEAM, read=Role.ADMIN, write=Role.ADMIN, args=channel, body={"act": "save"}
    ),
    f"{T}/notices/": Row(TEAM, write=None),
    f"{T}/notices/<uuid:public_id>/": Row(TEAM, write=None, args=notice),
    f"{T}/incidents/<int:number>/notices/": Row(TEAM, args=incident, body={"act": "mute"}),
    "acknowledge/<str:secret>/": Row(PUBLIC, args=acknowledge_link),
    "mail/leave/<str:token>/": Row(PUBLIC, args=leave_token),
    "badges/<str:key>/<slug:what>.svg": Row(
        PUBLIC, args=lambda team: {"key": renew_badge_key(team=team), "what": "uptime"}
    ),
    "mail/flags/<str:token>/": Row(PUBLIC, args=flag_mail),
    "mail/stop/<str:token>/": Row(PUBLIC, args=mail_stop),
    "shared/<str:secret>/": Row(PUBLIC, args=shared_report),
    "healthz": Row(PUBLIC),
    "readyz": Row(PUBLIC),
    "ui/figures/": Row(PUBLIC),
}
