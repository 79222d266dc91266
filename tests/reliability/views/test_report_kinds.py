"""Months and quarters, numbers as CSV, and links that show a report without an account."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest

from deploys import clock
from deploys.models import Membership, Role
from reliability.models import ReportShare
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.reliability.views.test_reports import page, text_of

pytestmark = pytest.mark.django_db(databases="__all__")
DAY = 1_440


def test_a_month_is_reported_in_its_own_words(client, busy):
    text = text_of(page(client, busy, "2026-03"))

    assert "Shop, March 2026" in text
    assert "1–31 March 2026, UTC" in text
    assert "month before" in text
    assert "3 months before" in text
    assert "The month kept its target" in text
    assert "The month is not over." in text
    assert "Failed changes, 12 months" in text.replace("\u00a0", " ")
    assert "week before" not in text


def test_a_quarter_counts_eight_of_them(client, busy):
    text = text_of(page(client, busy, "2026-Q1"))

    assert "Shop, quarter 1 of 2026" in text
    assert "1 January – 31 March 2026" in text
    assert "4 quarters before" in text
    assert "Downtime by cause, 8 quarters" in text.replace("\u00a0", " ")


def test_the_archive_lists_each_kind(client, busy):
    months = text_of(client.get(f"/t/{busy.slug}/reports/?kind=month").content.decode())
    quarters = text_of(client.get(f"/t/{busy.slug}/reports/?kind=quarter").content.decode())

    assert "2026-03 1–31 March 2026 met, still running" in months
    assert "2026-Q1 1 January – 31 March 2026 met, still running" in quarters
    assert client.get(f"/t/{busy.slug}/reports/?kind=year").status_code == 404


def test_the_report_tells_how_incidents_ended_how_long_commits_took_and_what_is_ahead(client, busy, tell):
    tell("change", sha="abc", committed_at=DAY + 600, deploys=["d1"])
    tell("maintenance", id="m1", title="Move the database", starts_at=-3 * DAY, ends_at=-3 * DAY - 60)
    tell("flag", key="vat", owner="Ida", environment="production", expires_at=-5 * DAY)

    text = text_of(page(client, busy))

    assert "Ended by rollback 1 (median 32 min), no known remedy 2 (median" in text
    assert "From commit to traffic" in text
    assert "1 commit" in text
    assert "Move the database, all services, not announced: it will count" in text
    assert "flag vat expires, Ida" in text


def test_every_number_of_the_json_is_a_line_of_the_csv(client, busy):
    printed = client.get(f"/t/{busy.slug}/reports/2026-W10/report.json").json()
    response = client.get(f"/t/{busy.slug}/reports/2026-W10/report.csv")

    rows = dict(csv.reader(io.StringIO(response.content.decode())))
    assert response.headers["Content-Disposition"] == 'attachment; filename="shop-2026-W10.csv"'
    assert rows["number"] == "value"
    assert float(rows["total.availability.downtime_seconds"]) == printed["total"]["availability"]["downtime_seconds"]
    assert rows["total.change_failure.failed_deploy_ids"] == "d1"
    assert rows["services.mailer.failed_deployment_recovery.median_seconds"] == ""
    assert rows["objectives.whole.enough_data"] == "true"


def test_a_name_that_looks_like_a_formula_stays_text_in_the_csv(client, busy, tell):
    tell("service", service="=1+1")
    tell("flag", key="@SUM(1)", environment="production", created_at=60 * DAY)

    response = client.get(f"/t/{busy.slug}/reports/2026-W10/report.csv").content.decode()

    assert "'@SUM(1)" in response
    assert not re.search(r"(?m)(^|,)[=@+]", response)


def share(client, team, label="2026-W10"):
    html = client.post(f"/t/{team.slug}/reports/{label}/share/", {"act": "make"}).content.decode()
    return re.search(r"/shared/([\w-]+)/", html)[1]


def test_a_shared_link_shows_the_report_and_leads_nowhere(client, busy):
    secret = share(client, busy)
    client.logout()

    response = client.get(f"/shared/{secret}/")

    html = response.content.decode()
    assert "cart 7.1 did most harm" in text_of(html)
    assert "/t/" not in html
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert secret not in str(list(ReportShare.objects.values()))


def test_a_link_that_was_revoked_or_is_over_shows_nothing(client, busy):
    first, second = share(client, busy), share(client, busy)
    one = ReportShare.objects.order_by("pk")[0]

    client.post(f"/t/{busy.slug}/reports/2026-W10/share/", {"act": "revoke", "share": str(one.public_id)})

    assert client.get(f"/shared/{first}/").status_code == 404
    assert client.get(f"/shared/{second}/").status_code == 200
    with clock.at(NOON + dt.timedelta(days=91)):
        assert client.get(f"/shared/{second}/").status_code == 404
    assert client.get("/shared/guessed/").status_code == 404


def test_a_link_of_another_team_cannot_be_revoked(client, busy):
    secret = share(client, busy)
    other = TeamFactory()
    Membership.objects.create(team=other, user=busy.memberships.get().user, role=Role.ADMIN, created_at=NOON)
    one = ReportShare.objects.get()

    client.post(f"/t/{other.slug}/reports/2026-W10/share/", {"act": "revoke", "share": str(one.public_id)})

    assert client.get(f"/shared/{secret}/").status_code == 200


def test_a_strip_is_drawn_for_weeks_only(client, busy):
    assert "week-strip" in page(client, busy)
    assert "week-strip" not in page(client, busy, "2026-03")
