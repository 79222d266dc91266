"""Check-ins: a job's word that a run began or ended, with the schedule it declares.

Sentry-docs, develop-docs/sdk/telemetry/check-ins; recorded clients and `sentry-cli monitors run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.domain.jobs import ERROR, IN_PROGRESS, OK
from incidents.formats.envelope import canonical_id
from incidents.formats.schedules import BadSchedule, crontab, interval, zone_of
from incidents.formats.sentry_event import ENVIRONMENT, NAME
from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

SLUG = 100
LATEST = "0" * 32
"""The id that stands for the latest run in progress."""
_DAY_SECONDS = 86_400
_LONGEST_SECONDS = 31 * _DAY_SECONDS
_MOST_RUNS = 720
_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class JobConfig:
    """What a job declares. Thresholds count consecutive runs; margin and run time are seconds."""

    kind: str
    schedule: str
    zone: str = "UTC"
    margin_seconds: int = 60
    max_runtime_seconds: int = 1_800
    failure_threshold: int = 1
    recovery_threshold: int = 1


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One report. `at` is the sender's clock, None where it does not tell."""

    run_id: str
    slug: str
    status: str
    at: datetime | None
    seconds: float | None
    environment: str
    release: str
    config: JobConfig | None = None


def parse(payload: _Json) -> CheckIn | None:
    """The check-in, or None where id, job or status cannot be read. A schedule that cannot be kept is left out."""
    run_id, slug, status = (
        canonical_id(payload.get("check_in_id")),
        _text(payload.get("monitor_slug")),
        payload.get("status"),
    )
    if run_id is None or not slug or status not in (IN_PROGRESS, OK, ERROR):
        return None
    seconds = payload.get("duration")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= _LONGEST_SECONDS
    return CheckIn(
        run_id=run_id,
        slug=slug[:SLUG],
        status=str(status),
        at=parse_timestamp(payload.get("timestamp")),
        seconds=float(str(seconds)) if is_number else None,
        environment=_text(payload.get("environment"))[:ENVIRONMENT] or "production",
        release=_text(payload.get("release")),
        config=_config(payload.get("monitor_config")),
    )


def _config(value: object) -> JobConfig | None:
    config = value if isinstance(value, dict) else {}
    told = config.get("schedule")
    schedule: _Json = told if isinstance(told, dict) else {}
    kind = schedule.get("type")
    try:
        if kind == "crontab":
            line = crontab(str(schedule.get("value") or ""))
        elif kind == "interval":
            line = interval(schedule.get("value"), schedule.get("unit"))
        else:
            return None
    except BadSchedule:
        return None
    return JobConfig(
        kind=str(kind),
        schedule=line,
        zone=zone_of(config.get("timezone")),
        margin_seconds=60 * _number(config.get("checkin_margin"), 1, most=_LONGEST_SECONDS // 60),
        max_runtime_seconds=60 * _number(config.get("max_runtime"), 30, most=_LONGEST_SECONDS // 60),
        failure_threshold=_number(config.get("failure_issue_threshold"), 1, most=_MOST_RUNS),
        recovery_threshold=_number(config.get("recovery_threshold"), 1, most=_MOST_RUNS),
    )


def _number(value: object, default: int, *, most: int) -> int:
    """A whole number above 0, bounded; minutes or runs. Zero and nonsense mean the default."""
    return min(value, most) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def _text(value: object) -> str:
    return clean_text(value[: 2 * NAME]).strip()[:NAME] if isinstance(value, str) else ""
