"""Drift: what is seen against what was reported."""

from datetime import datetime, timedelta

import pytest

from incidents.domain.drift import Drift, Finding, Recorded, Sighting, drift_of
from tests.conftest import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def seen(release: str, *, first: timedelta, last: timedelta = timedelta(0), lately: int = 0) -> Sighting:
    """A release first seen `first` before noon and last `last` before it."""
    return Sighting(release=release, first_at=NOON - first, last_at=NOON - last, lately=lately)


def deployed(release: str, *, ago: timedelta, is_running: bool = False) -> Recorded:
    """A deploy that began so long before noon and was live at once, unless it still runs."""
    return Recorded(release=release, started_at=NOON - ago, live_at=None if is_running else NOON - ago)


OLD = seen("shop@1.0.0", first=9 * DAY, last=HOUR)
NEW = seen("shop@1.1.0", first=HOUR, lately=100)
REPORTED = deployed("1.0.0", ago=8 * DAY)


@pytest.mark.parametrize(
    "sightings",
    [
        [],
        [seen("", first=DAY, lately=500)],
        [seen("1.1.0", first=HOUR, lately=19), OLD],
    ],
)
def test_too_little_seen_tells_nothing(sightings: list[Sighting]) -> None:
    assert drift_of(sightings, [REPORTED], now=NOON) is None


def test_what_is_reported_live_and_seen_is_in_line() -> None:
    assert drift_of([OLD, NEW], [REPORTED, deployed("1.1.0", ago=HOUR)], now=NOON) is None


def test_a_release_that_took_over_and_nobody_reported() -> None:
    found = drift_of([OLD, NEW], [REPORTED], now=NOON)

    assert found == Drift(Finding.UNREPORTED_DEPLOY, "shop@1.1.0", NOON - HOUR, expected="1.0.0")
    assert found.is_deploy


def test_a_service_whose_deploys_nobody_reports_at_all() -> None:
    assert drift_of([OLD, NEW], [], now=NOON) == Drift(Finding.UNREPORTED_DEPLOY, "shop@1.1.0", NOON - HOUR)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(seen("1.1.0", first=timedelta(minutes=19), lately=100), id="CI may still report it"),
        pytest.param(seen("0.9.0", first=HOUR, lately=100), id="an old client that comes back"),
        pytest.param(seen("1.1.0", first=8.5 * DAY, lately=100), id="there when watching began"),
        pytest.param(seen("1.1.0", first=8.0 * DAY + HOUR, lately=100), id="seen before the deploy that is live"),
    ],
)
def test_no_deploy_is_inferred_from(new: Sighting) -> None:
    assert drift_of([OLD, new], [REPORTED], now=NOON) is None


def test_a_share_below_half_may_be_a_canary() -> None:
    others = seen("2.0.0", first=DAY, lately=60)
    canary = seen("1.1.0", first=HOUR, lately=50)

    assert drift_of([OLD, others, canary], [REPORTED, deployed("2.0.0", ago=DAY)], now=NOON) is None
    assert drift_of(
        [OLD, seen("a", first=HOUR, lately=40), seen("b", first=HOUR, lately=35), seen("c", first=HOUR, lately=35)],
        [REPORTED],
        now=NOON,
    ) is None  # fmt: skip


@pytest.mark.parametrize(("ago", "is_known"), [(HOUR, True), (3 * HOUR + timedelta(minutes=1), False)])
def test_a_deploy_without_a_name_explains_a_release_near_it(ago: timedelta, is_known: bool) -> None:
    nameless = deployed("", ago=ago)

    assert (drift_of([OLD, NEW], [REPORTED, nameless], now=NOON) is None) is is_known


def test_the_two_sides_name_releases_differently() -> None:
    found = drift_of([OLD, NEW], [deployed("build-71", ago=DAY), deployed("build-72", ago=HOUR)], now=NOON)

    assert found == Drift(Finding.NAMED_DIFFERENTLY, "shop@1.1.0", NOON - HOUR, expected="build-72")
    assert not found.is_deploy


def back_to(first: Sighting, second: Sighting, *more: Recorded) -> Drift | None:
    """1.0.0 was reported long ago, 1.1.0 two hours ago."""
    return drift_of([first, second], [REPORTED, deployed("1.1.0", ago=2 * HOUR), *more], now=NOON)


AGAIN = seen("1.0.0", first=9 * DAY, lately=100)


def test_everybody_is_back_on_what_was_replaced() -> None:
    found = back_to(AGAIN, seen("1.1.0", first=2 * HOUR, last=HOUR))

    assert found == Drift(Finding.UNREPORTED_ROLLBACK, "1.0.0", NOON - HOUR, expected="1.1.0")


def test_what_was_reported_live_was_never_seen() -> None:
    found = back_to(AGAIN, seen("0.9.0", first=30 * DAY, last=20 * DAY))

    assert found == Drift(Finding.UNSEEN, "1.0.0", NOON - 2 * HOUR, expected="1.1.0")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            seen("1.0.0", first=9 * DAY, lately=94), seen("1.1.0", first=HOUR, lately=6), id="some are on the new one"
        ),
        pytest.param(
            seen("1.0.0", first=9 * DAY, lately=99), seen("1.1.0", first=HOUR, lately=1), id="few are on the new one"
        ),
        pytest.param(AGAIN, seen("1.1.0", first=HOUR, last=timedelta(minutes=5)), id="the new one was just seen"),
    ],
)
def test_old_clients_are_no_rollback(first: Sighting, second: Sighting) -> None:
    assert back_to(first, second) is None


def test_a_deploy_that_runs_is_waited_for() -> None:
    gone = seen("1.1.0", first=2 * HOUR, last=HOUR)

    assert back_to(AGAIN, gone, deployed("1.2.0", ago=timedelta(minutes=5), is_running=True)) is None


def test_a_deploy_just_live_is_waited_for() -> None:
    just: list[Recorded] = [REPORTED, deployed("1.1.0", ago=timedelta(minutes=19))]

    assert drift_of([AGAIN], just, now=NOON) is None


def test_only_running_deploys_say_nothing_of_what_is_live() -> None:
    assert drift_of([AGAIN], [deployed("1.0.0", ago=HOUR, is_running=True)], now=NOON) is None
    later: datetime = NOON + HOUR
    assert drift_of([seen("2.0", first=HOUR, lately=50), OLD], [deployed("1.0.0", ago=DAY, is_running=True)], now=later)
