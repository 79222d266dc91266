"""Issues that people put together and take apart: nothing is lost, nothing counted twice, and what comes later follows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db.models import Sum

from deploys.models import Service, User
from incidents.actions import detection, retention
from incidents.actions.digest import digest_events
from incidents.actions.issue_groups import GroupingRefused, is_whole, merge_issues, take_out
from incidents.models import Episode, ErrorEvent, Incident, IncidentIssue, Issue, IssueAct, IssueCount, IssueUser
from incidents.queries.error_counts import errors_by_release
from incidents.queries.evidence import Lens, times_of
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, UserFactory
from tests.factories.errors import minutes, parsed_event
from tests.factories.incidents import incident_of
from tests.incidents.actions.test_detection import shop

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def ida() -> User:
    return UserFactory(first_name="Ida", last_name="Holm")


@pytest.fixture
def service() -> Service:
    return shop()


def report(kind: str, at: float = 0, *, user: str = "", **more: Any) -> Any:
    return parsed_event(type=kind, message="it broke", timestamp=NOON + minutes(at), user=user, **more)


def send(service: Service, *events: Any, at: float = 60) -> None:
    digest_events(service=service, events=list(events), received_at=NOON + minutes(at))


def issue(kind: str) -> Issue:
    return Issue.objects.exclude(fingerprint__startswith="merged:").get(type=kind)


def state() -> dict[str, Any]:
    """Everything that is counted of every issue that is no whole."""
    found = {}
    for each in Issue.objects.exclude(fingerprint__startswith="merged:").order_by("pk"):
        found[each.type] = (
            each.events_count, each.users_count, each.kept_count, each.first_seen_at, each.last_seen_at, each.merged_into_id,
            sorted(IssueCount.objects.filter(issue=each).values_list("bucket_at", "release", "host", "count")),
            sorted(IssueUser.objects.filter(issue=each).values_list("user_key", "first_seen_at")),
            sorted(ErrorEvent.objects.filter(issue=each).values_list("event_id", "part")),
        )  # fmt: skip
    return found


def test_the_whole_is_the_sum_of_its_parts(service: Service, ida: User) -> None:
    send(service, report("A", 0, user="u1"), report("A", 7, user="u2"), report("B", 3, user="u1"), report("C", 4))

    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON + minutes(61))

    assert is_whole(whole)
    assert (whole.events_count, whole.users_count, whole.kept_count) == (3, 2, 3)
    assert (whole.title, whole.first_seen_at, whole.last_seen_at) == ("A: it broke", NOON, NOON + minutes(7))
    assert IssueCount.objects.filter(issue=whole).aggregate(n=Sum("count"))["n"] == 3
    assert {each.type for each in Issue.objects.filter(merged_into=whole)} == {"A", "B"}
    assert ErrorEvent.objects.filter(issue=whole).count() == 3
    assert whole.dirty_at == NOON + minutes(61)
    act = IssueAct.objects.get()
    assert (act.kind, act.by, [part["title"] for part in act.parts]) == ("merged", ida, ["A: it broke", "B: it broke"])


def test_a_service_s_errors_are_counted_once(service: Service, ida: User) -> None:
    send(service, report("A"), report("B"), report("C"))
    merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)

    series = errors_by_release(begins_at=NOON, ends_at=NOON + minutes(5), services=[service.pk])

    assert [each.counts for each in series] == [(3,)]


def test_later_events_follow_and_repeated_ones_change_nothing(service: Service, ida: User) -> None:
    first, second = report("A", user="u1"), report("B", user="u1")
    send(service, first, second)
    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)
    third = report("B", 9, user="u2")

    send(service, third, first)
    send(service, second, third)

    whole.refresh_from_db()
    part = issue("B")
    assert (whole.events_count, whole.users_count, whole.kept_count) == (3, 2, 3)
    assert (part.events_count, part.users_count, part.kept_count, part.dirty_at) == (2, 2, 0, None)
    assert ErrorEvent.objects.filter(issue=whole, part=part.pk).count() == 2
    assert whole.dirty_at is not None
    assert whole.title == "A: it broke"


def test_taking_apart_is_as_if_nothing_had_been(service: Service, ida: User) -> None:
    events = [report("AB"[n % 2], n, user=f"u{n % 3}", release=f"1.{n % 2}") for n in range(8)]
    send(service, *events[:4])
    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)
    send(service, *events[4:])

    assert take_out(whole=whole, parts=[issue("A")], by=ida, now=NOON) is None

    merged = state()
    assert not Issue.objects.filter(pk=whole.pk).exists()
    ErrorEvent.objects.all().delete()
    Issue.objects.all().delete()
    send(service, *events)
    assert merged == state()


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_merging_and_sending_comes_to_the_same(service: Service, ida: User, seed: int) -> None:
    drawn = random.Random(seed)
    events = [report("ABC"[n % 3], n, user=f"u{n % 4}") for n in range(12)]
    send(service, *events[:3])
    rest = events[3:]
    drawn.shuffle(rest)
    steps: list[Any] = [("send", some) for some in (rest[:4], rest[4:], rest[2:7])]
    steps += [("merge", pair) for pair in (["A", "B"], ["B", "C"], ["C", "A"])]
    drawn.shuffle(steps)

    for what, args in steps:
        if what == "send":
            send(service, *args)
        else:
            merge_issues(one=issue(args[0]), other=issue(args[1]), by=ida, now=NOON)

    whole = Issue.objects.get(fingerprint__startswith="merged:")
    assert (whole.events_count, whole.users_count, whole.kept_count) == (12, 4, 12)
    assert sorted(IssueCount.objects.filter(issue=whole).values_list("count", flat=True)) == [2, 5, 5]
    assert {row.merged_into_id for row in Issue.objects.exclude(pk=whole.pk)} == {whole.pk}


def test_of_three_one_may_leave(service: Service, ida: User) -> None:
    send(service, report("A"), report("B", 1), report("C", 2))
    merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)
    whole = merge_issues(one=issue("A"), other=issue("C"), by=ida, now=NOON)

    left = take_out(whole=whole, parts=[issue("B")], by=ida, now=NOON)

    assert left is not None
    assert (left.events_count, left.first_seen_at, left.last_seen_at) == (2, NOON, NOON + minutes(2))
    assert (issue("B").merged_into, issue("B").kept_count, issue("A").merged_into) == (None, 1, whole)
    assert list(IssueAct.objects.filter(issue=issue("B")).values_list("kind", flat=True)) == ["taken out"]


def test_two_wholes_become_one(service: Service, ida: User) -> None:
    send(service, *(report(kind, n) for n, kind in enumerate("ABCD")))
    merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)
    merge_issues(one=issue("C"), other=issue("D"), by=ida, now=NOON)

    whole = merge_issues(one=issue("A"), other=issue("D"), by=ida, now=NOON)

    assert Issue.objects.filter(fingerprint__startswith="merged:").count() == 1
    assert (whole.events_count, Issue.objects.filter(merged_into=whole).count()) == (4, 4)
    assert ErrorEvent.objects.filter(issue=whole).count() == 4


def test_what_cannot_be_merged(service: Service, ida: User) -> None:
    send(service, report("A"))
    other = ServiceFactory(team=service.team, name="api")
    send(other, report("B"))

    for one, two in ((issue("A"), issue("B")), (issue("A"), issue("A"))):
        with pytest.raises(GroupingRefused):
            merge_issues(one=one, other=two, by=ida, now=NOON)
    with pytest.raises(GroupingRefused):
        take_out(whole=issue("A"), parts=[issue("B")], by=ida, now=NOON)
    assert not IssueAct.objects.exists()


def test_the_overflow_issue_is_left_alone(service: Service, ida: User) -> None:
    send(service, report("A"), report("B"))
    Issue.objects.filter(type="B").update(grouping_version=0, fingerprint="overflow")

    with pytest.raises(GroupingRefused, match="nothing in common"):
        merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)


def test_a_resolved_issue_that_happens_again_in_a_part_is_open_again(service: Service, ida: User) -> None:
    send(service, report("A"), report("B"))
    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)
    Issue.objects.filter(pk=whole.pk).update(status="resolved", resolved_at=NOON + minutes(1))

    send(service, report("B", 5))

    whole.refresh_from_db()
    assert (whole.status, whole.regressed_at) == ("open", NOON + minutes(5))


def test_evidence_goes_with_the_issue_and_comes_back(service: Service, ida: User) -> None:
    send(service, *(report("A", n / 4, user=f"u{n}") for n in range(8)), at=3)
    detection.run(now=NOON + minutes(3))
    incident = Incident.objects.get()
    send(service, *(report("B", n / 4, user=f"v{n}") for n in range(3)), at=3)

    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON + minutes(4))
    detection.run(now=NOON + minutes(5))

    episode = Episode.objects.get()
    assert (episode.issue, episode.incident, episode.count) == (whole, incident, 11)
    assert list(IncidentIssue.objects.values_list("incident", "issue")) == [(incident.pk, whole.pk)]
    assert len(times_of(Lens(service.team, NOON + minutes(5)), whole)) == 11

    take_out(whole=whole, parts=[issue("B")], by=ida, now=NOON + minutes(6))
    detection.run(now=NOON + minutes(7))

    assert Episode.objects.get(issue=issue("A")).incident == incident
    assert Incident.objects.filter(is_dismissed=False).count() == 1
    assert IncidentIssue.objects.filter(incident=incident, issue=issue("A")).exists()


def symptom(of: Issue, incident: Incident, start: float) -> Episode:
    """Two minutes of an issue, as detection found them."""
    place = ErrorEvent.objects.filter(issue=of)[0].environment
    IncidentIssue.objects.get_or_create(incident=incident, issue=of, defaults={"from_at": NOON + minutes(start)})
    return Episode.objects.create(
        team=incident.team, service=of.service, environment=place, issue=of, incident=incident, count=4, reason="novel",
        started_at=NOON + minutes(start), last_at=NOON + minutes(start + 2), met_at=NOON + minutes(start),
    )  # fmt: skip


@pytest.mark.parametrize(("start", "is_one"), [(100, True), (190, False)])
def test_two_incidents_of_one_symptom_become_one(service: Service, ida: User, start: int, is_one: bool) -> None:
    send(service, report("A"), report("B", start), at=start)
    first = incident_of(service.team, detected_by="upshot")
    second = incident_of(service.team, detected_by="upshot")
    symptom(issue("A"), first, 0)
    symptom(issue("B"), second, start)

    merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON + minutes(start + 3))

    second.refresh_from_db()
    assert second.duplicate_of == (first if is_one else None)
    assert set(Episode.objects.values_list("incident", flat=True)) == ({first.pk} if is_one else {first.pk, second.pk})


def test_an_incident_with_another_symptom_stands_for_itself(service: Service, ida: User) -> None:
    send(service, report("A"), report("B", 9), report("C", 9), at=9)
    first, second = incident_of(service.team), incident_of(service.team)
    symptom(issue("A"), first, 0)
    symptom(issue("B"), second, 9)
    symptom(issue("C"), second, 9)

    merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON + minutes(12))

    second.refresh_from_db()
    assert (second.duplicate_of, Episode.objects.filter(incident=second).count()) == (None, 2)


def test_retention_counts_what_a_whole_holds_once(service: Service, ida: User) -> None:
    send(service, *(report("AB"[n % 2], n) for n in range(6)))
    whole = merge_issues(one=issue("A"), other=issue("B"), by=ida, now=NOON)

    retention.clean_up(now=NOON + minutes(60 * 24 * 400))

    whole.refresh_from_db()
    assert (whole.kept_count, ErrorEvent.objects.count(), whole.events_count) == (0, 0, 6)
