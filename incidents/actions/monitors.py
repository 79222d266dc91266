"""HTTP monitors: made, stopped, and asked when they are due."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import models, transaction
from django.urls import reverse

from deploys.actions.catalog import edit_service, environment_of
from deploys.domain.wording import GAP, duration
from deploys.models import Service
from incidents.actions.checks import CheckResult, record_check
from incidents.actions.outgoing import Refused, private_networks
from incidents.actions.probing import Probe, probe
from incidents.domain.addresses import BadUrl, checked_place
from incidents.models import Monitor
from incidents.ports import Notice, notify

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 50
THREADS = 10
#: Seconds beyond its time limit after which a monitor counts as abandoned by a worker that died.
GRACE_SECONDS = 30.0
LONGEST_URL = 500
#: How long before its end a certificate is told of.
CERTIFICATE_WARNINGS = (dt.timedelta(days=14), dt.timedelta(days=7), dt.timedelta(days=1))
MOST_WARNINGS = 500


def add_monitor(
    *,
    service: Service,
    url: str,
    now: dt.datetime,
    environment: str = "production",
    period_seconds: int = 60,
    timeout_seconds: float = 10.0,
) -> Monitor:
    """A monitor of the service, due at once; one that watches this URL already gets the new values instead.

    Raises BadUrl for what no monitor may ask, ValueError for a period below 5 s or a time limit outside (0, 60] s.
    """
    checked_place(url, private_networks())
    if len(url) > LONGEST_URL:
        raise BadUrl(f"the URL is longer than {LONGEST_URL} characters")
    if period_seconds < 5:
        raise ValueError("expected a period of at least 5 seconds")
    if not 0 < timeout_seconds <= 60:
        raise ValueError("expected a time limit above 0 and up to 60 seconds")
    values = {"period_seconds": period_seconds, "timeout_seconds": timeout_seconds, "is_active": True, "due_at": now}
    with transaction.atomic():
        found = environment_of(team=service.team, name=environment, now=now)
        monitor, _ = Monitor.objects.update_or_create(
            service=service, environment=found, url=url, defaults=values, create_defaults={**values, "created_at": now}
        )
        if not service.is_probed:
            edit_service(team=service.team, name=service.name, facts={"probed": True}, now=now)
    return monitor


def stop_monitor(*, monitor: Monitor) -> None:
    """Asks no more. What it found stays."""
    Monitor.objects.filter(pk=monitor.pk).update(is_active=False, leased_until=None)


def is_due(*, now: dt.datetime) -> bool:
    """Is there a monitor to be asked?"""
    return _due(now).exists()


def run_due(*, now: dt.datetime, ask: Callable[..., Probe] = probe) -> int:
    """Asks all monitors that are due, ten at a time, and records what they answered; how many checks failed.

    Each is claimed by a conditional update, so any number of workers may do this at once. No transaction is open while
    the network is waited for. A claim that a dead worker left runs out.
    """
    claimed = _claim(now)
    if not claimed:
        return 0
    with ThreadPoolExecutor(min(THREADS, len(claimed)), thread_name_prefix="monitors") as threads:
        answers = list(threads.map(lambda monitor: _answer(monitor, ask), claimed))
    failed = 0
    for monitor, answer in zip(claimed, answers, strict=True):
        if answer is not None:
            _record(monitor, answer, now)
            failed += not answer.ok
        values: dict[str, dt.datetime | None] = {"leased_until": None}
        if answer is not None and answer.certificate_until is not None:
            values["certificate_until"] = answer.certificate_until
        Monitor.objects.filter(pk=monitor.pk).update(**values)
    return failed


def _due(now: dt.datetime) -> models.QuerySet[Monitor]:
    free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lte=now)
    return Monitor.objects.filter(free, is_active=True, due_at__lte=now, service__retired_at__isnull=True)


def _claim(now: dt.datetime) -> Sequence[Monitor]:
    """The monitors that this worker is to ask. Periods that were missed are not made up for."""
    claimed = []
    for monitor in _due(now).select_related("service__team", "environment").order_by("due_at", "pk")[:MOST_AT_ONCE]:
        missed = (now - monitor.due_at).total_seconds() // monitor.period_seconds
        due_at = monitor.due_at + dt.timedelta(seconds=(missed + 1) * monitor.period_seconds)
        leased_until = now + dt.timedelta(seconds=monitor.timeout_seconds + GRACE_SECONDS)
        if _due(now).filter(pk=monitor.pk, due_at=monitor.due_at).update(due_at=due_at, leased_until=leased_until):
            claimed.append(monitor)
    return claimed


def _answer(monitor: Monitor, ask: Callable[..., Probe]) -> Probe | None:
    """None where the monitor may not ask: that says nothing about the service, so it is no failed check."""
    try:
        return ask(monitor.url, timeout_seconds=monitor.timeout_seconds, networks=private_networks())
    except Refused as refusal:
        logger.warning("a monitor was refused", extra={"monitor": str(monitor.public_id), "reason": str(refusal)})
        return None


def _record(monitor: Monitor, answer: Probe, now: dt.datetime) -> None:
    result = CheckResult(
        at=now,
        ok=answer.ok,
        environment=monitor.environment.name,
        status=answer.status,
        latency_ms=answer.latency_ms,
        problem=answer.problem,
    )
    record_check(service=monitor.service, source=str(monitor.public_id), result=result, received_at=now)


def warn_of_certificates(*, now: dt.datetime) -> int:
    """Tells of certificates that end soon: 14 days, 7 days and a day before, each once for a certificate; how many."""
    told = 0
    soon = Monitor.objects.filter(
        is_active=True, service__retired_at__isnull=True, certificate_until__lte=now + CERTIFICATE_WARNINGS[0]
    )
    for monitor in soon.select_related("service__team").order_by("certificate_until", "pk")[:MOST_WARNINGS]:
        until = monitor.certificate_until
        if until is None:
            continue
        step = sum(until - now <= each for each in CERTIFICATE_WARNINGS)
        key = f"{until:%Y%m%d%H%M} {step}"
        mine = Monitor.objects.filter(pk=monitor.pk, certificate_told=monitor.certificate_told)
        if key == monitor.certificate_told:
            continue
        with transaction.atomic():
            if mine.update(certificate_told=key):  # by one worker, whoever comes first
                notify(_certificate_notice(monitor, until, key, now))
                told += 1
    return told


def _certificate_notice(monitor: Monitor, until: dt.datetime, key: str, now: dt.datetime) -> Notice:
    service = monitor.service
    has_ended = until <= now
    left = duration(until - now).replace(GAP, " ")
    return Notice(
        team=service.team,
        key=f"certificate:{monitor.public_id}:{key}",
        about="upkeep",
        urgency="page" if until - now <= CERTIFICATE_WARNINGS[-1] else "ticket",
        title=f"The certificate of {service.name} {'has ended' if has_ended else f'ends in {left}'}",
        text=f"{monitor.url} shows a certificate that is good until {until:%Y-%m-%d %H:%M} UTC.",
        path=reverse("service-detail", args=[service.team.slug, service.public_id]),
    )
