"""The numbers for machines: metrics, closed reports, objectives, Prometheus, badges."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

import pytest

from deploys.models import Fact, Scope
from reliability.actions.badges import renew_badge_key
from reliability.actions.reports import close_report, restate
from reliability.queries.reports import report_as_of, week_labelled
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory
from tests.reliability.views.conftest import DAY, _fresh_knowledge, busy, team, tell

__all__ = ["_fresh_knowledge", "busy", "team", "tell"]  # fixtures
pytestmark = pytest.mark.django_db(databases="__all__")
MONDAY = dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)


def read(client, owner, path, **query):
    return client.get(path, query, headers=bearer(owner))


def test_metrics_are_what_the_command_prints(client, busy):
    window = week_labelled(team=busy, label="2026-W10")

    answer = read(client, busy, "/api/v1/metrics")
    asked = read(client, busy, "/api/v1/metrics", **{"from": "2026-03-02", "to": "2026-03-09", "as_of": "2026-03-03"})

    assert answer.json() == report_as_of(team=busy, window=window, as_of=NOON)
    assert asked.json() == report_as_of(team=busy, window=window, as_of=dt.datetime(2026, 3, 3, tzinfo=dt.UTC))
    other_zone = read(client, busy, "/api/v1/metrics", zone="Asia/Tokyo").json()["window"]
    assert (other_zone["from_at"], other_zone["zone"]) == ("2026-03-01T15:00:00Z", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("query", "name"),
    [({"from": "yesterday"}, "from"), ({"to": "2026-03-01"}, "to"), ({"zone": "Mars"}, "zone"), ({"as_of": "x"}, "as_of"), ({"from": "1990-01-01"}, "to")],
)  # fmt: skip
def test_a_bad_question_is_a_problem_that_names_the_value(client, busy, query, name):
    answer = read(client, busy, "/api/v1/metrics", **query)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == f"#/{name}"


def test_closed_reports_are_listed_and_read_with_their_restatements(client, busy, tell):
    close_report(team=busy, label="2026-W10", now=MONDAY)
    tell("incident", id="i2", causes=[{"kind": "deploy", "id": "d3"}])
    Fact.objects.filter(kind="incident").order_by("-pk")[:1]
    Fact.objects.filter(pk=Fact.objects.order_by("-pk").first().pk).update(received_at=MONDAY + dt.timedelta(hours=1))
    restate(team=busy, label="2026-W10", now=MONDAY + dt.timedelta(hours=2))

    listed = read(client, busy, "/api/v1/reports").json()
    now, then = (read(client, busy, "/api/v1/reports/2026-W10", **query).json() for query in ({}, {"number": 1}))

    assert [(line["label"], line["number"]) for line in listed["results"]] == [("2026-W10", 2), ("2026-W10", 1)]
    assert (then["number"], then["result"]["total"]["change_failure"]["failed_count"]) == (1, 1)
    assert (now["number"], now["result"]["total"]["change_failure"]["failed_count"]) == (2, 2)
    assert "failed deploys: was 1, now 2" in now["reason"]
    assert {"path": "total.change_failure.failed_count", "before": 1, "after": 2} in now["difference"]
    assert now["word"] == "at risk"
    assert read(client, busy, "/api/v1/reports/2026-W10", number="x").status_code == 422
    assert read(client, busy, "/api/v1/reports/2026-W09").status_code == 404
    assert read(client, TeamFactory(), "/api/v1/reports/2026-W10").status_code == 404
    assert read(client, TeamFactory(), "/api/v1/reports").json()["results"] == []


def test_an_objective_is_set_once_and_says_what_cannot_fire(client, busy):
    message = {"id": "mail", "service": "mailer", "target": 0.9, "window_days": 30}

    def post(**change):
        return client.post(
            "/api/v1/objectives", message | change, content_type="application/json", headers=bearer(busy)
        )

    first, count = post(), Fact.objects.filter(kind="objective").count()
    again = post()

    assert first.json()["unreachable_rules"] == ["page_fast"]
    assert first.json()["objective"]["budget_seconds"] == pytest.approx(0.1 * 30 * 86_400)
    assert again.json() == first.json()
    assert Fact.objects.filter(kind="objective").count() == count
    assert post(target=0.99).json()["unreachable_rules"] == []
    assert post(target=2).status_code == 422
    assert post(calendar="week").status_code == 422
    listed = read(client, busy, "/api/v1/objectives").json()
    assert sorted(listed["objectives"]) == ["cart", "mail", "whole"]
    denied = client.post("/api/v1/objectives", message, content_type="application/json", headers=bearer(busy, [Scope.METRICS_READ]))  # fmt: skip
    assert denied.status_code == 403


def test_prometheus_reads_gauges(client, busy):
    answer = client.get("/metrics", headers=bearer(busy) | {"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})

    lines = answer.content.decode().splitlines()
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'upshot_downtime_seconds{service=""} 1920' in lines
    assert 'upshot_failed_deploys{service="cart"} 1' in lines
    assert 'upshot_open_incidents{class="downtime"} 0' in lines
    assert 'upshot_objective_target_ratio{objective="cart",service="cart"} 0.9' in lines
    assert 'upshot_burn_alert_firing{objective="whole",service="",rule="ticket_slow"} 0' in lines
    assert client.get("/metrics").status_code == 401


def test_badges_show_a_number_to_whoever_has_the_address(client, busy):
    key = renew_badge_key(team=busy)
    client.logout()

    def words(path):
        answer = client.get(f"/badges/{key}/{path}")
        assert answer.headers["Content-Type"] == "image/svg+xml"
        return ET.fromstring(answer.content).get("aria-label").replace("\u00a0", " ")  # noqa: S314 -- our own answer

    assert words("uptime.svg") == "uptime 28 d: 99.920 %"
    assert words("failures.svg") == "failed changes 28 d: 33.3 % (1 of 3)"
    assert words("failures.svg?service=mailer") == "failed changes 28 d: 0 % (0 of 1)"
    assert words("budget.svg") == "error budget: 20 % left"
    assert words("budget.svg?service=nobody") == "error budget: not set"
    for path in ("uptime.svg?service=nobody", "health.svg"):
        assert client.get(f"/badges/{key}/{path}").status_code == 404


def test_new_addresses_end_the_old_ones(client, busy):
    client.post(f"/t/{busy.slug}/reports/badges/")
    html = client.get(f"/t/{busy.slug}/reports/badges/").content.decode()
    old = renew_badge_key(team=busy)
    new = renew_badge_key(team=busy)

    assert "/uptime.svg" in html
    assert client.get(f"/badges/{old}/uptime.svg").status_code == 404
    assert client.get(f"/badges/{new}/uptime.svg").status_code == 200


def test_a_spent_budget_is_said_in_words(client, busy, tell):
    tell("incident", id="i7", title="x", services=["cart"], class_="downtime", started_at=2 * DAY, restored_at=DAY)

    answer = client.get(f"/badges/{renew_badge_key(team=busy)}/budget.svg").content.decode()

    assert "error budget: overspent" in answer
