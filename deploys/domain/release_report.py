"""What a sender says about a release in one message."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from deploys.domain.commits import CommitReport

#: Commits taken from one message, the newest.
MOST_COMMITS: Final = 2000


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """One message about one version. None: the message does not say. `commits`, newest first; empty takes them away.

    `are_heads`: only the newest commit of each repository is named, without its time.
    """

    version: str
    url: str | None = None
    released_at: dt.datetime | None = None
    is_archived: bool | None = None
    commits: tuple[CommitReport, ...] | None = None
    are_heads: bool = False

    def within_limits(self) -> tuple[ReleaseReport, str]:
        """The report with at most MOST_COMMITS commits, and a sentence where that left some out."""
        if self.commits is None or len(self.commits) <= MOST_COMMITS:
            return self, ""
        shorter = replace(self, commits=self.commits[:MOST_COMMITS])
        return shorter, f"{len(self.commits)} commits were sent: the newest {MOST_COMMITS} are kept"
