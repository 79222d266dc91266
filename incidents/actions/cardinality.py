"""Bounds on what a sender can make up: new issues, and names that counts are kept by. What is beyond is put together.

Every count stays exact; what is lost beyond a bound is only which of very many names it belonged to.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from typing import Final

from django.conf import settings

from deploys.domain.identifiers import uuid7_of
from deploys.models import Service
from incidents.models import Issue

#: The name of all names beyond the bound.
OTHERS: Final = "(others)"
#: Different releases, and different hosts, that the errors of a service are counted by within an hour of a worker.
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
    """The names that each service has used within the hour, in this process. They are no facts: losing them costs
    another MOST_NAMES rows at most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[uuid.UUID, str], tuple[int, set[str]]] = OrderedDict()

    def bounded(self, service: Service, kind: str, name: str) -> str:
        """The name, or OTHERS when the service has used too many of this kind already."""
        hour = int(time.time()) // HOUR
        key = (service.public_id, kind)
        with self._lock:
            known = self._known.get(key)
            if known is None or known[0] != hour:
                known = self._known[key] = (hour, set())
                while len(self._known) > MOST_KINDS:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            if name not in known[1] and len(known[1]) >= MOST_NAMES:
                return OTHERS
            known[1].add(name)
            return name


NAMES: Final = Names()
