"""Commits of releases and deploys: told once, twice, before the deploy or after it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from deploys.actions.commits import attach_commits, clear_commits, list_commits
from deploys.actions.deploys import record
from deploys.domain.changes import DeployReport
from deploys.domain.commits import CommitReport
from deploys.models import Commit, Deploy, Fact, Release, Team
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR = dt.timedelta(hours=1)
NEWEST = CommitReport("b" * 40, NOON - HOUR, "Ann", "Round prices up", ("shop/cart.py", "shop/prices.py"))
OLDEST = CommitReport("a" * 40, NOON - 2 * HOUR, "Bob", "Add the cart", ("shop/cart.py",))


def deployed(team: Team, run: str = "1", **more: object) -> Deploy:
    report = DeployReport(id=run, service="shop", status="success", release="1.4.2", started_at=NOON, **more)  # type: ignore[arg-type]
    return record(team=team, report=report, source="api", received_at=NOON).deploy


def attached(team: Team, *commits: CommitReport) -> bool:
    return attach_commits(team=team, service="shop", version="1.4.2", commits=commits, received_at=NOON).is_news


def listed() -> dict[str, list[str]]:
    return {deploy.external_id: sorted(deploy.commits.values_list("sha", flat=True)) for deploy in Deploy.objects.all()}


STEPS: dict[str, Callable[[Team], object]] = {
    "staging": lambda team: deployed(team, "staging", environment="staging"),
    "production": lambda team: deployed(team, "production"),
    "commits": lambda team: attached(team, NEWEST, OLDEST),
    "again": lambda team: attached(team, OLDEST),
}


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_every_deploy_of_a_release_lists_its_commits_whatever_comes_first(order: tuple[str, ...]) -> None:
    team = TeamFactory()

    for step in order:
        STEPS[step](team)

    both = ["a" * 40, "b" * 40]
    release = Release.objects.get()
    assert listed() == {"staging": both, "production": both}
    assert (release.files, release.head_sha) == (["shop/cart.py", "shop/prices.py"], "b" * 40)
    assert {deploy.external_id: deploy.files for deploy in Deploy.objects.all()} == {
        "staging": ["shop/cart.py", "shop/prices.py"],
        "production": ["shop/cart.py", "shop/prices.py"],
    }
    assert list(Commit.objects.order_by("sha").values_list("title", "author", "committed_at")) == [
        ("Add the cart", "Bob", NOON - 2 * HOUR),
        ("Round prices up", "Ann", NOON - HOUR),
    ]


def test_commits_said_twice_make_no_second_fact() -> None:
    team = TeamFactory()
    deployed(team)

    first, second = attached(team, NEWEST, OLDEST), attached(team, NEWEST, OLDEST)

    assert (first, second, Fact.objects.filter(kind="change").count()) == (True, False, 2)


def test_files_that_the_deploy_named_itself_stand() -> None:
    team = TeamFactory()
    deployed(team, files=("README.md",))

    attached(team, NEWEST)

    assert Deploy.objects.get().files == ["README.md"]


def test_a_deploys_own_commits_are_no_part_of_its_release() -> None:
    team = TeamFactory()
    deploy = deployed(team, "first")

    said = [
        list_commits(team=team, deploy=deploy, commits=[NEWEST], received_at=NOON),
        list_commits(team=team, deploy=deploy, commits=[NEWEST], received_at=NOON),
    ]
    deployed(team, "second")

    assert said == [True, False]
    assert listed() == {"first": ["b" * 40], "second": []}


def test_cleared_commits_are_in_no_later_deploy() -> None:
    team = TeamFactory()
    attached(team, NEWEST)
    deployed(team, "before")

    count = clear_commits(release=Release.objects.get())
    deployed(team, "after")

    release = Release.objects.get()
    assert (count, release.files, release.head_sha) == (1, None, "")
    assert listed() == {"before": ["b" * 40], "after": []}
    assert clear_commits(release=release) == 0
