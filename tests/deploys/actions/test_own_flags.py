from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from deploys.actions.flag_cleanup import archive_proven
from deploys.actions.flag_registry import archive_flag
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.domain.flag_code import Place, PlaceKind
from deploys.domain.flag_rules import FlagKind
from deploys.models import FlagCheck, Team
from tests.conftest import NOON
from tests.deploys.actions.test_flag_cleanup import alive, deploy, scan
from tests.factories.catalog import EnvironmentFactory, ServiceFactory, TeamFactory
from tests.factories.flags import ON, percent, registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme")


def test_without_a_flag_the_work_is_done(team: Team, django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(1):
        assert is_on(team, OwnFlag.RETENTION, now=NOON)


def test_a_flag_switches_it_off_and_on_and_each_look_is_counted(team: Team) -> None:
    production = EnvironmentFactory(team=team)
    flag = registered(team, OwnFlag.RETENTION, kind=FlagKind.OPS)
    told = [is_on(team, OwnFlag.RETENTION, now=NOON)]
    served_by(flag, production, ON)
    told.append(is_on(team, OwnFlag.RETENTION, now=NOON))
    archive_flag(flag=flag, reason="", now=NOON, by=None)
    told.append(is_on(team, OwnFlag.RETENTION, now=NOON))

    assert told == [False, True, True]
    assert sorted(FlagCheck.objects.values_list("application", "variant", "quantity")) == [
        ("upshot", "off", 1),
        ("upshot", "on", 1),
    ]


def test_a_percentage_is_drawn_by_team_and_others_are_not_concerned(team: Team) -> None:
    production = EnvironmentFactory(team=team)
    served_by(registered(team, OwnFlag.TEACHING), production, percent(0))

    assert is_on(team, OwnFlag.TEACHING, now=NOON) is False
    assert is_on(TeamFactory(), OwnFlag.TEACHING, now=NOON) is True


def test_flags_that_are_gone_are_left_alone_where_that_is_switched_off(team: Team) -> None:
    production = EnvironmentFactory(team=team)
    ServiceFactory(team=team, name="shop")
    flag = registered(team)
    served_by(flag, production, ON)
    day = dt.timedelta(days=1)
    registered(team, OwnFlag.ARCHIVE, kind=FlagKind.OPS)
    scan(team, NOON, "c1", Place("new-cart", "a.py", 1, PlaceKind.CALL))
    scan(team, NOON + day, "c2", removed="c2")
    deploy(team, "v1", NOON + day, commits=["c2"])
    alive(production, NOON, NOON + 12 * day)
    scan(team, NOON + 8 * day, "c3")

    assert archive_proven(now=NOON + 10 * day) == 0
    served_by(flag.team.registered_flags.get(key=OwnFlag.ARCHIVE), production, ON, now=NOON + 10 * day)
    assert archive_proven(now=NOON + 10 * day) == 1
