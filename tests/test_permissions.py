"""Every address of the URLconf, asked by everybody: anonymous, outsider, each role, each kind of token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from deploys.models import Role, Scope, Team
from deploys.views.access import RANK
from tests.factories.access import token_of
from tests.factories.catalog import MembershipFactory, TeamFactory, UserFactory
from tests.permissions_table import INSTANCE, PUBLIC, SIGNED_IN, TABLE, TEAM, TOKEN, Row

pytestmark = pytest.mark.django_db(databases="__all__")

METHODS = ("GET", "POST")
PEOPLE = ("anonymous", "outsider", *Role.values)


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def of_reach(*reaches: str) -> list[str]:
    return [route for route, row in TABLE.items() if row.reach in reaches]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    listed = set(routes(get_resolver().url_patterns))

    assert listed - TABLE.keys() == set(), "add these routes to TABLE in tests/permissions_table.py"
    assert TABLE.keys() - listed == set(), "these rows of tests/permissions_table.py have no route any more"


def address(route: str, team: Team, owner: Team | None = None) -> str:
    """The path with the things of `owner` (the team itself, unless said otherwise)."""
    row = TABLE[route]
    arguments = {"team_slug": team.slug, **(row.args(owner or team) if row.args else {})}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(arguments[found[1]]), route)


def person(who: str, team: Team) -> Client:
    client = Client(raise_request_exception=False)
    if who == "outsider":
        client.force_login(MembershipFactory(role=Role.ADMIN).user)
    elif who != "anonymous":
        client.force_login(MembershipFactory(team=team, role=who).user)
    return client


def ask(client: Client, method: str, path: str, row: Row, **more: Any) -> Any:
    return client.get(path, **more) if method == "GET" else client.post(path, data=row.body, **more)


@contextmanager
def untouched() -> Iterator[None]:
    """What one person does is undone before the next one asks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def is_sent_to_sign_in(answer: Any) -> bool:
    return answer.status_code == 302 and "sign-in" in answer.headers["Location"]


def admitted(answer: Any) -> bool:
    assert answer.status_code != 500, answer.content[:500]
    return answer.status_code not in {401, 403, 404} and not is_sent_to_sign_in(answer)


@pytest.mark.parametrize("route", of_reach(TEAM))
def test_team_pages_are_for_members_of_the_role(route: str) -> None:
    team, row = TeamFactory(), TABLE[route]
    path = address(route, team)

    for who in PEOPLE:
        client = person(who, team)
        for method in METHODS:
            with untouched():
                answer = ask(client, method, path, row)
            case = (who, method, answer.status_code)
            needed = (row.read or Role.VIEWER) if method == "GET" else row.write
            if answer.status_code == 405:  # not taken, whoever asks
                continue
            if who == "anonymous":
                assert is_sent_to_sign_in(answer), case
            elif who == "outsider":
                assert answer.status_code == 404, case
            elif needed is None:
                assert answer.status_code in {200, 403}, case
            elif RANK[Role(who)] >= RANK[Role(needed)]:
                assert admitted(answer), case
            else:
                assert answer.status_code == 403, case


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", [route for route in of_reach(TEAM) if TABLE[route].args and TABLE[route].is_owned])
def test_things_of_another_team_are_not_under_ones_own(route: str, method: str) -> None:
    team = TeamFactory()
    path = address(route, team, owner=TeamFactory())

    answer = ask(person(Role.ADMIN, team), method, path, TABLE[route])

    assert answer.status_code in {404, 405}


@pytest.mark.parametrize("route", of_reach(TEAM))
def test_a_token_is_no_key_to_pages(route: str) -> None:
    team = TeamFactory()
    headers = {"Authorization": f"Bearer {token_of(team)}"}

    answer = Client().get(address(route, team), headers=headers)

    assert answer.status_code == 405 or is_sent_to_sign_in(answer)


@pytest.mark.parametrize("route", of_reach(TEAM, SIGNED_IN))
def test_writing_by_session_needs_the_form_token(route: str) -> None:
    row = TABLE[route]
    team = TeamFactory()
    client = Client(enforce_csrf_checks=True)
    client.force_login(MembershipFactory(team=team, role=Role.ADMIN).user)

    assert client.post(address(route, team), data=row.body).status_code == 403


@pytest.mark.parametrize("route", of_reach(TOKEN))
def test_the_api_is_for_tokens_with_the_scope(route: str) -> None:
    team, row = TeamFactory(), TABLE[route]
    path = address(route, team)
    everything = list(Scope.values)
    for method, scope in (("GET", row.read), ("POST", row.write)):
        if scope is None:
            continue
        without = [each for each in everything if each != scope]
        for secret, expected in (
            (None, 401),
            ("upshot_none", 401),
            (token_of(team, without), 403),
            (token_of(team, [scope]), None),
        ):
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            answer = ask(Client(raise_request_exception=False), method, path, row, headers=headers)
            assert admitted(answer) if expected is None else answer.status_code == expected, (method, secret, answer)


@pytest.mark.parametrize("route", of_reach(TOKEN))
def test_a_session_is_no_token(route: str) -> None:
    team = TeamFactory()

    for method in METHODS:
        answer = ask(person(Role.ADMIN, team), method, address(route, team), TABLE[route])
        assert answer.status_code in {401, 405}


@pytest.mark.parametrize("route", [route for route in of_reach(TOKEN) if TABLE[route].args and TABLE[route].read])
def test_tokens_see_their_own_team_only(route: str) -> None:
    headers = {"Authorization": f"Bearer {token_of(TeamFactory())}"}

    assert Client().get(address(route, TeamFactory()), headers=headers).status_code == 404


@pytest.mark.parametrize("route", of_reach(SIGNED_IN))
def test_pages_of_ones_own_need_an_account(route: str) -> None:
    team = TeamFactory()
    stranger, known = Client(raise_request_exception=False), Client(raise_request_exception=False)
    known.force_login(UserFactory())

    assert is_sent_to_sign_in(stranger.get(address(route, team)))
    assert is_sent_to_sign_in(stranger.post(address(route, team), data=TABLE[route].body))
    assert admitted(known.get(address(route, team)))


@pytest.mark.parametrize("route", of_reach(INSTANCE))
def test_pages_of_the_instance_are_for_its_administrators(route: str) -> None:
    team, row = TeamFactory(), TABLE[route]
    path = address(route, team)
    administrator = Client(raise_request_exception=False)
    administrator.force_login(UserFactory(is_superuser=True))

    for method in METHODS:
        answer = ask(administrator, method, path, row)
        if answer.status_code == 405:
            continue
        assert admitted(answer), (method, answer.status_code)
        assert is_sent_to_sign_in(ask(person("anonymous", team), method, path, row))
        assert ask(person(Role.ADMIN, team), method, path, row).status_code == 404
    assert ask(Client(enforce_csrf_checks=True), "POST", path, row).status_code in {302, 403, 405}


@pytest.mark.parametrize("route", of_reach(PUBLIC))
def test_public_addresses_ask_nobody_to_sign_in(route: str) -> None:
    client = Client(raise_request_exception=False)

    answer = client.get(address(route, TeamFactory()))

    assert answer.status_code not in {401, 403, 500}
    assert not is_sent_to_sign_in(answer)
