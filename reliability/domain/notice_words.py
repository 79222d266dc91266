"""How an incident is told in two lines: what is broken, for whom and since when; because of what, and what to do.

The texts hold what senders and people wrote. They are plain text: whoever puts them into mail, Slack or a page escapes
them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from deploys.domain.wording import counted, duration, listed, percent, probability
from reliability.domain.incident_news import What

LONGEST_TITLE = 140
NOUNS = {"downtime": "downtime", "multi_user": "multi-user", "single_user": "single-user", "impactless": "impactless"}


@dataclass(frozen=True, slots=True)
class Named:
    """What is said to have done it, in words: `deploy shop 1.4.0`, `capacity`. `kind`: deploy, flag or other.

    `odds` is the model's probability, None where a person said so.
    """

    words: str
    kind: str
    said: str
    odds: float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What is to be told of an incident, as it stands at `now`."""

    slug: str
    title: str
    impact_class: str
    services: Sequence[str]
    users: int
    begins_at: datetime
    now: datetime
    restored_at: datetime | None = None
    acknowledged_by: str = ""
    is_acknowledged: bool = False
    lost_ratio: float | None = None
    cause: Named | None = None
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in words: a subject of one line, and the two lines."""

    subject: str
    broken: str
    cause: str


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """The text in one line: what is not printable and what reverses the direction of text becomes a space."""
    flat = "".join(letter if letter.isprintable() else " " for letter in text)
    flat = " ".join(flat.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def words_of(what: What, story: Story, zone: ZoneInfo) -> Words:
    """The notice of this news. Times are on the clock of `zone`."""
    return Words(_subject(what, story), _broken(story, zone), f"{_because(story)} {_to_do(what, story)}")


def _services(story: Story) -> str:
    return one_line(listed([one_line(name, 60) for name in story.services])) or "no service named"


def _lasted(story: Story) -> str:
    return duration(max((story.restored_at or story.now) - story.begins_at, story.now - story.now))


def _subject(what: What, story: Story) -> str:
    noun, services, title = NOUNS[story.impact_class], _services(story), one_line(story.title, 90)
    match what:
        case What.OPENED:
            return f"{story.slug} {noun}: {services}" + (f" – {title}" if title else "")
        case What.REOPENED:
            return f"{story.slug} is back, {noun}: {services}"
        case What.WORSENED:
            return f"{story.slug} is {noun} now: {services}"
        case What.CAUSE:
            return (
                f"{story.slug} {story.cause.said}: {one_line(story.cause.words, 90)}"
                if story.cause
                else f"{story.slug}: {services}"
            )
        case What.RESTORED:
            return f"{story.slug} restored after {_lasted(story)}: {services}"
        case What.WITHDRAWN:
            return f"{story.slug} was a false alarm: {services}"
        case _:  # merged
            return f"{story.slug} repeats {story.merged_into or 'another incident'}: {services}"


def _for_whom(story: Story) -> str:
    lost = f", {percent(story.lost_ratio, 0)} of it lost" if story.lost_ratio is not None else ""
    match story.impact_class:
        case "downtime":
            return f"down for all users{lost}" if story.lost_ratio is None else f"down in part{lost}"
        case "impactless":
            return f"broken, no user hit{lost}"
        case "single_user":
            return f"broken for one user{lost}"
        case _:
            return f"broken for {counted(story.users, 'user') if story.users else 'several users'}{lost}"


def _broken(story: Story, zone: ZoneInfo) -> str:
    since = story.begins_at.astimezone(zone)
    day = "" if since.date() == story.now.astimezone(zone).date() else f"{since.day} {since:%b} "
    at = f"{day}{since:%H:%M %Z}"
    title = one_line(story.title)
    told = f" {title}" if title else ""
    whom = _for_whom(story)
    if story.restored_at is not None:
        return f"{_services(story)}: was {whom}, from {at} for {_lasted(story)}.{told}"
    return f"{_services(story)}: {whom}, since {at} ({_lasted(story)}).{told}"


def _because(story: Story) -> str:
    if story.cause is None:
        return "Cause not known yet."
    odds = f" ({probability(story.cause.odds)})" if story.cause.odds is not None else ""
    return f"{story.cause.said.capitalize()}: {one_line(story.cause.words)}{odds}."


def _to_do(what: What, story: Story) -> str:
    if what is What.WITHDRAWN:
        return "Nothing to do: it counts nowhere."
    if what is What.MERGED:
        return f"Follow {story.merged_into or 'that one'} instead."
    if story.restored_at is not None:
        return "Check that it is over, and say what caused it." if story.cause is None else "Check that it is over."
    act = {
        "deploy": "Roll it back, or say that it was not this.",
        "flag": "Turn the flag off, or say that it was not this.",
    }
    kind = story.cause.kind if story.cause is not None else ""
    first = act.get(kind, "Look at the suspects." if not kind else "Follow it up where it came from.")
    if story.acknowledged_by:
        return f"{one_line(story.acknowledged_by, 60)} is on it. {first}"
    return first if story.is_acknowledged else f"Nobody is on it yet: acknowledge. {first}"
