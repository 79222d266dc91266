"""The room of what changed."""

from django.apps import AppConfig


class DeploysConfig(AppConfig):
    """Teams, services, deploys, flags."""

    name = "deploys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Says who writes the tables of this room's kinds."""
        from deploys import tasks  # noqa: PLC0415 -- models exist only from here on
        from deploys.actions import projection  # noqa: PLC0415 -- as above
        from deploys.actions.schedules import register_job  # noqa: PLC0415 -- as above
        from deploys.ports import register_projector  # noqa: PLC0415 -- as above

        register_projector("history", projection.project_policy)
        register_projector("service", projection.project_services)
        register_projector("deploy", projection.project_deploys)
        register_projector("change", projection.project_commits)
        register_projector("flag", projection.project_flags)
        register_job(tasks.FORGET, period_seconds=tasks.FORGET_SECONDS, wake=tasks.forget_deliveries.delay)
        register_job(tasks.OVERDUE, period_seconds=tasks.OVERDUE_SECONDS, wake=tasks.close_overdue_deploys.delay)
        register_job(tasks.GONE_FLAGS, period_seconds=tasks.GONE_FLAGS_SECONDS, wake=tasks.archive_gone_flags.delay)
        register_job(tasks.TIMED_FLAGS, period_seconds=tasks.TIMED_FLAGS_SECONDS, wake=tasks.note_timed_flags.delay)
