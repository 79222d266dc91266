"""Deploys that are posted at once: recorded in one transaction, each with its own answer."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploys.actions.deliveries import delivery_line
from deploys.actions.deploys import Incoming, RecordedDeploy, UnknownEnvironment, UnknownName, UnknownService
from deploys.actions.facts import facts_of_records, folded_record, identity_of
from deploys.actions.posts import Post, take_posts
from deploys.actions.projection import project_commits
from deploys.domain.changes import DeployReport
from deploys.domain.commits import CommitReport
from deploys.models import Commit, CommitDeploy, Delivery, Deploy, Fact, Team
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("noon")]

AGO = NOON - dt.timedelta(hours=1)
COMMITS = [CommitReport(f"{n:040x}", AGO, "Ann", f"Änderung {n}\x00", (f"{n}.py",)) for n in range(1, 4)]


def message(run: str, service: str = "shop", *, commits: Any = (), **more: Any) -> Incoming:
    said = {"status": "success", "release": run, "started_at": AGO, "finished_at": AGO} | {
        key: value for key, value in more.items() if key not in {"can_create", "delivery_id"}
    }
    rest = {key: value for key, value in more.items() if key in {"can_create", "delivery_id"}}
    return Incoming(DeployReport(id=run, service=service, **said), "api", NOON, commits=commits, **rest)


def posted(*messages: tuple[Team, Incoming]) -> list[RecordedDeploy | UnknownName]:
    return take_posts(
        [
            Post(team, each, delivery_line(team=team, kind="api", event="deploy", received_at=NOON, verdict=""))
            for team, each in messages
        ]
    )


def verdicts(done: list[RecordedDeploy | UnknownName]) -> list[str]:
    return [str(each.verdict) if isinstance(each, RecordedDeploy) else type(each).__name__ for each in done]


def contents(team: Team) -> list[Any]:
    """All that was recorded, without keys and public ids."""
    deploys = Deploy.objects.filter(team=team).order_by("service__name", "external_id")
    facts = Fact.objects.filter(team=team).values_list(
        "kind", "identity", "received_at", "origin", "source", "delivery_id"
    )
    names = {str(deploy.change.public_id): deploy.external_id for deploy in deploys}
    links = CommitDeploy.objects.filter(team=team)
    return [
        sorted(map(str, facts)),
        list(
            deploys.values_list(
                "service__name", "external_id", "status", "release__version", "release__head_sha", "commit_sha", "files",
                "kind_listed", "outcome_listed", "is_live_listed", "live_listed_at",
            )
        ),
        sorted(Commit.objects.filter(team=team).values_list("sha", "committed_at", "author", "title", "service")),
        sorted((names[reference], sha) for reference, sha in links.values_list("reference", "commit__sha")),
        sorted(links.values_list("deploy__external_id", "commit__sha")),
    ]  # fmt: skip


MESSAGES = [
    message("1", commits=COMMITS, commit=COMMITS[0].sha),
    message("2", commits=COMMITS[:1], environment="staging"),
    message("1", "cart", status="in_progress", finished_at=None),
    message("1", "cart"),
    message("1", commits=COMMITS, commit=COMMITS[0].sha),
    message("3", delivery_id="d3", commits=[CommitReport("f" * 40)]),
    message("3", delivery_id="d3"),
]


def test_together_they_become_what_they_become_one_by_one() -> None:
    one_by_one, together = TeamFactory(), TeamFactory()

    alone = [verdict for each in MESSAGES for verdict in verdicts(posted((one_by_one, each)))]
    at_once = verdicts(posted(*((together, each) for each in MESSAGES)))

    assert at_once == alone == ["created", "created", "created", "updated", "duplicate", "created", "duplicate"]
    assert contents(together) == contents(one_by_one)
    assert list(Delivery.objects.filter(team=together).order_by("pk").values_list("verdict", flat=True)) == at_once


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_in_any_order_they_are_the_same(order: tuple[int, ...]) -> None:
    straight, mixed = TeamFactory(), TeamFactory()
    told = [message("1", commits=COMMITS), message("1", status="in_progress", finished_at=None), message("2", "cart")]

    posted(*((straight, each) for each in told))
    posted(*((mixed, told[place]) for place in order))

    assert contents(mixed)[1:] == contents(straight)[1:]


def test_one_that_may_not_make_names_harms_no_other_and_leaves_nothing() -> None:
    team, other = TeamFactory(), TeamFactory()
    posted((team, message("1")))

    done = posted(
        (team, message("2", "nobody", can_create=False)),
        (other, message("2")),
        (team, message("2", can_create=False, environment="nowhere")),
        (team, message("2", can_create=False, environment="PRODUCTION")),
    )

    assert verdicts(done) == ["UnknownService", "created", "UnknownEnvironment", "created"]
    assert [str(each) for each in done if isinstance(each, UnknownService | UnknownEnvironment)] == [
        "nobody",
        "nowhere",
    ]
    assert Deploy.objects.filter(team=team).count() == 2
    assert Delivery.objects.count() == 3


def test_the_rows_of_a_commits_first_word_are_those_of_folding_and_projecting() -> None:
    team = TeamFactory()
    posted((team, message("1", commits=COMMITS)))
    before = contents(team), sorted(CommitDeploy.objects.values_list())

    names = [identity_of("change", "history", {"sha": each.sha}) for each in COMMITS]
    facts = facts_of_records(team=team, kind="change", identities=names)
    project_commits(team, [folded_record("change", name, facts[name]) for name in names])

    assert (contents(team), sorted(CommitDeploy.objects.values_list())) == before
    assert [fact.payload["deploys"] for fact in Fact.objects.filter(kind="change")] == [
        [str(Deploy.objects.get().change.public_id)]
    ] * 3
    assert {row.title for row in Commit.objects.all()} == {f"Änderung {n}\ufffd" for n in range(1, 4)}


def test_eight_at_once_cost_hardly_more_statements_than_one() -> None:
    team = TeamFactory()
    posted(*((team, message("0", f"s{n}")) for n in range(8)))

    def cost(run: str, count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            posted(
                *(
                    (team, message(f"{run}-{n}", f"s{n}", commits=[CommitReport(f"{run}{n:036x}")]))
                    for n in range(count)
                )
            )
        return len(seen)

    if connection.vendor != "sqlite":
        pytest.skip("elsewhere each service is listed in a transaction of its own, after the commit")
    assert cost("aaaa", 8) - cost("bbbb", 1) <= 3 * 7 + 1  # what each service reads to be listed anew
