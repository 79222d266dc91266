"""Pages of issues: what they show, to whom, and what they refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
from backports import zstd

from deploys.models import Role
from incidents.models import Incident, IncidentIssue, Issue
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, UserFactory
from tests.factories.incidents import (
    ErrorEventFactory,
    IssueCountFactory,
    IssueFactory,
    incident_of,
    service_of,
)
from tests.incidents.views.pages import HOSTILE, desk, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("half_past")]


def payload(text: str = "'total'") -> bytes:
    """A stored report with two errors in a chain."""
    frame = {
        "filename": "orders/totals.py", "function": "total", "lineno": 88, "in_app": True, "pre_context": ["x"],
        "context_line": f"    return row[{text}]", "vars": {"row": text},
    }  # fmt: skip
    values = [
        {"type": "OSError", "value": "gone"},
        {"type": "KeyError", "value": text, "stacktrace": {"frames": [{"filename": text, "in_app": False}, frame]}},
    ]
    report = {
        "exception": {"values": values}, "request": {"url": text}, "contexts": {text: {text: text}},
        "breadcrumbs": [{"timestamp": text, "category": text, "message": text}],
    }  # fmt: skip
    return zstd.compress(orjson.dumps(report))


def test_list_shows_open_issues_last_seen_first() -> None:
    at = desk()
    shop = service_of(at.team)
    IssueFactory(service=shop, title="older", last_seen_at=NOON - dt.timedelta(hours=3))
    newer = IssueFactory(service=shop, title="newer", events_count=12, users_count=5)
    IssueFactory(service=shop, title="done", status="resolved")
    IssueFactory(service=ServiceFactory(), title="of others")
    IssueCountFactory(issue=newer, count=7)

    answer = at.get("issue-list")

    assert [issue.title for issue, _, _ in answer.context["rows"]] == ["newer", "older"]
    assert "7 events" in words(answer)
    assert "30 min ago" in words(answer)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"status": "all"}, ["one", "three", "two"]),
        ({"status": "ignored"}, ["three"]),
        ({"service": "api"}, ["two"]),
        ({"release": "1.4.0"}, ["one"]),
        ({"q": "TW"}, ["two"]),
        ({"service": "nobody", "status": "odd"}, ["one", "two"]),
    ],
)
def test_list_is_narrowed_by_the_address(query: dict[str, str], titles: list[str]) -> None:
    at = desk()
    one = IssueFactory(service=service_of(at.team), title="one")
    IssueFactory(service=service_of(at.team, "api"), title="two")
    IssueFactory(service=service_of(at.team), title="three", status="ignored")
    IssueCountFactory(issue=one, release="1.4.0")

    assert sorted(issue.title for issue, _, _ in at.get("issue-list", **query).context["rows"]) == titles


def test_a_corrected_time_shows_what_the_sender_said() -> None:
    at = desk()
    report = zstd.compress(orjson.dumps({"_clock": {"told": "2026-04-03T12:00:00+00:00"}}))
    event = ErrorEventFactory(issue=IssueFactory(service=service_of(at.team)), payload=report)

    answer = at.get("issue-detail", event.issue.public_id)

    assert "Its clock was wrong" in words(answer)
    assert "3 April" in words(answer)


def test_empty_list_says_why_that_may_be() -> None:
    at = desk()

    assert "also when nothing is heard" in words(at.get("issue-list"))
    assert "No issue matches this filter." in words(at.get("issue-list", q="x"))


@pytest.mark.parametrize("count", [1, 3])
def test_list_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for _ in range(count):
        IssueCountFactory(issue=IssueFactory(service=service_of(at.team)))

    with django_assert_num_queries(8):
        at.get("issue-list")


def test_detail_shows_stack_tags_flags_releases() -> None:
    at = desk()
    issue = IssueFactory(service=service_of(at.team), events_count=2, users_count=1, first_release="1.4.0")
    event = ErrorEventFactory(
        issue=issue, payload=payload(), tags={"page": "/pay"}, flags={"vat": True}, release="1.4.0"
    )
    ErrorEventFactory(issue=issue, payload=payload(), timestamp=NOON - dt.timedelta(hours=1), flags={"vat": False})
    IssueCountFactory(issue=issue, release="1.4.0", host="web-1", count=2)
    incident = incident_of(at.team, title="It broke badly")
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON)

    page = words(at.get("issue-detail", issue.public_id))

    assert "caused by" in page
    assert "orders/totals.py:88" in page
    assert "return row[" in page
    assert "on in 1, off in 1" in page
    assert "/pay" in page
    assert "It broke badly" in page
    assert event.event_id in page


def test_detail_of_one_event_and_of_none() -> None:
    at = desk()
    issue = IssueFactory(service=service_of(at.team))
    older = ErrorEventFactory(issue=issue, payload=payload("'older'"), timestamp=NOON - dt.timedelta(hours=1))

    assert "Its events are gone" in words(at.get("issue-detail", IssueFactory(service=service_of(at.team)).public_id))
    assert older.event_id in words(at.get("issue-detail", issue.public_id, event=older.event_id))
    assert at.get("issue-detail", issue.public_id, event="f" * 32).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_detail_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    issue = IssueFactory(service=service_of(at.team))
    for n in range(count):
        ErrorEventFactory(issue=issue, payload=payload(), tags={f"t{n}": "x"})
        IssueCountFactory(issue=issue, release=str(n))
        IncidentIssue.objects.create(incident=incident_of(at.team), issue=issue, from_at=NOON)

    with django_assert_num_queries(14):
        at.get("issue-detail", issue.public_id)


def test_people_decide() -> None:
    at = desk()
    issue = IssueFactory(service=service_of(at.team))

    at.post("issue-state", issue.public_id, act="resolve")
    assert Issue.objects.get().status == "resolved"
    at.post("issue-state", issue.public_id, act="reopen")
    at.post("issue-state", issue.public_id, act="ignore")
    assert Issue.objects.get().status == "ignored"
    at.post("issue-assign", issue.public_id, assignee=str(at.user.pk))
    assert Issue.objects.get().assignee == at.user
    at.post("issue-assign", issue.public_id, assignee=str(UserFactory().pk))
    assert Issue.objects.get().assignee == at.user
    assert at.post("issue-state", issue.public_id, act="odd").status_code == 404


def test_viewers_read_and_others_find_nothing() -> None:
    at = desk(role=Role.VIEWER)
    issue, foreign = IssueFactory(service=service_of(at.team)), IssueFactory()

    page = words(at.get("issue-detail", issue.public_id))

    assert "Resolve" not in page
    assert at.post("issue-state", issue.public_id, act="resolve").status_code == 403
    assert at.post("issue-assign", issue.public_id).status_code == 403
    assert at.get("issue-detail", foreign.public_id).status_code == 404


def test_hostile_texts_are_inert() -> None:
    at = desk()
    issue = IssueFactory(
        service=service_of(at.team, f"s{HOSTILE}"), title=HOSTILE, culprit=HOSTILE, first_release=HOSTILE,
        explanation={"parts": [HOSTILE]}, resolved_in_release=HOSTILE,
    )  # fmt: skip
    ErrorEventFactory(
        issue=issue, payload=payload(HOSTILE), tags={HOSTILE: HOSTILE}, flags={HOSTILE: True}, release=HOSTILE, host=HOSTILE,
        message=HOSTILE,
    )  # fmt: skip
    IssueCountFactory(issue=issue, release=HOSTILE, host=HOSTILE)
    Incident.objects.all().delete()

    for answer in (at.get("issue-list"), at.get("issue-list", q=HOSTILE), at.get("issue-detail", issue.public_id)):
        html = answer.content.decode()
        assert answer.status_code == 200
        for harm in ("<script>alert", "<img", "140007", 'onerror=alert(2)>"'):
            assert harm not in html, harm


def test_a_report_that_was_cut_says_what_is_missing() -> None:
    at = desk()
    report = zstd.compress(orjson.dumps({"truncated": ["frames", "message"]}))
    event = ErrorEventFactory(issue=IssueFactory(service=service_of(at.team)), payload=report)
    whole = ErrorEventFactory(issue=IssueFactory(service=service_of(at.team), title="whole"))

    answer = at.get("issue-detail", event.issue.public_id)

    said = "Left out: the outermost calls of the stack, the end of the message. It is counted like any other."
    assert said in words(answer)
    assert "Left out" not in words(at.get("issue-detail", whole.issue.public_id))
