"""Segments, and what a changed one tells of the flags that use it."""

from __future__ import annotations

import pytest

from deploys.actions.flag_registry import FlagRefused, archive_flag, set_rights
from deploys.actions.flag_segments import delete_segment, save_segment
from deploys.actions.flag_switches import kill_flag
from deploys.domain.flag_evaluation import evaluate
from deploys.models import Environment, FlagChange, FlagRevision, FlagSegment, RegisteredFlag
from deploys.queries.flag_rulesets import ruleset_of
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, TeamFactory, UserFactory
from tests.factories.flags import registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FOR_STAFF = {"on": True, "default": {"variant": "off"}, "rules": [{"segments": ["staff"], "serve": {"variant": "on"}}]}


@pytest.fixture
def production() -> Environment:
    return EnvironmentFactory()


@pytest.fixture
def staff(production: Environment) -> FlagSegment:
    return save_segment(team=production.team, key="staff", said={"included": ["ida"]}, now=NOON, by=None)


@pytest.fixture
def flag(production: Environment, staff: FlagSegment) -> RegisteredFlag:
    made = registered(production.team)
    served_by(made, production, FOR_STAFF)
    return made


@pytest.mark.parametrize(
    ("key", "said", "field"),
    [("a b", {}, "key"), ("beta", {"included": [{}]}, "included"), ("beta", {"conditions": [{}]}, "conditions"), ("beta", [], "")],
)  # fmt: skip
def test_a_segment_that_cannot_be_is_refused(key: str, said: object, field: str) -> None:
    with pytest.raises(FlagRefused) as caught:
        save_segment(team=TeamFactory(), key=key, said=said, now=NOON, by=None)

    assert caught.value.field == field


def test_a_changed_segment_is_a_change_of_the_flags_that_use_it(
    production: Environment, staff: FlagSegment, flag: RegisteredFlag
) -> None:
    staging = EnvironmentFactory(team=production.team, name="staging", tier="staging")
    served_by(flag, staging, {**FOR_STAFF, "on": False})
    kim, before = UserFactory(), FlagChange.objects.count()

    save_segment(team=production.team, key="staff", said={"included": ["kim"]}, now=NOON, by=kim, reason="Ida left")

    told = FlagRevision.objects.filter(reason="segment staff changed: Ida left").order_by("pk")
    assert [(row.environment, row.by, row.change is None) for row in told] == [
        (production, kim, False), (staging, kim, True),
    ]  # fmt: skip
    assert (told[0].before["segment"]["included"], told[0].after["segment"]["included"]) == (["ida"], ["kim"])
    assert FlagChange.objects.count() == before + 1
    ruleset = ruleset_of(production)
    assert [evaluate(ruleset, flag.key, {"targetingKey": each}, NOON).value for each in ("ida", "kim")] == [False, True]


def test_the_same_again_and_flags_that_are_killed_tell_nothing(
    production: Environment, staff: FlagSegment, flag: RegisteredFlag
) -> None:
    kill_flag(flag=flag, environment=production, reason="errors", until=None, now=NOON, by=None)
    changes, revisions = FlagChange.objects.count(), FlagRevision.objects.count()

    save_segment(team=production.team, key="staff", said={"included": ["ida"]}, now=NOON, by=None)
    assert FlagRevision.objects.count() == revisions
    save_segment(team=production.team, key="staff", said={"included": ["kim"]}, now=NOON, by=None)

    assert (FlagChange.objects.count(), FlagRevision.objects.count()) == (changes, revisions + 1)


def test_no_change_goes_past_the_second_person(
    production: Environment, staff: FlagSegment, flag: RegisteredFlag
) -> None:
    set_rights(environment=production, write_role="responder", needs_approval=True)

    with pytest.raises(FlagRefused, match="second person"):
        save_segment(team=production.team, key="staff", said={"included": ["kim"]}, now=NOON, by=None)

    staff.refresh_from_db()
    assert staff.document["included"] == ["ida"]


def test_a_new_segment_takes_no_others_key(production: Environment, staff: FlagSegment) -> None:
    with pytest.raises(FlagRefused, match="exists"):
        save_segment(team=production.team, key="staff", said={}, now=NOON, by=None, is_new=True)


def test_a_segment_is_deleted_once_no_flag_uses_it(
    production: Environment, staff: FlagSegment, flag: RegisteredFlag
) -> None:
    with pytest.raises(FlagRefused, match="new-cart uses staff"):
        delete_segment(segment=staff)
    archive_flag(flag=flag, reason="", now=NOON, by=None)

    delete_segment(segment=staff)

    assert not FlagSegment.objects.exists()
