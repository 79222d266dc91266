"""What is done with a list of incidents: filters in the address, taking it along, one act on many and taking it back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest

from deploys import clock
from deploys.models import Fact
from incidents.actions import bulk
from incidents.models import BulkAct, Incident
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import incident_of
from tests.incidents.views.pages import LATER, Desk, desk, queries, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]
ENDED = {"restored_at": "2026-03-04T12:10:00Z"}


def titles(at: Desk, **query: str) -> list[str]:
    return sorted(incident.title for incident, _, _ in at.get("incident-list", **query).context["rows"])


def test_the_address_narrows_by_day_and_severity() -> None:
    at = desk()
    incident_of(at.team, title="before", started_at="2026-03-03T23:59:59Z")
    worst = incident_of(at.team, title="on the day", started_at="2026-03-04T00:00:00Z")
    Incident.objects.filter(pk=worst.pk).update(severity="sev1")

    assert titles(at, since="2026-03-04", until="2026-03-04") == ["on the day"]
    assert titles(at, until="2026-03-03") == ["before"]
    assert titles(at, severity="sev1") == ["on the day"]
    assert titles(at, since="soon", until="9999-12-31", severity="huge") == ["before", "on the day"]


def test_the_list_goes_along_as_csv_and_json() -> None:
    at = desk()
    incident_of(at.team, title="=1+1", **ENDED, **{"class": "downtime"})
    incident_of(at.team, title="other")
    incident_of(TeamFactory(), title="theirs")

    table = at.get("incident-csv", impact_class="downtime")
    lines = at.get("incident-json")

    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert [(row["incident"], row["title"], row["status"], row["services"]) for row in rows] == [
        ("INC-1", "'=1+1", "restored", "shop")
    ]
    assert table.headers["Content-Disposition"].endswith('-incidents.csv"')
    assert [json.loads(line)["title"] for line in lines.content.decode().splitlines()] == ["other", "=1+1"]


def test_a_long_list_is_whole() -> None:
    at = desk()
    for _ in range(3):
        incident_of(at.team)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("incidents.views.incident_lists.PAGE", 2)
        assert len(at.get("incident-json").content.splitlines()) == 3


def many(at: Desk, act: str, *incidents: Incident, **more: str) -> str:
    data = {"number": [each.number for each in incidents], "act": act, **more}
    return read(at.client.post(at.url("incident-bulk"), data, follow=True))


def undo(at: Desk) -> str:
    row = BulkAct.objects.order_by("-pk").first()
    assert row is not None
    return read(at.client.post(at.url("incident-bulk-undo", row.public_id), follow=True))


def test_closing_many_and_taking_it_back() -> None:
    at = desk()
    over, still = incident_of(at.team, **ENDED), incident_of(at.team)
    theirs = incident_of(TeamFactory(), **ENDED)

    page = many(at, "close", over, still, theirs, back="?state=restored")

    assert "Done to 1." in page
    assert list(Incident.objects.filter(closed_at=LATER)) == [over]
    assert "you chose to close: 1 incident" in read(at.get("incident-list"))
    assert "Taken back for 1." in undo(at)
    assert not Incident.objects.filter(closed_at__isnull=False).exists()
    assert "This is taken back already." in undo(at)
    assert [row.data["to"] for row in over.timeline.order_by("pk")] == ["2026-03-04T12:30:00Z", None]


def test_dismissing_many_counts_and_what_was_said_since_stands() -> None:
    at = desk()
    one, other = incident_of(at.team), incident_of(at.team)

    many(at, "dismiss", one, other)
    assert Incident.objects.filter(is_dismissed=True).count() == 2
    at.post("incident-state", other.number, act="undismiss")

    assert "Taken back for 1." in undo(at)
    assert Incident.objects.filter(is_dismissed=True).count() == 0
    assert Fact.objects.filter(kind="incident", origin="person").count() == 4


def test_severity_of_many_goes_back_to_what_each_had() -> None:
    at = desk()
    one, other = incident_of(at.team), incident_of(at.team)
    Incident.objects.filter(pk=one.pk).update(severity="sev4")

    many(at, "severity:sev2", one, other)
    assert set(Incident.objects.values_list("severity", flat=True)) == {"sev2"}
    undo(at)

    assert list(Incident.objects.order_by("pk").values_list("severity", flat=True)) == ["sev4", ""]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("", "Choose what to do."),
        ("severity:huge", "Choose what to do."),
        ("close", "nothing would change"),
        ("explode", "Choose"),
    ],
)
def test_what_means_nothing_is_explained(act: str, words: str) -> None:
    at = desk()

    assert words in many(at, act, incident_of(at.team))
    assert BulkAct.objects.count() == 0


def test_too_many_and_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    one, other = incident_of(at.team, **ENDED), incident_of(at.team, **ENDED)

    many(at, "close", one)
    monkeypatch.setattr(bulk, "MOST", 1)
    assert "Choose at most 1 at once." in many(at, "close", one, other)
    with clock.at(LATER + dt.timedelta(hours=25)):
        assert "more than a day ago" in undo(at)
        assert "you chose to" not in read(at.get("incident-list"))


def test_what_others_did_is_not_offered_and_nowhere_else_is_led_to() -> None:
    at = desk()
    many(at, "close", incident_of(at.team, **ENDED))

    assert "you chose to" not in read(desk(team=at.team).get("incident-list"))
    for back in ("//evil.example", "https://evil.example", "javascript:1"):
        answer = at.post("incident-bulk", act="", back=back)
        assert answer.headers["Location"] == at.url("incident-list")


@pytest.mark.parametrize("act", ["close", "dismiss", "severity:sev1"])
def test_an_act_on_many_costs_no_more_than_on_one(act: str) -> None:
    at = desk()
    few, lot = [[incident_of(at.team, **ENDED) for _ in range(count)] for count in (1, 4)]

    def cost(chosen: list[Incident]) -> int:
        return queries(lambda: at.post("incident-bulk", act=act, number=[each.number for each in chosen]))

    assert cost(lot) == cost(few)
