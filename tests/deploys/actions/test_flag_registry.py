from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.actions.flag_registry import (
    FlagRefused,
    archive_flag,
    describe_flag,
    restore_flag,
    rights_of,
    set_rights,
)
from deploys.actions.flag_segments import save_segment
from deploys.actions.flag_switches import (
    ChangedMeanwhile,
    change_flag,
    change_or_propose,
    decide,
    kill_flag,
    note_what_time_changed,
    revive_flag,
    standing,
)
from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN, MIGRATION
from deploys.domain.instants import instant_text
from deploys.models import Change, Fact, Flag, FlagChange, FlagEnvironment, FlagProposal, FlagRevision, FlagSettings
from deploys.queries.flag_rulesets import ruleset_of
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory, TeamFactory, UserFactory
from tests.factories.flags import ON, percent, registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR = dt.timedelta(hours=1)


def told(team: Any) -> list[tuple[str, str, float | None, float, object]]:
    """The team's flag changes as the timeline has them, in order."""
    rows = (
        FlagChange.objects.filter(team=team).select_related("change", "flag__environment").order_by("change__at", "pk")
    )
    return [
        (row.flag.key, f"{(row.change.at - NOON) / HOUR:g} h", row.old_percent, row.new_percent, row.segment)
        for row in rows
    ]


def test_a_new_flag_is_off_audited_and_known_to_the_history() -> None:
    production = EnvironmentFactory()
    kim = UserFactory(email="kim@example.org")

    flag = registered(production.team, owner="kim", by=kim)

    assert ruleset_of(production).flags["new-cart"].rules.is_on is False
    assert flag.expires_at == NOON + dt.timedelta(days=45)
    assert [(row.act, row.by) for row in flag.revisions.all()] == [("created", kim)]
    row = Flag.objects.get(team=production.team)
    assert (row.key, row.owner, row.is_permanent, row.created_at, row.expires_at) == (
        "new-cart", "kim", False, NOON, flag.expires_at,
    )  # fmt: skip
    assert Fact.objects.get(kind="flag").actor == kim
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("kind", "days", "is_permanent"),
    [("experiment", 45, False), ("ops", 180, True), ("permission", 365, True), ("kill_switch", 365, True)],
)
def test_kinds_say_how_long_a_flag_may_live(kind: str, days: int, is_permanent: bool) -> None:
    team = TeamFactory()

    assert registered(team, kind=FlagKind(kind)).expires_at == NOON + dt.timedelta(days=days)
    assert Flag.objects.get(team=team).is_permanent is is_permanent


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"key": "a b"}, "key"),
        ({"key": ".."}, "key"),
        ({"key": "x" * 101}, "key"),
        ({"key": "taken"}, "key"),
        ({"off_variant": "blue"}, "off_variant"),
        ({"variants": [{"name": "on", "value": 1}, {"name": "off", "value": False}]}, "variants"),
        ({"variants": BOOLEAN[:1]}, "variants"),
        ({"variants": [*BOOLEAN, {"name": "on", "value": True}]}, "variants"),
        ({"kind": FlagKind.MIGRATION}, "variants"),
    ],
)
def test_a_flag_that_cannot_be_is_refused(said: dict[str, Any], field: str) -> None:
    team = TeamFactory()
    registered(team, key="taken")

    with pytest.raises(FlagRefused) as caught:
        registered(team, **{"key": "fresh", **said})

    assert caught.value.field == field


def test_a_flip_is_a_change_of_the_services_it_is_for() -> None:
    production = EnvironmentFactory()
    shop = ServiceFactory(team=production.team, name="shop")
    flag = registered(production.team, services=[shop])

    revision = served_by(flag, production, percent(10), now=NOON + HOUR, reason="first users")
    served_by(flag, production, ON, now=NOON + 2 * HOUR)

    assert told(production.team) == [("new-cart", "1 h", 0, 10, None), ("new-cart", "2 h", 10, 100, None)]
    assert revision is not None
    assert revision.change is not None
    assert [each.name for each in revision.change.flag_change.services.all()] == ["shop"]
    assert (revision.before["on"], revision.after["default"]["percent"], revision.reason) == (False, 10, "first users")


def test_the_same_again_is_nothing_and_an_old_page_changes_nothing() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)
    served_by(flag, production, ON, version=0)

    assert served_by(flag, production, ON, version=1) is None
    with pytest.raises(ChangedMeanwhile):
        served_by(flag, production, percent(5), version=0)
    assert standing(flag, production)[1] == 1


def test_rules_of_a_flag_that_is_off_change_nobody() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)

    served_by(flag, production, {**percent(50), "on": False})

    assert told(production.team) == []
    assert FlagRevision.objects.filter(act="changed", change=None).count() == 1


