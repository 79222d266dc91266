"""What scans of source code say of a flag: how often it is asked for, and whether that can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: How long a scan is believed (FLAGS section 3, E4).
SCAN_FRESH: Final = timedelta(days=7)


class PlaceKind(StrEnum):
    """What a key at a place is. Words in documents keep nothing alive and are not counted as references."""

    CALL = "call"
    CONSTANT = "constant"
    CONFIG = "config"
    TEST = "test"
    DOC = "doc"


@dataclass(frozen=True, slots=True)
class Place:
    """A key at a line of a file, counted from one."""

    key: str
    path: str
    line: int
    kind: PlaceKind


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A line that asks for a key put together while the program runs, which begins and ends so."""

    path: str
    line: int
    prefix: str = ""
    suffix: str = ""

    def may_be(self, key: str) -> bool:
        """Whether this line may ask for the key. A line of which nothing is known may ask for any."""
        is_long_enough = len(key) >= len(self.prefix) + len(self.suffix)
        return is_long_enough and key.startswith(self.prefix) and key.endswith(self.suffix)


@dataclass(frozen=True, slots=True)
class Removal:
    """The commit that took the last mention of a key out; empty where the scanner's history did not reach so far."""

    key: str
    commit: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScanReport:
    """One scan of the branch on which everything comes together."""

    repository: str
    commit: str
    scanned_at: datetime
    places: Sequence[Place]
    dynamic: Sequence[Dynamic] = ()
    removed: Sequence[Removal] = ()
    services: Sequence[str] = ()
    branch: str = ""
    scanner: str = ""
    link: str = ""
    files_count: int = 0
    is_complete: bool = True

    def counted(self) -> Mapping[str, list[Place]]:
        """References by key, words in documents apart."""
        found: dict[str, list[Place]] = {}
        for place in self.places:
            if place.kind is not PlaceKind.DOC:
                found.setdefault(place.key, []).append(place)
        return found


@dataclass(frozen=True, slots=True)
class RepositoryCode:
    """What the newest scan of one repository says of one flag. `was_there`: some scan of it ever found the flag."""

    name: str
    scanned_at: datetime
    is_complete: bool
    references_count: int = 0
    files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    was_there: bool = False
    is_dynamic: bool = False

    def is_fresh(self, at: datetime) -> bool:
        """Whether the scan is young enough, and looked at everything."""
        return self.is_complete and at - self.scanned_at <= SCAN_FRESH


@dataclass(frozen=True, slots=True)
class CodeEvidence:
    """How often all code asks for a flag. `count` None: not known, and `why` says what is missing.

    `some`: references are certain, even where the whole count is not known. `files_count` leaves tests out.
    `scanned_at` is the oldest scan that this rests on.
    """

    count: int | None
    why: str = ""
    some: bool = False
    files_count: int = 0
    repositories_count: int = 0
    is_dynamic: bool = False
    scanned_at: datetime | None = None

    @property
    def is_gone(self) -> bool:
        """Known to be asked for nowhere."""
        return self.count == 0


def code_evidence(repositories: Iterable[RepositoryCode], at: datetime) -> CodeEvidence:
    """What all repositories together say at an instant.

    A count is known where every repository that ever had a reference was scanned completely in the last seven days. No
    repository ever had one: the code may be in one that nobody scans, so nothing is known. A place that puts keys
    together and may mean this flag makes no count of zero certain.
    """
    known = list(repositories)
    had = [each for each in known if each.was_there or each.references_count]
    fresh = [each for each in known if each.is_fresh(at)]
    count = sum(each.references_count for each in fresh)
    is_dynamic = any(each.is_dynamic for each in fresh)
    files = sum(len(each.files) for each in fresh)
    scanned_at = min((each.scanned_at for each in had), default=None)
    said = CodeEvidence(
        None, "", count > 0, files, sum(each.references_count > 0 for each in fresh), is_dynamic, scanned_at
    )
    old = [each.name for each in had if not each.is_fresh(at)]
    if not known:
        return _unknown(said, "no repository is scanned")
    if not had:
        return _unknown(said, "no scanned repository ever asked for it")
    if old:
        return _unknown(said, f"no complete scan of {', '.join(sorted(old))} in the last {SCAN_FRESH.days} days")
    if count == 0 and is_dynamic:
        return _unknown(said, "keys are put together in code, and one of them may be this")
    return CodeEvidence(count, "", said.some, files, said.repositories_count, is_dynamic, scanned_at)


def _unknown(said: CodeEvidence, why: str) -> CodeEvidence:
    return CodeEvidence(
        None, why, said.some, said.files_count, said.repositories_count, said.is_dynamic, said.scanned_at
    )
