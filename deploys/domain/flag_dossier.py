"""All that is known of one flag, each piece with its time, so that no rule rests on what nobody looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deploys.domain.flag_code import CodeEvidence
from deploys.domain.flag_rules import LASTING, FlagKind

DAY: Final = timedelta(days=1)
#: How many checks must have been answered alike before that says anything: a share of one per cent would show.
ENOUGH_CHECKS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Usage:
    """How a flag is asked for in one environment (E2, E3), from counters and from errors that carried the key.

    `telemetry_at`: the last single evaluation of any flag there; `watched_since`: since when such evaluations came without
    a day's gap. `checked_at` is the last single check of this flag, `listed_at` the last listing that named it: a listing
    names flags nobody looks at, and hides checks made by whoever asked for it. `only_variant` was the only answer to
    `only_count` checks since `only_since`.
    """

    telemetry_at: datetime | None = None
    watched_since: datetime | None = None
    checked_at: datetime | None = None
    listed_at: datetime | None = None
    only_variant: str | None = None
    only_since: datetime | None = None
    only_count: int = 0

    def is_alive(self, at: datetime) -> bool:
        """Whether any flag was evaluated there in the last 24 hours."""
        return self.telemetry_at is not None and at - self.telemetry_at <= DAY

    def was_checked(self, at: datetime, span: timedelta) -> bool | None:
        """Whether the flag was asked for in the span before an instant; None where nobody can tell."""
        if self.checked_at is not None and at - self.checked_at <= span:
            return True
        return False if self.why_unknown(at, span) == "" else None

    def why_unknown(self, at: datetime, span: timedelta) -> str:
        """Why the absence of checks proves nothing; empty where it does."""
        if self.telemetry_at is None:
            return "no telemetry"
        if not self.is_alive(at):
            return f"no telemetry since {self.telemetry_at:%-d %B %Y}"
        if self.watched_since is None or at - self.watched_since < span:
            return "telemetry is younger than that"
        if self.listed_at is not None and at - self.listed_at <= span:
            return "only listed, never asked for by itself"
        return ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a flag does in one environment (E1), since when, and how it is asked for there.

    `constant` is the variant that everybody gets, if there is one; `is_reached`: somebody gets something other than `off`; `is_complete`: everybody gets what the flag was made to bring. Killed is off.
    """

    environment: str
    is_production: bool
    constant: str | None
    is_reached: bool
    is_complete: bool
    off: str = "off"
    percent: float = 0.0
    since: datetime | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where the clean-up of a flag is asked for: a to-do of our own, or an address in a tracker.

    `is_closed`, since `since`; None: nobody told us. `observed_at`: when the tracker told it, or, where it tells of each change
    by itself (`is_pushed`, by the webhook `told_by`), when it last told anything. Our own to-dos are always known.
    """

    is_closed: bool | None
    observed_at: datetime | None = None
    is_own: bool = False
    is_pushed: bool = False
    since: datetime | None = None
    told_by: str = ""

    def closed_at(self, at: datetime, fresh: timedelta) -> bool | None:
        """Whether it is closed; None where that is not known, or was told too long ago."""
        if self.is_own:
            return self.is_closed
        if self.is_closed is None or self.observed_at is None or at - self.observed_at > fresh:
            return None
        return self.is_closed


@dataclass(frozen=True, slots=True)
class Dossier:
    """A flag as the rules see it. `is_registered` False: a key that is asked for and that no flag has.

    `is_owner_active` None: the owner is nobody we know. `exercised_at`: when a kill switch was last used or rehearsed.
    `rank`: its place among the active temporary flags of the team, oldest first. `kept_until`: somebody postponed it.
    """

    key: str
    kind: FlagKind = FlagKind.RELEASE
    is_registered: bool = True
    created_at: datetime | None = None
    archived_at: datetime | None = None
    expires_at: datetime | None = None
    owner: str = ""
    is_owner_active: bool | None = None
    standings: tuple[Standing, ...] = ()
    code: CodeEvidence = field(default_factory=lambda: CodeEvidence(None, "no repository is scanned"))
    ticket: Ticket | None = None
    dependants: tuple[str, ...] = ()
    incidents_count: int = 0
    exercised_at: datetime | None = None
    rank: int | None = None
    kept_until: datetime | None = None

    @property
    def is_lasting(self) -> bool:
        """Meant to stay, and reviewed instead of removed."""
        return self.kind in LASTING

    @property
    def production(self) -> tuple[Standing, ...]:
        """What it does where users are."""
        return tuple(each for each in self.standings if each.is_production)

    def was_checked(self, at: datetime, span: timedelta, *, only_production: bool = False) -> bool | None:
        """Whether any environment asked for it in the span: one that did is enough, none only where all can tell."""
        places = self.production if only_production else self.standings
        answers = [each.usage.was_checked(at, span) for each in places]
        if True in answers:
            return True
        return None if None in answers or not answers else False

    def why_unknown(self, at: datetime, span: timedelta) -> str:
        """Why nobody can tell whether production asks for it."""
        reasons = [
            f"{each.environment}: {why}" for each in self.production if (why := each.usage.why_unknown(at, span))
        ]
        return "; ".join(reasons) or "no production environment is known"