def test_environments_are_apart() -> None:
    production = EnvironmentFactory()
    staging = EnvironmentFactory(team=production.team, name="staging", tier="staging")
    flag = registered(production.team)

    served_by(flag, staging, ON)

    assert [ruleset_of(each).flags["new-cart"].rules.is_on for each in (production, staging)] == [False, True]
    assert FlagChange.objects.get().flag.environment == staging


def test_teams_are_apart() -> None:
    ours, theirs = EnvironmentFactory(), EnvironmentFactory()
    registered(ours.team)
    save_segment(team=ours.team, key="beta", said={"included": ["u"]}, now=NOON, by=None)

    assert ruleset_of(theirs).flags == {}
    assert ruleset_of(theirs).segments == {}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"on": True}, "/default"),
        ({"default": {"variant": "on"}, "rules": [{"segments": ["nobody"], "serve": {"variant": "on"}}]}, "nobody"),
        ({"default": {"variant": "on"}, "prerequisites": [{"flag": "none", "variant": "on"}]}, "none"),
        ({"default": {"variant": "on"}, "prerequisites": [{"flag": "b", "variant": "blue"}]}, "blue"),
        ({"default": {"variant": "on"}, "prerequisites": [{"flag": "b", "variant": "on"}]}, "a → b → a"),
        ({"default": {"variant": "on"}, "prerequisites": [{"flag": "a", "variant": "on"}]}, "a → a"),
        ({"default": {"variant": "on"}, "prerequisites": [{"flag": "f", "variant": "on"}]}, "3 steps"),
    ],
)
def test_rules_that_cannot_be_are_refused(document: dict[str, Any], says: str) -> None:
    production = EnvironmentFactory()
    flags = {key: registered(production.team, key=key) for key in "abcdef"}
    for key, needed in (("b", "a"), ("d", "c"), ("e", "d"), ("f", "e")):
        needs = {**ON, "prerequisites": [{"flag": needed, "variant": "on"}]}
        served_by(flags[key], production, needs)

    with pytest.raises(FlagRefused, match=says):
        served_by(flags["a"], production, document)


def test_a_flag_that_others_need_grows_no_deeper_than_they_may_reach() -> None:
    production = EnvironmentFactory()
    flags = {key: registered(production.team, key=key) for key in "abcde"}

    def need(key: str, other: str) -> None:
        served_by(flags[key], production, {**ON, "prerequisites": [{"flag": other, "variant": "on"}]})

    need("d", "c")
    need("c", "b")
    need("b", "a")
    with pytest.raises(FlagRefused, match="d would need"):
        need("a", "e")


def test_a_kill_serves_the_off_value_until_it_ends() -> None:
    production = EnvironmentFactory()
    kim = UserFactory(email="kim@example.org")
    flag = registered(production.team)
    served_by(flag, production, percent(40))

    kill_flag(flag=flag, environment=production, reason="errors", until=NOON + 3 * HOUR, now=NOON + HOUR, by=kim)
    noted = [note_what_time_changed(now=NOON + hours * HOUR) for hours in (2, 4, 5)]

    assert noted == [0, 1, 0]
    assert told(production.team) == [
        ("new-cart", "0 h", 0, 40, None), ("new-cart", "1 h", 40, 0, None), ("new-cart", "3 h", 0, 40, None),
    ]  # fmt: skip
    kill = standing(flag, production)[0].kill
    assert kill is not None
    assert (kill.reason, kill.by) == ("errors", "kim@example.org")
    assert [row.act for row in flag.revisions.order_by("at", "id")] == ["created", "changed", "killed", "stepped"]
    assert not FlagSettings.objects.get().is_timed


def test_a_killed_flag_is_revived() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)
    served_by(flag, production, ON)
    kill_flag(flag=flag, environment=production, reason="errors", until=None, now=NOON + HOUR, by=None)

    assert revive_flag(flag=flag, environment=production, reason="mended", now=NOON + 2 * HOUR, by=None) is not None
    assert revive_flag(flag=flag, environment=production, reason="mended", now=NOON + 2 * HOUR, by=None) is None
    assert [each[3] for each in told(production.team)] == [100, 0, 100]


def test_a_kill_needs_a_reason_and_an_end_ahead() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)

    for reason, until in ((" ", None), ("errors", NOON)):
        with pytest.raises(FlagRefused):
            kill_flag(flag=flag, environment=production, reason=reason, until=until, now=NOON, by=None)


def test_the_steps_of_a_schedule_are_changes_at_their_own_instants() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)
    steps = [
        {"at": instant_text(NOON + hours * HOUR), "percent": share} for hours, share in ((1, 10), (2, 50), (3, 100))
    ]
    served_by(flag, production, percent(0, schedule=steps))

    assert note_what_time_changed(now=NOON + 2.5 * HOUR) == 2
    change_flag(
        flag=flag, environment=production, document=percent(0, schedule=steps[:2]), version=1, reason="hold", now=NOON + 4 * HOUR, by=None,
    )  # fmt: skip

    assert told(production.team) == [
        ("new-cart", "1 h", 0, 10, None), ("new-cart", "2 h", 10, 50, None), ("new-cart", "3 h", 50, 100, None),
        ("new-cart", "4 h", 100, 50, None),
    ]  # fmt: skip


