"""Text that tries to be more than text, put into every column that somebody outside can write; and what must not come of it.

`poisoned_team` makes a team with one of everything, by the ways that data comes in. `poison` then overwrites every other
column of text in every table that is not in UNTOUCHED: a new column is poisoned from its first day on. Every text holds
the number of its place, so that a page can be asked what it shows.
"""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from typing import Any, Final

from django.apps import apps
from django.db import models

from deploys.actions.deliveries import log_delivery
from deploys.actions.facts import record_fact
from deploys.models import Commit, Deploy, OwnerGroup, Role, Service, Team
from incidents.actions.declare import declare
from incidents.actions.ingest import drain
from incidents.actions.notes import add_note
from incidents.ingest.writer import Row, store_rows
from incidents.models import (
    Alert,
    Cause,
    Episode,
    Incident,
    Issue,
    Job,
    Monitor,
    Proposal,
    Retrospective,
    TimelineEntry,
)
from reliability.models import Channel, OutgoingNotice
from tests.conftest import NOON
from tests.factories.access import github_source, token_of
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, TeamFactory
from tests.factories.incidents import deploy_of, flag_of, verdict_of
from tests.factories.notices import channel_of, notice_of

#: Ends attributes, elements, scripts, comments and titles; begins an element, a handler, a template and a Slack mention.
LONG = """'"><q onx=%d></script></title></textarea><img src=x onerror=x>--><!channel>{{ 7|add:7 }}{%% x %%}"""
SHORT = """'"><q onx=%d>"""
ADDRESS = "javascript:alert(%d)//"

#: Columns that hold a word of ours (which no sender chooses), a hash, or what other rows are found by.
UNTOUCHED: Final = {
    "deploys.User": {"password", "email", "zone"},
    "deploys.Team": {"slug", "zone"},
    "deploys.Policy": {"environment", "failure_classes"},
    "deploys.Deploy": {"kind_stated", "kind_listed", "outcome_listed"},
    "deploys.Fact": {"identity", "source", "delivery_id", "payload"},
    "deploys.RegisteredFlag": {"key", "kind", "value_type", "variants", "off_variant", "salt"},
    "deploys.FlagSettings": {"document"},
    "deploys.FlagSegment": {"document"},
    "deploys.FlagRevision": {"before", "after"},
    "deploys.FlagProposal": {"document"},
    "deploys.FlagKey": {"secret_hash", "prefix"},
    "deploys.ScheduledJob": {"name"},
    "deploys.ApiToken": {"prefix", "secret_hash", "scopes"},
    "deploys.DsnKey": {"public_key"},
    "deploys.OneTimeLink": {"secret_hash"},
    "deploys.Source": {"kind"},
    "deploys.SignInAttempt": {"email_key", "address_key"},
    "incidents.AlertWord": {"state"},
    "incidents.Issue": {"fingerprint", "explanation"},
    "incidents.IssueAct": {"parts"},
    "incidents.Incident": {"source", "external_id", "person_keys", "severity", "ended_by", "detected_by"},
    "incidents.Remedy": {"kind"},
    "incidents.TimelineEntry": {"data"},
    "incidents.Verdict": {"inputs", "missing", "reversal", "trigger", "model_version"},
    "incidents.CauseSample": {"named", "refused", "stated", "model_version"},
    "incidents.TeamWeights": {"weights", "base_version"},
    "incidents.Episode": {"facts", "reason"},
    "incidents.ErrorEvent": {"event_id", "user_key", "trace_key", "tags", "flags"},
    "incidents.InboxItem": {"encoding", "event_id"},
    "incidents.DeadLetter": {"kind", "encoding", "event_id"},
    "incidents.DigestMark": {"name", "inbox_ids"},
    "incidents.BatchInHand": {"inbox_ids"},
    "incidents.DeadLetterAct": set(),
    "incidents.Job": {"schedule", "zone", "last_status"},
    "incidents.JobRun": {"told_status"},
    "incidents.ActionItem": {"state", "reminded_of"},
    "incidents.RoleHolder": {"role"},
    "incidents.PrivacyRules": {"rules"},
    "incidents.IngestCount": {"item", "outcome"},
    "incidents.LossCount": {"reason", "category"},
    "incidents.NamesUsed": {"kind", "names"},
    "incidents.Proposal": {"payload", "verdict"},
    "incidents.Maintenance": {"source", "external_id"},
    "reliability.BurnAlert": {"rule"},
    "reliability.OutgoingMail": {"key", "headers"},
    "reliability.Channel": {"subjects", "zone"},
    "reliability.IncidentNews": {"worst_class", "cause"},
    "reliability.OutgoingNotice": {"key", "what", "subject", "urgency"},
    "reliability.NoticeAttempt": {"verdict"},
    "reliability.AcknowledgeLink": {"secret_hash"},
    "reliability.ReportPlan": {"kinds", "badge_key"},
    "reliability.ReportSnapshot": {"label", "zone", "result", "beside", "difference"},
    "reliability.ReportShare": {"secret_hash", "label"},
    "reliability.ReportSubscription": {"zone"},
}

