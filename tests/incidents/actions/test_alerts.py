"""Alerts of other tools: what they say in whatever order becomes incidents, and repeats open no second one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.domain.changes import OutsideReport
from deploys.models import Service, Team
from incidents.actions import alerts, detection
from incidents.actions.alerts import KEPT, forget_alerts, take_report
from incidents.models import Alert, AlertWord, Episode, Incident
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def said(state: str, at: float, **more: Any) -> OutsideReport:
    given = {"origin": "pager", "id": "A1", "service": "checkout", "title": "5xx above 5 %"}
    return OutsideReport(state=state, at=NOON + minutes(at), **(given | more))


@pytest.fixture
def checkout() -> Service:
    return ServiceFactory.create(name="checkout")


def tell(team: Team, *reports: OutsideReport, now: float = 240) -> list[str]:
    """The verdicts; then one pass of detection, `now` minutes after noon."""
    verdicts = [str(take_report(team, report, max(report.at, NOON + minutes(now - 1))).verdict) for report in reports]
    detection.run(now=NOON + minutes(now))
    return verdicts


def spans(team: Team) -> list[tuple[float, float | None]]:
    """When each incident began and ended, in minutes after noon."""

    def after(at: dt.datetime | None) -> float | None:
        return None if at is None else (at - NOON).total_seconds() / 60

    rows = Incident.objects.filter(team=team, is_dismissed=False, duplicate_of=None).order_by("begins_at")
    return [(after(row.started_at) or 0.0, after(row.restored_at)) for row in rows]


def test_an_alert_is_an_incident_while_it_fires(checkout: Service) -> None:
    assert tell(checkout.team, said("detected", 0), said("detected", 0), now=5) == ["created", "duplicate"]
    incident = Incident.objects.get()

    assert (incident.title, incident.impact_class, incident.is_open) == ("checkout: 5xx above 5 %", "impactless", True)
    assert incident.timeline.get(kind="opened").text == "Opened: the alert 5xx above 5 %."
    assert tell(checkout.team, said("resolved", 20), now=40) == ["updated"]
    assert spans(checkout.team) == [(0, 20)]
    assert tell(checkout.team, said("detected", 0), said("resolved", 20)) == ["duplicate", "duplicate"]
    assert detection.is_waiting(now=NOON) is False


def test_it_comes_back_as_a_second_spell_and_much_later_as_another_incident(checkout: Service) -> None:
    tell(checkout.team, said("detected", 0), said("resolved", 10), now=11)
    tell(checkout.team, said("detected", 30), now=31)
    assert spans(checkout.team) == [(0, None)]

    tell(checkout.team, said("resolved", 40), now=41)
    tell(checkout.team, said("detected", 400), now=401)
    assert spans(checkout.team) == [(0, 40), (400, None)]


def test_a_word_that_comes_late_joins_what_seemed_two(checkout: Service) -> None:
    """The end that split them was only heard later to have a beginning before it."""
    tell(checkout.team, said("detected", 0), said("resolved", 5), said("detected", 200), now=201)
    assert len(spans(checkout.team)) == 2
    AlertWord.objects.filter(state="resolved").delete()  # as if it had not been said
    Alert.objects.update(dirty_at=NOON)

    tell(checkout.team, said("detected", 100), now=202)

    assert Episode.objects.count() == 1
    assert spans(checkout.team) == [(0, None)]


def test_who_looked_at_it_elsewhere_need_not_do_so_here(checkout: Service) -> None:
    tell(checkout.team, said("acknowledged", 3, began_at=NOON), now=5)
    incident = Incident.objects.get()

    assert (incident.started_at, incident.detected_at) == (NOON, NOON + minutes(5))
    assert incident.acknowledged_at == NOON + minutes(5), "nobody can have looked before it was known here"


def test_its_source_may_say_that_all_is_down(checkout: Service) -> None:
    tell(checkout.team, said("detected", 0, says_down=True), now=1)

    assert Incident.objects.get().impact_class == "downtime"


def test_a_service_is_known_by_its_name_in_whatever_case(checkout: Service) -> None:
    assert tell(checkout.team, said("detected", 0, service="Checkout")) == ["created"]


@pytest.mark.parametrize("service", [None, "payments", "old"])
def test_an_alert_of_no_service_is_let_be_and_says_why(checkout: Service, service: str | None) -> None:
    ServiceFactory.create(name="payments")  # of another team
    ServiceFactory.create(team=checkout.team, name="old", retired_at=NOON)
    answer = take_report(checkout.team, said("detected", 0, service=service), NOON)

    assert answer.verdict == "ignored"
    assert "choose the webhook's service, or map the name by a rule" in answer.reason
    assert not Alert.objects.exists()


def test_staging_alerts_open_nothing(checkout: Service) -> None:
    tell(checkout.team, said("detected", 0, environment="staging"))

    assert not Incident.objects.exists()
    assert not Alert.objects.filter(dirty_at__isnull=False).exists()


def test_a_clock_ahead_of_ours_is_held_to_ours(checkout: Service) -> None:
    take_report(checkout.team, said("detected", 600), NOON)
    detection.run(now=NOON + minutes(1))

    assert spans(checkout.team) == [(1, None)]


def test_ids_that_are_made_up_fill_no_table(checkout: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MOST_ALERTS", 2)
    found = [take_report(checkout.team, said("detected", 0, id=str(n)), NOON).verdict for n in (1, 2, 3, 1)]

    assert found == ["created", "created", "ignored", "duplicate"]


def test_what_is_long_over_is_forgotten_and_its_incident_stays(checkout: Service) -> None:
    tell(checkout.team, said("detected", 0), said("resolved", 9), now=10)
    tell(checkout.team, said("detected", 0, id="still firing"), now=11)
    later = NOON + KEPT + minutes(30)

    assert forget_alerts(now=NOON + KEPT) == 0
    assert (forget_alerts(now=later), forget_alerts(now=later)) == (1, 0)
    assert list(Alert.objects.values_list("key", flat=True)) == ["still firing"]
    assert Incident.objects.filter(duplicate_of=None).exists()
