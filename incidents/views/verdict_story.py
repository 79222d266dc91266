"""How a verdict came to be what it is: those before it, and the proof where the change was undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from deploys.domain.instants import optional_instant
from deploys.models import Change
from incidents.domain.reversal import reversal_words
from incidents.models import Cause, Verdict
from incidents.queries.incident_detail import IncidentDetail
from incidents.views.naming import named_change

_BECAUSE = {
    "opened": "the incident opened",
    "grew": "it grew",
    "restored": "it ended",
    "reopened": "it came back",
    "moved": "it began at another time than thought",
    "due": "something was reported, or time had passed",
    "declared": "its errors were looked at",
    "accepted": "it was accepted",
}


@dataclass(frozen=True, slots=True)
class DrawnVerdict:
    """A verdict as one line; `named` is a change or "no change"."""

    number: int
    at: dt.datetime
    because: str
    sign: str
    named: str
    outcome: str
    probability: float
    model: str


@dataclass(frozen=True, slots=True)
class DrawnProof:
    """The errors stopped as the change was undone; `name` and `url` of what undid it, empty where nothing else did.

    `change_id`: the public id of what undid it, empty where nothing else did or it is not known.
    """

    words: str
    at: dt.datetime | None
    sign: str
    name: str
    url: str
    change_id: str = ""


def verdict_story(verdicts: Sequence[Verdict], team_slug: str) -> list[DrawnVerdict]:
    """The verdicts in the order given. No query."""
    return [_drawn(verdict, team_slug) for verdict in verdicts]


def _drawn(verdict: Verdict, team_slug: str) -> DrawnVerdict:
    named = named_change(verdict.change, team_slug) if verdict.change is not None else None
    return DrawnVerdict(
        number=verdict.number,
        at=verdict.computed_at,
        because=_BECAUSE.get(verdict.trigger, verdict.trigger),
        sign=named.sign if named else "",
        named=f"{named.kind} {named.name}" if named else "no change",
        outcome=verdict.outcome,
        probability=verdict.probability,
        model=model_words(verdict.model_version),
    )


def model_words(version: str) -> str:
    """`2026-11-21.3`, or `2026-11-21.3 with own weights 4`."""
    base, _, own = version.partition("+team.")
    return f"{base} with own weights {own}" if own else base


def proof_of(detail: IncidentDetail, team_slug: str) -> DrawnProof | None:
    """The proof of the verdict in force, unless a person rejected the change it is about. No query."""
    verdict = detail.verdict
    if verdict is None or not verdict.reversal:
        return None
    refused = {cause.change_id for cause in detail.causes if cause.status == Cause.Status.REJECTED}
    if verdict.change_id in refused:
        return None
    undoing_change = _known(detail, str(verdict.reversal.get("by", "")))
    is_own = undoing_change is not None and undoing_change.pk == verdict.change_id
    named = named_change(undoing_change, team_slug) if undoing_change is not None and not is_own else None
    return DrawnProof(
        words=reversal_words(verdict.reversal),
        at=optional_instant(verdict.reversal.get("at")),
        sign=named.sign if named else "",
        name=f"{named.kind} {named.name}" if named else "",
        url=named.url if named else "",
        change_id=str(undoing_change.public_id) if undoing_change is not None and not is_own else "",
    )


def _known(detail: IncidentDetail, public_id: str) -> Change | None:
    """The change among those the page has loaded."""
    linked = [each.change for each in detail.remedies if each.change is not None]
    return next((each for each in (*detail.nearby, *linked) if str(each.public_id) == public_id), None)


def undoing(detail: IncidentDetail) -> tuple[dt.datetime, str] | None:
    """When the change was undone, and how, for the chart."""
    told = detail.verdict.reversal if detail.verdict else None
    at = optional_instant(told.get("at")) if told else None
    return (at, str(told.get("how", "undone"))) if told and at is not None else None
