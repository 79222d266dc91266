"""The room of how well we do; also the project package."""

from django.apps import AppConfig


class ReliabilityConfig(AppConfig):
    """Objectives, budgets, reports."""

    name = "reliability"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Says who writes the tables of this room's kinds."""
        from deploys.ports import register_projector  # noqa: PLC0415 -- models exist only once all apps are loaded
        from reliability.actions.objectives import project_objectives  # noqa: PLC0415 -- as above

        register_projector("objective", project_objectives)
