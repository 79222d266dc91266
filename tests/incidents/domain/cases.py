"""Small incidents for the tests of attribution. Instants are seconds after zero; the first failure is at `ONSET`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from incidents.domain.case import Case
from incidents.domain.evidence import DAY, MINUTE, Change, Context, Episode, IssueFacts, Outage, ServiceFacts, Sighting
from incidents.domain.grouping import Group

ONSET = 10 * DAY
SHOP = ServiceFacts("shop", frozenset({"db"}), ("shop-eu1-a", "shop-eu1-b", "shop-us1-c", "shop-us1-d"), True, True)
DB = ServiceFacts("db")
EDGE = ServiceFacts("edge", frozenset({"shop"}), reports_users=True)
MAIL = ServiceFacts("mail")
SERVICES = {facts.name: facts for facts in (SHOP, DB, EDGE, MAIL)}


def issue(**fields: Any) -> IssueFacts:  # Any: fields of IssueFacts
    """A KeyError in shop/pay.py, called by shop/views.py."""
    return IssueFacts(
        **{
            "key": "k1", "service": "shop", "type": "KeyError", "text": "'sku'", "paths": ("shop/pay.py", "shop/views.py"),
            "places": ("shop/pay.py in pay", "shop/views.py in get"), **fields,
        }
    )  # fmt: skip


def sighting(minute: float = 0, **fields: Any) -> Sighting:  # Any: fields of Sighting
    """An event so many minutes after the onset."""
    return Sighting(**{"at": ONSET + minute * MINUTE, "host": "shop-eu1-a", "user": f"u{minute}", **fields})


def episode(
    of: IssueFacts | None = None, *, sightings: Sequence[Sighting] | None = None, start: float = 0, minutes: float = 20,
    count: int = 10, **fields: Any,
) -> Episode:  # fmt: skip
    """Ten events in twenty minutes from the onset on."""
    step = minutes / max(1, count - 1)
    seen = tuple(sightings) if sightings is not None else tuple(sighting(start + n * step) for n in range(count))
    return Episode(
        **{
            "issue": of or issue(), "start": ONSET + start * MINUTE, "end": ONSET + (start + minutes) * MINUTE, "count": count,
            "met_at": ONSET + (start + 5) * MINUTE, "sightings": seen, **fields,
        }
    )  # fmt: skip


def outage(start: float = 0, end: float | None = 5, service: str = "shop") -> Outage:
    """Failed checks from `start` to `end` minutes after the onset."""
    last = end - 1 if end is not None else start + 2
    return Outage(
        service, ONSET + start * MINUTE, None if end is None else ONSET + end * MINUTE, ONSET + (start + 1) * MINUTE,
        ONSET + last * MINUTE,
    )  # fmt: skip


def deploy(minute: float = -5, **fields: Any) -> Change:  # Any: fields of Change
    """A finished rolling deploy of shop, 2.0 over 1.9, that began so many minutes after the onset."""
    start = ONSET + minute * MINUTE
    return Change(
        **{
            "id": f"d{minute:g}", "kind": "deploy", "services": ("shop",), "start": start, "finish": start + 4 * MINUTE,
            "status": "success", "release": "2.0", "before": "1.9", "strategy": "rolling", **fields,
        }
    )  # fmt: skip


def flag(minute: float = -5, **fields: Any) -> Change:  # Any: fields of Change
    """The flag `fast-pay` goes from 0 to 50 percent."""
    return Change(
        **{
            "id": f"f{minute:g}", "kind": "flag", "services": ("shop",), "start": ONSET + minute * MINUTE, "key": "fast-pay",
            "old": 0.0, "new": 50.0, **fields,
        }
    )  # fmt: skip


def case(
    *episodes: Episode, changes: Sequence[Change] = (), outages: Sequence[Outage] = (), now: float = 60,
    ended: float | None = None, **around: Any,
) -> Case:  # fmt: skip
    """An incident of these episodes, looked at `now` minutes after the onset."""
    members = episodes if episodes or outages else (episode(),)
    context = Context(
        now=ONSET + now * MINUTE, services=around.pop("services", SERVICES),
        changes=sorted(changes, key=lambda c: (c.start, c.id)), **around,
    )  # fmt: skip
    return Case(Group(tuple(members), tuple(outages)), context, None if ended is None else ONSET + ended * MINUTE)


__all__ = ["ONSET", "case", "deploy", "episode", "flag", "issue", "outage", "replace", "sighting"]
