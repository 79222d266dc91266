"""Work of this room that runs by itself."""

from __future__ import annotations

import logging
from typing import Final

from celery import shared_task

from deploys import clock
from deploys.actions import schedules
from deploys.models import Team
from reliability.actions.reports import keep_reports

logger = logging.getLogger(__name__)

REPORTS_JOB: Final = "reports"
REPORTS_PERIOD_SECONDS: Final = 600.0


@shared_task(name="reliability.keep_reports")  # type: ignore[untyped-decorator]  # celery has no types
def keep_all_reports() -> None:
    """Closes and restates the weekly reports of every team; one team's trouble does not stop the others."""
    with schedules.running(REPORTS_JOB) as problems:
        for team in Team.objects.order_by("id"):
            try:
                for snapshot in keep_reports(team=team, now=clock.now()):
                    logger.info(
                        "report stored", extra={"team": team.slug, "week": snapshot.label, "number": snapshot.number}
                    )
            except Exception as error:
                logger.exception("the reports of a team could not be kept", extra={"team": team.slug})
                problems.append(f"{team.slug}: {error!r}")
