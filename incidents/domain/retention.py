"""Which error reports are worth keeping when not all can be: the same rules whatever database they lie in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """One stored report. `kind` is what it should stand for beside its time: release and environment."""

    id: int
    kind: Hashable


def spread(reports: Sequence[Report], count: int) -> set[int]:
    """Ids of the `count` reports that show most: every kind has its turn, and those of a kind lie evenly over time.

    `reports` are in the order of time. All of them where there are no more than `count`.
    """
    if len(reports) <= count:
        return {report.id for report in reports}
    by_kind: dict[Hashable, list[int]] = defaultdict(list)
    for report in reports:
        by_kind[report.kind].append(report.id)
    groups = sorted(by_kind.values(), key=len)
    kept: set[int] = set()
    for position, group in enumerate(groups):
        share = min(len(group), (count - len(kept)) // (len(groups) - position))
        kept |= {group[index * (len(group) - 1) // max(1, share - 1)] for index in range(share)}
    return kept


def level(counts: Sequence[int], most: int) -> int:
    """The highest number of reports for each issue with which all issues together keep no more than `most`.

    The height of water poured into vessels of these sizes: large issues give, small ones keep what they have.
    """
    left = most
    for position, count in enumerate(sorted(counts)):
        share = left // (len(counts) - position)
        if count > share:
            return share
        left -= count
    return max(counts, default=0)
