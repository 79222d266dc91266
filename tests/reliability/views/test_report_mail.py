"""Reports by mail: who gets one and when, what it says, and the way out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail as outbox

from deploys.models import Membership, Role, User
from reliability.actions.mail import send_due_mail
from reliability.actions.report_mail import due_at, mail_reports, report_mail, stop_token
from reliability.actions.reports import keep_reports
from reliability.models import OutgoingMail, ReportPlan, ReportSubscription
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.golden import golden

pytestmark = pytest.mark.django_db(databases="__all__")
CLOSED = dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)
SENT = CLOSED + dt.timedelta(hours=3, minutes=30)


@pytest.fixture(autouse=True)
def _server(settings):
    settings.MAIL_IS_SET = True
    settings.BASE_URL = "https://upshot.example.org"


def subscription(team, **more):
    values = {"email": "boss@example.org", "kind": "week", "zone": "UTC", "hour": 9, "created_at": NOON}
    return ReportSubscription.objects.create(team=team, **values | more)


def close_and_mail(team):
    keep_reports(team=team, now=CLOSED)
    return mail_reports(team=team, now=SENT)


def test_a_report_is_mailed_once_to_each_reader(busy):
    subscription(busy)
    subscription(busy, email="ida@example.org")

    assert close_and_mail(busy) == 2
    assert mail_reports(team=busy, now=SENT) == 0
    assert send_due_mail(now=SENT) == 2
    assert send_due_mail(now=SENT) == 0
    assert sorted(sent.to[0] for sent in outbox.outbox) == ["boss@example.org", "ida@example.org"]
    message = outbox.outbox[0].message()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<https://upshot.example.org/mail/stop/")
    assert message["Message-ID"].endswith(".2026-W10@upshot.example.org>")


def test_a_reader_is_mailed_at_the_hour_of_the_own_clock(busy):
    east = subscription(busy, zone="Asia/Tokyo")
    early = subscription(busy, email="x@example.org", hour=5)

    assert dt.timedelta(0) <= due_at(east, CLOSED) - dt.datetime(2026, 3, 10, tzinfo=dt.UTC) < dt.timedelta(minutes=20)
    assert (
        dt.timedelta(0) <= due_at(early, CLOSED) - dt.datetime(2026, 3, 10, 5, tzinfo=dt.UTC) < dt.timedelta(minutes=20)
    )
    keep_reports(team=busy, now=CLOSED)
    assert mail_reports(team=busy, now=due_at(east, CLOSED) - dt.timedelta(seconds=1)) == 0
    assert mail_reports(team=busy, now=due_at(east, CLOSED)) == 1


def test_reports_closed_before_somebody_asked_and_old_ones_are_not_mailed(busy):
    subscription(busy, created_at=CLOSED + dt.timedelta(hours=1))
    subscription(busy, email="x@example.org")
    keep_reports(team=busy, now=CLOSED)

    assert mail_reports(team=busy, now=SENT + dt.timedelta(days=7)) == 0
    assert mail_reports(team=busy, now=SENT) == 1


def test_a_quiet_period_is_skipped_where_that_was_asked_for(team, tell):
    tell("service", service="cart")
    subscription(team, skips_quiet=True)
    subscription(team, email="all@example.org")

    assert close_and_mail(team) == 1
    assert mail_reports(team=team, now=SENT) == 0
    skipped = OutgoingMail.objects.get(to="boss@example.org")
    assert (skipped.last_error, skipped.sent_at) == ("nothing happened", None)


def test_months_go_to_readers_of_months(busy):
    ReportPlan.objects.create(team=busy, kinds=["week", "month"])
    subscription(busy, kind="month")
    close_and_mail(busy)
    keep_reports(team=busy, now=dt.datetime(2026, 4, 1, 6, tzinfo=dt.UTC))

    assert mail_reports(team=busy, now=dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)) == 1
    assert OutgoingMail.objects.get().subject.startswith("Shop, March 2026: ")


def test_the_mail_is_the_one_that_was_looked_at(busy):
    keep_reports(team=busy, now=CLOSED)

    _, subject, text, html = report_mail(team=busy, label="2026-W10", subscription=subscription(busy), now=SENT)

    assert subject == "Shop, week 10: at risk"
    for name, body in (("report_mail.txt", text), ("report_mail.html", html)):
        found = re.sub(r"/mail/stop/[^/]+/", "/mail/stop/TOKEN/", body)
        assert found == golden(name, found)
    assert "<img" not in html
    assert "<script" not in html
    assert "<style" not in html
    assert max(map(len, html.splitlines())) < 990 * 4
    assert len(html) < 100_000  # longer mails are cut by their readers' programs


def test_names_from_outside_are_text_in_the_mail(busy, tell):
    tell("incident", id="i9", title="<b>bold</b> & co", services=["cart"], class_="downtime", started_at=60)
    keep_reports(team=busy, now=CLOSED)

    _, _, text, html = report_mail(team=busy, label="2026-W10", subscription=subscription(busy), now=SENT)

    assert "<b>bold</b> & co" in text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in html


def test_one_click_stops_it_without_an_account(client, busy):
    row = subscription(busy)
    close_and_mail(busy)
    client.logout()
    path = f"/mail/stop/{stop_token(row)}/"

    assert "Stop these mails?" in client.get(path).content.decode()
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert "No more mail" in client.get(path).content.decode()
    assert send_due_mail(now=SENT) == 0
    assert OutgoingMail.objects.get().last_error == "unsubscribed"
    assert client.post("/mail/stop/forged/").status_code == 404


def test_everybody_chooses_for_themselves_and_administrators_for_others(client, busy):
    path = f"/t/{busy.slug}/reports/mail/"
    form = {"act": "add", "email": "Boss@Example.org", "kind": "month", "zone": "Europe/Berlin", "hour": "8"}

    assert client.post(path, form).status_code == 302
    assert "boss@example.org" in client.get(path).content.decode()
    assert ReportPlan.objects.get(team=busy).kinds == ["week", "month"]

    viewer = User.objects.create_user("vi@example.org")
    Membership.objects.create(team=busy, user=viewer, role=Role.VIEWER, created_at=NOON)
    client.force_login(viewer)
    assert "boss@example.org" not in client.get(path).content.decode()
    assert client.post(path, form | {"email": "other@example.org"}).status_code == 422
    assert client.post(path, form | {"email": "VI@example.org"}).status_code == 302
    boss = ReportSubscription.objects.get(email="boss@example.org")
    client.post(path, {"act": "stop", "subscription": str(boss.public_id)})
    boss.refresh_from_db()
    assert boss.stopped_at is None


def test_readers_of_another_team_are_neither_seen_nor_stopped(client, busy):
    other = subscription(TeamFactory(), email="far@example.org")
    path = f"/t/{busy.slug}/reports/mail/"

    client.post(path, {"act": "stop", "subscription": str(other.public_id)})

    other.refresh_from_db()
    assert other.stopped_at is None
    assert "far@example.org" not in client.get(path).content.decode()
