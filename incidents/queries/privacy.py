"""The rules of scrubbing in force, and who changed them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import Max

from deploys.models import Team
from incidents.domain.privacy import changes, rules_of
from incidents.domain.scrubbing import Rules, Scrubber, scrubber_for
from incidents.models import PrivacyRules


@dataclass(frozen=True, slots=True)
class RulesChange:
    """One change of a team's rules; `by` is empty where the account is gone."""

    at: dt.datetime
    by: str
    said: tuple[str, ...]


def scrubbers_of(team_ids: Iterable[int]) -> dict[int, Scrubber]:
    """How reports of these teams are scrubbed. One query; the scrubbers themselves are remembered by their rules."""
    wanted = set(team_ids)
    last = PrivacyRules.objects.filter(team__in=wanted).values("team").annotate(last=Max("id")).values("last")
    rules = dict(PrivacyRules.objects.filter(pk__in=last).values_list("team_id", "rules"))
    return {team: scrubber_for(rules_of(rules.get(team) or {})) for team in wanted}


def rules_in_force(team: Team) -> Rules:
    """One query."""
    return scrubbers_of([team.pk])[team.pk].rules


def rules_changes(team: Team, *, most: int = 20) -> list[RulesChange]:
    """The latest changes, newest first. One query."""
    rows = list(PrivacyRules.objects.filter(team=team).select_related("changed_by").order_by("-pk")[: most + 1])
    known: list[Rules] = [rules_of(row.rules) for row in rows]
    if len(rows) <= most:
        known.append(Rules())
    return [
        RulesChange(row.changed_at, row.changed_by.name if row.changed_by else "", tuple(changes(before, after)))
        for row, (after, before) in zip(rows, pairwise(known), strict=False)
    ]
