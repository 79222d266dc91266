from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from deploys import clock, ports
from deploys.actions.deploys import record
from deploys.actions.facts import record_fact
from deploys.actions.listing import refresh_services
from deploys.domain.changes import DeployReport
from deploys.models import Deploy, Team
from deploys.ports import ChangeLinks, Column
from tests.conftest import NOON
from tests.deploys.views.pages import text_of
from tests.factories.catalog import MembershipFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client: Client) -> Team:
    """A team whose viewer is signed in."""
    membership = MembershipFactory(role="viewer")
    client.force_login(membership.user)
    return membership.team


def tell(team: Team, release: str, *, hours: float, status: str = "success", **more: Any) -> Deploy:
    started_at = NOON - dt.timedelta(hours=hours)
    facts: dict[str, Any] = {
        "id": f"run-{release}-{hours}", "service": "shop", "release": release, "status": status,
        "started_at": started_at, "finished_at": None if status == "in_progress" else started_at + dt.timedelta(minutes=6),
        **more,
    }  # fmt: skip
    deploy = record(team=team, report=DeployReport(**facts), source="api", received_at=started_at).deploy
    refresh_services([deploy.service_id], now=NOON)
    return deploy


def get(client: Client, path: str) -> str:
    with clock.at(NOON):
        answer = client.get(path)
    assert answer.status_code == 200
    return text_of(answer)


def page(client: Client, team: Team, deploy: Deploy) -> str:
    return get(client, f"/t/{team.slug}/deploys/{deploy.change.public_id}/")


def test_the_list_says_kind_outcome_and_time(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=50)
    tell(team, "1.1", hours=30)
    tell(team, "1.0", hours=29)
    tell(team, "1.2", hours=20, status="failure")
    tell(team, "1.3", hours=1, status="in_progress")
    tell(team, "1.4", hours=40, status="in_progress")

    text = get(client, f"/t/{team.slug}/deploys/")

    rows = text[text.index("Took") + 5 :]
    for line in (
        "shop 1.3 production not live yet running 11:00 –",
        "shop 1.2 production not live yet aborted before traffic Tue 16:00 6 min",
        "shop 1.0 production rollback succeeded Tue 07:00 6 min",
        "shop 1.1 production forward succeeded Tue 06:00 6 min",
        "shop 1.4 production not live yet never finished Mon 20:00 –",
        "shop 1.0 production forward succeeded Mon 10:00 6 min",
    ):
        assert line in rows


@pytest.mark.parametrize(
    ("query", "releases"),
    [
        ("service=till", ["2.0"]),
        ("kind=rollback", ["1.0"]),
        ("outcome=succeeded&service=shop", ["1.0", "1.1", "1.0"]),
        ("release=1.1", ["1.1"]),
        ("from=2026-03-03&to=2026-03-04", ["1.0", "1.1"]),
        ("environment=STAGING", []),
        ("kind=odd", ["2.0", "1.0", "1.1", "1.0"]),
    ],
)
def test_the_list_is_narrowed_by_its_address(client: Client, team: Team, query: str, releases: list[str]) -> None:
    tell(team, "1.0", hours=50)
    tell(team, "1.1", hours=30)
    tell(team, "1.0", hours=29)
    tell(team, "2.0", hours=5, service="till")

    with clock.at(NOON):
        answer = client.get(f"/t/{team.slug}/deploys/?{query}")

    assert [line.deploy.release.version for line in answer.context["lines"]] == releases
    assert ("kind: expected" in text_of(answer)) == ("odd" in query)


def test_the_list_is_cut_into_pages(client: Client, team: Team) -> None:
    for n in range(45):
        tell(team, f"1.{n}", hours=100 - n)
    address = f"/t/{team.slug}/deploys/"

    first = client.get(address + "?service=shop")
    second = client.get(address + "?" + first.context["page"].older)

    assert [len(each.context["lines"]) for each in (first, second)] == [40, 5]
    assert "service=shop" in first.context["page"].older
    assert client.get(address + "?cursor=xx").status_code == 404


def test_an_empty_list_says_how_to_send_the_first(client: Client, team: Team) -> None:
    ServiceFactory(team=team, name="web shop")

    text = get(client, f"/t/{team.slug}/deploys/")

    assert "No deploy was reported yet." in text
    assert "/api/v1/deploys" in text
    assert "service='web shop'" in text


def test_the_list_costs_the_same_for_one_and_three(client: Client, team: Team) -> None:
    counts = []
    for n in range(3):
        tell(team, f"1.{n}", hours=50 - n, service=f"shop-{n}", artifact=f"sha256:{n}")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/t/{team.slug}/deploys/")
        counts.append(len(queries))

    assert counts[0] == counts[2]
    assert counts[0] <= 9


