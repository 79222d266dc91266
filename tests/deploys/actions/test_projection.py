"""Facts become rows: alone, in any order, twice, and thousands at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploys.actions.facts import NewFact, Recorded, record_facts
from deploys.models import (
    Change,
    Commit,
    CommitDeploy,
    Dependency,
    Deploy,
    DsnKey,
    Environment,
    FactOrigin,
    Flag,
    FlagChange,
    Policy,
    Release,
    Service,
    Team,
)
from deploys.signals import changes_recorded
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

T0 = dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC)


def minute(n: int) -> dt.datetime:
    return T0 + dt.timedelta(minutes=n)


def text(n: int) -> str:
    return minute(n).isoformat()


def tell(
    team: Team, *lines: tuple[str, dict[str, Any]], origin: str = FactOrigin.IMPORT, source: str = "history"
) -> list[Recorded]:
    return record_facts(
        team=team,
        facts=[
            NewFact(kind=kind, payload=payload, received_at=minute(n), origin=origin, source=source)
            for n, (kind, payload) in enumerate(lines)
        ],
    )


def deploy(key: str = "d1", **facts: Any) -> tuple[str, dict[str, Any]]:
    return "deploy", {"id": key, "service": "shop", "started_at": text(0), **facts}


def test_a_deploy_makes_its_service_environment_release_and_change() -> None:
    team = TeamFactory()

    tell(
        team,
        deploy(release="1.4.0", artifact="sha256:ab", status="success", finished_at=text(9), environment="Prod-EU"),
    )

    row = Deploy.objects.select_related("change", "service", "environment", "release", "artifact").get()
    assert (row.service.name, row.service.is_declared, row.service.dsn_keys.count()) == ("shop", False, 1)
    assert (row.environment.name, row.environment.tier) == ("Prod-EU", "production")
    assert row.release is not None
    assert row.release.version == "1.4.0"
    assert row.artifact is not None
    assert row.artifact.digest == "sha256:ab"
    assert (row.status, row.started_at, row.finished_at, row.source, row.external_id) == (
        "success", T0, minute(9), "history", "d1",
    )  # fmt: skip
    assert (row.change.kind, row.change.at, row.change.service_id) == ("deploy", T0, row.service_id)


def test_start_and_end_are_one_deploy_and_a_late_start_undoes_nothing() -> None:
    team = TeamFactory()

    tell(team, deploy(status="success", finished_at=text(9)))
    tell(team, deploy(status="in_progress", percent=5))

    row = Deploy.objects.get()
    assert (row.status, row.finished_at, row.has_canary_step) == ("success", minute(9), True)
    assert Change.objects.count() == 1


def test_an_end_with_a_share_is_no_canary_step() -> None:
    team = TeamFactory()

    tell(team, deploy(status="success", percent=100))

    assert Deploy.objects.get().has_canary_step is False


def test_environments_are_one_whatever_their_case() -> None:
    team = TeamFactory()

    tell(team, deploy("d1", environment="Production"), deploy("d2", environment="PRODUCTION"), deploy("d3"))

    assert [each.name for each in Environment.objects.all()] == ["Production"]


def test_equal_ids_of_two_senders_or_services_are_two_deploys() -> None:
    team = TeamFactory()

    tell(team, deploy(), source="api")
    tell(team, deploy(), source="other")
    tell(team, ("deploy", {"id": "d1", "service": "till", "started_at": text(0)}), source="api")
    tell(team, deploy(), source="history")

    assert Deploy.objects.count() == 4


def test_a_history_deploy_keeps_its_row_when_a_later_line_names_another_service() -> None:
    team = TeamFactory()

    tell(team, deploy())
    tell(team, deploy(service="till"))

    row = Deploy.objects.select_related("service", "change__service").get()
    assert (row.service.name, row.change.service) == ("till", row.service)


def test_only_web_addresses_become_links() -> None:
    team = TeamFactory()

    tell(team, deploy("d1", url="javascript:alert(1)"), deploy("d2", url="https://ci.example.org/42"))

    assert list(Deploy.objects.order_by("external_id").values_list("url", flat=True)) == [
        "",
        "https://ci.example.org/42",
    ]


def test_service_facts_and_dependencies_are_written() -> None:
    team = TeamFactory()

    tell(
        team,
        ("service", {"service": "shop", "critical": False, "users": 1200, "depends_on": ["till", "shop"], "hosts": ["shop.example.org"], "probed": True, "born_at": text(-9)}),
        ("service", {"service": "till", "users": None}),
    )  # fmt: skip
    tell(team, ("service", {"service": "shop", "depends_on": ["bank"]}))

    shop = Service.objects.get(name="shop")
    assert (shop.is_declared, shop.is_critical, shop.users_count, shop.hosts, shop.is_probed, shop.born_at) == (
        True, False, 1200, ["shop.example.org"], True, minute(-9),
    )  # fmt: skip
    assert [each.depends_on.name for each in Dependency.objects.select_related("depends_on")] == ["bank"]
    assert list(Service.objects.order_by("name").values_list("name", "is_declared")) == [
        ("bank", False), ("shop", True), ("till", True),
    ]  # fmt: skip
    assert DsnKey.objects.count() == 3


def test_a_learned_dependency_survives_and_may_be_declared() -> None:
    team = TeamFactory()
    tell(team, ("service", {"service": "shop"}), ("service", {"service": "till"}), ("service", {"service": "bank"}))
    shop, till, bank = (Service.objects.get(name=name) for name in ("shop", "till", "bank"))
    Dependency.objects.create(service=shop, depends_on=till, origin="learned")
    Dependency.objects.create(service=shop, depends_on=bank, origin="learned")

    tell(team, ("service", {"service": "shop", "depends_on": ["till"]}))

    assert list(shop.dependencies.order_by("depends_on__name").values_list("depends_on__name", "origin")) == [
        ("bank", "learned"), ("till", "declared"),
    ]  # fmt: skip


def test_commits_find_their_deploys_in_any_order() -> None:
    team = TeamFactory()

    tell(
        team,
        (
            "change",
            {"sha": "9f1c", "deploys": ["d1", "d2"], "committed_at": text(-60), "title": "Fix", "author": "Ada"},
        ),
    )
    tell(team, deploy("d1"))
    tell(team, ("change", {"sha": "9f1c", "deploys": ["d3"]}), deploy("d3"))

    commit = Commit.objects.get()
    assert (commit.committed_at, commit.title, commit.author) == (minute(-60), "Fix", "Ada")
    assert set(commit.deploys.values_list("external_id", flat=True)) == {"d1", "d3"}
    assert list(CommitDeploy.objects.filter(deploy=None).values_list("reference", flat=True)) == ["d2"]


def test_a_commit_may_name_a_live_deploy_by_its_public_id() -> None:
    team = TeamFactory()
    tell(team, deploy("17"), source="api", origin=FactOrigin.LIVE)
    public_id = str(Change.objects.get().public_id)

    tell(team, ("change", {"sha": "9f1c", "deploys": [public_id]}))
    tell(TeamFactory(), ("change", {"sha": "9f1c", "deploys": [public_id]}))

    assert [each.deploy_id for each in CommitDeploy.objects.order_by("id")] == [Change.objects.get().pk, None]


def test_flag_changes_and_descriptions() -> None:
    team = TeamFactory()

    tell(
        team,
        ("flag", {"id": "f1", "key": "new-cart", "at": text(1), "new_percent": 50, "old_percent": 0, "services": ["shop"], "segment": {"country": "de"}}),
        ("flag", {"key": "new-cart", "owner": "cart team", "last_evaluated_at": None, "code_references": 3, "kind": "permanent"}),
        ("flag", {"key": "old-cart", "environment": "staging"}),
    )  # fmt: skip

    change = FlagChange.objects.select_related("change", "flag__environment").get()
    assert (change.new_percent, change.old_percent, change.segment, change.has_services) == (
        50,
        0,
        {"country": "de"},
        True,
    )
    assert [each.name for each in change.services.all()] == ["shop"]
    assert (change.change.kind, change.change.at, change.change.service_id) == ("flag", minute(1), None)
    flag = change.flag
    assert (flag.key, flag.owner, flag.is_permanent, flag.is_evaluation_measured, flag.code_references) == (
        "new-cart", "cart team", True, True, 3,
    )  # fmt: skip
    assert list(Flag.objects.order_by("key").values_list("key", "environment__name")) == [
        ("new-cart", "production"), ("old-cart", "staging"),
    ]  # fmt: skip


def test_a_flag_change_corrected_later_is_the_same_change() -> None:
    team = TeamFactory()

    tell(team, ("flag", {"id": "f1", "key": "cart", "at": text(1), "new_percent": 50, "services": ["shop"]}))
    tell(team, ("flag", {"id": "f1", "key": "cart", "at": text(2), "services": ["till", "bank"]}))

    change = FlagChange.objects.select_related("change").get()
    assert (change.change.at, change.new_percent) == (minute(2), 50)
    assert sorted(each.name for each in change.services.all()) == ["bank", "till"]


def test_the_policy_keeps_its_defaults_where_nothing_is_stated() -> None:
    team = TeamFactory()

    tell(team, ("history", {"version": 1, "policy": {"environment": "live", "deploy_timeout_seconds": 3600}}))

    policy = Policy.objects.get(team=team)
    assert (policy.environment, policy.failure_classes, policy.deploy_timeout_seconds, policy.pending_seconds) == (
        "live", ["downtime", "multi_user"], 3600, 259_200,
    )  # fmt: skip


@pytest.mark.parametrize("origin", [FactOrigin.LIVE, FactOrigin.PERSON, FactOrigin.IMPORT])
def test_live_changes_are_announced_after_commit_and_imports_are_not(
    origin: str, django_capture_on_commit_callbacks: Any
) -> None:
    team = TeamFactory()
    heard: list[int] = []

    def listen(change_ids: list[int], **_: object) -> None:
        heard.extend(change_ids)

    changes_recorded.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            tell(team, deploy(), ("flag", {"id": "f1", "key": "cart", "at": text(1), "new_percent": 50}), origin=origin)
        with django_capture_on_commit_callbacks(execute=True):
            tell(team, deploy(), origin=origin)
    finally:
        changes_recorded.disconnect(listen)

    expected = [] if origin == FactOrigin.IMPORT else list(Change.objects.order_by("id").values_list("id", flat=True))
    assert heard == expected


def test_the_same_facts_again_write_nothing() -> None:
    team = TeamFactory()
    lines = [
        deploy(release="1", status="success"),
        ("change", {"sha": "aa", "deploys": ["d1"]}),
        ("flag", {"id": "f1", "key": "cart", "at": text(1), "new_percent": 50, "services": ["shop"]}),
        ("service", {"service": "shop", "depends_on": ["till"]}),
    ]
    tell(team, *lines)

    with CaptureQueriesContext(connection) as queries:
        tell(team, *lines)

    writes = [each["sql"] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert [each for each in writes if "deploys_fact" not in each.split("(")[0]] == []


@pytest.mark.parametrize("count", [1, 400])
def test_many_deploys_cost_as_many_queries_as_one(count: int) -> None:
    team = TeamFactory()

    with CaptureQueriesContext(connection) as queries:
        tell(team, *(deploy(f"d{n}", release=f"1.{n}", artifact=f"sha256:{n}") for n in range(count)))

    assert len(queries) <= 44
    assert (Deploy.objects.count(), Release.objects.count()) == (count, count)


def test_teams_share_nothing() -> None:
    one, other = TeamFactory(), TeamFactory()

    tell(one, deploy(release="1"))
    tell(other, deploy(release="1"))

    assert [Deploy.objects.filter(team=team).count() for team in (one, other)] == [1, 1]
    assert [Service.objects.filter(team=team).count() for team in (one, other)] == [1, 1]
