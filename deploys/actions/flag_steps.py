"""Steps of schedules that wait until the flag's services are well: looked at each minute, taken by whichever worker is first."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

from deploys.actions.flag_registry import FlagRefused
from deploys.actions.flag_switches import change_flag
from deploys.domain.bucketing import percent_of
from deploys.domain.flag_documents import InvalidRules, document_of
from deploys.domain.flag_rules import Rules, Step, step_at
from deploys.domain.flag_schedule import held_step, reasons_to_wait, taken, windows
from deploys.models import Environment, FlagRevision, FlagSettings, RegisteredFlag, Service
from deploys.ports import service_health
from deploys.queries.flag_rulesets import rules_in

logger = logging.getLogger(__name__)
#: Flags looked at in one go.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A step that is due and not taken, and why not; no reason: it is taken within a minute."""

    step: Step
    reasons: list[str]

    @property
    def percent(self) -> float:
        """What it would bring the default to."""
        return percent_of(self.step.percent)


def held(flag: RegisteredFlag, settings: FlagSettings | None, *, now: dt.datetime) -> Held | None:
    """The step that waits for health now, if any. Eight queries where there is one, none else."""
    if settings is None or not settings.is_timed:
        return None
    rules = rules_in(flag, settings)
    step = held_step(rules, now)
    return None if step is None else Held(step, _reasons(flag, settings, rules, now))


def take_healthy_steps(*, now: dt.datetime) -> int:
    """Takes the steps that waited and need not any more; how many. Idempotent; run by any worker.

    Each is a change by its own, made from the version that was judged: where somebody, or another worker, was first, nothing
    is done, and the flag is looked at again in the next run. One that cannot be taken does not stop the others.
    """
    rows = FlagSettings.objects.filter(is_timed=True, flag__archived_at__isnull=True)
    done = 0
    for settings in rows.select_related("flag__team", "environment").order_by("noted_at", "pk")[:BATCH]:
        try:
            done += _take(settings, now)
        except (FlagRefused, InvalidRules) as error:
            logger.warning("a step could not be taken", extra={"flag": str(settings.flag.public_id), "why": str(error)})
    return done


def _take(settings: FlagSettings, now: dt.datetime) -> bool:
    flag, rules = settings.flag, rules_in(settings.flag, settings)
    step = held_step(rules, now)
    if step is None or _reasons(flag, settings, rules, now):
        return False
    planned = f"{step.at:%-d %B %H:%M} UTC"
    made = change_flag(
        flag=flag, environment=settings.environment, document=document_of(taken(rules, now)), version=settings.version,
        reason=f"the step planned for {planned}: its services are well", now=now, by=None, act=FlagRevision.Act.STEPPED,
    )  # fmt: skip
    return made is not None


def _reasons(flag: RegisteredFlag, settings: FlagSettings, rules: Rules, now: dt.datetime) -> list[str]:
    if not rules.is_on or rules.killed_at(now) is not None:
        return ["the flag is switched off"]
    reached = step_at(rules.schedule, now)
    changed_at = settings.changed_at if reached is None else max(settings.changed_at, reached.at)
    seen = windows(changed_at, now)
    return reasons_to_wait(
        seen, service_health(settings.environment, watched_services(flag, settings.environment), seen)
    )


def watched_services(flag: RegisteredFlag, environment: Environment) -> list[Service]:
    """The services that the flag changes; all of the team's where nobody said."""
    rows = Service.objects.filter(team=environment.team_id, retired_at__isnull=True).order_by("name")
    return list(rows.filter(pk__in=flag.services.values("pk"))) or list(rows)
