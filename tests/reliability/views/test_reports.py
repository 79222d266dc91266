"""The weekly report and its archive."""

import datetime as dt
import re

import pytest

from deploys import clock
from reliability.actions.reports import close_report
from reliability.charts.telling import KEY
from reliability.models import ReportSnapshot
from reliability.queries.reports import report_now, week_labelled
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = pytest.mark.django_db(databases="__all__")

WEEK = "2026-W10"  # holds NOON, a Wednesday
DAY = 1_440
MONDAY = dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)


def page(client, team, label=WEEK):
    return client.get(f"/t/{team.slug}/reports/{label}/").content.decode()


def text_of(html):
    html = re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)
    return (
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").replace(" .", ".").replace(" ,", ",")
    )


def test_the_report_says_what_happened_and_what_did_it(client, busy):
    text = text_of(page(client, busy))

    assert "At risk The week spent more than its share : down 32 min" in text
    assert "cart 7.1 did most harm : No order can be paid (INC-1), over after 32 min, ended by " in text
    assert "2 deploys, 1 failed (50.0 %), 1 more suspected." in text
    assert "One cause waits for your decision." in text
    assert "The week is not over." in text


def test_tiles_have_their_counts_and_the_weeks_before(client, busy):
    text = text_of(page(client, busy))

    assert (
        "Failed changes 50.0 % 1 of 2 likely 9.5–90.5 %; 100.0 % if the suspect is confirmed" in text
        or "1 of 2" in text
    )
    assert "week before 0 of 0" in text or "week before 0 of 1" in text
    assert "Self-inflicted 100 % 32 min of 32 min" in text


def test_worst_incidents_come_first_and_small_ones_are_folded(client, busy):
    text = text_of(page(client, busy))

    broke = text[text.index("What broke, worst first") : text.index("Failed changes, 12 weeks")]
    assert (
        broke.index("No order can be paid")
        < broke.index("Mail is late")
        < broke.index("1 more incident")
        < broke.index("One mail bounced")
    )
    assert "undecided: mailer 3" in broke


def test_failed_and_suspected_deploys_are_listed(client, busy):
    text = text_of(page(client, busy))

    assert "cart 7.1 failed" in text
    assert "mailer 3 suspected: not counted until somebody confirms" in text


def test_every_section_a_tile_leads_to_exists(client, busy):
    html = page(client, busy)

    ids = re.findall(r'\bid="([^"]+)"', html)
    wanted = set(re.findall(r'href="#([^"]+)"', html))
    assert wanted >= {"broke", "budget", "decide", "main"}
    assert wanted <= set(ids)
    assert len(ids) == len(set(ids))


def test_an_empty_week_has_no_numbers_but_says_why(client, team):
    text = text_of(page(client, team))

    assert "Not judged Nobody watched this week: there is no number to judge. Nothing was deployed." in text.replace(
        "watched  this", "watched this"
    )
    assert "Availability – nothing was observed" in text


def test_a_closed_week_shows_its_snapshot(client, busy):
    window = week_labelled(team=busy, label="2026-W09")
    result = report_now(team=busy, window=window, now=NOON)
    result["total"]["change_failure"] |= {"deploys_count": 77, "failed_count": 7, "ratio": 7 / 77}
    for number, reason in ((1, ""), (2, "INC-9 got a cause")):
        ReportSnapshot.objects.create(
            team=busy, label="2026-W09", from_at=window.start, to_at=window.end, zone="UTC", as_of_at=NOON - dt.timedelta(days=1),
            number=number, reason=reason, result=result, created_at=NOON,
        )  # fmt: skip

    text = text_of(page(client, busy, "2026-W09"))

    assert "7 of 77" in text
    assert "snapshot 2" in text
    assert "INC-9 got a cause" in text
    assert "The week is not over." not in text


def test_the_numbers_can_be_had_as_json(client, busy):
    response = client.get(f"/t/{busy.slug}/reports/{WEEK}/report.json")

    assert response.json()["contract"] == "metrics/1"
    assert response.headers["Content-Disposition"] == f'attachment; filename="shop-{WEEK}.json"'


