"""What is deleted, what is kept, and that counts stay."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import Count, Sum
from pytest_django import DjangoAssertNumQueries, Settings

from deploys.models import Service
from incidents.actions import retention
from incidents.actions.digest import digest_events
from incidents.actions.raw_bodies import expire_bodies
from incidents.actions.retention import Removed, clean_up
from incidents.ingest.writer import Row, store_rows
from incidents.models import DeadLetter, ErrorEvent, InboxItem, Incident, IncidentIssue, IngestCount, Issue, IssueCount
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.errors import minutes, parsed_event
from tests.factories.incidents import incident_of

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]

DAY = dt.timedelta(days=1)


def report(service: Service, ages: Sequence[dt.timedelta], **fields: Any) -> Issue:
    """Errors of one kind, this long before noon; the issue they made."""
    events = [parsed_event(timestamp=NOON - age, **fields) for age in ages]
    [issue] = digest_events(service=service, events=events, received_at=NOON).issue_ids
    return Issue.objects.get(pk=issue)


def kept(issue: Issue) -> list[dt.timedelta]:
    """How long before noon the kept ones were, the oldest first; every number of kept ones must agree."""
    found = dict(ErrorEvent.objects.values_list("issue").annotate(n=Count("pk")))
    assert dict(Issue.objects.filter(kept_count__gt=0).values_list("pk", "kept_count")) == found
    return [
        NOON - at
        for at in ErrorEvent.objects.filter(issue=issue).order_by("timestamp").values_list("timestamp", flat=True)
    ]


def test_old_reports_go_and_their_counts_stay() -> None:
    service = ServiceFactory.create(team=TeamFactory.create(event_days=30))
    issue = report(service, [31 * DAY, 30 * DAY, 29 * DAY])

    removed = clean_up(now=NOON)

    assert (removed, kept(issue)) == (Removed(by_age=1), [30 * DAY, 29 * DAY])
    issue.refresh_from_db()
    assert (issue.events_count, issue.kept_count, IssueCount.objects.aggregate(n=Sum("count"))["n"]) == (3, 2, 3)
    assert clean_up(now=NOON) == Removed()


def test_reports_of_an_incident_outlive_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVIDENCE", 2)
    service = ServiceFactory.create()
    issue = report(service, [100 * DAY - minutes(number) for number in range(10)])
    start = NOON - 100 * DAY + minutes(12)
    incident = incident_of(service.team)
    Incident.objects.update(started_at=start, restored_at=start + minutes(1), closed_at=start + minutes(2))
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=start)

    clean_up(now=NOON)

    assert kept(issue) == [100 * DAY - minutes(number) for number in (2, 3, 8, 9)]


def test_an_issue_with_too_many_keeps_the_first_the_newest_and_a_sample(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EVENTS_PER_ISSUE = 50
    monkeypatch.setattr(retention, "SLICE", 20)
    monkeypatch.setattr(retention, "RECENT", 5)
    service = ServiceFactory.create()
    issue = report(service, [minutes(number) for number in range(100)])

    removed = clean_up(now=NOON)

    ages = kept(issue)
    assert removed == Removed(by_use=100 - len(ages))
    assert 38 <= len(ages) <= 42
    assert ages[0] == minutes(99)
    assert ages[-5:] == [minutes(number) for number in (4, 3, 2, 1, 0)]
    assert max(older - newer for older, newer in itertools.pairwise(ages)) <= minutes(6)
    assert clean_up(now=NOON) == Removed()


def test_an_open_incident_keeps_more(settings: Settings) -> None:
    settings.EVENTS_PER_ISSUE = 10
    service = ServiceFactory.create()
    issue = report(service, [minutes(number) for number in range(90)])
    incident = incident_of(service.team)
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON - minutes(100))

    assert clean_up(now=NOON) == Removed()


def test_a_service_with_too_many_takes_from_its_largest_issues(settings: Settings) -> None:
    settings.EVENTS_PER_SERVICE = 100
    service = ServiceFactory.create()
    large = report(service, [minutes(number) for number in range(90)])
    small = report(service, [minutes(number) for number in range(25)], type="Other")

    clean_up(now=NOON)

    assert (len(kept(small)), 40 <= len(kept(large)) <= 60) == (25, True)


def test_a_service_with_very_many_issues_loses_its_oldest(settings: Settings) -> None:
    settings.EVENTS_PER_SERVICE = 10
    service = ServiceFactory.create()
    issues = [report(service, [minutes(number)], type=f"Type{number}") for number in range(15)]

    removed = clean_up(now=NOON)

    assert removed == Removed(by_use=7)
    assert [len(kept(issue)) for issue in issues] == [1] * 8 + [0] * 7


def test_it_stops_when_told_and_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    service = ServiceFactory.create()
    issue = report(service, [100 * DAY + minutes(number) for number in range(5)])
    answers = iter([True, False])
    pauses: list[float] = []

    first = clean_up(now=NOON, goes_on=lambda: next(answers), pause=pauses.append)

    assert (first, len(pauses), len(kept(issue))) == (Removed(by_age=2, is_done=False), 1, 3)
    assert clean_up(now=NOON) == Removed(by_age=3)


def test_an_instance_where_nothing_is_due_is_looked_at_cheaply(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    service = ServiceFactory.create()
    report(service, [minutes(number) for number in range(30)])

    with django_assert_num_queries(5):  # teams, their switch, services, the old ones, what issues hold
        clean_up(now=NOON)


def test_raw_bodies_go_after_two_weeks_and_are_counted_once() -> None:
    service = ServiceFactory.create()
    for age in (15 * DAY, 13 * DAY):
        store_rows([Row(service.number, "envelope", "", "", b"x", NOON - age)])
        DeadLetter.objects.create(
            project=service.number, kind="envelope", body=b"x", received_at=NOON - age, failed_at=NOON - age, reason="r"
        )
    old = InboxItem.objects.order_by("pk")[0]

    assert [expire_bodies(now=NOON), expire_bodies(now=NOON)] == [2, 0]
    old.save(force_insert=True)  # as if the process had died before it was deleted
    expire_bodies(now=NOON)

    assert (InboxItem.objects.count(), DeadLetter.objects.count()) == (1, 1)
    found = IngestCount.objects.order_by("outcome").values_list("item", "outcome", "quantity")
    assert list(found) == [("body", "dead_expired", 1), ("body", "expired", 1)]
