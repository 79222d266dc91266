"""Which bodies are digested next: every project with something waiting gets its turn in every batch.

Were the oldest taken first, a project that floods would delay all others by the length of its backlog. So each batch is
dealt out among the projects: equal shares of rows and bytes, and what one does not need goes to the others. The claim
walks an index by project; its cost does not grow with the backlog.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.db.models import QuerySet

from incidents.models import InboxItem
from incidents.queries.backlog import waiting_projects

#: Projects of one batch. Beyond, the one with the oldest body comes always, and the others by lot.
MOST_PROJECTS = 50
_dice = random.Random()  # noqa: S311 -- a lot, no secret


def by_turns(
    waiting: QuerySet[InboxItem], *, size: int, most_bytes: int, dice: random.Random = _dice
) -> list[InboxItem]:
    """At most `size` rows of `waiting` in order of their ids, and at most `most_bytes` of bodies (but one row at least).

    `waiting` may lock what it reads and skip what others have locked. At most two queries for each project of the batch.
    """
    order = _drawn([number for number, _ in waiting_projects()], dice)
    taken: dict[int, list[InboxItem]] = {}
    rows_left, bytes_left = size, most_bytes
    for position, number in enumerate(order):
        turns = len(order) - position
        found = _of(waiting, number, 0, -(-rows_left // turns), bytes_left // turns)
        taken[number] = found
        rows_left -= len(found)
        bytes_left -= sum(len(row.body) for row in found)
        if rows_left <= 0 or bytes_left <= 0:
            break
    for number, found in taken.items():  # what was left over goes to those who have more
        if rows_left > 0 and bytes_left > 0 and found:
            more = _of(waiting, number, found[-1].pk, rows_left, bytes_left)
            rows_left -= len(more)
            bytes_left -= sum(len(row.body) for row in more)
            taken[number] = found + more
    return sorted((row for found in taken.values() for row in found), key=lambda row: row.pk)


def _drawn(numbers: Sequence[int], dice: random.Random) -> list[int]:
    """The projects whose turn it is, shuffled: where large bodies fill a batch early, nobody is left out twice for long."""
    drawn = list(numbers)
    if len(numbers) > MOST_PROJECTS:
        drawn = [numbers[0], *dice.sample(numbers[1:], MOST_PROJECTS - 1)]
    dice.shuffle(drawn)
    return drawn


def _of(waiting: QuerySet[InboxItem], number: int, after: int, count: int, size_bytes: int) -> list[InboxItem]:
    """The oldest rows of a project behind the id `after`; without one, one row at least, however large.

    The range of one project, ordered by project: PostgreSQL may otherwise walk all rows by id until it has met enough
    of this project, which is the whole backlog where its statistics are old.
    """
    own = waiting.filter(project__range=(number, number), pk__gt=after).order_by("project", "pk")
    rows: list[InboxItem] = []
    for row in own[:count].iterator(chunk_size=20):
        size_bytes -= len(row.body)
        if (rows or after) and size_bytes < 0:
            break
        rows.append(row)
    return rows
