"""The weights that a team's verdicts are made with, and what its people have taught."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Max, Q, QuerySet

from deploys.models import Team
from incidents.domain.refit import Sample
from incidents.domain.weights import MAY_CONFIRM, VERSION, WEIGHTS
from incidents.formats.frozen_terms import FrozenCandidate, thaw
from incidents.models import Cause, CauseSample, TeamWeights

MOST_SAMPLES: Final = 200
"""The newest of a team that are learned from: a team changes, and leaving each out once must stay affordable."""
_COUNTED = Q(incident__is_dismissed=False, incident__duplicate_of=None)


@dataclass(frozen=True, slots=True)
class Model:
    """Weights in force with the name of their version; `team_number` is that of the team's own, None for the shipped."""

    weights: Mapping[str, float]
    version: str
    team_number: int | None = None


SHIPPED: Final = Model(WEIGHTS, VERSION)


def model_of(team: Team) -> Model:
    """The model that weighs this team's incidents. One query.

    A team's weights replace those of the shipped version they were fitted towards, and hold for that version only: after
    an upgrade the new shipped ones weigh until the next refit.
    """
    last = newest_weights(team)
    if last is None or last.act != TeamWeights.Act.KEPT or last.base_version != VERSION:
        return SHIPPED
    own = {name: float(value) for name, value in last.weights.items() if name in WEIGHTS}
    return Model({**WEIGHTS, **own}, f"{VERSION}+team.{last.number}", last.number)


def newest_weights(team: Team) -> TeamWeights | None:
    """The last line of the team's log of weights. One query."""
    return TeamWeights.objects.filter(team=team).order_by("-number").first()


def weights_log(team: Team, *, most: int = 50) -> list[TeamWeights]:
    """The team's log of weights, newest first. One query."""
    return list(TeamWeights.objects.filter(team=team).select_related("by").order_by("-number")[:most])


def samples_of(team: Team, *, since: dt.datetime | None = None) -> QuerySet[CauseSample]:
    """Samples of the team's incidents that count, changed after `since`, newest first."""
    rows = CauseSample.objects.filter(_COUNTED, team=team)
    if since is not None:
        rows = rows.filter(spoken_at__gt=since)
    return rows.order_by("-spoken_at", "-pk")


def last_reset_at(team: Team) -> dt.datetime | None:
    """When a person last went back to the shipped weights. One query."""
    rows = TeamWeights.objects.filter(team=team, act=TeamWeights.Act.RESET)
    return rows.order_by("-number").values_list("made_at", flat=True).first()


def as_sample(row: CauseSample) -> Sample | None:
    """The row as the refit reads it; None where it teaches nothing.

    That is so where the named cause was no candidate, where every candidate was refused, or none of them.
    """
    candidates = thaw(row.terms) if row.terms else ()
    possible = possible_places(candidates, row.named, row.refused)
    if not possible or len(possible) == len(candidates):
        return None
    return Sample(tuple(each.terms for each in candidates), possible)


def possible_places(
    candidates: Sequence[FrozenCandidate], named: Sequence[str], refused: Sequence[str]
) -> frozenset[int]:
    """Which candidates may be the cause: those that were named, else all that were not refused."""
    if named:
        return frozenset(place for place, each in enumerate(candidates) if each.change in named)
    return frozenset(place for place, each in enumerate(candidates) if each.change not in refused)


@dataclass(frozen=True, slots=True)
class Learning:
    """What a team has taught since its weights were last made; `newest_at` is its last word."""

    team_id: int
    new_count: int
    newest_at: dt.datetime
    last: TeamWeights | None


def what_was_taught() -> list[Learning]:
    """Every team with samples. Two queries, and one for each team that has a log."""
    newest = dict(CauseSample.objects.values_list("team_id").annotate(at=Max("spoken_at")).order_by())
    rows = TeamWeights.objects.filter(team__in=newest).order_by("team_id", "-number")
    last: dict[int, TeamWeights] = {}
    for row in rows.defer("weights"):
        last.setdefault(row.team_id, row)
    found = []
    for team_id, at in sorted(newest.items()):
        known = last.get(team_id)
        since = (known.learned_until or known.made_at) if known is not None else None
        fresh = CauseSample.objects.filter(_COUNTED, team=team_id)
        count = (fresh.filter(spoken_at__gt=since) if since is not None else fresh).count()
        found.append(Learning(team_id, count, at, known))
    return found


@dataclass(frozen=True, slots=True)
class ModelLinks:
    """Incidents in which the verdict in force names a change at 50 % or more, and how people answered."""

    made: int
    kept: int
    overturned: int

    @property
    def answered(self) -> int:
        """How many people spoke on."""
        return self.kept + self.overturned


def model_links(team: Team, *, since: dt.datetime) -> ModelLinks:
    """Links the model made in incidents begun since then, and how many people kept or overturned. Two queries.

    Kept: the change it put first is confirmed by a person; overturned: it is rejected, or another cause is confirmed.
    """
    judged = samples_of(team).filter(
        origin=CauseSample.Origin.PERSON, incident__begins_at__gte=since, probability__gte=0.5
    ).exclude(stated="")  # fmt: skip
    kept = overturned = 0
    for stated, named, refused in judged.values_list("stated", "named", "refused"):
        if stated in named:
            kept += 1
        elif named or stated in refused:
            overturned += 1
    answered = samples_of(team).filter(origin=CauseSample.Origin.PERSON).values("incident")
    linked = Cause.objects.filter(
        incident__team=team, incident__begins_at__gte=since, incident__is_dismissed=False, incident__duplicate_of=None,
        by=Cause.By.MODEL, status__in=[Cause.Status.SUGGESTED, Cause.Status.CONFIRMED],
    ).exclude(incident__in=answered)  # fmt: skip
    open_links = linked.aggregate(n=Count("incident", distinct=True))["n"]
    return ModelLinks(made=kept + overturned + int(open_links or 0), kept=kept, overturned=overturned)


def why_not_confirm() -> str:
    """Why the model may not confirm links by itself; empty where it may."""
    if MAY_CONFIRM:
        return ""
    return (
        f"Not offered with model {VERSION}: on fresh histories its verdicts of 90 % and more must be right in 98 of 100 "
        "and at least 60 of 100 of all, as they stand 15 minutes after detection. They are not yet."
    )
