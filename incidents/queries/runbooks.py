"""Runbooks with what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from deploys.models import Service
from incidents.models import Incident, Runbook, RunbookUse, RunbookVersion


@dataclass(frozen=True, slots=True)
class ShownRunbook:
    """A runbook with its newest version and its last use, if any; `here`: its use in the incident asked about."""

    runbook: Runbook
    version: RunbookVersion
    last_use: RunbookUse | None
    here: RunbookUse | None = None


def runbooks_of(services: Iterable[Service | int], *, incident: Incident | None = None) -> Sequence[ShownRunbook]:
    """The runbooks of these services that are not retired, by service and title. Three queries, four with an incident."""
    newest = RunbookVersion.objects.filter(runbook=OuterRef("pk")).order_by("-number").values("pk")[:1]
    used = RunbookUse.objects.filter(version__runbook=OuterRef("pk")).order_by("-at", "-pk").values("pk")[:1]
    rows = list(
        Runbook.objects.filter(service__in=list(services), retired_at=None)
        .select_related("service")
        .annotate(newest_id=Subquery(newest), used_id=Subquery(used))
        .order_by("service__name", "title")
    )
    if not rows:
        return []
    versions = RunbookVersion.objects.select_related("by").in_bulk([row.newest_id for row in rows])
    uses = RunbookUse.objects.select_related("incident", "by", "version").in_bulk(
        [row.used_id for row in rows if row.used_id]
    )
    here: dict[int, RunbookUse] = {}
    if incident is not None:
        here = {use.version.runbook_id: use for use in incident.runbook_uses.select_related("version", "by")}
    return [
        ShownRunbook(row, versions[row.newest_id], uses.get(row.used_id), here.get(row.pk))
        for row in rows
        if row.newest_id in versions
    ]
