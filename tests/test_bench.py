"""The table of the benchmark says which goals are met."""

import pytest

from bench import reports
from bench.table import Goal, Row, show
from deploys.actions.catalog import services_by_name
from deploys.actions.listing import refresh_services
from reliability.actions.spans import settle_spans
from reliability.models import NamedChange, RecordSpan, SpanProgress
from tests.factories.catalog import TeamFactory


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (Goal("x Bugsink", 12.3, 7, 12), "12.3 x Bugsink (>= 7.00 / 12.0): stretch met"),
        (Goal("x Bugsink", 7, 7, 12), "7.00 x Bugsink (>= 7.00 / 12.0): met"),
        (Goal("x Bugsink", 6.9, 7, 12), "6.90 x Bugsink (>= 7.00 / 12.0): MISSED"),
        (Goal("MB", 220, 220, 180, is_most=True), "220 MB (<= 220 / 180): met"),
        (Goal("MB", 221, 220, is_most=True), "221 MB (<= 220): MISSED"),
        (Goal("x Bugsink", None, 7), ">= 7.00 x Bugsink: not measured"),
    ],
)
def test_a_goal_says_whether_it_is_reached(goal: Goal, text: str) -> None:
    assert str(goal) == text


def test_a_figure_that_the_others_do_not_have_is_a_dash() -> None:
    assert show([Row("digested/s", 1234.5, 45.67)]).splitlines()[-1] == "| digested/s | 1,234 | 45.7 | – | – |  |"


@pytest.mark.database
@pytest.mark.django_db
def test_the_years_of_reports_are_what_projections_and_roll_up_would_have_written() -> None:
    columns = (
        "kind",
        "identity",
        "name",
        "public_id",
        "change_id",
        "level",
        "first_at",
        "last_at",
        "known_at",
        "told_at",
        "may_cost",
    )
    team = TeamFactory.create()
    services_by_name(team=team, names=[f"service-{n}" for n in range(2)], now=reports.NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "SERVICES", 2)
        reports.fill(team, 0, 1_000)
    made = list(RecordSpan.objects.order_by("kind", "identity").values_list(*columns))

    changed = refresh_services(team.services.values_list("pk", flat=True), now=reports.NOW)
    RecordSpan.objects.all().delete()
    NamedChange.objects.all().delete()
    SpanProgress.objects.all().delete()
    settle_spans(team=team)

    assert changed == 0
    assert team.deploys.filter(kind_listed="rollback").count() == 2
    assert list(RecordSpan.objects.order_by("kind", "identity").values_list(*columns)) == made
