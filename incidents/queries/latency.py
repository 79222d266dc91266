"""How long requests took: quantiles over any window, from the sketches of five minutes."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from incidents.domain.latency import quantile, unpacked
from incidents.models import RequestCount


@dataclass(slots=True)
class Latencies:
    """Requests of one group, and how long they took. Quantiles are seconds, None where no time was told."""

    count: int = 0
    failed: int = 0
    sketch: Counter[int] = field(default_factory=Counter)

    @property
    def p50(self) -> float | None:
        return quantile(self.sketch, 0.50)

    @property
    def p95(self) -> float | None:
        return quantile(self.sketch, 0.95)

    @property
    def p99(self) -> float | None:
        return quantile(self.sketch, 0.99)


def together(parts: Iterable[Latencies]) -> Latencies:
    """All groups as one."""
    whole = Latencies()
    for part in parts:
        whole.count += part.count
        whole.failed += part.failed
        whole.sketch.update(part.sketch)
    return whole


def latencies(
    *,
    services: Collection[int],
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    step: dt.timedelta | None = None,
    environments: Collection[int] | None = None,
) -> dict[tuple[str, dt.datetime], Latencies]:
    """Requests that began in [begins_at, ends_at), by release and the start of the step they fall in. One query.

    `begins_at` lies on five minutes and `step` is a whole number of them; without, the window is one step.
    """
    rows = RequestCount.objects.filter(service__in=services, bucket_at__gte=begins_at, bucket_at__lt=ends_at)
    if environments is not None:
        rows = rows.filter(environment__in=environments)
    found: dict[tuple[str, dt.datetime], Latencies] = defaultdict(Latencies)
    columns = rows.order_by("bucket_at", "pk").values_list("release", "bucket_at", "count", "failed", "sketch")
    for release, bucket_at, count, failed, sketch in columns.iterator():
        begin = begins_at if step is None else begins_at + (bucket_at - begins_at) // step * step
        total = found[release, begin]
        total.count += count
        total.failed += failed
        total.sketch.update(unpacked(bytes(sketch)))
    return dict(found)