def test_upper_rooms_add_columns(client: Client, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_page_makers", [])
    monkeypatch.setattr(ports, "_columns", {})
    ports.register_column("deploy-list", Column("Harm", lambda _, rows: {rows[0].pk: mark_safe("<b>INC-1</b>")}))
    tell(team, "1.0", hours=5)

    assert "Harm" in get(client, f"/t/{team.slug}/deploys/")
    assert "6 min INC-1" in get(client, f"/t/{team.slug}/deploys/")


def test_a_page_tells_the_deploys_life(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=50)
    middle = tell(team, "1.1", hours=30, artifact="sha256:ab", description="Friday <fix>", files=("a.py",))
    last = tell(team, "1.2", hours=5)
    record_fact(
        team=team, kind="change", origin="live", received_at=NOON, source="api",
        payload={"sha": "9f1c7a", "title": "Read the total", "author": "Ada", "deploys": [str(middle.change.public_id)],
                 "committed_at": (NOON - dt.timedelta(hours=32)).isoformat()},
    )  # fmt: skip

    text = page(client, team, middle)

    assert "was live for 1 d 1 h , replaced by 1.2 production forward run-1.1-30" in text
    assert "started Tue 06:00:00 first traffic Tue 06:06:00 taken from its end" in text
    assert "finished Tue 06:06:00 after 6 min replaced 07:06:00 by 1.2 after 1 d 1 h" in text
    assert "9f1c7a Read the total Ada 2 h 06 min" in text
    assert "1 commit, the oldest 2 h 06 min before it was live" in text
    assert "before 1.0 , compare after 1.2" in text
    assert "Friday <fix>" in text
    assert "live for 4 h 54 min production" in page(client, team, last)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"status": "failure"}, "aborted before traffic production kind not known before it is live"),
        ({"status": "in_progress"}, "running production"),
        ({"status": "in_progress", "percent": 5}, "first share of traffic"),
        ({"status": "success", "live_at": NOON - dt.timedelta(hours=4, minutes=59)}, "as its sender says"),
        (
            {"status": "success", "started_at": NOON + dt.timedelta(hours=1), "finished_at": None},
            "which has not come yet",
        ),
    ],
)
def test_states_of_a_deploy(client: Client, team: Team, facts: dict[str, Any], words: str) -> None:
    assert words in page(client, team, tell(team, "1.0", hours=5, **facts))


def test_panels_and_links_of_upper_rooms_reach_the_page(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = tell(team, "1.0", hours=5, status="failure")
    harm = NOON - dt.timedelta(hours=4, minutes=58)
    monkeypatch.setattr(ports, "_page_makers", [])
    monkeypatch.setattr(ports, "_panels", {})
    monkeypatch.setattr(ports, "_link_sources", [lambda _, ids: ChangeLinks(first_harm_at=dict.fromkeys(ids, harm))])
    ports.register_panel("deploy-answer", lambda _, shown: format_html("<p>harm from {}</p>", f"{shown.live_at:%H:%M}"))

    text = page(client, team, deploy)

    assert "harm from 07:02" in text
    assert "first traffic 07:02:00 when it first did harm" in text
    assert "failed production" in text


def test_a_page_costs_the_same_with_many_neighbours(client: Client, team: Team) -> None:
    counts = []
    for n in range(4):
        deploy = tell(team, f"1.{n}", hours=50 - n)
        with CaptureQueriesContext(connection) as queries:
            page(client, team, deploy)
        counts.append(len(queries))

    assert counts[1] == counts[3]
    assert counts[3] <= 21


def test_a_search_looks_back_in_steps_and_finds_all(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploys.views.deploys.MOST_SEARCHED", 2)
    for hours, release in enumerate(["2.0", "1.4", "1.3", "1.2", "2.1", "1.1"]):
        tell(team, release, hours=hours)

    path, seen = "?text=2.", []
    while path:
        with clock.at(NOON):
            answer = client.get(f"/t/{team.slug}/deploys/{path}")
        found = answer.context["page"]
        seen.append(([row.release.version for row in found.rows], found.searched_to))
        path = f"?{found.older}" if found.older else ""

    assert seen == [
        (["2.0"], NOON - dt.timedelta(hours=1)),
        ([], NOON - dt.timedelta(hours=3)),
        (["2.1"], None),
    ]


def test_a_search_that_found_nothing_yet_says_how_far_it_looked(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploys.views.deploys.MOST_SEARCHED", 1)
    for hours in range(2):
        tell(team, f"1.{hours}", hours=hours)

    with clock.at(NOON):
        first = client.get(f"/t/{team.slug}/deploys/?text=2.0")
        last = client.get(f"/t/{team.slug}/deploys/?{first.context['page'].older}")

    assert "Look further back" in text_of(first)
    assert "No deploy since" in text_of(first)
    assert "No deploy matches this filter." in text_of(last)
