"""Which lines of flags the numbers of a window look at, so that those of flags archived long ago are not read.

Descriptions are read whole: there are few of them, and they say which flags are gone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from deploys.domain.environments import tier
from deploys.domain.instants import optional_instant
from deploys.domain.records import Records
from deploys.models import Change, Fact, Flag, FlagChange, Team
from deploys.queries.chunks import chunks
from reliability.domain.intervals import Interval


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A flag change: its record in the log, and what incidents may call it."""

    identity: str
    source: str
    name: str
    public_id: str


def descriptions(team: Team) -> QuerySet[Fact]:
    """Facts that describe flags, and none of their changes."""
    return Fact.objects.filter(team=team, kind="flag", identity__startswith='["flag",')


def told_after(team: Team, at: datetime) -> QuerySet[Fact]:
    """Facts of flags received after an instant. The order has them found by it, not among all facts of flags."""
    return Fact.objects.filter(team=team, kind="flag", received_at__gt=at).order_by("received_at", "id")


def keys_gone_before(records: Records, at: datetime, *, wanted_tier: str) -> set[str]:
    """Flags that are described in the tier, and archived in each of its environments that describes them."""
    ends: dict[str, list[datetime | None]] = {}
    for record in records.complete("flag").values():
        if tier(str(record.get("environment") or "production")) == wanted_tier:
            ends.setdefault(str(record["key"]), []).append(optional_instant(record.get("archived_at")))
    return {key for key, archived in ends.items() if all(end is not None and end < at for end in archived)}


def lines_of_flags(team: Team, *, gone: Collection[str], wanted: Collection[str], window: Interval) -> list[FlagLine]:
    """All lines of flags that are wanted, or not gone, or that one of their lines changed in the window. Four queries.

    Of a flag all of them: what a line changes is seen beside the one before.
    """
    rows = Flag.objects.filter(team=team).values_list("pk", "key")
    flags = {pk for pk, key in rows if key in wanted or key not in gone}
    inside = Change.objects.filter(team=team, kind=Change.Kind.FLAG, at__gte=window.start, at__lte=window.end)
    changes = list(inside.values_list("pk", flat=True))
    if changes:
        flags.update(FlagChange.objects.filter(pk__among=changes).values_list("flag_id", flat=True))
    return _lines(FlagChange.objects.filter(flag__among=flags)) if flags else []


def lines_called(team: Team, references: Collection[str]) -> list[FlagLine]:
    """The lines that one of these names, by the sender's id or by public id."""
    public = [key for key in map(_uuid, references) if key is not None]
    rows = FlagChange.objects.filter(team=team)
    found = [line for some in chunks(public) for line in _lines(rows.filter(change__public_id__in=some))]
    return found + _lines(_of_these_ids(team, references)) if references else found


def shared_names(team: Team, names: Collection[str]) -> set[str]:
    """Which of these ids lines of several sources have."""
    counted = _of_these_ids(team, names).values("external_id").annotate(count=Count("pk")).filter(count__gt=1)
    return set(counted.values_list("external_id", flat=True))


def _of_these_ids(team: Team, names: Collection[str]) -> QuerySet[FlagChange]:
    """Found by the sources, which are few: the index begins with them."""
    return FlagChange.objects.filter(team=team, source__in=_sources(team), external_id__among=names)


def _sources(team: Team) -> list[str]:
    """Who ever sent a flag change: a query for each, and one more."""
    found: list[str] = []
    rows = FlagChange.objects.filter(team=team).order_by("source").values_list("source", flat=True)
    while (source := (rows.filter(source__gt=found[-1]) if found else rows).first()) is not None:
        found.append(source)
    return found


def _lines(rows: QuerySet[FlagChange]) -> list[FlagLine]:
    return [
        FlagLine(_identity(source, name), source, name, str(public_id))
        for source, name, public_id in rows.values_list("source", "external_id", "change__public_id")
    ]


def _identity(source: str, name: str) -> str:
    return json.dumps(["change", source, name], ensure_ascii=False, separators=(",", ":"))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