_numbers = itertools.count(100)


class Places(dict[str, int]):
    """Which number stands for which place."""

    def text(self, place: str, longest: int = 300) -> str:
        """Hostile text for this place, as much of it as fits."""
        number = self.setdefault(place, next(_numbers))
        full = LONG % number
        return full if len(full) <= longest else SHORT % number

    def address(self, place: str) -> str:
        """A hostile address for this place."""
        return ADDRESS % self.setdefault(place, next(_numbers)) + SHORT % self[place]


def poisoned_team(places: Places) -> dict[str, Any]:
    """A team with one of everything; what it made, by name."""
    h = places.text
    team = TeamFactory.create(name=h("team name", 100), slug="hostile")
    user = MembershipFactory.create(team=team, role=Role.ADMIN, user__email="ida@example.org").user
    EnvironmentFactory.create(team=team)
    name = h("service name", 200)
    told = {
        "service": {"service": name, "critical": True},
        "objective": {"id": h("objective id", 100), "service": name, "target": 0.999, "window_days": 28},
        "deploy": {
            "id": "d1", "service": name, "release": h("release version", 200), "status": "success", "started_at": "2026-03-04T11:50:00Z",
            "finished_at": "2026-03-04T11:53:00Z", "note": h("deploy note"), "url": places.address("deploy url"), "environment": "production",
        },
        "maintenance": {"id": "m1", "title": h("maintenance title"), "starts_at": "2026-03-05T09:00:00Z", "ends_at": "2026-03-05T10:00:00Z"},
        "monitoring_gap": {"id": "g1", "starts_at": "2026-03-04T08:00:00Z", "ends_at": "2026-03-04T08:10:00Z", "reason": h("gap reason")},
    }  # fmt: skip
    for kind, payload in told.items():
        record_fact(team=team, kind=kind, payload=payload, received_at=NOON, origin="live")
    service = Service.objects.get(team=team, name=name)
    for row in (
        {"id": "i1", "title": h("incident title"), "services": [name], "class": "downtime", "started_at": "2026-03-04T11:55:00Z",
         "causes": [{"kind": "deploy", "id": "d1", "status": "suggested", "by": "model", "probability": 0.93}]},
        {"id": "i2", "title": h("closed incident title"), "services": [name], "class": "multi_user", "started_at": "2026-02-25T10:00:00Z",
         "restored_at": "2026-02-25T10:20:00Z", "causes": [{"kind": "external", "id": h("cause", 100), "status": "confirmed"}]},
    ):  # fmt: skip
        record_fact(team=team, kind="incident", payload=row, received_at=NOON, origin="live", source="upshot")
    incident = Incident.objects.get(team=team, external_id="i1")
    deploy = Deploy.objects.get(team=team)
    verdict_of(incident, [(deploy.change, 0.93), (flag_of(team, key=h("flag key", 200)), 0.04), (None, 0.03)])
    add_note(
        incident=incident,
        text=f"{h('note')} [x]({places.address('note link')}) ![i](x.png)\n\n<q onx=7>",
        by=user,
        now=NOON,
    )
    _event(places, service)
    issue = Issue.objects.get(service=service)
    incident.incident_issues.create(issue=issue, from_at=NOON)
    declare(team=team, title=h("declared title"), by=user, now=NOON, services=[service], note=h("declared note"))
    _around(places, team, service, incident)
    notice = OutgoingNotice.objects.get(team=team, attempts__isnull=False)
    return {
        "notice": notice,
        "team": team,
        "user": user,
        "service": service,
        "incident": incident,
        "issue": issue,
        "deploy": deploy,
    }


