"""Bounds on what a sender can make up: new issues, and names that counts are kept by. What is beyond is put together.

Every count stays exact; what is lost beyond a bound is only which of very many names it belonged to.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Set
from typing import Final, TypeAlias

from django.conf import settings
from django.db import transaction

from deploys.domain.identifiers import uuid7_of
from deploys.models import Service
from incidents.models import Issue, NamesUsed

Kind: TypeAlias = tuple[Service, str]
"""Names of one kind ("release" or "host") of one service."""

#: The name of all names beyond the bound.
OTHERS: Final = "(others)"
#: Different releases, and different hosts, that a service is counted by within an hour.
MOST_NAMES: Final = 1_000
#: Environments of a team that errors and sessions may make.
MOST_ENVIRONMENTS: Final = 200
#: Kinds of name of services that are remembered; the one that was longest unheard goes first.
MOST_KINDS: Final = 2_000
HOUR: Final = 3_600
#: Grouping version and fingerprint of a service's overflow issue; no grouping has this version.
OVERFLOW: Final = (0, "overflow")


def new_issues_left(service: Service) -> int:
    """How many new issues the service may still make within this hour. One query, on the times in the ids.

    Parallel workers that ask at once may together make somewhat more.
    """
    since = uuid7_of(int((time.time() - HOUR) * 1_000), 0)
    most = int(settings.NEW_ISSUES_PER_HOUR)
    return max(0, most - Issue.objects.filter(service=service, public_id__gte=since)[:most].count())


class Names:
    """The names that each service has used within the hour. A row of the database decides, so that the bound is that of
    the instance; what stands there is remembered here, and asked again only for a name that is not among them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[uuid.UUID, str], tuple[int, frozenset[str]]] = OrderedDict()

    def kept(self, wanted: Mapping[Kind, Set[str]]) -> dict[Kind, frozenset[str]]:
        """Those of the wanted names that counts are kept by, and maybe more; what is not among them is OTHERS. No name at
        all, "", is always kept.

        No query where all are remembered, or where no more are taken; one where others have brought them; else the rows
        are locked until the transaction ends: two transactions that ask for several kinds ask for all at once, and first.
        """
        hour = int(time.time()) // HOUR
        found = {kind: self._remembered(kind, hour) for kind in wanted}
        asked = {kind: names - {""} for kind, names in wanted.items() if _is_open(found[kind], names - {""})}
        if asked:
            with transaction.atomic():
                decided = _decide(asked, hour)
                transaction.on_commit(lambda: self._remember(decided, hour))
            found |= decided
        return {kind: names | {""} for kind, names in found.items()}

    def _remembered(self, kind: Kind, hour: int) -> frozenset[str]:
        with self._lock:
            known = self._known.get((kind[0].public_id, kind[1]))
            return known[1] if known is not None and known[0] == hour else frozenset()

    def _remember(self, stored: Mapping[Kind, frozenset[str]], hour: int) -> None:
        with self._lock:
            for (service, kind), names in stored.items():
                key = (service.public_id, kind)
                self._known[key] = (hour, names)
                self._known.move_to_end(key)
            while len(self._known) > MOST_KINDS:
                self._known.popitem(last=False)


def _is_open(known: Set[str], wanted: Set[str]) -> bool:
    return len(known) < MOST_NAMES and not wanted <= known


def _decide(wanted: Mapping[Kind, Set[str]], hour: int) -> dict[Kind, frozenset[str]]:
    """What the rows say, with as many of the wanted names as there is room for. At most four queries."""
    by_key = {(service.pk, kind): (service, kind) for service, kind in wanted}
    rows = NamesUsed.objects.filter(
        service__in={service for service, _ in by_key}, kind__in={kind for _, kind in by_key}
    ).order_by("service_id", "kind")
    found = {(row.service_id, row.kind): row for row in rows}
    known = {key: frozenset(row.names) if row.hour == hour else frozenset() for key, row in found.items()}
    missing = [key for key, kind in sorted(by_key.items()) if _is_open(known.get(key, frozenset()), wanted[kind])]
    if missing:
        NamesUsed.objects.bulk_create(
            [
                NamesUsed(service_id=service, kind=kind, hour=hour)
                for service, kind in missing
                if (service, kind) not in found
            ],
            ignore_conflicts=True,
        )
        changed = []
        for row in rows.select_for_update(no_key=True):
            key = (row.service_id, row.kind)
            if key not in missing:
                continue
            before = row.names if row.hour == hour else []
            fresh = sorted(wanted[by_key[key]] - set(before))[: max(0, MOST_NAMES - len(before))]
            row.hour, row.names = hour, [*before, *fresh]
            known[key] = frozenset(row.names)
            if fresh:
                changed.append(row)
        NamesUsed.objects.bulk_update(changed, ["hour", "names"])
    return {kind: known[key] for key, kind in by_key.items()}


NAMES: Final = Names()
