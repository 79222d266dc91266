"""The room of what broke."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Errors, issues, incidents, verdicts."""

    name = "incidents"
    default_auto_field = "django.db.models.BigAutoField"
