"""How much room there is, and what takes it."""

from __future__ import annotations

import math
import shutil
import time
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
#: How old the knowledge of the size of a PostgreSQL database may be.
SIZE_SECONDS: Final = 1.0
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServiceSize:
    """Error reports that are stored, and about how many bytes they take; the second is told from the newest ones."""

    events_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class InstanceSize:
    """Bytes of the database, of those what is free for new rows (SQLite), of the inbox, and what is left (`free_bytes`).

    On PostgreSQL the inbox is a part of the database.
    """

    database_bytes: int
    reusable_bytes: int | None
    inbox_bytes: int
    free_bytes: int | None


class _Looked:
    """How large the PostgreSQL database was when it was last looked at, by the monotonic clock: one look for many pages."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._size = 0

    def size(self) -> int:
        """Bytes, as they were SIZE_SECONDS ago at most. One query then, which reads no table."""
        if time.monotonic() - self._at >= SIZE_SECONDS:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_database_size(current_database())")
                self._size = int(cursor.fetchone()[0])
            self._at = time.monotonic()
        return self._size


_looked: Final = _Looked()


def free_bytes() -> int | None:
    """What is free where the SQLite files lie, or what the PostgreSQL database may still grow by, below 0 where it is too
    large already; None where nobody has said how large that may be: its disk is elsewhere.
    """
    if settings.INBOX_ALIAS != "default":
        return shutil.disk_usage(settings.DATA_DIR).free
    return settings.DATABASE_MAX_BYTES - _looked.size() if settings.DATABASE_MAX_BYTES else None


def disk_alarm() -> str:
    """A sentence for people while so little room is left that errors are refused; else nothing. No query on SQLite."""
    free = free_bytes()
    if free is None or free >= settings.RESERVED_DISK_BYTES:
        return ""
    reserved = f"{settings.RESERVED_DISK_BYTES // MIB} are kept for digesting. Errors are refused until there is space"
    if settings.INBOX_ALIAS != "default":
        return f"The disk is nearly full: {free // MIB} MiB are free, and {reserved}; everything taken before is safe."
    return (
        f"The database is nearly as large as it may become: {max(0, free) // MIB} of {settings.DATABASE_MAX_BYTES // MIB} MiB"
        f" are left, and {reserved}, or UPSHOT_DATABASE_MAX_MB is raised; everything taken before is safe."
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
        return InstanceSize(database, None, inbox, free_bytes())
    database, reusable = _sqlite_size("default")
    inbox, _ = _sqlite_size(str(settings.INBOX_ALIAS))
    return InstanceSize(database, reusable, inbox, free_bytes())


def _sqlite_size(alias: str) -> tuple[int, int]:
    """Bytes of the file, and of its pages that nothing uses."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT page_size, page_count, freelist_count FROM pragma_page_size, pragma_page_count, pragma_freelist_count"
        )
        size, count, free = cursor.fetchone()
    return size * count, size * free
