"""Pages of incidents: what they show, to whom, and what they refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deploys.models import Change, PushedCommit, Role
from incidents.models import Cause, Incident, IncidentIssue, TimelineEntry
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.flags import percent, registered, served_by
from tests.factories.incidents import (
    IssueCountFactory,
    IssueFactory,
    deploy_of,
    environment_of,
    flag_of,
    incident_of,
    service_of,
    verdict_of,
)
from tests.incidents.api.test_attribution import failing
from tests.incidents.views.pages import HOSTILE, LATER, desk, read, words

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]


# -- the list ---------------------------------------------------------------------------------------------------------


def test_list_shows_incidents_and_their_causes() -> None:
    at = desk()
    change = deploy_of(at.team)
    incident_of(at.team, title="Totals are wrong", causes=[{"kind": "deploy", "id": str(change.public_id)}])
    incident_of(at.team, title="Slow pages", **{"class": "downtime"})

    page = words(at.get("incident-list"))

    assert "Totals are wrong" in page
    assert "shop 1.4.0" in page
    assert "confirmed" in page
    assert "so far" in page


def test_list_without_incidents_says_when_there_will_be_one() -> None:
    page = words(desk().get("incident-list"))

    assert "No incident yet." in page
    assert "Declare one by hand." in page


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["open", "restored", "closed"]),
        ({"state": "open"}, ["open"]),
        ({"state": "restored"}, ["restored"]),
        ({"state": "closed"}, ["closed"]),
        ({"state": "uncounted"}, ["false"]),
        ({"state": "all"}, ["open", "restored", "closed", "false"]),
        ({"impact_class": "downtime"}, ["restored"]),
        ({"service": "api"}, ["closed"]),
        ({"cause": "confirmed"}, ["open"]),
        ({"cause": "other"}, ["restored"]),
        ({"cause": "undecided"}, ["closed"]),
        ({"q": "INC-2"}, ["restored"]),
        ({"q": "clos"}, ["closed"]),
        ({"state": "nonsense", "service": "nobody", "after": "x"}, ["open", "restored", "closed"]),
    ],
)
def test_list_is_narrowed_by_the_address(query: dict[str, str], titles: list[str]) -> None:
    at = desk()
    change = deploy_of(at.team)
    ended = {"restored_at": "2026-03-04T12:10:00Z"}
    incident_of(at.team, title="open", causes=[{"kind": "deploy", "id": str(change.public_id)}])
    incident_of(at.team, title="restored", causes=[{"kind": "external"}], **ended, **{"class": "downtime"})
    closed = incident_of(at.team, title="closed", services=["api"], **ended)
    Incident.objects.filter(pk=closed.pk).update(closed_at=LATER)
    incident_of(at.team, title="false", dismissed=True)

    rows = at.get("incident-list", **query).context["rows"]

    assert sorted(incident.title for incident, _, _ in rows) == sorted(titles)


def test_list_goes_on_by_a_cursor() -> None:
    at = desk()
    for minute in range(53):
        incident_of(at.team, title=f"number {minute}", started_at=f"2026-03-04T11:{minute:02}:00Z")

    first = at.get("incident-list")
    second = at.get("incident-list", after=str(first.context["next_cursor"]))

    assert [incident.title for incident, _, _ in first.context["rows"]][:2] == ["number 52", "number 51"]
    assert [incident.title for incident, _, _ in second.context["rows"]] == ["number 2", "number 1", "number 0"]
    assert second.context["next_cursor"] is None


@pytest.mark.parametrize("count", [1, 3])
def test_list_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for _ in range(count):
        change = deploy_of(at.team)
        incident_of(at.team, causes=[{"kind": "deploy", "id": str(change.public_id)}])

    with django_assert_num_queries(11):
        at.get("incident-list")


# -- one incident -----------------------------------------------------------------------------------------------------


def suspected(team: Any) -> tuple[Incident, Any, Any]:
    """An incident whose verdict names a deploy before a flag and nothing."""
    change, flag = deploy_of(team), flag_of(team)
    link = {"kind": "deploy", "id": str(change.public_id), "status": "suggested", "by": "model", "probability": 0.8}
    incident = incident_of(team, causes=[link], title="Checkout fails")
    verdict_of(incident, [(change, 0.8), (flag, 0.15), (None, 0.05)])
    return incident, change, flag


def test_detail_shows_the_suspects_with_their_evidence() -> None:
    at = desk()
    incident, _, _ = suspected(at.team)

    page = words(at.get("incident-detail", incident.number))

    assert "Why this deploy?" in page
    assert "shop 1.4.0" in page
    assert "80 %" in page
    assert "×7.4" in page
    assert "same service as the errors" in page
    assert "No change did this" in page
    assert "instant-vat 25 → 50 %" in page
    assert "Confirm cause" in page
    assert "open for 30 min" in page


def test_detail_draws_errors_by_release() -> None:
    at = desk()
    incident, _, _ = suspected(at.team)
    issue = IssueFactory(service=service_of(at.team))
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON)
    IssueCountFactory(issue=issue, release="1.4.0", count=41)
    IssueCountFactory(issue=issue, release="1.3.9", count=2, bucket_at=NOON - dt.timedelta(minutes=20))

    page = words(at.get("incident-detail", incident.number))

    assert "Errors per 5 min, by release" in page
    assert "1.4.0, 41 errors" in page


def test_detail_tells_how_the_verdict_changed_and_that_a_reversal_proves_it() -> None:
    at = desk()
    incident, change, flag = suspected(at.team)
    back = deploy_of(at.team, release="1.3.9", at=NOON + dt.timedelta(minutes=20))
    verdict = verdict_of(incident, [(change, 0.97), (flag, 0.02), (None, 0.01)], number=2)
    verdict.model_version = "2026-11-21.3+team.4"
    verdict.trigger = "restored"
    verdict.reversal = {
        "how": "rolled back", "by": str(back.public_id), "at": back.at.isoformat(), "before_errors": 300,
        "before_seconds": 900.0, "after_errors": 0, "after_seconds": 1800.0,
    }  # fmt: skip
    verdict.save()

    page = read(at.get("incident-detail", incident.number))

    assert "likely · 3 candidates" in page
    assert (
        "Proof by reversal. It was rolled back as the errors stopped: 20 errors a minute before, none in the 30 min after."
        in page
    )
    assert "What undid it: Deploy shop 1.3.9" in page
    assert "How the verdict changed" in page
    assert "it ended 2026-11-21.3 with own weights 4" in page
    assert "the incident opened test" in page


def test_a_refused_change_is_proved_no_more() -> None:
    at = desk()
    incident, *_ = suspected(at.team)
    incident.verdicts.update(reversal={"how": "rolled back", "by": "", "at": NOON.isoformat()})

    before = read(at.get("incident-detail", incident.number))
    incident.causes.update(status="rejected", by="person")

    assert "Proof by reversal" in before
    assert "Proof by reversal" not in read(at.get("incident-detail", incident.number))


def test_detail_lists_the_commits_that_touch_the_failing_code() -> None:
    at = desk()
    incident, change, _ = suspected(at.team)
    failing(incident, change)

    page = read(at.get("incident-detail", incident.number))

    assert "The code: it changed shop/pay.py in pay, the innermost frame." in page
    assert "0000000000 Commit 0 shop/pay.py in pay" in page
    assert "Jonas" not in page


def test_detail_says_which_files_where_the_commits_did_not_tell() -> None:
    at = desk()
    incident, change, _ = suspected(at.team)
    failing(incident, change)
    PushedCommit.objects.update(files=["README.md"])
    elsewhere = read(at.get("incident-detail", incident.number))
    PushedCommit.objects.all().delete()

    assert "None of the 2 commits whose files are known touches it." in elsewhere
    assert "It holds 2 commits; a push webhook tells which of them touched it." in read(
        at.get("incident-detail", incident.number)
    )


def test_detail_of_an_imported_incident_is_whole() -> None:
    at = desk()
    incident = incident_of(
        at.team, origin="import", restored_at="2026-03-04T12:10:00Z", causes=[{"kind": "deploy", "id": "gone"}],
        impact=[{"from_at": "2026-03-04T12:00:00Z", "to_at": "2026-03-04T12:04:00Z", "degradation": 0.5}],
        started_at=None, detected_at="2026-03-04T12:00:00Z",
    )  # fmt: skip

    page = words(at.get("incident-detail", incident.number))

    assert "restored after 10 min" in page
    assert "gone, which was never recorded here" in page
    assert "Spells of impact" in page


@pytest.mark.parametrize("count", [1, 3])
def test_detail_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    incident, _, _ = suspected(at.team)
    for _ in range(count):
        deploy_of(at.team, at=NOON + dt.timedelta(minutes=3))
        TimelineEntry.objects.create(incident=incident, at=NOON, kind="note", text="seen", actor=at.user)
        issue = IssueFactory(service=service_of(at.team))
        IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON)
        IssueCountFactory(issue=issue)

    with django_assert_num_queries(29):
        at.get("incident-detail", incident.number)


def test_a_suspected_flag_that_is_on_can_be_turned_off() -> None:
    at = desk()
    flag = registered(at.team)
    revision = served_by(flag, environment_of(at.team), percent(50), now=NOON - dt.timedelta(minutes=20))
    assert revision is not None
    change = Change.objects.get(pk=revision.change_id)
    incident = incident_of(at.team, title="Checkout fails")
    verdict_of(incident, [(change, 0.8), (flag_of(at.team), 0.15), (None, 0.05)])

    before = at.get("incident-detail", incident.number).content.decode()
    answer = at.post("incident-cause", incident.number, act="turn-off", change=str(change.public_id))
    after = at.get("incident-detail", incident.number).content.decode()

    assert (before.count('value="turn-off"'), answer.status_code, after.count('value="turn-off"')) == (1, 302, 0)
    assert "Turned off for everybody." in after
    assert Incident.objects.get(pk=incident.pk).restored_at == LATER


def test_a_viewer_cannot_turn_a_flag_off() -> None:
    at = desk(Role.VIEWER)
    flag = registered(at.team)
    revision = served_by(flag, environment_of(at.team), percent(50), now=NOON - dt.timedelta(minutes=20))
    assert revision is not None
    change = Change.objects.get(pk=revision.change_id)
    incident = incident_of(at.team)
    verdict_of(incident, [(change, 0.8), (None, 0.2)])

    page = at.get("incident-detail", incident.number).content.decode()

    assert "turn-off" not in page
    assert at.post("incident-cause", incident.number, act="turn-off", change=str(change.public_id)).status_code == 403


@pytest.mark.parametrize("tab", ["", "people", "changes", "errors", "nonsense"])
def test_timeline_tabs(tab: str) -> None:
    at = desk()
    incident, _, _ = suspected(at.team)
    at.post("incident-note", incident.number, note="It is the *column*.")

    rows = at.get("incident-detail", incident.number, show=tab).context["rows"]

    about = {row.about for row in rows if not row.gap}
    assert about == ({tab} if tab in {"people", "changes", "errors"} else {"people", "changes", "errors"})


# -- who may --------------------------------------------------------------------------------------------------------------


READS = ["incident-detail"]
FORMS = ["incident-class", "incident-edit", "incident-duplicate", "incident-choose"]
WRITES = ["incident-state", "incident-note", "incident-cause", "incident-class", "incident-edit", "incident-duplicate"]


def test_viewers_read_and_do_not_write() -> None:
    at = desk(role=Role.VIEWER)
    incident, _, _ = suspected(at.team)

    page = words(at.get("incident-detail", incident.number))

    assert "Confirm cause" not in page
    assert "Change class" not in page
    assert "<form" not in page.replace('<form action="/', "").replace('<form class="filter', "")
    assert [at.post(name, incident.number, act="restore").status_code for name in WRITES] == [403] * len(WRITES)
    assert [at.get(name, incident.number).status_code for name in FORMS] == [403] * len(FORMS)
    assert at.post("incident-clock", incident.number, "started").status_code == 403
    assert at.get("incident-declare").status_code == 403


def test_strangers_and_other_teams_find_nothing() -> None:
    at, other = desk(), desk()
    incident, _, _ = suspected(other.team)

    assert at.get("incident-detail", incident.number).status_code == 404
    assert at.client.get(other.url("incident-detail", incident.number)).status_code == 404
    assert at.client.post(other.url("incident-state", incident.number), {"act": "restore"}).status_code == 404
    assert Client().get(other.url("incident-detail", incident.number)).status_code == 302


# -- what people do -------------------------------------------------------------------------------------------------------


def test_confirm_from_the_page() -> None:
    at = desk()
    incident, change, _ = suspected(at.team)

    answer = at.post("incident-cause", incident.number, act="confirm", change=str(change.public_id))

    assert answer.status_code == 302
    assert list(Cause.objects.values_list("change", "status", "by")) == [(change.pk, "confirmed", "person")]
    page = words(at.get("incident-detail", incident.number))
    assert "What caused it" in page
    assert "Confirmed by Ida Holm" in page


def test_not_this_and_take_it_back() -> None:
    at = desk()
    incident, change, _ = suspected(at.team)

    at.post("incident-cause", incident.number, act="reject", change=str(change.public_id))
    page = words(at.get("incident-detail", incident.number))
    assert "Not this:" in page

    at.post("incident-cause", incident.number, act="withdraw", cause=str(Cause.objects.get().pk))
    assert Cause.objects.count() == 0


def test_no_change_did_this_from_the_page() -> None:
    at = desk()
    incident, change, _ = suspected(at.team)

    at.post("incident-cause", incident.number, act="other", kind="external", note="the bank was down")

    assert list(Cause.objects.order_by("id").values_list("kind", "status")) == [
        ("deploy", "rejected"), ("external", "confirmed"),
    ]  # fmt: skip
    assert change.pk == Cause.objects.get(kind="deploy").change_id
    assert "something outside" in words(at.get("incident-detail", incident.number))


def test_a_late_cause_shows_both_clocks_and_asks() -> None:
    at = desk()
    incident = incident_of(at.team)
    late = deploy_of(at.team, at=NOON + dt.timedelta(minutes=2))

    answer = at.post("incident-cause", incident.number, act="confirm", change=str(late.public_id))

    page = words(answer)
    assert answer.status_code == 422
    assert "A cause cannot come after its effect" in page
    assert "12:00:00" in page
    assert "12:02:00" in page
    assert Cause.objects.count() == 0


@pytest.mark.parametrize(
    "data",
    [
        {"act": "confirm", "change": "nonsense"},
        {"act": "confirm", "change": "00000000-0000-7000-8000-000000000000"},
        {"act": "nonsense"},
        {"act": "withdraw", "cause": "99999999999999999999"},
    ],
)
def test_words_about_no_cause_are_refused(data: dict[str, str]) -> None:
    at = desk()
    incident = incident_of(at.team)

    assert at.post("incident-cause", incident.number, **data).status_code == 404


def test_another_teams_change_is_not_found() -> None:
    at = desk()
    incident, foreign = incident_of(at.team), deploy_of(TeamFactory())

    assert at.post("incident-cause", incident.number, act="confirm", change=str(foreign.public_id)).status_code == 404


def test_steps() -> None:
    at = desk()
    incident = incident_of(at.team)

    for act in ("acknowledge", "mitigate", "restore", "close"):
        assert at.post("incident-state", incident.number, act=act).status_code == 302

    row = Incident.objects.get()
    assert row.acknowledged_at == row.mitigated_at == row.restored_at == row.closed_at == LATER
    assert row.lead == at.user
    assert at.post("incident-state", incident.number, act="nonsense").status_code == 404


def test_a_step_that_does_not_follow_is_explained() -> None:
    at = desk()
    incident = incident_of(at.team)

    answer = at.client.post(at.url("incident-state", incident.number), {"act": "close"}, follow=True)

    assert "An incident is closed after it is restored" in words(answer)


def test_set_a_clock_in_the_readers_zone() -> None:
    at = desk()
    at.user.zone = "Europe/Copenhagen"
    at.user.save(update_fields=["zone"])
    incident = incident_of(at.team)

    form = at.get("incident-clock", incident.number, "started")
    answer = at.post("incident-clock", incident.number, "started", at="2026-03-04T12:55:30", reason="from the log")

    assert 'value="2026-03-04T13:00:00"' in words(form)
    assert answer.status_code == 302
    assert Incident.objects.get().started_at == dt.datetime(2026, 3, 4, 11, 55, 30, tzinfo=dt.UTC)
    timezone.deactivate()


def test_a_clock_that_does_not_fit_keeps_what_was_typed() -> None:
    at = desk()
    incident = incident_of(at.team)

    answer = at.post("incident-clock", incident.number, "restored", at="2026-03-04T11:00:00")

    assert answer.status_code == 422
    assert "Restored cannot come before the impact began." in words(answer)
    assert "2026-03-04T11:00:00" in words(answer)
    assert at.get("incident-clock", incident.number, "lunch").status_code == 404


def test_change_the_class() -> None:
    at = desk()
    incident = incident_of(at.team)

    at.post("incident-class", incident.number, impact_class="downtime", note="nobody could pay")

    assert (Incident.objects.get().impact_class, Incident.objects.get().class_note) == ("downtime", "nobody could pay")
    assert at.post("incident-class", incident.number, impact_class="huge").status_code == 422


def test_edit_keeps_what_did_not_change() -> None:
    at = desk()
    incident, api = incident_of(at.team), service_of(at.team, "api")
    shop = service_of(at.team)

    at.post("incident-edit", incident.number, title="It broke", services=[api.pk, shop.pk], lost_percent="30")

    row = Incident.objects.get()
    assert [each.service.name for each in row.incident_services.all()] == ["shop", "api"]
    assert (row.degradation, row.person_keys) == (0.3, ["degradation", "services"])
    assert at.post("incident-edit", incident.number, title="x", services=[]).status_code == 422


def test_mark_a_duplicate() -> None:
    at = desk()
    first, second = incident_of(at.team), incident_of(at.team)

    at.post("incident-duplicate", second.number, of="inc-1")

    assert Incident.objects.get(pk=second.pk).duplicate_of == first
    refused = at.post("incident-duplicate", first.number, of="INC-9")
    assert "There is no INC-9." in words(refused)
    assert at.post("incident-duplicate", first.number, of="that one").status_code == 422


def test_choose_lists_changes_around() -> None:
    at = desk()
    incident = incident_of(at.team)
    deploy_of(at.team)
    flag_of(at.team)
    deploy_of(at.team, release="old", at=NOON - dt.timedelta(days=4))

    rows = at.get("incident-choose", incident.number).context["rows"]

    assert [named.name for _, named, _, _, _ in rows] == [
        "shop 1.4.0", "instant-vat 25 → 50\N{NO-BREAK SPACE}%",
    ]  # fmt: skip
    assert at.get("incident-choose", incident.number, q="vat").context["rows"][0][1].kind == "Flag"


# -- hostile texts --------------------------------------------------------------------------------------------------------


def test_hostile_texts_are_inert() -> None:
    at = desk()
    at.user.first_name = HOSTILE[:100]
    at.user.save(update_fields=["first_name"])
    change = deploy_of(at.team, service=f"svc{HOSTILE}", release=HOSTILE)
    flag = flag_of(at.team, key=HOSTILE)
    incident = incident_of(
        at.team, title=HOSTILE, services=[f"svc{HOSTILE}"], causes=[{"kind": "deploy", "id": HOSTILE}], detected_by=HOSTILE
    )  # fmt: skip
    verdict = verdict_of(incident, [(change, 0.6), (flag, 0.3), (None, 0.1)])
    verdict.missing = [HOSTILE]
    verdict.save(update_fields=["missing"])
    verdict.candidates.get(rank=1).evidence.update(sentence=HOSTILE)
    issue = IssueFactory(service=service_of(at.team, f"svc{HOSTILE}"), title=HOSTILE, culprit=HOSTILE)
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=NOON)
    IssueCountFactory(issue=issue, release=HOSTILE, host=HOSTILE)
    at.post("incident-note", incident.number, note=f"{HOSTILE} [x](javascript:alert(3)) ![y](http://a/b) <b onclick=a>")
    at.post("incident-class", incident.number, impact_class="downtime", note=HOSTILE)
    at.post("incident-clock", incident.number, "mitigated", at="2026-03-04T12:10:00", reason=HOSTILE)
    at.post("incident-cause", incident.number, act="reject", change=str(flag.public_id))

    pages = [
        at.get("incident-list"),
        at.get("incident-detail", incident.number),
        at.get("incident-choose", incident.number),
    ]
    pages += [at.get("incident-list", q=HOSTILE), at.get("incident-choose", incident.number, q=HOSTILE)]
    pages += [at.get("incident-edit", incident.number), at.get("incident-declare", title=HOSTILE)]

    for answer in pages:
        html = answer.content.decode()
        assert answer.status_code == 200
        for harm in ("<script>alert", "<img", 'href="javascript', " onclick=a>", "140007", 'onerror=alert(2)>"'):
            assert harm not in html, harm
