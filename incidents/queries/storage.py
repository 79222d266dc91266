"""How much room there is, and what takes it."""

from __future__ import annotations

import shutil

from django.conf import settings


def free_bytes() -> int | None:
    """What is free where the SQLite files lie; None on PostgreSQL, whose disk is elsewhere."""
    if settings.INBOX_ALIAS == "default":
        return None
    return shutil.disk_usage(settings.DATA_DIR).free


def disk_alarm() -> str:
    """A sentence for people while the disk is so full that errors are refused; else nothing. No query."""
    free = free_bytes()
    if free is None or free >= settings.RESERVED_DISK_BYTES:
        return ""
    return (
        f"The disk is nearly full: {free // (1024 * 1024)} MiB are free, and {settings.RESERVED_DISK_BYTES // (1024 * 1024)} "
        "are kept for digesting. Errors are refused until there is space; everything taken before is safe."
    )
