"""Putting issues together and taking them apart, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from deploys.models import Role
from incidents.actions.digest import digest_events
from incidents.models import Issue
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.errors import minutes, parsed_event
from tests.factories.incidents import service_of
from tests.incidents.views.pages import Desk, desk, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


def issues_of(at: Desk, *kinds: str) -> list[Issue]:
    events = [parsed_event(type=kind, message="it broke", timestamp=NOON + minutes(n)) for n, kind in enumerate(kinds)]
    digest_events(service=service_of(at.team), events=events, received_at=NOON + minutes(9))
    return [Issue.objects.get(type=kind) for kind in dict.fromkeys(kinds)]


def test_an_issue_says_why_it_is_one() -> None:
    at = desk()
    (issue,) = issues_of(at, "KeyError")

    page = read(at.get("issue-detail", issue.public_id))

    assert "Their fingerprints agree in: type: KeyError message: it broke place: shop/pay.py in pay" in page
    assert "Grouping 1: type, message without its values, and innermost own place; fingerprint 1:" in page


def test_merging_and_taking_apart() -> None:
    at = desk()
    one, other = issues_of(at, "KeyError", "TypeError", "KeyError")  # the whole is named after the larger part

    choice = read(at.get("issue-merge", one.public_id))
    merged = at.client.post(at.url("issue-merge", one.public_id), {"other": str(other.public_id)}, follow=True)

    assert "TypeError: it broke" in choice
    page = read(merged)
    assert "People put 2 issues together" in page
    assert "Merged: " in page
    assert "; Ida Holm, just now" in page
    whole = Issue.objects.get(fingerprint__startswith="merged:")
    assert at.get("issue-detail", one.public_id)["Location"] == at.url("issue-detail", whole.public_id)
    listed = read(at.get("issue-list"))
    assert (listed.count("KeyError: it broke"), listed.count("TypeError: it broke")) == (1, 0)

    apart = at.client.post(
        at.url("issue-take-out", whole.public_id), {"act": "one", "part": str(other.public_id)}, follow=True
    )

    assert "Taken out: " in read(apart)
    assert read(at.get("issue-list")).count("TypeError: it broke") == 1


def test_taking_all_apart_and_doing_it_twice() -> None:
    at = desk()
    one, other = issues_of(at, "KeyError", "TypeError")
    at.post("issue-merge", one.public_id, other=str(other.public_id))
    whole = Issue.objects.get(fingerprint__startswith="merged:")

    at.post("issue-take-out", whole.public_id, act="all")

    assert set(Issue.objects.values_list("merged_into", flat=True)) == {None}
    assert at.post("issue-take-out", whole.public_id, act="all").status_code == 404
    again = at.client.post(at.url("issue-take-out", one.public_id), {"act": "all"}, follow=True)
    assert "That is no part of this issue any more." in read(again)


def test_what_is_refused_says_why() -> None:
    at = desk()
    (issue,) = issues_of(at, "KeyError")
    api = ServiceFactory(team=at.team, name="api")
    digest_events(service=api, events=[parsed_event(type="Other")], received_at=NOON)
    foreign = Issue.objects.get(type="Other")

    for name, data in (
        ("issue-merge", {"other": str(foreign.public_id)}),
        ("issue-take-out", {"part": str(foreign.public_id)}),
    ):
        answer = at.client.post(at.url(name, issue.public_id), data, follow=True)
        assert "one service" in read(answer) or "no part" in read(answer)


def test_a_form_that_names_nothing_is_refused() -> None:
    at = desk()
    (issue,) = issues_of(at, "KeyError")

    for name in ("issue-merge", "issue-take-out"):
        assert "Choose an issue." in read(at.client.post(at.url(name, issue.public_id), follow=True))


@pytest.mark.parametrize("named", ["nonsense", "01234567-89ab-cdef-0123-456789abcdef"])
def test_what_is_not_there(named: str) -> None:
    at = desk()
    (issue,) = issues_of(at, "KeyError")

    assert at.post("issue-merge", issue.public_id, other=named).status_code == 404


def test_issues_of_other_teams_are_not_there() -> None:
    at = desk()
    (issue,) = issues_of(at, "KeyError")
    theirs = desk(team=TeamFactory())
    (foreign,) = issues_of(theirs, "TypeError")

    assert at.post("issue-merge", issue.public_id, other=str(foreign.public_id)).status_code == 404
    assert "TypeError" not in read(at.get("issue-merge", issue.public_id))


def test_choosing_is_narrowed_by_text_and_the_like_come_first() -> None:
    at = desk()
    one, *_ = issues_of(at, "KeyError", "TypeError", "ValueError")
    digest_events(
        service=service_of(at.team), events=[parsed_event(type="KeyError", message="another")], received_at=NOON
    )

    titles = [each.title for each in at.get("issue-merge", one.public_id).context["rows"]]

    assert titles[0] == "KeyError: another"
    assert [each.title for each in at.get("issue-merge", one.public_id, q="value").context["rows"]] == [
        "ValueError: it broke"
    ]


def test_viewers_look_only() -> None:
    at = desk(role=Role.VIEWER)
    (issue,) = issues_of(at, "KeyError")

    assert "Merge with another" not in read(at.get("issue-detail", issue.public_id))
    assert at.get("issue-merge", issue.public_id).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    one, *others = issues_of(at, *(f"Error{n}" for n in range(count + 1)))
    for other in others:
        at.post("issue-merge", one.public_id, other=str(other.public_id))
    whole = Issue.objects.get(fingerprint__startswith="merged:")

    with django_assert_num_queries(14):
        at.get("issue-detail", whole.public_id)
