"""The room of what changed."""

from django.apps import AppConfig


class DeploysConfig(AppConfig):
    """Teams, services, deploys, flags."""

    name = "deploys"
    default_auto_field = "django.db.models.BigAutoField"
