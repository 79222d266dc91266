"""What lists say of a deploy when only time has passed."""

import datetime as dt

import pytest

from deploys.actions.deploys import record
from deploys.actions.listing import close_overdue, refresh_services
from deploys.domain.changes import DeployReport
from deploys.models import Deploy, Policy, Team
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DAY = dt.timedelta(days=1)


def begun(team: Team, release: str) -> Deploy:
    report = DeployReport(id=release, service="shop", release=release, status="in_progress", started_at=NOON)
    deploy = record(team=team, report=report, source="api", received_at=NOON).deploy
    refresh_services([deploy.service_id], now=NOON)
    return deploy


def outcome(deploy: Deploy) -> str:
    return Deploy.objects.get(pk=deploy.pk).outcome_listed


def test_a_deploy_without_an_end_is_listed_as_never_finished_when_its_time_is_over() -> None:
    deploy = begun(TeamFactory(), "1.0")

    assert (close_overdue(now=NOON + DAY), outcome(deploy)) == (0, "running")
    later = NOON + DAY + dt.timedelta(seconds=1)
    assert (close_overdue(now=later), outcome(deploy)) == (1, "never_finished")
    assert close_overdue(now=later) == 0


def test_each_team_has_its_own_limit() -> None:
    patient, hasty = TeamFactory(), TeamFactory()
    waits, late = begun(patient, "1.0"), begun(hasty, "1.0")
    Policy.objects.update_or_create(team=hasty, defaults={"deploy_timeout_seconds": 600})

    close_overdue(now=NOON + dt.timedelta(minutes=11))

    assert (outcome(waits), outcome(late)) == ("running", "never_finished")