def _event(places: Places, service: Service) -> None:
    """An error report with hostile text everywhere, through ingest and digest."""
    h = places.text
    frame = {
        "filename": h("frame file", 200), "function": h("frame function", 200), "module": h("frame module", 200), "lineno": 7, "in_app": True,
        "context_line": h("source line"), "pre_context": [h("line before")], "post_context": [h("line after")], "vars": {h("variable", 60): h("value")},
    }  # fmt: skip
    event = {
        "event_id": "a" * 32, "timestamp": NOON.isoformat(), "platform": "python", "level": "error", "release": h("event release", 200),
        "environment": "production", "server_name": h("host", 200), "transaction": h("transaction", 200), "logger": h("logger", 100),
        "exception": {"values": [{"type": h("error type", 200), "value": h("error message"), "stacktrace": {"frames": [frame]}}]},
        "tags": {"a.tag": h("tag", 200), h("tag name", 30): "x"}, "user": {"id": h("user id", 100), "username": h("user name", 100)},
        "request": {"url": places.address("request url"), "method": h("method", 20), "headers": {"X-Probe": h("header")}},
        "breadcrumbs": {"values": [{"message": h("breadcrumb"), "category": h("category", 60), "timestamp": NOON.isoformat()}]},
        "contexts": {"runtime": {"name": h("runtime", 100)}, h("context", 30): {"k": h("context value")}}, "extra": {"k": h("extra")},
    }  # fmt: skip
    lines = [json.dumps({"event_id": "a" * 32}), '{"type":"event"}', json.dumps(event)]
    store_rows([Row(service.number, "envelope", "", "a" * 32, "\n".join(lines).encode(), NOON)])
    drain(now=NOON)


def _around(places: Places, team: Team, service: Service, incident: Incident) -> None:
    """Rows of tables that no way above has filled."""
    environment = incident.environment
    token_of(team)
    source = github_source(team, service)[0]
    log_delivery(
        team=team, source=source, kind="github", received_at=NOON, event=places.text("delivery event", 100), verdict="refused", reason="x",
        signature="invalid",
    )  # fmt: skip
    alert = Alert.objects.create(
        team=team, origin="x", key="k", service=service, environment=environment, title="x", url="", heard_at=NOON
    )
    Episode.objects.create(
        team=team, service=service, environment=environment, incident=incident, started_at=NOON, last_at=NOON, met_at=NOON, count=1,
        reason="alert", facts={"alert": alert.public_id.hex},
    )  # fmt: skip
    Monitor.objects.create(
        service=service, environment=environment, url="https://a.example/", due_at=NOON, created_at=NOON
    )
    Proposal.objects.create(
        team=team,
        key="x",
        payload={"title": places.text("proposal title"), "services": [service.name]},
        created_at=NOON,
    )
    service.owner_group = OwnerGroup.objects.create(team=team, name="owners")
    service.save(update_fields=["owner_group"])
    commit = Commit.objects.create(team=team, sha="c0ffee", title="x", author="x", service=service, committed_at=NOON)
    commit.deploy_links.create(team=team, deploy=Deploy.objects.get(external_id="d1"), reference="d1")
    Retrospective.objects.create(incident=incident, answers={"summary": "x"}, updated_at=NOON)
    Job.objects.create(service=service, environment=environment, slug="nightly", created_at=NOON)
    Cause.objects.create(incident=incident, kind="external", external_id="x")
    TimelineEntry.objects.create(incident=incident, at=NOON, kind="evidence", text="x")
    channel_of(team, kind="webhook")
    notice = notice_of(team, incident=incident)
    notice.attempts.create(at=NOON, verdict="again", words="x", answer="x")
    budget = notice_of(team, incident=incident, story={"title": "x", "text": "x", "path": "/x"})
    OutgoingNotice.objects.filter(pk=budget.pk).update(incident=None, what="notice")
    off = channel_of(team, kind="slack", name="off")
    Channel.objects.filter(pk=off.pk).update(off_at=NOON, off_because="x")
    deploy_of(team, release="9.9.9")


