"""The pages of segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from deploys.actions.flag_registry import set_rights
from deploys.actions.flag_segments import save_segment
from deploys.models import FlagSegment, Role, Team
from tests.conftest import NOON
from tests.deploys.views.pages import text_of
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, TeamFactory
from tests.factories.flags import registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
ALL = "/t/acme/flags/segments/"
CONDITION = '[{"attribute": "email", "operator": "ends_with", "values": ["@acme.example"]}]'


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme")


def member(client: Client, team: Team, role: str = Role.RESPONDER) -> None:
    client.force_login(MembershipFactory(team=team, role=role).user)


def segment(team: Team, key: str = "staff", *, used_by: str = "") -> None:
    save_segment(team=team, key=key, said={"included": ["ida"]}, now=NOON, by=None)
    if used_by:
        rule = {"segments": [key], "serve": {"variant": "on"}}
        place = team.environments.first() or EnvironmentFactory(team=team)
        served_by(registered(team, used_by), place, {"on": True, "default": {"variant": "off"}, "rules": [rule]})


def test_a_segment_is_made_changed_and_deleted(client: Client, team: Team) -> None:
    member(client, team)
    assert "Name those who test first" in text_of(client.get(ALL))

    made = client.post(ALL, {"key": "staff", "conditions": CONDITION, "included": "ida\n\nkim\n"}, follow=True)
    assert "staff can be named in the rules of flags." in text_of(made)
    assert "email ends with @acme.example, and 2 users by key" in text_of(made)
    changed = client.post(f"{ALL}staff/", {"act": "save", "included": "ida", "excluded": "kim"}, follow=True)
    assert "1 user by key, without 1 user" in text_of(changed)
    assert FlagSegment.objects.get().document == {"conditions": [], "included": ["ida"], "excluded": ["kim"]}
    assert "staff is deleted." in text_of(client.post(f"{ALL}staff/", {"act": "delete"}, follow=True))
    assert client.get(f"{ALL}staff/").status_code == 404


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"key": "a b"}, "expected 1 to 100 letters"),
        ({"key": "staff"}, "a segment of this key exists"),
        ({"key": "beta", "conditions": "{"}, "not JSON"),
        ({"key": "beta", "conditions": "{}"}, "expected a list of conditions"),
        ({"key": "beta", "conditions": '[{"attribute": "plan", "operator": "is"}]'}, "expected one of in"),
        ({}, "This field is required"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(client: Client, team: Team, said: dict[str, str], words: str) -> None:
    segment(team)
    member(client, team)

    answer = client.post(ALL, said)

    assert answer.status_code == 200
    assert words in text_of(answer)
    assert FlagSegment.objects.count() == 1


def test_one_that_is_used_says_by_what_and_stays(client: Client, team: Team) -> None:
    segment(team, used_by="new-cart")
    member(client, team)

    page = text_of(client.get(f"{ALL}staff/"))
    refused = client.post(f"{ALL}staff/", {"act": "delete"}, follow=True)

    assert "new-cart in production" in page
    assert "Not while a flag's rules name it." in page
    assert "new-cart uses staff: take it out of the rules first" in text_of(refused)
    assert client.post(f"{ALL}staff/", {"act": "save", "conditions": "["}).status_code == 200
    assert client.post(f"{ALL}staff/", {"act": "rename"}).status_code == 404


def test_who_may_not_change_the_flags_may_not_change_the_segment(client: Client, team: Team) -> None:
    segment(team, used_by="new-cart")
    set_rights(environment=team.environments.get(), write_role=Role.ADMIN, needs_approval=False)
    member(client, team)

    assert "Your role may look at this segment" in text_of(client.get(f"{ALL}staff/"))
    assert client.post(f"{ALL}staff/", {"act": "save", "included": "kim"}).status_code == 403
    member(client, team, Role.ADMIN)
    assert client.post(f"{ALL}staff/", {"act": "save", "included": "kim"}).status_code == 302


def test_a_change_that_needs_a_second_person_is_refused_with_the_way_round(client: Client, team: Team) -> None:
    segment(team, used_by="new-cart")
    set_rights(environment=team.environments.get(), write_role=Role.RESPONDER, needs_approval=True)
    member(client, team)

    assert "make a segment of another name" in text_of(client.post(f"{ALL}staff/", {"act": "save", "included": "kim"}))


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(
    client: Client, team: Team, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for number in range(count):
        segment(team, f"segment-{number}", used_by=f"flag-{number}")
    segment(TeamFactory(), "theirs")
    member(client, team, Role.VIEWER)

    with django_assert_num_queries(7):
        page = text_of(client.get(ALL))
    assert page.count("in production") == count
    assert "theirs" not in page
    assert "Make the segment" not in page
