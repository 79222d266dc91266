"""What has come from each webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Aggregate, Max, Min, QuerySet

from deploys.models import Delivery, Service, Source

#: What the log says of a proof that was not valid.
UNPROVEN: Final = ("", "missing", "invalid", "stale")


def first_deliveries(sources: Sequence[Source]) -> Mapping[int, Delivery]:
    """The first delivery in the log with a valid proof, by the webhook's key. One query."""
    proven = Delivery.objects.filter(source__in=sources).exclude(signature__in=UNPROVEN)
    return _by_source(proven, Min("pk"))


def last_deliveries(sources: Sequence[Source]) -> Mapping[int, Delivery]:
    """The newest delivery of each webhook, whatever became of it, by the webhook's key. One query."""
    return _by_source(Delivery.objects.filter(source__in=sources), Max("pk"))


def refused_last(service: Service, sources: Sequence[Source]) -> list[tuple[Source, Delivery]]:
    """Those of these sources whose newest delivery was refused in a way that concerns the service, with that delivery.

    A source of the whole team concerns it where nothing that it sends is proven, or where the delivery named the service.
    One query.
    """
    last = last_deliveries(sources)
    return [
        (source, delivery)
        for source in sources
        if (delivery := last.get(source.pk)) is not None
        and delivery.verdict == Delivery.Verdict.REFUSED
        and (delivery.signature in UNPROVEN or service.pk in {source.service_id, delivery.service_id})
    ]


def _by_source(rows: QuerySet[Delivery], end: Aggregate) -> Mapping[int, Delivery]:
    ends = rows.order_by().values("source").annotate(end=end).values("end")
    found = Delivery.objects.filter(pk__in=ends).defer("body", "raw_encrypted")
    return {row.source_id: row for row in found if row.source_id is not None}
