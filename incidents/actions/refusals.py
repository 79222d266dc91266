"""Refused bodies become counts that people can read."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import NamedTuple

from django.db import transaction

from deploys.models import Service
from incidents.actions.traffic import record_outcomes

CHUNK = 500


class Refused(NamedTuple):
    """`reason` is one word: rate, backlog, inbox, queue, disk, wrong_key, malformed, too_large, unknown_coding, slow,
    unavailable. `hour_at` is the start of the hour.
    """

    project: int
    hour_at: dt.datetime
    reason: str


@transaction.atomic
def record_refusals(counts: Counter[Refused]) -> int:
    """Adds the counts to IngestCount as (service, hour, "body", "refused:<reason>"); how many name no known service.

    One query for the services and one for each of them and each hour. All or nothing.
    """
    numbers = sorted({each.project for each in counts})
    services: dict[int, Service] = {}
    for start in range(0, len(numbers), CHUNK):
        found = Service.objects.filter(number__in=numbers[start : start + CHUNK])
        services.update({service.number: service for service in found})
    by_hour: dict[tuple[int, dt.datetime], list[tuple[str, str, int]]] = defaultdict(list)
    unknown = 0
    for refused, quantity in counts.items():
        if refused.project in services:
            line = ("body", f"refused:{refused.reason}", quantity)
            by_hour[refused.project, refused.hour_at].append(line)
        else:
            unknown += quantity
    for (number, hour_at), outcomes in sorted(by_hour.items()):
        record_outcomes(service=services[number], outcomes=outcomes, received_at=hour_at)
    return unknown
