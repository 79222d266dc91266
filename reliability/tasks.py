"""Work of this room that runs by itself."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

from celery import shared_task

from deploys import clock
from deploys.actions import schedules
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.models import Team
from reliability.actions import delivering, notices, report_pdf
from reliability.actions.alerts import watch_budgets
from reliability.actions.flag_reminders import remind_owners
from reliability.actions.mail import send_due_mail
from reliability.actions.report_mail import mail_reports
from reliability.actions.reports import keep_reports
from reliability.actions.spans import settle_spans
from reliability.queries.knowledge import log_state

logger = logging.getLogger(__name__)

REPORTS_JOB: Final = "reports"
REPORTS_PERIOD_SECONDS: Final = 600.0
PDFS_JOB: Final = "report_pdfs"
PDFS_PERIOD_SECONDS: Final = 2.0
BUDGETS_JOB: Final = "budgets"
BUDGETS_PERIOD_SECONDS: Final = 60.0
SPANS_JOB: Final = "spans"
SPANS_PERIOD_SECONDS: Final = 60.0
#: Facts that one run takes into the roll-up: half a minute of work. The next run goes on.
MOST_SETTLED: Final = 100_000
MAIL_JOB: Final = "mail"
MAIL_PERIOD_SECONDS: Final = 30.0
NOTICES_JOB: Final = "notices"
NOTICES_PERIOD_SECONDS: Final = 3.0
NOTICES_LEASE_SECONDS: Final = 60.0  # what a worker killed in the middle of it may cost; it works for half as long
NOTICES_WORK_SECONDS: Final = 30.0
NOTICES_FORGET_JOB: Final = "notices_forget"
NOTICES_FORGET_SECONDS: Final = 6 * 3_600.0
#: A look at all budgets that took long is not repeated before this many times as long: at most a twentieth of a core.
REST: Final = 20
_budgets_again_at = 0.0


@shared_task(name="reliability.keep_reports")  # type: ignore[untyped-decorator]  # celery has no types
def keep_all_reports() -> None:
    """Closes, restates and mails the reports of every team, and reminds owners of flags; one team's trouble does not stop the others."""
    with schedules.running(REPORTS_JOB) as problems:
        for team in Team.objects.order_by("id"):
            try:
                for snapshot in keep_reports(team=team, now=clock.now()):
                    report_pdf.keep_pdf(snapshot, now=clock.now())
                    logger.info(
                        "report stored", extra={"team": team.slug, "period": snapshot.label, "number": snapshot.number}
                    )
                if is_on(team, OwnFlag.REPORT_MAIL, now=clock.now()):
                    mail_reports(team=team, now=clock.now())
                remind_owners(team=team, now=clock.now())
            except Exception as error:
                logger.exception("the reports of a team could not be kept", extra={"team": team.slug})
                problems.append(f"{team.slug}: {error!r}")


@shared_task(name="reliability.make_pdfs", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def make_pdfs() -> None:
    """Makes the PDFs that were asked for."""
    with schedules.running(PDFS_JOB):
        report_pdf.make_waiting_pdfs()


def wake_pdfs() -> None:
    """Wakes a worker if a PDF was asked for."""
    if report_pdf.is_any_waiting():
        make_pdfs.apply_async(retry=False, expires=60)
    else:
        schedules.finish(PDFS_JOB, now=clock.now())


@shared_task(name="reliability.settle_spans")  # type: ignore[untyped-decorator]  # celery has no types
def settle_all_spans() -> None:
    """Takes new facts into the roll-up of spans, team by team."""
    with schedules.running(SPANS_JOB):
        for team in Team.objects.order_by("id"):
            if log_state(team).fresh:
                settle_spans(team=team, most=MOST_SETTLED)


@shared_task(name="reliability.send_mail")  # type: ignore[untyped-decorator]  # celery has no types
def send_mail() -> None:
    """Hands over the mail that is due."""
    with schedules.running(MAIL_JOB):
        send_due_mail(now=clock.now())


@shared_task(name="reliability.watch_budgets")  # type: ignore[untyped-decorator]  # celery has no types
def watch_all_budgets() -> None:
    """Opens and closes the burn-rate alerts of every team; one team's trouble does not stop the others."""
    global _budgets_again_at  # noqa: PLW0603 -- one for each worker process, of its own clock
    begun = monotonic()
    with schedules.running(BUDGETS_JOB) as problems:
        if begun < _budgets_again_at:
            return
        for team in Team.objects.filter(objectives__isnull=False).distinct().order_by("id"):
            try:
                for alert in watch_budgets(team=team, now=clock.now()):
                    logger.info("burn alert", extra={"team": team.slug, "rule": alert.rule, "alert": alert.pk})
            except Exception as error:
                logger.exception("the budgets of a team could not be watched", extra={"team": team.slug})
                problems.append(f"{team.slug}: {error!r}")
    _budgets_again_at = begun + REST * (monotonic() - begun)


@shared_task(name="reliability.tell_notices", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def tell_notices() -> None:
    """Works out what is new of incidents that have moved, and hands over what is due."""
    begun = monotonic()
    with schedules.running(NOTICES_JOB):
        try:
            notices.tell_news(now=clock.now())
        finally:
            while delivering.deliver_due(now=clock.now()) and monotonic() - begun < NOTICES_WORK_SECONDS:
                pass


def wake_notices() -> None:
    """Wakes a worker if there may be anything to tell or to hand over."""
    if notices.is_waiting(now=clock.now()) or delivering.is_due(now=clock.now()):
        tell_notices.apply_async(retry=False, expires=60)
    else:
        schedules.finish(NOTICES_JOB, now=clock.now())


@shared_task(name="reliability.forget_notices", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def forget_notices() -> None:
    """Keeps the log of notices at its thirty days."""
    with schedules.running(NOTICES_FORGET_JOB):
        notices.forget_notices(now=clock.now())


def wake_forgetting_notices() -> None:
    """Wakes one worker for it."""
    forget_notices.apply_async(retry=False, expires=600)
