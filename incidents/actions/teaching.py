"""What people say of causes becomes samples, and samples become the team's own weights.

The terms of a sample are those of the verdict that stood when somebody first spoke: later evidence, such as how the
incident ended, must not explain afterwards what was not known then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import transaction

from deploys.actions.own_flags import OwnFlag, is_on
from deploys.models import Team, User
from incidents.domain.refit import left_out_loss, mean_loss, refit
from incidents.domain.weights import VERSION, WEIGHTS
from incidents.formats.frozen_terms import thaw
from incidents.models import Cause, CauseSample, Incident, TeamWeights, Verdict
from incidents.queries.teaching import (
    MOST_SAMPLES,
    Learning,
    as_sample,
    last_reset_at,
    newest_weights,
    possible_places,
    samples_of,
    what_was_taught,
    why_not_confirm,
)

LEAST: Final = 10
"""Fewer corrections say more about chance than about the team."""
EVERY: Final = 10
NIGHT: Final = dt.timedelta(hours=20)
_SAME: Final = 1e-6


class NotOffered(ValueError):
    """The model in force may not confirm links by itself; the message says why."""


def set_auto_confirm(*, team: Team, at: float | None) -> None:
    """From which probability the model confirms links by itself; None: never, which is always possible.

    Raises NotOffered while the shipped model is not as good as that takes.
    """
    reason = why_not_confirm() if at is not None else ""
    if reason:
        raise NotOffered(reason)
    Team.objects.filter(pk=team.pk).update(auto_confirm_at=at)


def learn(*, incident: Incident, by: User, now: dt.datetime) -> None:
    """Bring the incident's sample in line with what people now say of its causes. Call it inside a transaction.

    Nothing said any more: no sample. What the model confirmed by itself is never part of one.
    """
    links = list(incident.causes.filter(by=Cause.By.PERSON).select_related("change"))
    named = sorted({_id_of(link) for link in links if link.status == Cause.Status.CONFIRMED and _is_known(link)})
    refused = sorted(
        {_id_of(link) for link in links if link.status == Cause.Status.REJECTED and link.change is not None}
    )
    known = CauseSample.objects.filter(incident=incident).first()
    if not named and not refused:
        if known is not None and known.origin == CauseSample.Origin.PERSON:
            known.delete()
        return
    said = {"named": named, "refused": refused, "spoken_at": now, "by": by, "origin": CauseSample.Origin.PERSON}
    if known is not None and known.origin == CauseSample.Origin.PERSON and _still_fits(known, named, refused):
        CauseSample.objects.filter(pk=known.pk).update(**said)
        return
    verdict = incident.verdicts.select_related("change").order_by("-number").first()
    if verdict is not None:
        _keep(incident, verdict, now, **said)


def learn_reversal(*, incident: Incident, undone: Sequence[str], now: dt.datetime) -> None:
    """The errors stopped as these changes were undone (none: they did not, or not any more). People's words go before.

    The sample's terms are those of the last verdict from while the impact went on, which knew nothing of the reversal.
    """
    known = CauseSample.objects.filter(incident=incident).first()
    if known is not None and known.origin == CauseSample.Origin.PERSON:
        return
    if not undone:
        if known is not None:
            known.delete()
        return
    named = sorted(undone)
    if known is not None and known.named == named:
        return
    rows = incident.verdicts.select_related("change").order_by("-number")
    before = next((row for row in rows if row.inputs.get("restored") is None), None)
    if before is not None:
        _keep(
            incident, before, now, named=named, refused=[], spoken_at=now, by=None, origin=CauseSample.Origin.REVERSAL
        )


def _id_of(link: Cause) -> str:
    return str(link.change.public_id) if link.change is not None else ""


def _is_known(link: Cause) -> bool:
    """A change that was never recorded here is no candidate that anything could be learned of."""
    return link.change is not None or link.kind not in (Cause.Kind.DEPLOY, Cause.Kind.FLAG)


def _still_fits(known: CauseSample, named: Sequence[str], refused: Sequence[str]) -> bool:
    """Was what is now said among the candidates that stood when somebody first spoke?"""
    return bool(known.terms) and bool(possible_places(thaw(known.terms), named, refused))


def _keep(incident: Incident, verdict: Verdict, now: dt.datetime, **said: Any) -> None:  # Any: column values
    terms = getattr(verdict, "terms", None)
    CauseSample.objects.update_or_create(
        incident=incident,
        defaults={
            "team_id": incident.team_id,
            "verdict_number": verdict.number,
            "model_version": verdict.model_version,
            "stated": str(verdict.change.public_id) if verdict.change is not None else "",
            "outcome": verdict.outcome,
            "probability": verdict.probability,
            "terms": bytes(terms.kept) if terms is not None else b"",
            "first_at": now,
            **said,
        },
    )


def refit_due(*, now: dt.datetime, before_each: Callable[[], None] = lambda: None) -> list[TeamWeights]:
    """Refit every team that has taught enough since its last time; the lines that were written."""
    done = []
    for learning in what_was_taught():
        if is_due(learning, now=now):
            before_each()
            team = Team.objects.get(pk=learning.team_id)
            if not is_on(team, OwnFlag.TEACHING, now=now):
                continue
            line = refit_team(team=team, now=now)
            done += [line] if line is not None else []
    return done


def is_due(learning: Learning, *, now: dt.datetime) -> bool:
    """After ten new words, each night with any, and at once where an upgrade has put the team's weights out of force."""
    last = learning.last
    if last is None:
        return learning.new_count >= LEAST
    if last.act == TeamWeights.Act.KEPT and last.base_version != VERSION:
        return True
    return learning.new_count >= EVERY or (learning.new_count > 0 and now - last.made_at >= NIGHT)


