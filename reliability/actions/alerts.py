"""Watching how fast budgets burn: alerts by the four rules, each told once when it begins and once when it is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from deploys.domain.wording import percent, target
from deploys.models import Team
from incidents.ports import Notice, notify
from reliability.addresses import page_url
from reliability.domain.alerting import Standing, Step, step, urgency
from reliability.domain.burn_rate import RULES
from reliability.domain.verdicts import left_ratio
from reliability.models import BurnAlert, Objective
from reliability.queries.reports import objectives_now

Printed = dict[str, Any]  # Any: a printed objective


def watch_budgets(*, team: Team, now: datetime) -> list[BurnAlert]:
    """Opens and closes the alerts of every objective as of now; those that changed. Idempotent."""
    rows = {row.external_id: row for row in Objective.objects.filter(team=team).select_related("service")}
    if not rows:
        return []
    changed: list[BurnAlert] = []
    for key, printed in objectives_now(team=team, now=now).items():
        if key in rows:
            changed += _watch(team, rows[key], printed, now)
    return changed


@transaction.atomic
def _watch(team: Team, objective: Objective, printed: Printed, now: datetime) -> list[BurnAlert]:
    Objective.objects.select_for_update().get(pk=objective.pk)
    standing = {alert.rule: alert for alert in BurnAlert.objects.filter(objective=objective, closed_at__isnull=True)}
    told = {urgency(name) for name in standing}
    changed = []
    for rule in RULES:
        seen, alert = printed["alerts"][rule.name], standing.get(rule.name)
        held = None if alert is None else Standing(alert.last_fired_at)
        what = step(rule, is_firing=seen["firing"], standing=held, at=now)
        if what is Step.OPEN:
            opened = BurnAlert.objects.create(
                objective=objective, rule=rule.name, opened_at=now, last_fired_at=now, budget_left_ratio=left_ratio(printed),
                long_burn_rate=seen["long_burn_rate"], short_burn_rate=seen["short_burn_rate"],
            )  # fmt: skip
            changed.append(opened)
            if urgency(rule.name) not in told:
                told.add(urgency(rule.name))
                notify(_began(team, objective, opened, printed))
        elif what is Step.STAY and alert is not None:
            BurnAlert.objects.filter(pk=alert.pk).update(last_fired_at=now)
        elif what is Step.CLOSE and alert is not None:
            BurnAlert.objects.filter(pk=alert.pk).update(closed_at=now)
            changed.append(alert)
            del standing[rule.name]
            if urgency(rule.name) not in {urgency(name) for name in standing}:
                notify(_ended(team, objective, alert, printed))
    return changed


def _name(objective: Objective) -> str:
    return f"{objective.service.name if objective.service else 'the whole'} {target(objective.target)}"


def _began(team: Team, objective: Objective, alert: BurnAlert, printed: Printed) -> Notice:
    rate = f"{alert.long_burn_rate:.3g}"
    return Notice(
        team=team, key=f"burn/{alert.pk}/began", urgency=urgency(alert.rule), path=page_url("objective-list", team.slug),
        title=f"The error budget of {_name(objective)} burns {rate} times too fast",
        text=f"Rule {alert.rule.replace('_', ' ')}; {percent(left_ratio(printed), 0)} of the budget is left.",
    )  # fmt: skip


def _ended(team: Team, objective: Objective, alert: BurnAlert, printed: Printed) -> Notice:
    return Notice(
        team=team, key=f"burn/{alert.pk}/ended", urgency="info", path=page_url("objective-list", team.slug),
        title=f"The error budget of {_name(objective)} burns no longer too fast",
        text=f"{percent(left_ratio(printed), 0)} of the budget is left.",
    )  # fmt: skip
