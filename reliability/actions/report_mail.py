"""Reports by mail: who gets them, when, and what they say. One mail per report and person, whatever happens."""

from __future__ import annotations

import zlib
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from deploys.models import Team, User
from reliability.actions.mail import note_skipped, queue_mail
from reliability.addresses import Links, report_url
from reliability.charts.day_grid import day_grid
from reliability.charts.report import Shown, basis_of, days_in_words, period_name, shown_report
from reliability.domain.periods import PeriodKind, period_labelled
from reliability.domain.weeks import zone_named
from reliability.models import OutgoingMail, ReportPlan, ReportSnapshot, ReportSubscription

SENT_WITHIN: Final = timedelta(days=6)
"""A report older than this is not mailed any more: the instance was off, and the next one comes."""

SPREAD_MINUTES: Final = 20
_SALT: Final = "report mail"
CAUSES: Final = (
    ("own_change", "our own change"), ("external", "external"), ("infrastructure", "infrastructure"), ("capacity", "capacity"), ("unknown", "unknown"),
)  # fmt: skip


def subscribe(
    *, team: Team, email: str, kind: str, zone: str, hour: int, skips_quiet: bool, by: User, now: datetime
) -> ReportSubscription:
    """Mails this address the reports of a kind from now on; a person who had stopped gets them again.

    A kind that the team does not close yet is closed from now on.
    """
    plan, _ = ReportPlan.objects.get_or_create(team=team)
    if kind not in plan.kinds:
        plan.kinds = [each for each in PeriodKind if each in {*plan.kinds, kind}]
        plan.save(update_fields=["kinds"])
    row, _ = ReportSubscription.objects.update_or_create(
        team=team, email=email.strip().lower(), kind=kind,
        defaults={"zone": zone, "hour": hour, "skips_quiet": skips_quiet, "stopped_at": None, "created_by": by, "created_at": now},
    )  # fmt: skip
    return row


def stop(*, subscription: ReportSubscription, now: datetime) -> None:
    """No further mail of it; what waits unsent is not sent. Idempotent."""
    ReportSubscription.objects.filter(pk=subscription.pk, stopped_at__isnull=True).update(stopped_at=now)
    waiting = OutgoingMail.objects.filter(
        team=subscription.team_id, to=subscription.email, key__startswith=f"report/{subscription.pk}/"
    )
    waiting.filter(sent_at__isnull=True, given_up_at__isnull=True, claimed_at__isnull=True).update(
        given_up_at=now, last_error="unsubscribed"
    )


def stop_token(subscription: ReportSubscription) -> str:
    """What proves that somebody holds a mail of this subscription."""
    return signing.dumps(str(subscription.public_id), salt=_SALT)


def subscription_of(token: str) -> ReportSubscription | None:
    """The subscription of a token; None for a forged one."""
    try:
        public_id = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return ReportSubscription.objects.select_related("team").filter(public_id=public_id).first()


def due_at(subscription: ReportSubscription, closed_at: datetime) -> datetime:
    """The first time after the closing at which the reader's clock shows the hour, spread over some minutes."""
    zone = ZoneInfo(subscription.zone)
    spread = timedelta(minutes=zlib.crc32(subscription.email.encode()) % SPREAD_MINUTES)
    day = closed_at.astimezone(zone).date()
    at = datetime.combine(day, time(subscription.hour), zone)
    if at < closed_at:
        at = datetime.combine(day + timedelta(days=1), time(subscription.hour), zone)
    return at + spread


def mail_reports(*, team: Team, now: datetime) -> int:
    """Writes the mails that are due of the team's closed reports; how many. Idempotent by report and address."""
    written = 0
    rows = ReportSubscription.objects.filter(team=team, stopped_at__isnull=True).order_by("pk")
    for subscription in rows if settings.MAIL_IS_SET else []:
        snapshots = ReportSnapshot.objects.filter(team=team, number=1, created_at__gt=now - SENT_WITHIN)
        snapshots = snapshots.filter(to_at__gt=subscription.created_at).defer("result", "beside")
        for snapshot in snapshots.order_by("from_at"):
            is_asked = period_labelled(snapshot.label, zone_named(snapshot.zone)).kind == subscription.kind
            if is_asked and now >= due_at(subscription, snapshot.created_at):
                written += _write(team, subscription, snapshot.label, now)
    return written


def _write(team: Team, subscription: ReportSubscription, label: str, now: datetime) -> bool:
    key = f"report/{subscription.pk}/{label}"
    if OutgoingMail.objects.filter(key=key).exists():
        return False
    shown, subject, text, html = report_mail(team=team, label=label, subscription=subscription, now=now)
    if subscription.skips_quiet and shown.is_quiet:
        note_skipped(team=team, key=key, to=subscription.email, subject=subject, why="nothing happened", now=now)
        return False
    address = _stop_address(subscription)
    headers = {
        "List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated", "Message-ID": f"<{subscription.public_id}.{label}@{_host()}>",
    }  # fmt: skip
    return queue_mail(
        team=team, key=key, to=subscription.email, subject=subject, text=text, html=html, headers=headers, now=now
    )


def report_mail(
    *, team: Team, label: str, subscription: ReportSubscription, now: datetime
) -> tuple[Shown, str, str, str]:
    """(what is shown, subject, plain text, HTML) of a report's mail."""
    period = period_labelled(label, zone_named(team.zone))
    basis = basis_of(team=team, period=period, now=now)
    shown = shown_report(basis=basis, links=Links(team))
    strip = shown.telling.strip
    causes = basis.printed["total"]["downtime_by_cause"]
    context: dict[str, Any] = {  # Any: what a template reads
        "team": team, "label": label, "name": period_name(period), "kind": str(period.kind), "days": days_in_words(basis.window, basis.zone), "shown": shown,
        "broken": [shown.row(each) for each in shown.severe], "folded_count": len(shown.folded), "printed": basis.printed,
        "grid": day_grid(strip) if strip else None, "base": settings.BASE_URL,
        "report": f"{settings.BASE_URL}{report_url(team, label)}", "stop": _stop_address(subscription), "zone": basis.zone.key,
        "causes": [(name, words, causes[f"{name}_seconds"], causes[f"{name}_seconds"] / causes["total_seconds"]) for name, words in CAUSES if causes[f"{name}_seconds"]],
        "objectives": [{**row, "left": max(0.0, min(1.0, row["remaining"] / row["budget"])) if row["budget"] else 0.0} for row in shown.objectives],
    }  # fmt: skip
    subject = f"{team.name}, {context['name']}: {shown.word.value}"
    with timezone.override(basis.zone):
        text = render_to_string("email/report.txt", context)
        html = render_to_string("email/report.html", context)
    return shown, subject, text, html


def _stop_address(subscription: ReportSubscription) -> str:
    return f"{settings.BASE_URL}{reverse('report-mail-stop', args=[stop_token(subscription)])}"


def _host() -> str:
    return settings.BASE_URL.partition("://")[2].partition("/")[0].partition(":")[0] or "localhost"
