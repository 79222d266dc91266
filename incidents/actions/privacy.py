"""Changing what is taken out of a team's reports."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from deploys.models import Team, User
from incidents.domain.privacy import as_kept
from incidents.domain.scrubbing import Rules
from incidents.models import PrivacyRules
from incidents.queries.privacy import rules_in_force


@transaction.atomic
def change_privacy_rules(*, team: Team, rules: Rules, by: User, now: dt.datetime) -> bool:
    """Reports digested from now on are scrubbed like this; whether anything changed. What is stored stays as it is."""
    if rules == rules_in_force(team):
        return False
    PrivacyRules.objects.create(team=team, rules=as_kept(rules), changed_at=now, changed_by=by)
    return True