def refit_team(*, team: Team, now: dt.datetime) -> TeamWeights | None:
    """Fit the team's weights and keep them where they judge left-out incidents better than the shipped ones.

    None where too little was said, or where the log has moved on meanwhile. The fit is made outside any transaction.
    """
    last = newest_weights(team)
    rows = list(samples_of(team, since=last_reset_at(team))[:MOST_SAMPLES])
    samples = [sample for sample in map(as_sample, rows) if sample is not None]
    if len(samples) < LEAST:
        return None
    fitted = refit(samples, WEIGHTS)
    shipped, left_out = mean_loss(samples, WEIGHTS), left_out_loss(samples, WEIGHTS)
    is_better = left_out < shipped
    own = {name: round(w, 6) for name, w in sorted(fitted.items()) if abs(w - WEIGHTS[name]) > _SAME}
    return _log(
        team, last, act=TeamWeights.Act.KEPT if is_better else TeamWeights.Act.DROPPED, made_at=now,
        weights=own if is_better else {}, samples_count=len(samples), shipped_loss=shipped, left_out_loss=left_out,
        learned_until=max(row.spoken_at for row in rows),
    )  # fmt: skip


def reset_weights(*, team: Team, by: User, now: dt.datetime) -> TeamWeights | None:
    """Back to the shipped weights; what was said until now is learned from no more. None where they are in force already
    and nothing would be forgotten.
    """
    last = newest_weights(team)
    if last is None and not samples_of(team).exists():
        return None
    if last is not None and last.act == TeamWeights.Act.RESET and not samples_of(team, since=last.made_at).exists():
        return None
    return _log(team, last, act=TeamWeights.Act.RESET, made_at=now, by=by)


@transaction.atomic
def _log(team: Team, last: TeamWeights | None, **said: Any) -> TeamWeights | None:  # Any: column values
    """The next line of the team's log, unless somebody else has written one since `last`."""
    Team.objects.select_for_update().get(pk=team.pk)
    current = newest_weights(team)
    if (current.pk if current else None) != (last.pk if last else None):
        return None
    number = (last.number if last else 0) + 1
    return TeamWeights.objects.create(team=team, number=number, base_version=VERSION, **said)
