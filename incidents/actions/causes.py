"""What caused an incident and what ended it, as people say. A person's word replaces the model's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from deploys.models import Change, User
from incidents.actions.clocks import set_clock
from incidents.actions.teaching import learn
from incidents.actions.telling import Line, locked, payload_of, tell
from incidents.domain.clocks import Clock
from incidents.domain.incident_record import CHANGE_KINDS
from incidents.models import AT_ONCE, Cause, Incident, TimelineEntry
from incidents.queries.references import changes_referred

Claims = list[dict[str, Any]]  # Any: JSON
OTHER_KINDS = tuple(kind for kind in Cause.Kind.values if kind not in CHANGE_KINDS)


class CauseRefused(ValueError):
    """A cause that cannot be; the message says why."""


class CauseAfterEffect(CauseRefused):
    """The change began after the impact did. One of the two clocks is wrong, or it was not the cause: a person decides."""

    def __init__(self, *, change: Change, changed_at: dt.datetime, began_at: dt.datetime) -> None:
        super().__init__("This change began after the impact did, so it cannot have caused it.")
        self.change = change
        self.changed_at = changed_at
        self.began_at = began_at


@transaction.atomic
def confirm_cause(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """This change did it. Suggestions of the model for other changes go, confirmed causes stay beside it.

    Raises CauseAfterEffect, and CauseRefused for a change of another team.
    """
    incident = locked(incident)
    _check(incident, change)
    claims = _with(_claims(incident, change), change, "confirmed")
    claims = [claim for claim in claims if claim["kind"] != Cause.Kind.UNKNOWN and not _is_models_suggestion(claim)]
    return _tell_causes(incident, claims, change, "confirmed", by, now)


@transaction.atomic
def reject_cause(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """Not this one: kept as rejected, so that it is not proposed again."""
    incident = locked(incident)
    _check_team(incident, change)
    # Due at once: the others are weighed again without it.
    Incident.objects.filter(pk=incident.pk).update(due_at=AT_ONCE)
    return _tell_causes(incident, _with(_claims(incident, change), change, "rejected"), change, "rejected", by, now)


@transaction.atomic
def reassign_cause(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """Another change did it: every change named before becomes rejected. Raises as `confirm_cause`."""
    incident = locked(incident)
    _check(incident, change)
    claims = _rejected(_claims(incident, change))
    return _tell_causes(incident, _with(claims, change, "confirmed"), change, "confirmed", by, now)


@transaction.atomic
def blame_no_change(*, incident: Incident, kind: str, by: User, now: dt.datetime, note: str = "") -> Incident:
    """No change did this; `kind` says what did (external, infrastructure, capacity, unknown). Raises CauseRefused."""
    incident = locked(incident)
    if kind not in OTHER_KINDS:
        raise CauseRefused(f"Expected one of {', '.join(OTHER_KINDS)}.")
    suspects = _suspected(incident)
    claims = _rejected([*_plain(payload_of(incident)), *suspects])
    claims.append({"kind": kind, "status": "confirmed", "by": "person"})
    line = Line(kind=TimelineEntry.Kind.CAUSE, text=note.strip(), data={"cause": kind, "status": "confirmed"})
    return _taught(tell(incident=incident, payload={"causes": claims}, by=by, now=now, lines=[line]), by, now)


@transaction.atomic
def withdraw_cause(*, incident: Incident, cause: Cause, by: User, now: dt.datetime) -> Incident:
    """Takes a link back, as if nobody had said anything about it."""
    incident = locked(incident)
    rows = list(incident.causes.order_by("id"))
    claims = [claim for row, claim in zip(rows, _plain(payload_of(incident)), strict=True) if row.pk != cause.pk]
    data = {"cause": cause.kind, "status": "withdrawn"}
    line = Line(kind=TimelineEntry.Kind.CAUSE, change=cause.change, data=data)
    return _taught(tell(incident=incident, payload={"causes": claims}, by=by, now=now, lines=[line]), by, now)


@transaction.atomic
def note_remedy(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """This change was made to end it; whether it did is for others to say.

    Raises CauseRefused for a change of another team or one before the start.
    """
    incident = locked(incident)
    _check_team(incident, change)
    if change.at < incident.begins_at:
        raise CauseRefused("This change began before the impact did, so it cannot have ended it.")
    remedies = [dict(each) for each in payload_of(incident).get("remedies") or []]
    if incident.remedies.filter(change=change).exists():
        return incident
    remedies.append({"kind": change.kind, "id": str(change.public_id)})
    line = Line(kind=TimelineEntry.Kind.CAUSE, change=change, data={"cause": change.kind, "status": "remedy"})
    return tell(incident=incident, payload={"remedies": remedies}, by=by, now=now, lines=[line])


@transaction.atomic
def add_remedy(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """This change ended it: an incident that is open is restored since the change was live, if it is. Raises as above."""
    incident = locked(incident)
    if incident.remedies.filter(change=change).exists():
        _check_team(incident, change)
        return incident
    incident = note_remedy(incident=incident, change=change, by=by, now=now)
    live_at = _live_at(change)
    if incident.restored_at is not None or live_at is None:
        return incident
    ended_at = max(live_at, incident.mitigated_at or live_at, incident.detected_at or live_at)
    return set_clock(incident=incident, clock=Clock.RESTORED, at=min(ended_at, now), by=by, now=now)


def _live_at(change: Change) -> dt.datetime | None:
    """Since when the change holds; None for a deploy that has not got there."""
    if change.kind == Change.Kind.FLAG:
        return change.at
    return change.deploy.finished_at if change.deploy.status == "success" else None


@transaction.atomic
def remove_remedy(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """This change did not end it after all."""
    incident = locked(incident)
    rows = list(incident.remedies.order_by("id"))
    told = [dict(each) for each in payload_of(incident).get("remedies") or []]
    kept = [each for row, each in zip(rows, told, strict=True) if row.change_id != change.pk]
    line = Line(kind=TimelineEntry.Kind.CAUSE, change=change, data={"cause": change.kind, "status": "no remedy"})
    return tell(incident=incident, payload={"remedies": kept}, by=by, now=now, lines=[line])


def _check_team(incident: Incident, change: Change) -> None:
    if change.team_id != incident.team_id:
        raise CauseRefused("Choose a change of this team.")


def _check(incident: Incident, change: Change) -> None:
    _check_team(incident, change)
    if change.at > incident.begins_at:
        raise CauseAfterEffect(change=change, changed_at=change.at, began_at=incident.begins_at)


def _plain(payload: Mapping[str, Any]) -> Claims:  # Any: JSON
    return [dict(each) for each in payload.get("causes") or []]


def _claims(incident: Incident, change: Change) -> Claims:
    """The causes as told, with whatever names `change` first renamed to its public id."""
    claims = _plain(payload_of(incident))
    references = [(str(each["kind"]), str(each.get("id") or "")) for each in claims]
    found = changes_referred(team=incident.team, references=[each for each in references if each[0] in CHANGE_KINDS])
    for claim, reference in zip(claims, references, strict=True):
        if found.get(reference) == change.pk:
            claim["id"] = str(change.public_id)
    return claims


def _is_models_suggestion(claim: Mapping[str, Any]) -> bool:  # Any: JSON
    return claim.get("status") == "suggested" and claim.get("by") == "model"


def _with(claims: Sequence[Mapping[str, Any]], change: Change, status: str) -> Claims:
    """The claims with this change's own set to `status` by a person; everything else it said of it stays."""
    own = {"kind": change.kind, "id": str(change.public_id)}
    kept: Claims = []
    for claim in claims:
        if {"kind": claim["kind"], "id": claim.get("id")} == own:
            own = {**claim, **own}
        else:
            kept.append(dict(claim))
    return [*kept, {**own, "status": status, "by": "person"}]


def _rejected(claims: Sequence[Mapping[str, Any]]) -> Claims:
    """The claims with every change rejected by a person, and other confirmed causes gone."""
    return [{**claim, "status": "rejected", "by": "person"} for claim in claims if claim["kind"] in CHANGE_KINDS]


def _suspected(incident: Incident) -> Claims:
    """The change the latest verdict names, where no link says so yet: a no to it must be remembered as well."""
    verdict = incident.verdicts.select_related("change").order_by("-number").first()
    if verdict is None or verdict.change is None or incident.causes.filter(change=verdict.change).exists():
        return []
    return [{"kind": verdict.change.kind, "id": str(verdict.change.public_id), "probability": verdict.probability}]


def _tell_causes(
    incident: Incident, claims: Claims, change: Change, status: str, by: User, now: dt.datetime
) -> Incident:
    line = Line(kind=TimelineEntry.Kind.CAUSE, change=change, data={"cause": change.kind, "status": status})
    return _taught(tell(incident=incident, payload={"causes": claims}, by=by, now=now, lines=[line]), by, now)


def _taught(incident: Incident, by: User, now: dt.datetime) -> Incident:
    """What was said is also a sample to learn from."""
    learn(incident=incident, by=by, now=now)
    return incident
