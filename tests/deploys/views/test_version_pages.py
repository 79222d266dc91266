"""What is live where, and what two versions differ by."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys import clock
from deploys.actions.commits import list_commits
from deploys.actions.deploys import record
from deploys.actions.listing import refresh_services
from deploys.actions.pushes import record_push
from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.commits import CommitReport
from deploys.models import Deploy, Role, Service, Team
from incidents.actions.digest import digest_events
from tests.conftest import NOON
from tests.deploys.views.pages import text_of
from tests.factories.catalog import MembershipFactory
from tests.factories.changes import FlagChangeFactory
from tests.factories.errors import parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def team(client: Client) -> Team:
    """A team whose viewer is signed in."""
    membership = MembershipFactory(role=Role.VIEWER)
    client.force_login(membership.user)
    return membership.team


def tell(
    team: Team, release: str, *, hours: float, service: str = "shop", status: str = "success", **more: Any
) -> Deploy:
    at = NOON - dt.timedelta(hours=hours)
    ended = {"finished_at": at} if status != "in_progress" else {}
    report = DeployReport(
        id=f"{release}-{hours}", service=service, release=release, status=status, started_at=at, **ended, **more
    )
    deploy = record(team=team, report=report, source="api", received_at=at).deploy
    refresh_services([deploy.service_id], now=NOON)
    return deploy


def get(client: Client, path: str, status: int = 200) -> str:
    with clock.at(NOON):
        answer = client.get(path)
    assert answer.status_code == status
    return text_of(answer) if status == 200 else ""


def compare_path(team: Team, base: object = "", head: object = "") -> str:
    shop = Service.objects.get(team=team, name="shop")
    query = f"?base={base}&head={head}" if base or head else ""
    return f"/t/{team.slug}/services/{shop.public_id}/compare/{query}"


def test_the_board_shows_what_is_live_and_what_is_on_its_way(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=5)
    tell(team, "1.1", hours=4)
    tell(team, "1.0", hours=3)
    tell(team, "1.2", hours=1, status="in_progress")
    tell(team, "1.2", hours=2, environment="staging")
    tell(team, "9.0", hours=30, service="search")
    tell(team, "9.1", hours=28, service="search", status="in_progress")

    page = get(client, f"/t/{team.slug}/deploys/live/")

    assert "Service production staging search 9.0 1 d ago – shop 1.0 3 h ago running 1.2 1.2 2 h ago" in page


def test_the_board_costs_the_same_whatever_the_history(client: Client, team: Team) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            get(client, f"/t/{team.slug}/deploys/live/")
        return len(queries)

    tell(team, "1.0", hours=50)
    before = cost()
    for n in range(12):
        tell(team, f"1.{n}", hours=40 - n, environment=["production", "staging"][n % 2])
    tell(team, "9.0", hours=2, service="search")

    assert cost() == before


def test_a_board_without_deploys_says_the_next_step(client: Client, team: Team) -> None:
    assert "Nothing is known to be live" in get(client, f"/t/{team.slug}/deploys/live/")


def test_a_failed_deploy_leaves_what_was_live(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=3)
    tell(team, "1.1", hours=2, status="failure")

    assert [row.release.version for row in Deploy.objects.filter(is_live_listed=True) if row.release] == ["1.0"]


def test_two_versions_differ_by_what_lies_between(client: Client, team: Team) -> None:
    base = tell(team, "1.0", hours=9)
    middle = tell(team, "1.1", hours=8, files=("shop/pay.py", "db/007_add.sql"))
    head = tell(team, "1.2", hours=4, files=("shop/pay.py",))
    tell(team, "1.3", hours=2)
    commits = [CommitReport("a" * 40, title="Round prices", author="Ada"), CommitReport("b" * 40)]
    list_commits(team=team, deploy=middle, commits=commits, received_at=NOON)
    flip = FlagChangeFactory(team=team, flag__environment=base.environment)
    flip.change.at = NOON - dt.timedelta(hours=6)
    flip.change.save()
    for deploy, quantity in ((base, 3), (head, 8)):
        at = deploy.started_at + dt.timedelta(minutes=10)
        events = [parsed_event(timestamp=at, release="x") for _ in range(quantity)]
        digest_events(service=base.service, events=events, received_at=at)

    page = get(client, compare_path(team, base.change.public_id, head.change.public_id))

    assert "From 1.0 to 1.2: 2 deploys, 2 commits, 1 of 2 files change the schema." in page
    assert "Between the two the schema changed as well as the code." in page
    assert "1.2 forward" in page
    assert "Round prices Ada" in page
    assert f"{flip.flag.key} to 50" in page
    assert "db/007_add.sql schema" in page
    assert "1.0 3 1.5 1 0 1.2 8 4.0 0 0" in page
    assert "named neither" not in page


def test_going_back_is_said(client: Client, team: Team) -> None:
    base, head = tell(team, "1.0", hours=5), tell(team, "1.1", hours=4)

    page = get(client, compare_path(team, head.change.public_id, base.change.public_id))

    assert "From 1.1 to 1.0 going back: 1 deploy, 0 commits." in page
    assert "1 deploy on the way named neither commits nor files" in page


def test_without_a_choice_the_last_two_of_one_environment_are_compared(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=5)
    tell(team, "1.1", hours=4)
    tell(team, "1.2", hours=3, environment="staging")
    tell(team, "1.2", hours=2)

    assert "From 1.1 to 1.2: 1 deploy" in get(client, compare_path(team))


def test_one_deploy_cannot_be_compared(client: Client, team: Team) -> None:
    only = tell(team, "1.0", hours=5)

    assert "Two deploys are needed" in get(client, compare_path(team))
    assert "1.0 and 1.0 are one deploy." in get(
        client, compare_path(team, only.change.public_id, only.change.public_id)
    )


def test_deploys_of_others_cannot_be_compared(client: Client, team: Team) -> None:
    mine = tell(team, "1.0", hours=5)
    theirs = tell(MembershipFactory().team, "6.6.6", hours=4)
    other_service = tell(team, "7.7.7", hours=4, service="search")

    for name in (theirs.change.public_id, other_service.change.public_id, uuid.uuid4(), "nonsense"):
        get(client, compare_path(team, mine.change.public_id, name), status=404)


def test_the_deploy_page_marks_what_changes_the_schema(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=5)
    deploy = tell(
        team, "1.1", hours=4, files=("shop/pay.py", "db/007_add.sql", "db/008_drop.up.sql", "db/008_drop.down.sql")
    )
    flip = FlagChangeFactory(team=team, flag__environment=deploy.environment)
    flip.change.at = deploy.started_at
    flip.change.save()

    page = get(client, f"/t/{team.slug}/deploys/{deploy.change.public_id}/")

    assert "2 files of this deploy change the schema, 1 do not." in page
    assert "No undo script came with db/007_add.sql ." in page
    assert f"Flags touched from an hour before it to a day after {flip.flag.key} to 50" in page
    assert "1.0 , compare" in page


@pytest.mark.parametrize("text", ["1.1", "pric", "bbbbbb", "run of joy", "1.1-4"])
def test_the_list_finds_text(client: Client, team: Team, text: str) -> None:
    tell(team, "1.0", hours=5)
    deploy = tell(team, "1.1", hours=4, description="A run of joy")
    commits = [CommitReport("a" * 40, title="Round prices"), CommitReport("b" * 40)]
    list_commits(team=team, deploy=deploy, commits=commits, received_at=NOON)

    with clock.at(NOON):
        page = text_of(client.get(f"/t/{team.slug}/deploys/", {"text": text}))

    assert "shop 1.1" in page
    assert "shop 1.0" not in page


def test_the_button_compares_and_missing_commits_are_said(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=5)
    head = tell(team, "1.1", hours=1, commit="b" * 40)
    push = PushReport(
        "acme/shop", "refs/heads/main", "a" * 40, "b" * 40, (CommitReport("b" * 40, NOON, "Ann", "Round up"),),
        is_truncated=True,
    )  # fmt: skip
    list_commits(team=team, deploy=head, commits=push.commits, received_at=NOON)
    missing = "Not all of it: a push to this repository had more commits than its sender named."
    path = f"/t/{team.slug}/deploys/{head.change.public_id}/"
    assert missing not in get(client, path) + get(client, compare_path(team))

    record_push(team=team, report=push, received_at=NOON)

    assert missing in get(client, path)
    text = get(client, compare_path(team))
    assert missing in text
    assert "UTC, production Compare From 1.0 to 1.1" in text


def test_a_rollback_is_not_said_to_lack_commits(client: Client, team: Team) -> None:
    tell(team, "1.0", hours=5)
    tell(team, "1.1", hours=3)
    tell(team, "1.0", hours=1)

    text = get(client, compare_path(team))

    assert "From 1.1 to 1.0: 1 deploy, 0 commits." in text
    assert "Nothing new came on the way" in text
    assert "Incomplete" not in text
