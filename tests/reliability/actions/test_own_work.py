"""A team's own flags switch Upshot's work off for that team, and for no other."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.actions.own_flags import OwnFlag, switched_off
from deploys.domain.flag_rules import FlagKind
from deploys.models import Environment, RegisteredFlag, Team
from incidents.actions import detection
from incidents.actions.jobs import sweep_jobs
from incidents.models import Check, Incident
from incidents.ports import Notice, notify
from reliability.models import OutgoingNotice
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, ServiceFactory, TeamFactory
from tests.factories.errors import minutes
from tests.factories.flags import ON, registered, served_by
from tests.incidents.actions.test_detection import fail, shop, spread
from tests.incidents.actions.test_jobs import EVERY_TEN, check_in, report

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database, pytest.mark.usefixtures("noon")]
DAY = dt.timedelta(days=1)


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme")


def off(team: Team, own: OwnFlag) -> RegisteredFlag:
    return registered(team, own, kind=FlagKind.OPS)


def on(flag: RegisteredFlag) -> None:
    served_by(flag, Environment.objects.get(team=flag.team, tier="production"), ON, now=NOON)


def test_who_switched_something_off(team: Team) -> None:
    EnvironmentFactory(team=team)
    other = off(TeamFactory(), OwnFlag.JOBS)
    on(other)
    off(team, OwnFlag.JOBS)

    assert switched_off(OwnFlag.JOBS, now=NOON) == {team.pk}
    assert switched_off(OwnFlag.DETECTION, now=NOON) == set()


def test_without_detection_errors_wait_and_are_looked_at_once_it_is_on(team: Team) -> None:
    services = [shop(team), shop()]
    for service in services:
        fail(service, spread(12, step=0.1))
    flag = off(team, OwnFlag.DETECTION)

    detection.run(now=NOON + minutes(2))
    assert [each.team for each in Incident.objects.all()] == [services[1].team]
    on(flag)
    detection.run(now=NOON + minutes(3))

    assert Incident.objects.filter(team=team).count() == 1


def test_without_the_watch_over_jobs_none_is_missed(team: Team) -> None:
    EnvironmentFactory(team=team)
    service = ServiceFactory(team=team, name="shop")
    report(service, (check_in("ok", config=EVERY_TEN), 0))
    Check.objects.all().delete()
    flag = off(team, OwnFlag.JOBS)

    assert sweep_jobs(now=NOON + minutes(30)) == 0
    on(flag)

    assert sweep_jobs(now=NOON + minutes(30)) == 1


def test_without_notifications_each_stands_in_the_log_as_muted(team: Team) -> None:
    EnvironmentFactory(team=team)
    MembershipFactory(team=team, role="admin")
    flag = off(team, OwnFlag.NOTICES)

    notify(Notice(team, "a", "info", "A budget burns", "", about="budget"))
    on(flag)
    notify(Notice(team, "b", "info", "Another burns", "", about="budget"))

    assert list(OutgoingNotice.objects.order_by("pk").values_list("title", "outcome", "why")) == [
        ("A budget burns", "muted", "switched off by the flag upshot-notifications"),
        ("Another burns", "", ""),
    ]
