"""Pages about how an incident is worked on, and news of one that goes on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys import clock
from incidents.actions.alerts import take_report
from incidents.actions.detection import run
from incidents.models import Incident, IncidentIssue
from tests.conftest import NOON
from tests.factories.incidents import IssueFactory, deploy_of, incident_of, service_of, verdict_of
from tests.incidents.actions.test_alerts import said
from tests.incidents.views.pages import LATER, desk, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]


def test_an_alert_speaks_for_itself() -> None:
    at = desk()
    service_of(at.team, "checkout")
    take_report(at.team, said("detected", 0, origin="grafana", url="https://grafana.example/a/1"), NOON)
    run(now=NOON + dt.timedelta(minutes=2))

    answer = at.get("incident-detail", Incident.objects.get().number)

    page = read(answer)
    assert "from an alert" in page
    assert "as the alert says" in page
    assert "from errors" not in page
    assert 'href="https://grafana.example/a/1"' in answer.content.decode()
    assert "grafana · 12:00:00 – still firing" in page


def test_what_undid_the_suspect_is_offered_as_what_ended_it() -> None:
    at = desk()
    change, back = deploy_of(at.team), deploy_of(at.team, release="1.3.9", at=NOON + dt.timedelta(minutes=20))
    incident = incident_of(at.team)
    verdict = verdict_of(incident, [(change, 0.97), (None, 0.03)])
    verdict.reversal = {"how": "rolled back", "by": str(back.public_id), "at": back.at.isoformat()}
    verdict.save()

    page = read(at.get("incident-detail", incident.number))

    assert "by the errors, which stopped then; no person has said so yet" in page
    assert "Yes, it ended it" in page
    assert "nothing named" not in page


def test_roles_page() -> None:
    at = desk()
    incident = incident_of(at.team)

    form = read(at.get("incident-roles", incident.number))
    answer = at.post("incident-roles", incident.number, communications=at.user.pk, note="until six")
    refused = at.post("incident-roles", incident.number, lead=999_999)

    assert "Rollback captain optional nobody Ida Holm takes the change back" in form
    assert (answer.status_code, refused.status_code) == (302, 422)
    page = read(at.get("incident-detail", incident.number))
    assert "Communications: Ida Holm. “until six”" in page
    assert at.post("incident-state", incident.number, act="take-role", role="data").status_code == 302
    assert at.post("incident-state", incident.number, act="take-role", role="king").status_code == 404


def spells(*rows: tuple[str, str, str]) -> dict[str, str]:
    data = {"spell-TOTAL_FORMS": str(len(rows)), "spell-INITIAL_FORMS": "0"}
    for place, row in enumerate(rows):
        data |= {
            f"spell-{place}-{name}": value
            for name, value in zip(("from_at", "to_at", "lost_percent"), row, strict=True)
        }
    return data


def test_spells_page() -> None:
    at = desk()
    incident = incident_of(at.team)
    good = spells(("2026-03-04T12:00:00", "2026-03-04T12:10:00", "40"), ("2026-03-04T12:20:00", "", ""), ("", "", ""))

    assert at.post("incident-spells", incident.number, **good).status_code == 302
    assert 'value="2026-03-04T12:10:00"' in at.get("incident-spells", incident.number).content.decode()
    assert list(incident.impact_spells.order_by("from_at").values_list("degradation", flat=True)) == [0.4, None]
    early = at.post("incident-spells", incident.number, **spells(("2026-03-04T11:00:00", "2026-03-04T12:00:00", "")))
    assert "cannot begin before the impact did" in read(early)
    assert at.post("incident-spells", incident.number, **spells(("", "2026-03-04T12:00:00", ""))).status_code == 422
    assert at.post("incident-spells", incident.number).status_code == 422


def test_ending_page() -> None:
    at = desk()
    incident = incident_of(at.team)

    late = at.post("incident-ending", incident.number, ending="restart", at="2026-03-05T12:00:00")
    done = at.post("incident-ending", incident.number, ending="restart", note="all pods", at="2026-03-04T12:25:00")

    assert (late.status_code, done.status_code) == (422, 302)
    page = read(at.get("incident-detail", incident.number))
    assert "What ended it: a restart. “all pods”" in page
    assert "restored after 25 min" in page
    assert "no longer hit since" not in read(at.get("incident-ending", incident.number))


def test_split_page() -> None:
    at = desk()
    incident = incident_of(at.team)
    issues = [IssueFactory(service=service_of(at.team)) for _ in range(2)]
    for issue in issues:
        IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON)

    none = at.post("incident-split", incident.number, title="Other")
    all_of_it = at.post("incident-split", incident.number, title="Other", issues=[each.pk for each in issues])
    done = at.post("incident-split", incident.number, title="Other", issues=[issues[0].pk])

    assert (none.status_code, all_of_it.status_code, done.status_code) == (422, 422, 302)
    assert "Split off INC-1." in read(at.get("incident-detail", 2))


def test_merge_from_the_page() -> None:
    at = desk()
    stays, goes = incident_of(at.team), incident_of(at.team, services=["api"])

    at.post("incident-duplicate", goes.number, of="INC-1", takes_over="on")

    assert stays.incident_services.count() == 2
    assert "INC-2 was merged into it." in read(at.get("incident-detail", stays.number))


def test_edit_says_how_urgent_it_is_and_who_noticed() -> None:
    at = desk()
    incident = incident_of(at.team)
    shop = service_of(at.team)

    at.post(
        "incident-edit", incident.number, title="It broke", services=[shop.pk], severity="sev1", noticed="users",
        missing_test="an empty basket", reason="every order",
    )  # fmt: skip

    page = read(at.get("incident-detail", incident.number))
    assert "SEV1 everybody who can help, now" in page
    assert "Severity SEV1, was not said. “every order”" in page
    assert "Noticed first by users." in page
    assert "Missing test: an empty basket" in page
    assert at.post("incident-edit", incident.number, title="x", services=[shop.pk], severity="sev9").status_code == 422


# -- news ---------------------------------------------------------------------------------------------------------------


def test_no_news_costs_little_and_says_nothing(django_assert_num_queries: Any) -> None:
    at = desk()
    incident = incident_of(at.team)
    version = at.get("incident-detail", incident.number).context["version"]

    with django_assert_num_queries(7):
        answer = at.get("incident-live", incident.number, seen=version)

    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (204, b"", f'"{version}"')
    cached = at.client.get(at.url("incident-live", incident.number), headers={"If-None-Match": f'"{version}"'})
    assert cached.status_code == 304


def test_time_that_has_passed_is_told_without_the_rest() -> None:
    at = desk()
    incident = incident_of(at.team)
    version = at.get("incident-detail", incident.number).context["version"]

    with clock.at(LATER + dt.timedelta(minutes=1)):
        page = read(at.get("incident-live", incident.number, seen=version))

    assert "open for 31 min" in page
    assert "Timeline" not in page


def test_news_are_told_whole() -> None:
    at = desk()
    incident = incident_of(at.team)
    version = at.get("incident-detail", incident.number).context["version"]
    at.post("incident-note", incident.number, note="It is the column.")

    page = at.get("incident-live", incident.number, seen=version)

    assert "It is the column." in read(page)
    assert page.context["version"] != version
    at.post("incident-state", incident.number, act="restore")
    assert 'hx-trigger="every' not in at.get("incident-live", incident.number).content.decode()


def test_every_page_offers_to_declare_to_those_who_may() -> None:
    assert "Declare an incident d" in read(desk().get("issue-list"))
    assert "Declare an incident" not in read(desk(role="viewer").get("issue-list"))
