"""Tickets of a tracker by their addresses: what a webhook tells of one, and whether two addresses mean the same."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class TicketReport:
    """What a tracker said of a ticket: whether it was closed at `at`, by its clock."""

    url: str
    is_closed: bool
    at: dt.datetime


def ticket_key(url: str) -> str:
    """The ticket that an address means: the same for all addresses of one ticket that are in use. Empty for what is none.

    Letters' case, query and trailing slash say nothing; GitLab writes `/-/issues/7`, `/issues/7` and `/-/work_items/7`; Jira
    writes `/browse/SHOP-7` and boards with `selectedIssue=SHOP-7`.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    place = f"{host}:{port}" if port not in {None, 80, 443} else host
    chosen = parse_qs(parts.query, max_num_fields=None).get("selectedIssue", [""])[0]
    path = (
        f"browse/{chosen}" if chosen else parts.path.strip("/").replace("/-/", "/").replace("/work_items/", "/issues/")
    )
    return f"{place}/{path}".lower()[:500] if host and path and parts.scheme in {"http", "https"} else ""
