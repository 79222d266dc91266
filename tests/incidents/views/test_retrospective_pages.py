"""Pages of what is learned from incidents: retrospective, promises, runbooks, and what the weekly report says of them."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.models import ActionItem, Runbook
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import deploy_of, incident_of, service_of, verdict_of
from tests.incidents.views.pages import HOSTILE, Desk, desk, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]


def over(at: Desk, **more: Any) -> Any:
    return incident_of(
        at.team, detected_at="2026-03-04T12:02:00Z", mitigated_at="2026-03-04T12:10:00Z",
        restored_at="2026-03-04T12:25:00Z", **more,
    )  # fmt: skip


def test_the_facts_are_there_before_anybody_wrote() -> None:
    at = desk()
    change = deploy_of(at.team)
    incident = over(at, causes=[{"kind": "deploy", "id": str(change.public_id)}], title="Totals are wrong")
    verdict_of(incident, [(change, 0.9), (None, 0.1)])

    page = read(at.get("incident-retrospective", incident.number))

    assert "multi-user for 25 min" in page
    assert "Deploy shop 1.4.0: confirmed by a person. It began 5 min before the impact" in page
    assert "Evidence same service as the errors" in page
    assert "to restore 15 min the slowest" in page
    assert "What made this possible? Not answered yet. Conditions, not people" in page
    assert page.index("Impact began") < page.index("Restored")


def test_writing_finishing_and_exporting() -> None:
    at = desk()
    incident = over(at, title="Totals are *wrong*")

    assert "What happened, in three sentences?" in read(at.get("incident-retrospective-write", incident.number))
    at.post("incident-retrospective-write", incident.number, revision=0, summary="The **column** was empty.")
    stale = at.post("incident-retrospective-write", incident.number, revision=0, summary="No, it was not.")
    begun = read(at.get("incident-retrospective", incident.number))
    at.post("incident-retrospective", incident.number, act="finish")
    page = at.get("incident-retrospective", incident.number)
    export = at.get("incident-retrospective-export", incident.number)

    assert "The <strong>column</strong> was empty." in page.content.decode()
    assert "being written 6 of 7 questions open" in begun
    assert "finished by Ida Holm" in read(page)
    assert stale.status_code == 422
    assert "The **column** was empty." in read(stale)
    assert 'name="revision" value="1"' in stale.content.decode()
    assert export.headers["Content-Disposition"] == 'attachment; filename="INC-1.md"'
    assert "# INC\\-1: Totals are \\*wrong\\*" in export.content.decode()
    assert "The **column** was empty." in export.content.decode()


def test_promising_and_keeping() -> None:
    at = desk()
    incident = over(at)

    at.post("incident-promise", incident.number, title="Backfill first", owner=at.user.pk, due_on="2026-03-03")
    refused = at.post("incident-promise", incident.number, title=" ")
    item = ActionItem.objects.get()
    overdue = read(at.get("action-item-list", show="overdue"))
    at.post("action-item", item.public_id, title="Backfill before", owner=at.user.pk, due_on="2026-03-09")
    at.post("action-item", item.public_id, act="done")

    assert refused.status_code == 422
    assert "Backfill first Ida Holm 3 Mar 2026 overdue INC-1" in overdue
    assert "done by Ida Holm" in read(at.get("action-item", item.public_id))
    assert "Backfill before" in read(at.get("action-item-list", show="done"))
    assert "Nothing is promised." in read(at.get("action-item-list"))
    assert "None of this kind." in read(at.get("action-item-list", show="mine"))
    assert at.post("action-item", item.public_id, title=" ").status_code == 422


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_promises_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for _ in range(count):
        ActionItem.objects.create(team=at.team, incident=over(at), title="x", owner=at.user, created_at=NOON)

    with django_assert_num_queries(6):
        assert at.get("action-item-list", show="all").status_code == 200


def test_runbooks_are_written_revised_and_marked() -> None:
    at = desk()
    incident = over(at)
    service_of(at.team)

    assert "No runbook yet." in read(at.get("runbook-list"))
    at.post("runbook-new", service="shop", title="Totals are wrong", text="1. *Look* at the column")
    row = Runbook.objects.get()
    taken = at.post("runbook-new", service="shop", title="Totals are wrong", text="x")
    at.post("incident-runbook", incident.number, runbook=str(row.public_id), outcome="failed", note="no access")
    at.post("runbook-edit", row.public_id, title="Totals are wrong", text="Ask Mads", note="access", seen=1)
    late = at.post("runbook-edit", row.public_id, title="Totals are wrong", text="Ask Ida", seen=1)
    page = at.get("runbook", row.public_id, version="1")

    assert (taken.status_code, late.status_code) == (422, 422)
    assert "<em>Look</em>" in page.content.decode()
    assert "not the newest show version 2" in read(page)
    assert "INC-1 : it did not work version 1, Ida Holm: no access" in read(page)
    listed = read(at.get("runbook-list"))
    assert "it did not work (version 1)" in listed
    assert "it did not work here" in read(at.get("incident-detail", incident.number))
    assert "Totals are wrong" in read(at.get("service-detail", row.service.public_id))
    at.post("runbook", row.public_id, act="retire")
    assert "No runbook yet." in read(at.get("runbook-list"))


def test_what_helps_another_team_is_not_named() -> None:
    at, other = desk(), desk(team=TeamFactory())
    incident = over(at)
    service_of(other.team)
    other.post("runbook-new", service="shop", title="Theirs", text="x")

    at.post("incident-runbook", incident.number, runbook=str(Runbook.objects.get().public_id), outcome="worked")

    assert incident.runbook_uses.count() == 0


def test_hostile_texts_are_inert() -> None:
    at = desk()
    incident = over(at, title=HOSTILE)
    service_of(at.team)
    text = f"{HOSTILE} [x](javascript:alert(3)) <b onclick=a>"
    at.post("incident-retrospective-write", incident.number, revision=0, summary=text, conditions=text)
    at.post("incident-promise", incident.number, title=HOSTILE)
    at.post("runbook-new", service="shop", title=HOSTILE, text=text)
    row = Runbook.objects.get()
    at.post("incident-runbook", incident.number, runbook=str(row.public_id), outcome="failed", note=HOSTILE)

    pages = [
        at.get("incident-retrospective", incident.number), at.get("incident-retrospective-write", incident.number),
        at.get("action-item-list"), at.get("action-item", ActionItem.objects.get().public_id), at.get("runbook-list"),
        at.get("runbook", row.public_id), at.get("runbook-edit", row.public_id), at.get("incident-detail", incident.number),
        at.get("incident-roles", incident.number), at.get("incident-split", incident.number),
    ]  # fmt: skip

    for answer in pages:
        html = answer.content.decode()
        assert answer.status_code == 200
        for harm in ("<script>alert", "<img", 'href="javascript', " onclick=a>", "140007"):
            assert harm not in html, harm


def test_the_weekly_report_shows_what_is_overdue_and_unwritten() -> None:
    at = desk()
    incident = over(at)
    at.post("incident-promise", incident.number, title="Backfill first", due_on="2026-03-03")

    page = read(at.get("report", "2026-W10"))

    assert "overdue Backfill first nobody looks after it, due 3 March 2026, after INC-1" in page
    assert "Promised after incidents 1 open, 0 kept in this week" in page
    assert "Retrospectives to write INC-1 It broke" in page
    at.post("action-item", ActionItem.objects.get().public_id, act="done")
    at.post("incident-retrospective", incident.number, act="finish")
    after = read(at.get("report", "2026-W10"))
    assert "0 open, 1 kept" in after
    assert "None: every incident of this week that hit several users has one" in after
