"""What an incident's cause links say: which of them hold, whose the incident is, and how its downtime divides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from reliability.domain.history import Cause, Incident

ChangeStarts = Mapping[tuple[str, str], datetime]


class Share(StrEnum):
    """The five parts into which downtime is divided."""

    OWN_CHANGE = "own_change"
    EXTERNAL = "external"
    INFRASTRUCTURE = "infrastructure"
    CAPACITY = "capacity"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Whose incident it is."""

    OWN_CHANGE = "own_change"
    OTHER = "other"
    UNKNOWN = "unknown"


SHARE_OF_KIND = {
    "deploy": Share.OWN_CHANGE,
    "flag": Share.OWN_CHANGE,
    "external": Share.EXTERNAL,
    "infrastructure": Share.INFRASTRUCTURE,
    "capacity": Share.CAPACITY,
}


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """An incident with the links that hold. is_counting: it can make a change a failed one."""

    incident: Incident
    confirmed: tuple[Cause, ...]
    suggested: tuple[Cause, ...]
    ignored: tuple[Cause, ...]
    origin: Origin
    is_counting: bool

    @property
    def shares(self) -> dict[Share, Fraction]:
        """The parts of its downtime; worked out when asked for, as few incidents of a long time have any in a window."""
        return shares(self.confirmed)


def is_possible(cause: Cause, incident: Incident, change_starts: ChangeStarts) -> bool:
    """A cause cannot come after its effect; a change whose start nobody knows may be one."""
    if cause.id is None:
        return True
    starts_at = change_starts.get((cause.kind, cause.id))
    return starts_at is None or starts_at <= incident.begin_at


def judged(incident: Incident, change_starts: ChangeStarts, failure_classes: tuple[str, ...]) -> JudgedIncident:
    """The incident with its links weighed. Rejected links are dropped, impossible ones are kept as ignored."""
    links = [cause for cause in incident.causes if cause.status != "rejected"]
    held = [cause for cause in links if is_possible(cause, incident, change_starts)]
    confirmed = tuple(cause for cause in held if cause.status == "confirmed")
    return JudgedIncident(
        incident=incident,
        confirmed=confirmed,
        suggested=tuple(cause for cause in held if cause.status == "suggested"),
        ignored=tuple(cause for cause in links if cause not in held),
        origin=origin(confirmed),
        is_counting=incident.impact_class in failure_classes or bool(incident.remedies),
    )


def origin(confirmed: tuple[Cause, ...]) -> Origin:
    """own_change if a change of ours is among the confirmed causes, other if something else known is."""
    kinds = {SHARE_OF_KIND.get(cause.kind, Share.UNKNOWN) for cause in confirmed}
    if Share.OWN_CHANGE in kinds:
        return Origin.OWN_CHANGE
    return Origin.OTHER if kinds - {Share.UNKNOWN} else Origin.UNKNOWN


def shares(confirmed: tuple[Cause, ...]) -> dict[Share, Fraction]:
    """Parts that sum to exactly 1.

    Stated weights stay, scaled to 1 where they exceed it; causes without weight share equally what is left; what
    nobody claims is unknown.
    """
    stated = sum((cause.weight for cause in confirmed if cause.weight is not None), Fraction(0))
    scale = 1 / stated if stated > 1 else Fraction(1)
    left = max(Fraction(0), 1 - stated)
    silent = sum(cause.weight is None for cause in confirmed)
    parts = dict.fromkeys(Share, Fraction(0))
    for cause in confirmed:
        part = left / silent if cause.weight is None else cause.weight * scale
        parts[SHARE_OF_KIND.get(cause.kind, Share.UNKNOWN)] += part
    parts[Share.UNKNOWN] += 1 - sum(parts.values())
    return parts
