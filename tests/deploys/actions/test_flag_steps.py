"""Steps of schedules that wait for health, against what incidents and errors really say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from deploys.actions.flag_steps import held, take_healthy_steps, watched_services
from deploys.actions.flag_switches import kill_flag, note_what_time_changed, standing
from deploys.domain.flag_schedule import ServiceHealth, windows
from deploys.domain.instants import instant_text
from deploys.models import Environment, FlagChange, FlagRevision, FlagSegment, FlagSettings, RegisteredFlag, Service
from incidents.actions.digest import digest_events
from incidents.queries.service_health import service_health
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory
from tests.factories.errors import parsed_event
from tests.factories.flags import percent, registered, served_by
from tests.factories.incidents import incident_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
STEPS = [
    {"at": instant_text(NOON + HOUR), "percent": 10},
    {"at": instant_text(NOON + 2 * HOUR), "percent": 50, "waits": "health"},
    {"at": instant_text(NOON + 3 * HOUR), "percent": 100, "waits": "health"},
]


@pytest.fixture
def production() -> Environment:
    return EnvironmentFactory()


@pytest.fixture
def shop(production: Environment) -> Service:
    service = ServiceFactory(team=production.team, name="shop")
    fail(service, NOON - DAY, ["early"])
    return service


@pytest.fixture
def flag(production: Environment, shop: Service) -> RegisteredFlag:
    made = registered(production.team, services=[shop])
    served_by(made, production, percent(0, schedule=STEPS))
    return made


def fail(service: Service, at: dt.datetime, users: Sequence[str]) -> None:
    events = [parsed_event(timestamp=at + n * dt.timedelta(seconds=1), user=user) for n, user in enumerate(users)]
    digest_events(service=service, events=events, received_at=[at] * len(events))


def shares(flag: RegisteredFlag) -> list[tuple[dt.datetime, float]]:
    rows = FlagChange.objects.filter(team=flag.team).order_by("change__at")
    return list(rows.values_list("change__at", "new_percent"))


def reasons(flag: RegisteredFlag, environment: Environment, at: dt.datetime) -> list[str] | None:
    settings = FlagSettings.objects.select_related("environment").get(flag=flag, environment=environment)
    found = held(flag, settings, now=at)
    return None if found is None else found.reasons


def run(*ats: dt.datetime) -> list[int]:
    done = []
    for at in ats:
        note_what_time_changed(now=at)
        done.append(take_healthy_steps(now=at))
    return done


def test_steps_are_taken_one_after_the_other_while_everything_is_well(flag: RegisteredFlag) -> None:
    ats = [
        NOON + 2 * HOUR - MINUTE,
        NOON + 2 * HOUR + MINUTE,
        NOON + 2 * HOUR + 2 * MINUTE,
        NOON + 3 * HOUR,
        NOON + 9 * HOUR,
    ]

    assert run(*ats) == [0, 1, 0, 1, 0]

    assert shares(flag) == [(NOON + HOUR, 10), (ats[1], 50), (ats[3], 100)]
    last = FlagRevision.objects.filter(act="stepped").latest("at")
    assert (last.by, last.reason) == (None, "the step planned for 4 March 15:00 UTC: its services are well")
    assert not FlagSettings.objects.get().is_timed


def test_an_open_incident_holds_a_step_and_those_after_it_keep_their_distance(
    flag: RegisteredFlag, production: Environment
) -> None:
    incident = incident_of(production.team, started_at=instant_text(NOON + 1.5 * HOUR))

    assert run(NOON + 2 * HOUR, NOON + 3 * HOUR) == [0, 0]
    assert reasons(flag, production, NOON + 2 * HOUR) == [f"{incident.slug} It broke is open on shop"]
    incident.restored_at = NOON + 3 * HOUR
    incident.save(update_fields=["restored_at"])
    assert run(NOON + 4 * HOUR, NOON + 4 * HOUR + MINUTE, NOON + 5 * HOUR) == [1, 0, 1]

    assert shares(flag)[1:] == [(NOON + 4 * HOUR, 50), (NOON + 5 * HOUR, 100)]


def test_more_failing_users_than_at_this_time_of_the_day_before_hold_a_step(
    flag: RegisteredFlag, shop: Service, production: Environment
) -> None:
    fail(shop, NOON - DAY + 1.5 * HOUR, ["a", "a", "b"])
    fail(shop, NOON + 1.5 * HOUR, ["a", *"cdefghijk", "k", "k"])

    assert run(NOON + 2 * HOUR) == [0]
    assert reasons(flag, production, NOON + 2 * HOUR) == [
        "10 fail on shop, 2 at this time of the day before it changed"
    ]
    assert run(NOON + 2.6 * HOUR) == [1]


def test_services_of_which_nobody_heard_hold_a_step(production: Environment) -> None:
    ServiceFactory(team=production.team, name="quiet")
    flag = registered(production.team)
    served_by(flag, production, percent(0, schedule=STEPS))

    assert run(NOON + 2 * HOUR) == [0]
    assert reasons(flag, production, NOON + 2 * HOUR) == ["nobody could tell: quiet reported nothing for a week"]


def test_what_was_changed_or_killed_meanwhile_is_left_alone(flag: RegisteredFlag, production: Environment) -> None:
    seen = list(FlagSettings.objects.select_related("flag__team", "environment"))
    assert run(NOON + 2 * HOUR) == [1]
    rules, version = standing(flag, production)
    kill_flag(flag=flag, environment=production, reason="errors", until=None, now=NOON + 2.5 * HOUR, by=None)

    assert seen[0].version < version
    assert reasons(flag, production, NOON + 3 * HOUR) == ["the flag is switched off"]
    assert run(NOON + 3 * HOUR) == [0]
    assert [each.is_held for each in rules.schedule] == [False, False, True]


def test_two_workers_take_a_step_once(flag: RegisteredFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has read the flag before the first changed it."""
    both: list[int] = []

    def meanwhile(environment: Any, services: Any, seen: Any) -> list[ServiceHealth]:
        if not both:
            both.append(0)
            both[0] = take_healthy_steps(now=NOON + 2 * HOUR)
        return [ServiceHealth("shop")]

    monkeypatch.setattr("deploys.actions.flag_steps.service_health", meanwhile)
    note_what_time_changed(now=NOON + 2 * HOUR)

    assert (take_healthy_steps(now=NOON + 2 * HOUR), both) == (0, [1])
    assert [share for _, share in shares(flag)] == [10, 50]


def test_a_flag_whose_rules_cannot_be_used_stops_no_other(flag: RegisteredFlag, production: Environment) -> None:
    FlagSegment.objects.create(team=production.team, key="staff", document={})
    rule = {"segments": ["staff"], "serve": {"variant": "on"}}
    served_by(
        registered(production.team, key="broken"), production, percent(0, schedule=STEPS, rules=[rule]), now=NOON - HOUR
    )
    FlagSegment.objects.all().delete()

    assert run(NOON + 2 * HOUR) == [1]


def test_the_services_that_are_asked_are_the_flags_own(flag: RegisteredFlag, production: Environment) -> None:
    other = ServiceFactory(team=production.team, name="admin")
    everybodys = registered(production.team, key="of-nobody")

    assert [each.name for each in watched_services(flag, production)] == ["shop"]
    assert watched_services(everybodys, production)[0] == other


def test_how_services_do_costs_the_same_however_many(
    production: Environment, shop: Service, django_assert_num_queries: Any
) -> None:
    others = [ServiceFactory(team=production.team) for _ in range(3)]
    for many in ([shop], [shop, *others]):
        with django_assert_num_queries(7):
            assert len(service_health(production, many, windows(NOON - HOUR, NOON))) == len(many)
