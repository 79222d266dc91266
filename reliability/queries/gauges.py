"""The numbers of a team now, as gauges over the last 28 days."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from deploys.models import Team
from reliability.domain import dora
from reliability.domain.contract import Report, availability_part
from reliability.domain.dora import Scope
from reliability.domain.history import IMPACT_CLASSES
from reliability.domain.intervals import Interval
from reliability.domain.recovery import failed_deployment_recovery
from reliability.formats.prometheus import Family
from reliability.queries.knowledge import knowledge_now
from reliability.queries.reports import objectives_now, team_zone

SPAN: Final = timedelta(days=28)
Samples = list[tuple[dict[str, str], float | None]]
Printed = dict[str, Any]  # Any: a part of the printed report


def recent_part(*, team: Team, now: datetime, service: str | None) -> Printed | None:
    """Availability and change failures of the last 28 days; None for a service nobody knows."""
    known = knowledge_now(team=team, now=now, since=now - SPAN)
    if service is not None and service not in known.history.services:
        return None
    scope = Scope(service, Report(known, Interval(now - SPAN, now), team_zone(team)).elapsed)
    return {"availability": availability_part(known, scope), "change_failure": dora.change_failure(known, scope)}


def gauges_now(*, team: Team, now: datetime) -> list[Family]:
    """Families in a fixed order. Label `service` is empty for the whole. From one shared calculation."""
    known = knowledge_now(team=team, now=now, since=now - SPAN)
    names: list[str | None] = [None, *sorted(known.history.services)]
    window = Report(known, Interval(now - SPAN, now), team_zone(team)).elapsed
    found: dict[str, Samples] = {name: [] for name in _HELP}
    for name in names:
        scope, labels = Scope(name, window), {"service": name or ""}
        up, failure = availability_part(known, scope), dora.change_failure(known, scope)
        recovery = failed_deployment_recovery(known, scope).printed()
        for key, value in (
            ("availability_ratio", up["ratio"]), ("downtime_seconds", up["downtime_seconds"]), ("observed_seconds", up["observed_seconds"]),
            ("coverage_ratio", up["coverage_ratio"]), ("deploys", failure["deploys_count"]), ("failed_deploys", failure["failed_count"]),
            ("suspected_deploys", failure["suspected_count"]), ("recovery_median_seconds", recovery["median_seconds"]),
        ):  # fmt: skip
            found[key].append((labels, value))  # type: ignore[arg-type]  # numbers of the contract
    begun = Counter(case.incident.impact_class for case in known.incidents if case.incident.restored_at is None)
    found["open_incidents"] = [({"class": name}, begun[name]) for name in IMPACT_CLASSES]
    _add_objectives(found, objectives_now(team=team, now=now))
    return [Family(f"upshot_{name}", help_text, found[name]) for name, help_text in _HELP.items()]


def _add_objectives(found: dict[str, Samples], objectives: dict[str, Printed]) -> None:
    for key, printed in objectives.items():
        unit = "seconds" if printed["sli"] == "time" else "requests"
        labels = {"objective": key, "service": printed["service"] or ""}
        budget = printed[f"budget_{unit}"]
        found["objective_target_ratio"].append((labels, printed["target_ratio"]))
        found["objective_sli_ratio"].append((labels, printed["sli_ratio"]))
        left = printed[f"remaining_{unit}"] / budget if budget and printed["enough_data"] else None
        found["error_budget_remaining_ratio"].append((labels, left))
        for rule, alert in printed["alerts"].items():
            for span in ("long", "short"):
                found["burn_rate"].append(({**labels, "rule": rule, "span": span}, alert[f"{span}_burn_rate"]))
            firing = None if alert["firing"] is None else float(alert["firing"])
            found["burn_alert_firing"].append(({**labels, "rule": rule}, firing))


_HELP: Final = {
    "availability_ratio": "Availability over the last 28 days, announced maintenance left out.",
    "downtime_seconds": "Downtime over the last 28 days, weighted by degradation.",
    "observed_seconds": "Time over the last 28 days in which the service was watched.",
    "coverage_ratio": "Observed time over time alive and not excused, last 28 days.",
    "deploys": "Forward deploys and hotfixes that took traffic, last 28 days.",
    "failed_deploys": "Those of them that failed.",
    "suspected_deploys": "Those that are suspected and not decided.",
    "recovery_median_seconds": "Median recovery time of failed deploys, last 28 days.",
    "open_incidents": "Incidents whose impact goes on, by class.",
    "objective_target_ratio": "Target of the objective.",
    "objective_sli_ratio": "What was reached over the objective's period.",
    "error_budget_remaining_ratio": "Share of the error budget that is left; negative when overspent.",
    "burn_rate": "How many times faster than sustainable the budget burns, by rule and span.",
    "burn_alert_firing": "1 while the rule fires, 0 while it does not; absent where it cannot be said.",
}