def poison(places: Places) -> None:
    """Overwrites every column of text that is not UNTOUCHED, of every row, with the text of its place."""
    for model in apps.get_models():
        label = model._meta.label
        if model._meta.app_label not in {"deploys", "incidents", "reliability"}:
            continue
        for field in model._meta.concrete_fields:
            if field.name in UNTOUCHED.get(label, ()) or field.choices or field.primary_key:
                continue
            _poison(places, model, field, f"{label}.{field.name}")


def _poison(places: Places, model: type[models.Model], field: Any, place: str) -> None:  # Any: a field of any kind
    rows = model._base_manager.all()
    if isinstance(field, models.URLField):
        rows.update(**{field.name: places.address(place)})
    elif isinstance(field, models.EmailField):
        for row in rows.exclude(**{field.name: None}):
            model._base_manager.filter(pk=row.pk).update(**{field.name: f"{row.pk}{places.text(place, 100)}"})
    elif isinstance(field, models.CharField | models.TextField):
        known = set(places.values())
        for row in rows:
            was = str(getattr(row, field.name) or "")
            if any(f"onx={number}>" in was for number in known):
                continue  # it came in this way
            value = (places.text(place, (field.max_length or 5000) - 6) + f" {row.pk}")[: field.max_length]
            model._base_manager.filter(pk=row.pk).update(**{field.name: value})
    elif isinstance(field, models.JSONField):
        for row in rows:
            value = getattr(row, field.name)
            model._base_manager.filter(pk=row.pk).update(**{field.name: _leaves(value, places.text(place, 200))})


def _leaves(value: Any, text: str) -> Any:  # Any: JSON
    if isinstance(value, dict):
        return {key: _leaves(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [_leaves(each, text) for each in value] or value
    return text if isinstance(value, str) else value


# -- what must not come of it --------------------------------------------------------------------------------------------

_BAD_SCHEME = re.compile(r"^[\x00-\x20]*(?:javascript|vbscript|data:(?!image/))", re.IGNORECASE)
_SEEN = re.compile(r"onx=(\d+)>|alert\((\d+)\)")
_ADDRESSES = {
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "data",
    "hx-get",
    "hx-post",
    "xlink:href",
    "cite",
    "background",
    "srcset",
}
_JSON = {"application/json", "application/ld+json"}


class Judge(HTMLParser):
    """Reads a page as a browser does. `problems`: what hostile text has become; `seen`: numbers of texts that it shows."""

    def __init__(self, *, is_mail: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.is_mail = is_mail
        self.problems: list[str] = []
        self.seen: set[int] = set()
        self.script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"q", "iframe", "object", "embed", "base", "meta"} and not (
            tag == "meta" and "http-equiv" not in given
        ):
            self.problems.append(f"element {tag}: {given}")
        self.script = given.get("type", "text/javascript") if tag == "script" else ""
        if tag == "script" and (self.is_mail or ("src" not in given and self.script not in _JSON)):
            self.problems.append(f"script: {given}")
        for name, value in given.items():
            if (
                name.startswith("on")
                or not re.fullmatch(r"[a-z][a-z0-9:-]*", name.lower())
                or (name == "style" and not self.is_mail)
            ):
                self.problems.append(f"attribute {name} of {tag}")
            if name in _ADDRESSES and _BAD_SCHEME.match(value):
                self.problems.append(f"address {name}={value[:60]}")
            self._see(value)

    def handle_endtag(self, tag: str) -> None:
        self.script = ""

    def handle_data(self, data: str) -> None:
        if self.script in _JSON:
            json.loads(data)
        if "14{%" in data:
            self.problems.append("a template was run")
        self._see(data)

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"comment {data[:60]}")

    def _see(self, text: str) -> None:
        text = text.encode().decode("unicode_escape", "replace") if self.script in _JSON else text
        self.seen |= {int(found[1] or found[2]) for found in _SEEN.finditer(text)}


def judged(html: str, *, is_mail: bool = False) -> Judge:
    """What a page or mail makes of what it shows."""
    judge = Judge(is_mail=is_mail)
    judge.feed(html)
    judge.close()
    return judge
