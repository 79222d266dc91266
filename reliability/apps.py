"""The room of how well we do; also the project package."""

from django.apps import AppConfig


class ReliabilityConfig(AppConfig):
    """Objectives, budgets, reports."""

    name = "reliability"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Says who writes the tables of this room's kinds, and what runs by itself."""
        from deploys.actions.schedules import register_job  # noqa: PLC0415 -- models exist only once all apps are loaded
        from deploys.ports import register_column, register_panel, register_projector  # noqa: PLC0415 -- as above
        from incidents.ports import register_notifier  # noqa: PLC0415 -- as above
        from reliability.actions.alerts import mail_notice  # noqa: PLC0415 -- as above
        from reliability.actions.objectives import project_objectives  # noqa: PLC0415 -- as above
        from reliability.tasks import (  # noqa: PLC0415 -- as above
            BUDGETS_JOB,
            BUDGETS_PERIOD_SECONDS,
            MAIL_JOB,
            MAIL_PERIOD_SECONDS,
            REPORTS_JOB,
            REPORTS_PERIOD_SECONDS,
            keep_all_reports,
            send_mail,
            watch_all_budgets,
        )
        from reliability.views.objectives import BUDGET_COLUMN, service_budgets  # noqa: PLC0415 -- as above

        register_job(REPORTS_JOB, period_seconds=REPORTS_PERIOD_SECONDS, wake=keep_all_reports.delay)
        register_job(BUDGETS_JOB, period_seconds=BUDGETS_PERIOD_SECONDS, wake=watch_all_budgets.delay)
        register_notifier("mail", mail_notice)
        register_job(MAIL_JOB, period_seconds=MAIL_PERIOD_SECONDS, wake=send_mail.delay)
        register_projector("objective", project_objectives)
        register_panel("service-aside", service_budgets, order=10)
        register_column("service-list", BUDGET_COLUMN)
