"""The rows behind a report's numbers: those that were stored when it was closed, else worked out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from deploys.domain.identifiers import public_ids_among
from deploys.models import Team
from incidents.models import Incident
from reliability.domain.contract import Report, contract
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.periods import Period
from reliability.domain.restatement import differences
from reliability.domain.rows import rows
from reliability.models import ReportSnapshot
from reliability.queries.knowledge import LONGEST_PERIOD, knowledge_as_of


@dataclass(frozen=True, slots=True)
class Behind:
    """Rows, and whether they are the stored ones; of others of a closed report, whether they still give its numbers."""

    rows: Mapping[str, Any]  # Any: see reliability.domain.rows
    is_stored: bool = False
    is_same: bool = True


def rows_now(known: Knowledge, period: Period) -> Behind:
    """Of a period that is not closed."""
    return Behind(rows(known, Report(known, period.interval, period.zone).scope(None)))


def rows_stored(snapshot: ReportSnapshot, period: Period) -> Behind:
    """Of a closed one. Reports that were closed before rows were stored are computed again as of their closing."""
    stored = snapshot.beside.get("rows")
    if stored is not None:
        return Behind(stored, is_stored=True)
    window = Interval(snapshot.from_at, snapshot.to_at)
    known = knowledge_as_of(
        team=snapshot.team, as_of=snapshot.as_of_at, span=window, traffic_from=window.start - LONGEST_PERIOD
    )
    report = Report(known, window, period.zone)
    return Behind(rows(known, report.scope(None)), is_same=not differences(snapshot.result, contract(report)))


def incidents_by_ids(*, team: Team, ids: Sequence[str]) -> list[Incident]:
    """The incidents that these ids of rows name: external ids, or public ones."""
    public = public_ids_among(ids)
    return list(Incident.objects.filter(team=team).filter(Q(external_id__in=list(ids)) | Q(public_id__in=public)))
