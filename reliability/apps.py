"""The room of how well we do; also the project package."""

from django.apps import AppConfig


class ReliabilityConfig(AppConfig):
    """Objectives, budgets, reports."""

    name = "reliability"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Says who writes the tables of this room's kinds, and what runs by itself."""
        from deploys.actions.schedules import register_job  # noqa: PLC0415 -- models exist only once all apps are loaded
        from deploys.ports import register_pages, register_projector  # noqa: PLC0415 -- as above
        from incidents.ports import register_incident_watcher, register_notifier  # noqa: PLC0415 -- as above
        from reliability.actions.notices import note_moved, tell_channels  # noqa: PLC0415 -- as above
        from reliability.actions.objectives import project_objectives  # noqa: PLC0415 -- as above
        from reliability.tasks import (  # noqa: PLC0415 -- as above
            BUDGETS_JOB,
            BUDGETS_PERIOD_SECONDS,
            MAIL_JOB,
            MAIL_PERIOD_SECONDS,
            NOTICES_FORGET_JOB,
            NOTICES_FORGET_SECONDS,
            NOTICES_JOB,
            NOTICES_LEASE_SECONDS,
            NOTICES_PERIOD_SECONDS,
            PDFS_JOB,
            PDFS_PERIOD_SECONDS,
            REPORTS_JOB,
            REPORTS_PERIOD_SECONDS,
            SPANS_JOB,
            SPANS_PERIOD_SECONDS,
            keep_all_reports,
            send_mail,
            settle_all_spans,
            wake_forgetting_notices,
            wake_notices,
            wake_pdfs,
            watch_all_budgets,
        )

        register_job(REPORTS_JOB, period_seconds=REPORTS_PERIOD_SECONDS, wake=keep_all_reports.delay)
        register_job(BUDGETS_JOB, period_seconds=BUDGETS_PERIOD_SECONDS, wake=watch_all_budgets.delay)
        register_job(PDFS_JOB, period_seconds=PDFS_PERIOD_SECONDS, wake=wake_pdfs)
        register_job(SPANS_JOB, period_seconds=SPANS_PERIOD_SECONDS, wake=settle_all_spans.delay)
        register_notifier("channels", tell_channels)
        register_incident_watcher("notices", note_moved)
        register_job(
            NOTICES_JOB, period_seconds=NOTICES_PERIOD_SECONDS, wake=wake_notices, lease_seconds=NOTICES_LEASE_SECONDS
        )
        register_job(NOTICES_FORGET_JOB, period_seconds=NOTICES_FORGET_SECONDS, wake=wake_forgetting_notices)
        register_job(MAIL_JOB, period_seconds=MAIL_PERIOD_SECONDS, wake=send_mail.delay)
        register_projector("objective", project_objectives)
        register_pages("reliability.pages")
