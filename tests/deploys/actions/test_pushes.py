"""Commits of deploys, worked out from pushes: whichever comes first."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from deploys.actions.deploys import record
from deploys.actions.pushes import KEPT, forget_old_pushes, record_push
from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.commits import CommitReport
from deploys.models import Commit, CommitDeploy, Deploy, Push, PushedCommit, Team
from deploys.queries.pushes import had_more
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def name(letter: str) -> str:
    return letter * 40


def push(team: Team, before: str, letters: str, *, is_truncated: bool = False) -> None:
    commits = tuple(
        CommitReport(name(each), NOON - dt.timedelta(hours=9), "Ann", f"Change {each}", (f"{each}.py",))
        for each in letters
    )
    report = PushReport(
        "Acme/Shop", "refs/heads/main", name(before), name(letters[-1]), commits, default_branch="main",
        is_truncated=is_truncated,
    )  # fmt: skip
    record_push(team=team, report=report, received_at=NOON)


def deploy(team: Team, identity: str, letter: str, *, hours: int, status: str = "success", **more: object) -> None:
    at = NOON - dt.timedelta(hours=8 - hours)
    report = DeployReport(
        id=identity, service="shop", status=status, started_at=at, finished_at=at + dt.timedelta(minutes=5),
        release=identity, commit=name(letter), **more,  # type: ignore[arg-type]  # test data
    )  # fmt: skip
    record(team=team, report=report, source="api", received_at=NOON)


def listed(team: Team) -> dict[str, tuple[str, list[str] | None]]:
    """By deploy: the letters of its commits, and its files."""
    return {
        row.external_id: (
            "".join(
                sorted(link.commit.sha[0] for link in CommitDeploy.objects.filter(deploy=row).select_related("commit"))
            ),
            row.files,
        )
        for row in Deploy.objects.filter(team=team)
    }


STEPS = {
    "first": lambda team: deploy(team, "1", "a", hours=0),
    "second": lambda team: deploy(team, "2", "d", hours=2),
    "ab": lambda team: push(team, "a", "bc"),
    "cd": lambda team: push(team, "c", "d"),
}


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_push_and_deploy_come_in_any_order(order: tuple[str, ...]) -> None:
    team = TeamFactory()
    for step in order:
        STEPS[step](team)

    assert listed(team) == {"1": ("", None), "2": ("bcd", ["b.py", "c.py", "d.py"])}


def test_a_failed_deploy_is_no_base() -> None:
    team = TeamFactory()
    push(team, "a", "bcd")
    deploy(team, "1", "a", hours=0)
    deploy(team, "2", "c", hours=1, status="failure")
    deploy(team, "3", "d", hours=2, files=("stated.py",))

    assert listed(team) == {"1": ("", None), "2": ("", None), "3": ("bcd", ["stated.py"])}


def test_a_rollback_lists_nothing() -> None:
    team = TeamFactory()
    push(team, "a", "bcd")
    deploy(team, "1", "b", hours=0)
    deploy(team, "2", "d", hours=1)
    deploy(team, "3", "b", hours=2)

    assert {identity: letters for identity, (letters, _) in listed(team).items()} == {"1": "", "2": "cd", "3": ""}


def test_a_push_records_its_commits_once() -> None:
    team = TeamFactory()
    for _ in range(2):
        push(team, "a", "bc")

    assert (Push.objects.count(), PushedCommit.objects.count()) == (1, 2)
    assert list(Commit.objects.order_by("sha").values_list("title", "author")) == [("Change b", "Ann"), ("Change c", "Ann")]  # fmt: skip


def test_old_pushes_are_forgotten() -> None:
    team = TeamFactory()
    push(team, "a", "bc")

    assert forget_old_pushes(now=NOON + KEPT) == 0
    assert forget_old_pushes(now=NOON + KEPT + dt.timedelta(seconds=1)) == 3


def test_a_push_of_which_the_sender_named_only_the_newest_commits_is_remembered_as_such() -> None:
    team = TeamFactory()
    deploy(team, "1", "a", hours=0)
    deploy(team, "2", "d", hours=2)
    push(team, "a", "cd", is_truncated=True)

    assert listed(team)["2"][0] == "cd"
    assert had_more(team, [name("x"), name("d")])
    assert not had_more(team, [name("a")])
    assert not had_more(TeamFactory(), [name("d")])