def test_a_migration_is_due_once_it_is_cut_over() -> None:
    production = EnvironmentFactory()
    flag = registered(
        production.team, kind=FlagKind.MIGRATION, value_type=ValueType.STRING, variants=MIGRATION, off_variant="off"
    )
    assert flag.expires_at is None

    for stage, days in (("shadow", None), ("new_only", 30), ("new_with_fallback", None)):
        served_by(flag, production, {"on": True, "default": {"variant": stage}})
        flag.refresh_from_db()
        assert flag.expires_at == (None if days is None else NOON + dt.timedelta(days=days))


def test_archived_flags_are_not_served_and_come_back_as_they_were() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)
    other = registered(production.team, key="other")
    served_by(flag, production, ON)
    served_by(other, production, {**ON, "prerequisites": [{"flag": "new-cart", "variant": "on"}]})

    with pytest.raises(FlagRefused, match="other in production needs"):
        archive_flag(flag=flag, reason="gone", now=NOON, by=None)
    archive_flag(flag=other, reason="gone", now=NOON, by=None)
    archive_flag(flag=flag, reason="gone", now=NOON, by=None)
    archive_flag(flag=flag, reason="gone", now=NOON, by=None)
    assert ruleset_of(production).flags == {}
    assert Flag.objects.get(key="new-cart").archived_at == NOON
    with pytest.raises(FlagRefused, match="archived"):
        served_by(flag, production, percent(10))

    restore_flag(flag=flag, reason="needed", now=NOON + HOUR, by=None)
    assert ruleset_of(production).flags["new-cart"].rules.is_on
    assert Flag.objects.get(key="new-cart").archived_at is None


def test_details_are_audited() -> None:
    team = TeamFactory()
    flag = registered(team)

    assert describe_flag(flag=flag, details={"owner": "ann", "expires_at": None}, now=NOON, by=None)
    assert not describe_flag(flag=flag, details={"owner": "ann"}, now=NOON, by=None)
    assert Flag.objects.get(team=team).owner == "ann"
    assert Flag.objects.get(team=team).expires_at is None
    revision = flag.revisions.get(act="described")
    assert (revision.before["owner"], revision.after["owner"]) == ("", "ann")


def test_a_second_person_approves_where_the_environment_wants_one() -> None:
    production = EnvironmentFactory()
    asker, other = UserFactory(), UserFactory()
    flag = registered(production.team)
    set_rights(environment=production, write_role="responder", needs_approval=True)

    def ask(share: float) -> FlagProposal:
        made = change_or_propose(
            flag=flag, environment=production, document=percent(share), version=standing(flag, production)[1],
            reason="more", now=NOON, by=asker,
        )  # fmt: skip
        assert isinstance(made, FlagProposal)
        return made

    first, second, third = ask(10), ask(20), ask(30)
    with pytest.raises(FlagRefused, match="somebody else"):
        decide(proposal=first, is_approved=True, now=NOON, by=asker)
    assert told(production.team) == []
    revision = decide(proposal=first, is_approved=True, now=NOON + HOUR, by=other)
    assert decide(proposal=second, is_approved=True, now=NOON + HOUR, by=other) is None
    assert decide(proposal=third, is_approved=False, now=NOON + HOUR, by=asker) is None
    with pytest.raises(FlagRefused, match="decided"):
        decide(proposal=first, is_approved=True, now=NOON + HOUR, by=other)

    assert revision is not None
    assert (revision.by, revision.approved_by) == (asker, other)
    assert told(production.team) == [("new-cart", "1 h", 0, 10, None)]
    assert [each.state for each in FlagProposal.objects.order_by("pk")] == ["applied", "outdated", "refused"]


def test_without_the_wish_for_approval_a_change_is_made_at_once() -> None:
    production = EnvironmentFactory()
    flag = registered(production.team)

    made = change_or_propose(
        flag=flag, environment=production, document=ON, version=0, reason="", now=NOON, by=UserFactory()
    )

    assert isinstance(made, FlagRevision)
    assert not rights_of(production).needs_approval


def test_every_write_is_a_later_epoch_for_the_environments_it_touches() -> None:
    production = EnvironmentFactory()
    staging = EnvironmentFactory(team=production.team, name="staging", tier="staging")
    set_rights(environment=production, write_role="admin", needs_approval=False)
    flag = registered(production.team)
    served_by(flag, production, ON)
    save_segment(team=production.team, key="beta", said={"included": ["u"]}, now=NOON, by=None)
    served_by(flag, staging, ON)

    found = {row.environment_id: row.epoch for row in FlagEnvironment.objects.all()}
    assert found == {production.pk: 3, staging.pk: 4}
    assert rights_of(production).write_role == "admin"
