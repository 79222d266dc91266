"""The room of how well we do; also the project package."""

from django.apps import AppConfig


class ReliabilityConfig(AppConfig):
    """Objectives, budgets, reports."""

    name = "reliability"
    default_auto_field = "django.db.models.BigAutoField"
