"""Which changes come into question for an incident."""

from __future__ import annotations

from incidents.domain.case import Case
from incidents.domain.evidence import HOUR, MINUTE, Change

BACK = 72 * HOUR
"""A change older than this is hardly ever the cause, and the list would drown."""
AHEAD = 2 * MINUTE
"""A change may seem to begin this much after the first failing event: clocks differ."""
ANYWHERE = 3 * HOUR
"""Within this time any change of the team comes into question."""
LIMIT = 60


def in_question(case: Case) -> list[Change]:
    """Candidates in order of start: changes of the affected services, of those they call (two hops), of those named in
    messages and of flags those evaluate, up to three days back; anything else up to three hours back."""
    near = set(case.services) | set(case.named) | {case.root}
    for service in case.services:
        near |= set(case.around.dependencies(service))
    found = [
        change
        for change in case.around.changes
        if case.onset - BACK <= change.start <= case.onset + AHEAD
        and change.id not in case.around.rejected
        and not _is_void(change)
        and (case.onset - change.start <= ANYWHERE or near & case.related(change))
    ]
    return found[-LIMIT:]


def _is_void(change: Change) -> bool:
    """A flag line that changes nothing."""
    return not change.is_deploy and change.old is not None and change.old == change.new and not change.segment
