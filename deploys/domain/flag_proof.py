"""Whether a flag is really gone: four proofs, in order (FLAGS section 3.2). What nobody can tell is unknown, not met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deploys.domain.flag_cleanup import Removal
from deploys.domain.flag_code import CodeEvidence
from deploys.domain.flag_dossier import DAY, Standing

#: How long nobody may have asked for the flag once the code is gone from everywhere.
QUIET: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class LiveCode:
    """What is live of a service in an environment. `has_removal` None: its deploys do not say what they contain."""

    service: str
    environment: str
    release: str
    has_removal: bool | None
    since: datetime | None = None

    @property
    def place(self) -> str:
        """`shop in production`."""
        return f"{self.service} in {self.environment}"


@dataclass(frozen=True, slots=True)
class Clients:
    """Programs on users' devices that asked for flags; `until`: how long their older releases are supported, as somebody said."""

    are_known: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One proof. `is_met` None: nobody can tell; `words` say what was found, or what is missing."""

    name: str
    is_met: bool | None
    words: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """All four, in order."""

    steps: tuple[Step, ...]

    @property
    def removal(self) -> Removal:
        """How far it has come. A later proof counts only behind all before it."""
        met = 0
        for step in self.steps:
            if not step.is_met:
                break
            met += 1
        return Removal.PROVEN if met == len(self.steps) else Removal(min(met, 2))


def proof_of(
    *,
    code: CodeEvidence,
    live: Sequence[LiveCode],
    standings: Sequence[Standing],
    seen_on_errors_at: datetime | None,
    clients: Clients,
    at: datetime,
) -> Proof:
    """The four proofs at an instant. `seen_on_errors_at`: the last error of a live release that carried the key."""
    deployed = _deployed(live)
    return Proof(
        (_gone(code), deployed, _quiet(deployed.at, standings, seen_on_errors_at, at), _supported(clients, at))
    )


def _gone(code: CodeEvidence) -> Step:
    name = "no code asks for it"
    if code.is_gone:
        return _met(name, "no reference in any repository that ever had one", code.scanned_at)
    if code.some:
        return _not_met(name, "code still asks for it", code.scanned_at)
    return _unknown(name, code.why, code.scanned_at)


def _deployed(live: Sequence[LiveCode]) -> Step:
    """Every live version contains the commit that took it out."""
    name = "that code is live everywhere"
    if not live:
        return _unknown(name, "no deploy of a service built from these repositories is known")
    behind = [each for each in live if each.has_removal is False]
    if behind:
        return _not_met(name, f"not yet: {', '.join(each.place for each in behind)}")
    unknown = [each for each in live if each.has_removal is None]
    if unknown:
        return _unknown(name, f"unknown what is in the deploys of {', '.join(each.place for each in unknown)}")
    since = [each.since for each in live if each.since is not None]
    return _met(name, f"live in {', '.join(each.place for each in live)}", max(since, default=None))


def _quiet(
    since: datetime | None, standings: Sequence[Standing], seen_on_errors_at: datetime | None, at: datetime
) -> Step:
    """Seven days without a check, while somebody would have noticed one."""
    name = f"nobody asked for {QUIET.days} days"
    if since is None:
        return _unknown(name, "begins once that code is live everywhere")
    watched = [each for each in standings if each.usage.telemetry_at is not None]
    silent = [each for each in watched if not each.usage.is_alive(at)]
    if not watched or silent:
        where = ", ".join(each.environment for each in silent) or "any environment"
        return _unknown(name, f"no telemetry from {where}")
    begins = [since, *(each.usage.watched_since for each in watched if each.usage.watched_since is not None)]
    checks = [each.usage.checked_at for each in watched if each.usage.checked_at is not None]
    errors = [seen_on_errors_at] if seen_on_errors_at is not None else []
    quiet_since = max([*begins, *checks, *errors])
    if at - quiet_since >= QUIET:
        return _met(name, f"no check since {quiet_since:%-d %B %Y}", quiet_since)
    left = quiet_since + QUIET - at
    return _not_met(name, f"quiet since {quiet_since:%-d %B %Y %H:%M} UTC: {_days(left)} to go", quiet_since)


def _met(name: str, words: str, at: datetime | None = None) -> Step:
    return Step(name, is_met=True, words=words, at=at)


def _not_met(name: str, words: str, at: datetime | None = None) -> Step:
    return Step(name, is_met=False, words=words, at=at)


def _unknown(name: str, words: str, at: datetime | None = None) -> Step:
    return Step(name, is_met=None, words=words, at=at)


def _days(left: timedelta) -> str:
    days = -(-left // DAY)
    return f"{days} day{'s' * (days != 1)}"


def _supported(clients: Clients, at: datetime) -> Step:
    name = "no older app still has it"
    if not clients.are_known:
        return _met(name, "no app on users' devices asks for flags")
    if clients.until is None:
        return _unknown(name, "apps ask for flags: say until when their older releases are supported")
    if clients.until <= at:
        return _met(name, f"older releases were supported until {clients.until:%-d %B %Y}", clients.until)
    return _not_met(name, f"deprecated until {clients.until:%-d %B %Y}", clients.until)
