"""What there is to tell of an incident, read from its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploys.models import Change
from incidents.models import Cause, Incident, Verdict
from reliability.domain.incident_news import Standing
from reliability.domain.notice_words import Named, Story

_LOADED = ("change__deploy__release", "change__deploy__artifact", "change__service", "change__flag_change__flag")
_OTHER = {"external": "something outside", "infrastructure": "infrastructure", "capacity": "capacity"}


@dataclass(frozen=True, slots=True)
class KnownCause:
    """What is said to have caused an incident, likely or confirmed. `key` tells it from others."""

    key: str
    named: Named
    change: Change | None = None


def known_cause(incident: Incident) -> KnownCause | None:
    """What was confirmed; else what the verdict in force holds likely, which may be that no change did it. Two queries."""
    links = incident.causes.filter(status=Cause.Status.CONFIRMED).exclude(kind=Cause.Kind.UNKNOWN)
    link = links.select_related(*_LOADED).order_by("id").first()
    if link is not None:
        odds = link.probability if link.by == Cause.By.MODEL else None
        if link.change is not None:
            return _of_change(link.change, "confirmed", odds)
        words = _OTHER.get(link.kind) or f"{link.kind} {link.external_id}".strip()
        return KnownCause(f"{link.kind}:{link.external_id}", Named(words, "other", "confirmed", odds))
    verdict = incident.verdicts.select_related(*_LOADED).order_by("-number").first()
    if verdict is None or verdict.outcome != Verdict.Outcome.LIKELY or "causes" in incident.person_keys:
        return None
    if verdict.change is None:
        return KnownCause("none", Named("no change did this", "other", "likely", verdict.probability))
    return _of_change(verdict.change, "likely", verdict.probability)


def _of_change(change: Change, said: str, odds: float | None) -> KnownCause:
    return KnownCause(f"change:{change.public_id}", Named(change_words(change), change.kind, said, odds), change)


def change_words(change: Change) -> str:
    """A change as a notice names it; reads loaded rows."""
    if change.kind == Change.Kind.FLAG:
        flip = change.flag_change
        old = "" if flip.old_percent is None else f"{flip.old_percent:g} to "
        return f"flag {flip.flag.key}, {old}{flip.new_percent:g} %"
    deploy = change.deploy
    version = deploy.release.version if deploy.release else deploy.external_id
    kind = deploy.kind_listed or deploy.kind_stated
    return " ".join(
        word
        for word in (
            kind if kind in {"hotfix", "rollback"} else "deploy",
            change.service.name if change.service else "",
            version,
        )
        if word
    )


def standing_of(incident: Incident, cause: KnownCause | None) -> Standing:
    """The incident as the news compare it."""
    return Standing(
        impact_class=incident.impact_class, restored_at=incident.restored_at, is_dismissed=incident.is_dismissed,
        is_duplicate=incident.duplicate_of_id is not None, cause=cause.key[:300] if cause is not None else "",
    )  # fmt: skip


def story_of(incident: Incident, cause: KnownCause | None, *, now: datetime) -> Story:
    """The incident as notices tell it. The lead and the incident it repeats must be loaded. One query."""
    services = incident.incident_services.order_by("position", "id").values_list("service__name", flat=True)
    return Story(
        slug=incident.slug, title=incident.title, impact_class=incident.impact_class, services=list(services),
        users=incident.users_count, begins_at=incident.begins_at, now=now, restored_at=incident.restored_at,
        acknowledged_by=incident.lead.name if incident.lead is not None and incident.acknowledged_at else "",
        is_acknowledged=incident.acknowledged_at is not None, lost_ratio=incident.degradation,
        cause=cause.named if cause is not None else None,
        merged_into=incident.duplicate_of.slug if incident.duplicate_of is not None else "",
    )  # fmt: skip
