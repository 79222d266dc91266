"""Sends the inbox tables to their own database where there is one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

INBOX_TABLES = frozenset({"inboxitem", "deadletter", "batchinhand"})


class InboxRouter:
    """Inbox tables live in `settings.INBOX_ALIAS`; everything else in `default`.

    Batches in hand are in the inbox as well, but noted through a connection apart from the digest's transaction."""

    def _alias(self, model: type[Model]) -> str:
        is_inbox = model._meta.app_label == "incidents" and model._meta.model_name in INBOX_TABLES
        if is_inbox and model._meta.model_name == "batchinhand":
            return str(settings.APART_ALIAS)
        return str(settings.INBOX_ALIAS) if is_inbox else "default"

    def db_for_read(self, model: type[Model], **hints: Any) -> str:  # Any: Django's signature
        """Where to read."""
        return self._alias(model)

    def db_for_write(self, model: type[Model], **hints: Any) -> str:  # Any: Django's signature
        """Where to write."""
        return self._alias(model)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool:  # Any: Django's signature
        """Each table is made in its own database only."""
        is_inbox = app_label == "incidents" and model_name in INBOX_TABLES
        return db == (settings.INBOX_ALIAS if is_inbox else "default")