@pytest.mark.parametrize("label", ["2026-W54", "2026-10", "nonsense", "2026-W11", "1999-W01", "2026-W1"])
def test_what_is_no_week_or_lies_ahead_is_not_found(client, busy, label):
    assert client.get(f"/t/{busy.slug}/reports/{label}/").status_code == 404


def test_a_week_long_ago_is_computed_from_the_whole_log(client, busy):
    assert client.get(f"/t/{busy.slug}/reports/2025-W20/").status_code == 200


def test_the_archive_lists_weeks_with_their_words(client, busy):
    text = text_of(client.get(f"/t/{busy.slug}/reports/").content.decode())

    assert f"{WEEK} 2–8 March 2026 at risk, still running" in text
    assert "2026-W09 23 February – 1 March 2026 met" in text


def test_the_archive_of_an_empty_team_has_the_running_week(client, team):
    text = text_of(client.get(f"/t/{team.slug}/reports/").content.decode())

    assert f"{WEEK} 2–8 March 2026 not judged, still running – – 0 of 0" in text


@pytest.mark.parametrize("path", ["", f"{WEEK}/", f"{WEEK}/report.json"])
def test_strangers_see_nothing(client, team, path):
    other = TeamFactory()

    assert client.get(f"/t/{other.slug}/reports/{path}").status_code == 404
    client.logout()
    assert client.get(f"/t/{team.slug}/reports/{path}").status_code == 302


def test_queries_do_not_grow_with_incidents_and_deploys(client, busy, tell, django_assert_num_queries):
    page(client, busy)
    with django_assert_num_queries(79):
        page(client, busy)
    for number in range(3):
        tell(
            "deploy",
            id=f"x{number}",
            service="cart",
            release=f"8.{number}",
            status="success",
            started_at=90,
            finished_at=85 + number,
        )
        tell("incident", id=f"y{number}", title="x", services=["cart"], class_="downtime", started_at=80, restored_at=70, causes=[{"kind": "deploy", "id": f"x{number}"}])  # fmt: skip
    page(client, busy)

    with django_assert_num_queries(79):
        page(client, busy)


def test_a_week_shown_later_stays_the_same_week(client, busy):
    with clock.at(NOON + dt.timedelta(days=30)):
        text = text_of(page(client, busy))

    assert "2 deploys, 1 failed (50.0 %), 1 more suspected." in text
    assert "The week is not over." not in text


def test_a_closed_report_is_answered_from_its_snapshot(client, busy, tell, django_assert_num_queries):
    close_report(team=busy, label=WEEK, now=MONDAY)
    with clock.at(MONDAY + dt.timedelta(hours=3)):
        before = page(client, busy)
        with django_assert_num_queries(11):
            page(client, busy)
        for number in range(3):
            tell(
                "deploy",
                id=f"x{number}",
                service="mailer",
                release=f"8.{number}",
                status="success",
                started_at=90,
                finished_at=85,
            )
            tell(
                "incident",
                id=f"y{number}",
                title="Told later",
                services=["cart"],
                class_="downtime",
                started_at=80,
                restored_at=70,
            )

        after = page(client, busy)

        with django_assert_num_queries(11):
            page(client, busy)
    assert text_of(before).replace("  ", " ") == text_of(after).replace(
        "As known at the closing. Known otherwise today: INC-6 (not known then), INC-5 (not known then), INC-4 (not known then). ",
        "",
    )


def test_a_report_closed_before_its_lists_were_stored_is_read_from_the_rows(client, busy):
    snapshot = close_report(team=busy, label=WEEK, now=MONDAY)
    with clock.at(MONDAY + dt.timedelta(hours=3)):
        stored = text_of(page(client, busy))
        snapshot.beside.pop(KEY)
        snapshot.save(update_fields=["beside"])

        assert text_of(page(client, busy)) == stored
