"""Declaring an incident by hand: from any page, from an issue, from an alert."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from deploys.domain.changes import OutsideReport
from deploys.models import Role, Service
from incidents.actions import detection
from incidents.actions.alerts import take_report
from incidents.actions.checks import CheckResult, record_check
from incidents.actions.monitors import add_monitor
from incidents.models import Alert, Incident, IncidentIssue
from tests.factories.incidents import IssueFactory, service_of
from tests.incidents.views.pages import LATER, desk, queries, read, words

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]
TEN = dt.timedelta(minutes=10)


def test_declare_with_a_title_only() -> None:
    at = desk()
    service_of(at.team)

    form = at.get("incident-declare")
    answer = at.post("incident-declare", title="Checkout fails")

    incident = Incident.objects.get()
    assert "A title is enough." in words(form)
    assert answer.headers["Location"] == at.url("incident-detail", incident.number)
    assert (incident.title, incident.started_at) == ("Checkout fails", LATER)


def test_declare_from_an_issue_fills_in() -> None:
    at = desk()
    issue = IssueFactory(service=service_of(at.team, "api"))

    form = at.get("incident-declare", issue=str(issue.public_id))
    at.client.post(f"{at.url('incident-declare')}?issue={issue.public_id}", {"title": "Login fails"})

    assert "KeyError: &#x27;total&#x27;" in words(form)
    assert list(IncidentIssue.objects.values_list("issue", flat=True)) == [issue.pk]


def fired(service: Service, **more: Any) -> Alert:
    """An alert of another tool that began to fire ten minutes ago."""
    said = {"origin": "pager", "id": "A1", "title": "5xx above 5 %", "url": "https://pager.example/A1", **more}
    report = OutsideReport(state="detected", at=LATER - TEN, service=service.name, environment="staging", **said)
    take_report(service.team, report, LATER)
    return Alert.objects.get(key=said["id"])


def test_declare_from_an_alert_fills_in() -> None:
    at = desk()
    service_of(at.team)
    alert = fired(service_of(at.team, "api"))
    where = f"{at.url('incident-declare')}?alert={alert.public_id}"

    form = at.client.get(where)
    values = {name: form.context["form"][name].value() for name in ("title", "services", "started_at", "note")}
    at.client.post(
        where, {"title": values["title"], "services": values["services"], "started_at": "2026-03-04T12:20:00"}
    )

    assert "From the alert 5xx above 5 % of pager" in read(form)
    assert values == {
        "title": "5xx above 5 %", "services": [alert.service.pk], "started_at": (LATER - TEN).replace(tzinfo=None),
        "note": "Declared from the alert 5xx above 5 % of pager. https://pager.example/A1",
    }  # fmt: skip
    incident = Incident.objects.get()
    assert (incident.title, incident.environment.name, incident.started_at) == ("5xx above 5 %", "staging", LATER - TEN)
    assert at.get("incident-declare", alert=str(uuid.uuid4())).status_code == 404
    assert desk().get("incident-declare", alert=str(alert.public_id)).status_code == 404


def test_the_page_of_a_service_offers_to_declare_from_what_its_signals_say() -> None:
    at = desk()
    service = service_of(at.team, "api")
    monitor = add_monitor(service=service, url="https://api.example/health", now=LATER)
    result = CheckResult(at=LATER, ok=False, status=503)
    record_check(service=service, source=str(monitor.public_id), result=result, received_at=LATER)
    fired(service)
    one = queries(lambda: at.get("service-detail", service.public_id))
    resolved = fired(service, id="A2", title="Slow")
    take_report(at.team, OutsideReport(origin="pager", id="A2", state="resolved", at=LATER, service="api"), LATER)

    page = at.get("service-detail", service.public_id)

    text = page.content.decode()
    assert "5xx above 5 % pager · staging fires 10 min ago Declare an incident…" in read(page)
    assert f"?alert={resolved.public_id}" in text
    assert "?service=api&amp;title=https%3A%2F%2Fapi.example%2Fhealth%20does%20not%20answer" in text
    assert queries(lambda: at.get("service-detail", service.public_id)) == one
    assert "Declare an incident…" not in read(desk(Role.VIEWER, at.team).get("service-detail", service.public_id))


def test_an_alert_names_the_incident_it_belongs_to() -> None:
    at = desk()
    service = service_of(at.team, "api")
    take_report(at.team, OutsideReport(origin="pager", id="A1", state="detected", at=LATER - TEN, service="api"), LATER)
    detection.run(now=LATER)

    assert "pager fires 10 min ago INC-1" in read(at.get("service-detail", service.public_id))


def test_declare_refuses_with_reasons() -> None:
    at = desk()

    assert "There is no service yet" in words(at.get("incident-declare"))
    service_of(at.team)
    assert at.post("incident-declare", title=" ").status_code == 422
    late = at.post("incident-declare", title="x", started_at="2026-03-05T00:00:00")
    assert "This time has not come yet." in words(late)
    assert at.get("incident-declare", issue="nonsense").status_code == 404
    assert Incident.objects.count() == 0
