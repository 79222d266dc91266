"""How much room there is, and what takes it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connections
from django.db.models import Sum
from django.db.models.functions import Length

from deploys.models import Service
from incidents.models import ErrorEvent, Issue

#: Bytes of a report beside its payload: its row and its part of four indexes, as measured.
ROW_BYTES: Final = 900
SAMPLE: Final = 200


@dataclass(frozen=True, slots=True)
class ServiceSize:
    """Error reports that are stored, and about how many bytes they take; the second is told from the newest ones."""

    events_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class InstanceSize:
    """Bytes of the database, of those what is free for new rows (SQLite), of the inbox, and free on the disk.

    On PostgreSQL the inbox is a part of the database, and what is free is not seen from here.
    """

    database_bytes: int
    reusable_bytes: int | None
    inbox_bytes: int
    free_bytes: int | None


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


def service_size(service: Service) -> ServiceSize:
    """What a service's error reports take. Two queries, whatever the number of reports."""
    count = Issue.objects.filter(service=service).aggregate(n=Sum("kept_count"))["n"] or 0
    newest = ErrorEvent.objects.filter(service=service).order_by("-timestamp").annotate(size=Length("payload"))
    sizes = list(newest.values_list("size", flat=True)[:SAMPLE])
    mean = sum(sizes) / len(sizes) + ROW_BYTES if sizes else 0
    return ServiceSize(count, round(mean * count))


def instance_size() -> InstanceSize:
    """What the instance takes, from what the database knows of itself; no table is read."""
    if settings.INBOX_ALIAS == "default":
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database()), pg_total_relation_size('incidents_inboxitem')")
            database, inbox = cursor.fetchone()
        return InstanceSize(database, None, inbox, None)
    database, reusable = _sqlite_size("default")
    inbox, _ = _sqlite_size(str(settings.INBOX_ALIAS))
    return InstanceSize(database, reusable, inbox, free_bytes())


def _sqlite_size(alias: str) -> tuple[int, int]:
    """Bytes of the file, and of its pages that nothing uses."""
    with connections[alias].cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        ]
    return found[0] * found[1], found[0] * found[2]
