"""Which service calls which, learned from what errors say: whoever names another service's host has called it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from incidents.domain.vocabulary import named_services


def learned_calls(errors: Iterable[tuple[str, tuple[str, ...]]], services: frozenset[str]) -> dict[str, frozenset[str]]:
    """Caller to called. ``errors`` are (service, hosts that its message names) of each issue.

    A message that names a host stands in the log of whoever waited for its answer, so the link goes from where the error
    was seen to the service that the host is called after. Words alone teach nothing: services are called `orders` or
    `search`, and messages speak of orders.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for service, hosts in errors:
        found[service] |= named_services("", hosts, services) - {service}
    return {service: frozenset(names) for service, names in found.items() if names}
