"""The notice that data behind a page's numbers are incomplete. Drawn by `incidents/_incomplete.html`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from deploys.models import Service
from incidents.domain.completeness import sentences
from incidents.queries.completeness import missing_in

MOST = 4


@dataclass(frozen=True, slots=True)
class Incomplete:
    """What is missing, in sentences with the address of the service's ingest page; `more_count` are left out."""

    lines: Sequence[tuple[str, str]]
    more_count: int
    overview_url: str


def incomplete(
    *, slug: str, services: Sequence[Service], begins_at: dt.datetime, ends_at: dt.datetime, zone: dt.tzinfo
) -> Incomplete | None:
    """What is missing from the numbers of these services in [begins_at, ends_at); None where nothing is. Three queries."""
    said = sentences(missing_in(services=services, begins_at=begins_at, ends_at=ends_at), zone=zone)
    if not said:
        return None
    keys = {each.name: each.public_id for each in services}
    lines = [(each.text, reverse("service-ingest", args=[slug, keys[each.service]])) for each in said[:MOST]]
    return Incomplete(lines, len(said) - len(lines), reverse("ingest-overview", args=[slug]))
