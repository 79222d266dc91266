from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploys import clock
from deploys.actions import schedules
from deploys.actions.facts import record_fact
from deploys.models import ScheduledJob
from reliability import tasks
from reliability.models import ReportSnapshot
from reliability.tasks import REPORTS_JOB, keep_all_reports, watch_all_budgets
from tests.factories.catalog import TeamFactory

MONDAY = datetime(2026, 3, 9, 7, tzinfo=UTC)


@pytest.mark.django_db
def test_every_teams_week_is_closed_and_one_teams_trouble_stays_its_own() -> None:
    broken, sound = TeamFactory.create(zone="Nowhere/At_all"), TeamFactory.create()
    with clock.at(MONDAY):
        schedules.ensure_rows(now=clock.now())
        for team in (broken, sound):
            record_fact(team=team, kind="service", payload={"service": "shop"}, received_at=None, origin="live")

        keep_all_reports()

    assert list(ReportSnapshot.objects.values_list("team", "label")) == [(sound.pk, "2026-W10")]
    job = ScheduledJob.objects.get(name=REPORTS_JOB)
    assert (job.last_finished_at, job.last_error.partition(":")[0]) == (MONDAY, broken.slug)


@pytest.mark.django_db
def test_a_dear_look_at_all_budgets_is_not_repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    team = TeamFactory.create()
    record_fact(team=team, kind="service", payload={"service": "shop"}, received_at=MONDAY, origin="live")
    said = {"id": "o", "service": "shop", "target": 0.999, "window_days": 30}
    record_fact(team=team, kind="objective", payload=said, received_at=MONDAY, origin="live")
    looks: list[float] = []
    now = 0.0

    def look(**_: object) -> list[object]:
        nonlocal now
        looks.append(now)
        now += 9.0
        return []

    monkeypatch.setattr(tasks, "_budgets_again_at", 0.0)
    monkeypatch.setattr(tasks, "monotonic", lambda: now)
    monkeypatch.setattr(tasks, "watch_budgets", look)
    for minute in range(5):
        now = max(now, 60.0 * minute)
        watch_all_budgets()

    assert looks == [0.0, 180.0]
