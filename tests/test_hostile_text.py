"""Whatever people and senders write is text on every page and in every mail: never an element, a handler, a script, or an
address that runs.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from deploys.models import Role
from incidents.ports import Notice, notify
from reliability.actions.delivering import deliver_due
from reliability.actions.notices import SETTLE, note_moved, tell_news
from reliability.actions.report_mail import report_mail, subscribe
from reliability.models import OutgoingNotice
from reliability.queries import knowledge
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory
from tests.factories.notices import channel_of
from tests.hostile import Places, judged, poison, poisoned_team
from tests.permissions_table import TABLE, TOKEN

#: What the pages must show for this to mean anything; each stands for a way that text comes in.
SHOWN = (
    "breadcrumb", "closed incident title", "context value", "declared title", "delivery event", "deploys.ApiToken.name", "deploys.Commit.title",
    "deploys.Delivery.body", "deploys.Deploy.description", "deploys.Environment.name", "deploys.OwnerGroup.name", "deploys.RegisteredFlag.description",
    "deploys.Source.name", "deploys.User.first_name", "error message", "error type", "event release", "flag key", "frame file", "frame function",
    "host", "incident title", "incidents.ActionItem.title", "incidents.Alert.title", "incidents.DeadLetter.reason", "incidents.EvidenceLine.sentence",
    "incidents.Incident.class_note", "incidents.Job.slug", "incidents.Monitor.url", "incidents.Retrospective.answers", "incidents.RunbookVersion.text",
    "incidents.TimelineEntry.text", "maintenance title", "note", "objective id", "proposal title", "release version", "reliability.Channel.name",
    "reliability.NoticeAttempt.answer", "reliability.OutgoingNotice.body", "reliability.OutgoingNotice.title", "request url", "service name",
    "source line", "tag", "tag name", "team name",
)  # fmt: skip

pytestmark = [pytest.mark.database, pytest.mark.django_db(databases="__all__")]


def address(route: str, made: dict[str, Any]) -> str:
    """The path with the hostile team's own things where it has them, else with those that the table makes for a team of its
    own.
    """
    make, team = TABLE[route].args, made["team"]
    arguments = things(made).get(make.__name__) if make is not None else {}
    if make is not None and arguments is None:
        team = MembershipFactory.create(user=made["user"], role=Role.ADMIN).team
        arguments = make(team)
    arguments = {"team_slug": team.slug, **(arguments or {})}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(arguments[found[1]]), route)


def things(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the table's functions of these names would make."""
    return {
        "incident": {"number": made["incident"].number, "clock_name": "detected"},
        "issue": {"public_id": made["issue"].public_id},
        "service": {"public_id": made["service"].public_id},
        "service_id": {"service_id": made["service"].public_id, "what": "event"},
        "notice": {"public_id": made["notice"].public_id},
        "deploy": {"public_id": made["deploy"].change.public_id},
    }


def test_what_others_wrote_is_text_on_every_page(noon: dt.datetime, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    knowledge.forget()
    places = Places()
    made = poisoned_team(places)
    paths = {route: address(route, made) for route, row in TABLE.items() if row.reach != TOKEN}
    poison(places)
    knowledge.forget()
    made["user"].is_superuser = True
    made["user"].save(update_fields=["is_superuser"])
    client = Client()
    client.force_login(made["user"])

    problems: dict[str, Any] = {}
    seen: set[int] = set()
    shown = 0
    for route, path in paths.items():
        answer = client.get(path)
        assert answer.status_code != 500, path
        if answer.status_code != 200 or answer.streaming:
            continue
        kind = answer.headers["Content-Type"].partition(";")[0]
        if kind in {"text/html", "image/svg+xml"}:
            judge = judged(answer.content.decode())
            shown += 1
            seen |= judge.seen
            if judge.problems:
                problems[route] = judge.problems[:5]
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
    assert problems == {}
    assert shown > 70
    assert sorted(place for place in SHOWN if places[place] not in seen) == []


def test_what_others_wrote_is_text_in_every_mail(noon: dt.datetime, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    knowledge.forget()
    places = Places()
    made = poisoned_team(places)
    team = made["team"]
    reader = subscribe(
        team=team, email="r@example.org", kind="week", zone="UTC", hour=9, skips_quiet=False, by=made["user"], now=NOON
    )
    _, subject, _, html = report_mail(team=team, label="2026-W09", subscription=reader, now=NOON)
    poison(places)
    knowledge.forget()
    channel_of(
        team,
        name=places.text("channel"),
        addresses=["list@example.org"],
        is_to_members=True,
        subjects=["downtime", "budget"],
    )
    OutgoingNotice.objects.all().delete()
    note_moved([made["incident"]])
    tell_news(now=NOON)
    notify(
        Notice(
            team=team,
            key="k",
            urgency="page",
            title=places.text("budget title"),
            text=places.text("budget text"),
            path="/",
        )
    )
    deliver_due(now=NOON + SETTLE)
    parts = [(str(message.subject), str(message.alternatives[0].content)) for message in mail.outbox]  # type: ignore[attr-defined]  # of both kinds
    assert len(parts) >= 4  # incident and budget, to Ida and to the list
    seen: set[int] = set()
    for told, body in [*parts, (subject, html)]:
        judge = judged(body, is_mail=True)
        seen |= judge.seen
        assert judge.problems == []
        assert told.isprintable()
    expected = (
        "incident title",
        "service name",
        "team name",
        "channel",
        "budget title",
        "budget text",
        "closed incident title",
    )
    assert [place for place in expected if places[place] not in seen] == []


def test_the_judge_sees_what_must_not_be() -> None:
    good = '<a href="/x">&lt;q onx=1&gt;</a><script type="application/json">{"a": "\\u003Cq onx=2\\u003E"}</script>'
    bad = (
        '<q onx=3>', '<b onclick="x">', '<a href=" javascript:alert(4)">', "<script>x</script>", '<p style="x">', "<!--x-->", "14{%",
        '<meta http-equiv="refresh">', '<img src="data:text/html,x">', "<p \"'=x>",
    )  # fmt: skip

    assert (judged(good).problems, judged(good).seen) == ([], {1, 2})
    assert [each for each in bad if not judged(each).problems] == []
