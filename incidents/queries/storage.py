"""How much room there is, and what takes it."""

from __future__ import annotations

import shutil

from django.conf import settings


def free_bytes() -> int | None:
    """What is free where the SQLite files lie; None on PostgreSQL, whose disk is elsewhere."""
    if settings.INBOX_ALIAS == "default":
        return None
    return shutil.disk_usage(settings.DATA_DIR).free
