"""A release that shows itself before its deploy is reported is a suspect."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.actions.inferred import absorb_inferred, record_inferred
from deploys.models import Deploy
from incidents.actions import detection
from incidents.actions.appearing import note_appearing
from incidents.models import Incident, Verdict
from incidents.queries.evidence import Lens, services_around
from reliability.actions.replay import _named, _names_of_inferred
from tests.conftest import NOON
from tests.factories.errors import minutes
from tests.incidents.actions.test_detection import deploy, fail, shop, spread
from tests.incidents.actions.test_drift import hear

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def listed() -> list[tuple[str, str, str]]:
    """(source, release, status) of all deploys."""
    rows = Deploy.objects.order_by("started_at", "pk")
    return [(row.source, row.release.version if row.release else "", row.status) for row in rows]


def test_a_canary_that_nobody_reported_yet_is_named_by_its_release() -> None:
    service = shop()
    deploy(service.team, -3000, name="old", release="1.3.0", finished_at=None)
    fail(service, [-2900], message="timeout 7", release="1.3.0")
    fail(service, spread(12), release="1.4.0")
    detection.run(now=NOON + minutes(13))

    verdict = Verdict.objects.latest("number")
    assert listed()[1:] == [("inferred", "1.4.0", "in_progress")]
    assert verdict.change is not None
    assert verdict.change.deploy.release.version == "1.4.0"

    reported = deploy(service.team, -1, name="canary", received=40)
    absorb_inferred(now=NOON + minutes(40))
    detection.run(now=NOON + minutes(41))

    assert sorted(listed()[1:]) == [("api", "1.4.0", "success"), ("inferred", "1.4.0", "failure")]
    assert Incident.objects.get().verdicts.latest("number").change == reported
    names = _names_of_inferred(service.team)
    answer = {"cause_id": str(verdict.change.public_id), "candidates": [str(verdict.change.public_id), "canary", "x"]}
    assert _named(answer, names) == {"cause_id": "canary", "candidates": ["canary", "x"]}
    assert _named({"cause_id": None, "candidates": []}, names) == {"cause_id": None, "candidates": []}


def test_what_only_appeared_is_finished_once_it_has_taken_over() -> None:
    service = shop()
    hear(service, "1.4.0", at=NOON - minutes(30), sessions=5)
    services = services_around(Lens(service.team, NOON), ["shop"])
    environment = service.team.environments.get(name="production")

    def noted() -> int:
        return note_appearing(services=services, environment=environment, onset=NOON - minutes(20), now=NOON)

    assert (noted(), noted()) == (1, 0)
    later = record_inferred(
        service=service, environment=environment, release="shop@1.4.0", at=NOON - minutes(29), why="", now=NOON
    )
    assert later is not None
    assert later.started_at == NOON - minutes(30) + dt.timedelta(seconds=30)
    assert listed() == [("inferred", "shop@1.4.0", "success")]


def test_old_releases_first_days_and_other_names_are_no_news() -> None:
    service = shop()
    fail(service, [-400, -10], release="1.3.0")
    environment = service.team.environments.get(name="production")

    def noted() -> int:
        services = services_around(Lens(service.team, NOON), ["shop", "unknown"])
        return note_appearing(services=services, environment=environment, onset=NOON - minutes(20), now=NOON)

    assert noted() == 0
    deploy(service.team, -2000, release="build-77")
    fail(service, [-5], message="other", release="1.4.0")
    assert noted() == 0
    type(service).objects.filter(pk=service.pk).update(first_event_at=NOON - minutes(600))
    deploy(service.team, -1900, name="d2", release="1.3.0")
    assert noted() == 0
