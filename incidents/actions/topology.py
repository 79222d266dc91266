"""Dependencies learned from errors: a new error that names the host of another service says that it was called."""

from __future__ import annotations

from collections.abc import Collection

from deploys.models import Dependency, Service
from incidents.domain.topology import learned_calls


def learn_calls(*, service: Service, hosts: Collection[str]) -> int:
    """Notes which services of the team these hosts are called after. How many were named; a declared link stays declared.

    No query without a host, two where one is named.
    """
    if not hosts:
        return 0
    labels = {label for host in hosts for label in _labels(host)}
    others = Service.objects.filter(team=service.team_id, name__in=labels).exclude(pk=service.pk)
    names = {row.name: row.pk for row in others}
    called = learned_calls([(service.name, tuple(hosts))], frozenset(names)).get(service.name, frozenset())
    Dependency.objects.bulk_create(
        [
            Dependency(service=service, depends_on_id=names[name], origin=Dependency.Origin.LEARNED)
            for name in sorted(called)
        ],
        ignore_conflicts=True,
    )
    return len(called)


def _labels(host: str) -> set[str]:
    labels = set(host.split("."))
    return labels | {label.removesuffix(ending) for label in labels for ending in ("-service", "-api")}
