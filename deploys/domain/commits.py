"""What a sender says about commits, before it is known which deploys contain them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from deploys.domain.instants import instant_text

LONGEST_SHA: Final = 100
LONGEST_AUTHOR: Final = 200
LONGEST_TITLE: Final = 500
LONGEST_PATH: Final = 1000
#: Files kept for one release or deploy; what is beyond is left out.
MOST_FILES: Final = 5000
_LINES: Final = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class CommitReport:
    """One commit as its sender describes it. None: the sender does not say. `files` are paths it touched."""

    sha: str
    committed_at: dt.datetime | None = None
    author: str | None = None
    title: str | None = None
    files: tuple[str, ...] = ()

    @property
    def payload(self) -> dict[str, Any]:  # Any: JSON
        """The fact of kind `change`, in the history format's words: only what is said."""
        said: dict[str, Any] = {"sha": self.sha[:LONGEST_SHA]}  # Any: JSON
        if self.committed_at is not None:
            said["committed_at"] = instant_text(self.committed_at)
        if self.author is not None:
            said["author"] = self.author[:LONGEST_AUTHOR]
        if self.title is not None:
            said["title"] = self.title[:LONGEST_TITLE]
        return said


def title_of(message: str) -> str:
    """The first line of a commit message that is not empty, without space around it; the empty text for none."""
    if not _LINES.search(message):
        return message.strip()[:LONGEST_TITLE]
    return next((line.strip() for line in _LINES.split(message) if line.strip()), "")[:LONGEST_TITLE]


def files_of(commits: Iterable[CommitReport], known: Iterable[str] = ()) -> list[str]:
    """All paths that these commits touched, and those known before, sorted: the same in whatever order they came."""
    paths = {path[:LONGEST_PATH] for commit in commits for path in commit.files if path}
    return sorted(paths.union(known))[:MOST_FILES]
