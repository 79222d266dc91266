"""The suspects of an incident as the page draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deploys.domain.wording import duration, factor, probability
from deploys.models import Change, RegisteredFlag
from incidents.models import Candidate, Cause, Incident, Verdict
from incidents.queries.incident_detail import IncidentDetail
from incidents.views.naming import OTHER_CAUSES, named_change

#: Beyond these a factor says no more than "very much".
_MOST_LOG = 20.0
#: Terms too small to show may add up to this much.
_UNEXPLAINED_LOG = 0.3
MOST_CHIPS = 4


@dataclass(frozen=True, slots=True)
class DrawnEvidence:
    """One reason: how many times likelier it makes the suspect, and why."""

    factor: float
    text: str


@dataclass(frozen=True, slots=True)
class DrawnSuspect:
    """One candidate, as `ui/suspect.html` wants it. `public_id` is empty for "no change did this".

    `turns_off` is the variant that everybody would get if the flag were turned off; empty where it cannot be.
    """

    odds: float | None
    sign: str
    kind: str
    name: str
    url: str
    about: str
    evidence: Sequence[DrawnEvidence]
    public_id: str
    verdict: str
    is_late: bool
    turns_off: str = ""


@dataclass(frozen=True, slots=True)
class DrawnCause:
    """A link somebody made: confirmed or rejected, and by whom."""

    pk: int
    status: str
    sign: str
    kind: str
    name: str
    url: str
    said: str
    about: str
    is_change: bool
    public_id: str = ""
    turns_off: str = ""


@dataclass(frozen=True, slots=True)
class SuspectsCard:
    """The card "why": what is decided first, then who is suspected."""

    heading: str
    confirmed: Sequence[DrawnCause]
    rejected: Sequence[DrawnCause]
    suspects: Sequence[DrawnSuspect]
    verdict: Verdict | None
    sums: Sequence[str]
    missing: Sequence[str]

    @property
    def sum_rows(self) -> list[tuple[str, float | None, str]]:
        """Who, with which odds, by which product."""
        return [(each.name, each.odds, line) for each, line in zip(self.suspects, self.sums, strict=False)]

    @property
    def is_decided(self) -> bool:
        """Whether something was confirmed."""
        return bool(self.confirmed)


def suspects_card(
    detail: IncidentDetail, team_slug: str, said_by: dict[str, str], flags: Mapping[int, RegisteredFlag] | None = None
) -> SuspectsCard:
    """What the card shows. `said_by` names the person behind a link, by its `cause_key`. No query.

    `flags`: by change, those that could be turned off now.
    """
    on = {pk: flag.off_variant for pk, flag in (flags or {}).items()}
    rejected = [cause for cause in detail.causes if cause.status == Cause.Status.REJECTED]
    confirmed = [cause for cause in detail.causes if cause.status == Cause.Status.CONFIRMED]
    suspects = [
        replace(
            drawn_suspect(each, detail, team_slug, most=None if place == 0 else MOST_CHIPS),
            turns_off=on.get(each.change_id or 0, ""),
        )
        for place, each in enumerate(detail.candidates)
    ]
    if detail.verdict is not None and not any(each.change_id is None for each in detail.candidates):
        suspects.append(_no_change())
    return SuspectsCard(
        heading=_heading(detail, confirmed),
        confirmed=[
            replace(
                _drawn_cause(cause, detail.incident, team_slug, said_by), turns_off=on.get(cause.change_id or 0, "")
            )
            for cause in confirmed
        ],
        rejected=[_drawn_cause(cause, detail.incident, team_slug, said_by) for cause in rejected],
        suspects=suspects,
        verdict=detail.verdict,
        sums=sums(detail.candidates),
        missing=missing_words(detail.verdict),
    )


def cause_key(change_id: int | None, kind: str) -> str:
    """What tells the links of one incident apart: the change, else the kind of cause."""
    return str(change_id) if change_id else kind


def _heading(detail: IncidentDetail, confirmed: Sequence[Cause]) -> str:
    if confirmed:
        return "What caused it"
    if detail.verdict is None:
        return "What caused it?"
    change = detail.verdict.change
    if detail.verdict.outcome == Verdict.Outcome.UNDECIDED:
        return "Which change did this, if any?"
    if change is None:
        return "Probably no change did this"
    return "Why this deploy?" if change.kind == Change.Kind.DEPLOY else "Why this flag change?"


def _status_of(change: Change | None, causes: Sequence[Cause]) -> str:
    return next((cause.status for cause in causes if change is not None and cause.change_id == change.pk), "")


def drawn_suspect(
    candidate: Candidate, detail: IncidentDetail, team_slug: str, *, most: int | None = None
) -> DrawnSuspect:
    """One candidate with its `most` heaviest reasons (None: all); those for it first."""
    heaviest = sorted(candidate.evidence.all(), key=lambda line: -abs(line.log_ratio))[:most]
    evidence = [
        DrawnEvidence(factor=math.exp(max(-_MOST_LOG, min(_MOST_LOG, line.log_ratio))), text=line.sentence)
        for line in sorted(heaviest, key=lambda line: -line.log_ratio)
    ]
    if candidate.change is None:
        return DrawnSuspect(
            odds=candidate.probability, sign="", kind="", name="No change did this", url="", about="",
            evidence=evidence, public_id="", verdict="", is_late=False,
        )  # fmt: skip
    change = candidate.change
    named = named_change(change, team_slug)
    return DrawnSuspect(
        odds=candidate.probability,
        sign=named.sign,
        kind=named.kind,
        name=named.name,
        url=named.url,
        about=about_change(change, detail.incident) + _linked_by(change, detail.causes),
        evidence=evidence,
        public_id=str(change.public_id),
        verdict=_status_of(change, detail.causes),
        is_late=change.at > detail.incident.begins_at,
    )


def _linked_by(change: Change, causes: Sequence[Cause]) -> str:
    """Whose suggestion it is."""
    is_suggested = any(link.change_id == change.pk and link.status == Cause.Status.SUGGESTED for link in causes)
    return " Linked by the model; a person has the last word." if is_suggested else ""


def _no_change() -> DrawnSuspect:
    return DrawnSuspect(
        odds=None, sign="", kind="", name="No change did this", url="", about="", evidence=(), public_id="", verdict="",
        is_late=False,
    )  # fmt: skip


def about_change(change: Change, incident: Incident) -> str:
    """When it began, told from the incident, and what it replaced or changed."""
    distance = incident.begins_at - change.at
    if distance.total_seconds() >= 0:
        when = f"began {duration(distance)} before the impact"
    else:
        when = f"began {duration(-distance)} after the impact"
    if change.kind == Change.Kind.FLAG:
        return f"Changed {when.removeprefix('began ')}."
    deploy = change.deploy
    if deploy.finished_at is not None:
        return f"It {when} and took {duration(deploy.finished_at - deploy.started_at)}."
    return f"It {when} and is still running."


def _drawn_cause(cause: Cause, incident: Incident, team_slug: str, said_by: dict[str, str]) -> DrawnCause:
    who = "the model" if cause.by == Cause.By.MODEL else said_by.get(cause_key(cause.change_id, cause.kind), "a person")
    odds = f", {probability(cause.probability)} likely by the model before" if cause.probability is not None else ""
    said = f"{cause.status} by {who}{odds}"
    if cause.change is None:
        name = OTHER_CAUSES.get(cause.kind) or f"{cause.external_id}, which was never recorded here"
        kind = "" if cause.kind in OTHER_CAUSES else cause.kind.capitalize()
        return DrawnCause(
            pk=cause.pk,
            status=cause.status,
            sign="",
            kind=kind,
            name=name,
            url="",
            said=said,
            about="",
            is_change=False,
        )
    named = named_change(cause.change, team_slug)
    about = about_change(cause.change, incident)
    return DrawnCause(
        pk=cause.pk, status=cause.status, sign=named.sign, kind=named.kind, name=named.name, url=named.url, said=said,
        about=about, is_change=True, public_id=str(cause.change.public_id),
    )  # fmt: skip


def sums(candidates: Sequence[Candidate]) -> list[str]:
    """How the odds came about, a line for each candidate: the product of its factors and what it comes to.

    Empty where the factors that are kept do not explain the odds, so that no line says what is not so.
    """
    logs = [sum(line.log_ratio for line in each.evidence.all()) for each in candidates]
    if len(candidates) < 2 or any(each.probability <= 0 for each in candidates):
        return []
    for each, log in zip(candidates, logs, strict=True):
        if abs((logs[0] - log) - math.log(candidates[0].probability / each.probability)) > _UNEXPLAINED_LOG:
            return []
    return [
        f"{_product(each)} = {factor(math.exp(log)).removeprefix('×')}"
        for each, log in zip(candidates, logs, strict=True)
    ]


def _product(candidate: Candidate) -> str:
    """The factors of a candidate, strongest first: `12 × 7.9 × 0.3`."""
    ratios = sorted((line.log_ratio for line in candidate.evidence.all()), reverse=True)
    return " × ".join(factor(math.exp(ratio)).removeprefix("×") for ratio in ratios) or "1"


def missing_words(verdict: Verdict | None) -> list[str]:
    """What would sharpen the verdict, as its maker says it."""
    if verdict is None:
        return []
    return [each if isinstance(each, str) else str(each.get("text", "")) for each in verdict.missing]
