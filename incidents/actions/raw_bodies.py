"""Raw bodies are not kept for long: two weeks after they came, or died, they are deleted, and that is counted.

They are the only place where what a client sent lies unscrubbed. One that was never digested for two weeks is counted as
`body, expired`, a dead letter that nobody looked at as `body, dead_expired` (`incidents.models.IngestCount`).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final

from django.conf import settings
from django.db import models, transaction

from deploys import failpoints
from deploys.models import Service
from incidents.actions.traffic import record_outcomes
from incidents.domain.intake import RAW_KEPT
from incidents.models import DeadLetter, DigestMark, InboxItem

SLICE: Final = 200


def expire_bodies(*, now: dt.datetime) -> int:
    """Deletes up to SLICE bodies and as many dead letters that are too old; how many there were."""
    return _expire(InboxItem.objects.all(), "received_at", "expired", now) + _expire(
        DeadLetter.objects.all(), "failed_at", "dead_expired", now
    )


def _expire(
    rows: models.QuerySet[InboxItem] | models.QuerySet[DeadLetter], column: str, outcome: str, now: dt.datetime
) -> int:
    """Counts and deletes once, whenever it is killed: ids stand beside the count, and are deleted again at the next call
    where the rows lie in another file.
    """
    for mark in DigestMark.objects.filter(name=outcome):
        rows.filter(pk__in=mark.inbox_ids).delete()
    oldest = list(rows.order_by("pk").values_list("pk", "project", column)[:SLICE])
    due = {pk: project for pk, project, at in oldest if at < now - RAW_KEPT}
    if not due:
        return 0
    with transaction.atomic():
        if str(settings.INBOX_ALIAS) == "default":  # another process may have them in hand
            free = set(rows.filter(pk__in=due).select_for_update(skip_locked=True).values_list("pk", flat=True))
            due = {pk: project for pk, project in due.items() if pk in free}
        counts = Counter(due.values())
        for service in Service.objects.filter(number__in=counts).order_by("pk"):
            outcomes = [("body", outcome, counts[service.number])]
            record_outcomes(service=service, outcomes=outcomes, received_at=now)
        DigestMark.objects.update_or_create(name=outcome, defaults={"inbox_ids": list(due)})
        if str(settings.INBOX_ALIAS) == "default":
            rows.filter(pk__in=due).delete()
    failpoints.reach("expiry.counted")
    if str(settings.INBOX_ALIAS) != "default":
        rows.filter(pk__in=due).delete()
    return len(due)
