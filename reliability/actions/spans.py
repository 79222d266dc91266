"""Keeping the roll-up of spans: a few facts behind the log, never ahead of it."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from deploys.models import Team
from deploys.queries.chunks import chunks
from reliability.models import NamedChange, RecordSpan, SpanProgress
from reliability.queries.spans import News, Spanned, news_since, progress_of

BATCH: Final = 2_000
"""Facts of one transaction."""

_SAID: Final = ["name", "public_id", "change_id", "level", "first_at", "last_at", "known_at", "told_at", "may_cost"]


def settle_spans(*, team: Team, most: int | None = None, batch: int = BATCH) -> int:
    """Takes the facts that came since into the roll-up; how many. Stops after `most`, if given. Idempotent.

    A transaction for each batch: an import of years does not hold up those who write meanwhile.
    """
    done = 0
    while most is None or done < most:
        taken = _settle_some(team, batch if most is None else min(batch, most - done))
        if not taken:
            break
        done += taken
    return done


def _settle_some(team: Team, most: int) -> int:
    """Reads before it locks. Where somebody else came first, what was read is dropped: they have written the same."""
    begun_at = progress_of(team).fact_id
    news = news_since(team=team, fact_id=begun_at, most=most)
    if not news.facts_count:
        return 0
    with transaction.atomic():
        SpanProgress.objects.get_or_create(team=team)
        progress = SpanProgress.objects.select_for_update().get(team=team)
        if progress.fact_id == begun_at:
            _write(team, news)
            progress.fact_id, progress.facts_count = news.fact_id, progress.facts_count + news.facts_count
            progress.save(update_fields=["fact_id", "facts_count"])
    return news.facts_count


def _write(team: Team, news: News) -> None:
    for some in chunks([_row(team, each) for each in news.records.values()]):
        RecordSpan.objects.bulk_create(
            some, update_conflicts=True, unique_fields=["team", "kind", "identity"], update_fields=_SAID
        )
    for links in chunks(sorted(news.links)):
        NamedChange.objects.bulk_create(
            [NamedChange(team=team, incident=link[0], kind=link[1], reference=link[2]) for link in links],
            ignore_conflicts=True,
        )


def _row(team: Team, each: Spanned) -> RecordSpan:
    span = each.span
    return RecordSpan(
        team=team, kind=each.kind, identity=each.identity, name=each.name, public_id=each.public_id, change_id=each.change_id,
        level=span.level, first_at=span.first_at, last_at=span.last_at, known_at=span.known_at, told_at=span.told_at,
        may_cost=span.may_cost,
    )  # fmt: skip
