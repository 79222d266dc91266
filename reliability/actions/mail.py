"""Handing mail to the server, at most once each: what may have arrived is never sent again."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db.models import F

from deploys.models import Team
from reliability.models import OutgoingMail

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 8
FIRST_WAIT: Final = timedelta(minutes=1)
INTERRUPTED_AFTER: Final = timedelta(hours=1)


def queue_mail(
    *,
    team: Team,
    key: str,
    to: str,
    subject: str,
    text: str,
    now: datetime,
    html: str = "",
    headers: Mapping[str, str] | None = None,
) -> bool:
    """Keeps a mail to be sent; false where one of this key was kept before. Line breaks leave the subject."""
    _, is_new = OutgoingMail.objects.get_or_create(
        key=key,
        defaults={
            "team": team, "to": to, "subject": " ".join(subject.split())[:300], "text": text, "html": html,
            "headers": dict(headers or {}), "created_at": now, "due_at": now,
        },
    )  # fmt: skip
    return is_new


def note_skipped(*, team: Team, key: str, to: str, subject: str, why: str, now: datetime) -> None:
    """Keeps that a mail was not written on purpose."""
    OutgoingMail.objects.get_or_create(
        key=key,
        defaults={"team": team, "to": to, "subject": subject, "text": "", "created_at": now, "due_at": now, "given_up_at": now, "last_error": why},
    )  # fmt: skip


def send_due_mail(*, now: datetime, most: int = 100) -> int:
    """Sends what is due; how many were taken by the server. Does nothing while no server is set."""
    waiting = OutgoingMail.objects.filter(sent_at__isnull=True, given_up_at__isnull=True)
    waiting.filter(claimed_at__lte=now - INTERRUPTED_AFTER).update(
        given_up_at=now, last_error="interrupted while it was handed over: it may have arrived, so it is not sent again"
    )
    if not settings.MAIL_IS_SET:
        return 0
    due = waiting.filter(claimed_at__isnull=True, due_at__lte=now).order_by("due_at", "pk")
    return sum(_send(mail, now) for mail in due[:most])


def _send(mail: OutgoingMail, now: datetime) -> bool:
    """Claims, hands over, notes what became of it. Only failures before the server had the mail are tried again."""
    mine = OutgoingMail.objects.filter(pk=mail.pk, sent_at__isnull=True, given_up_at__isnull=True)
    if not mine.filter(claimed_at__isnull=True).update(claimed_at=now, attempts=F("attempts") + 1):
        return False
    handed, words = hand_over(_message(mail))
    if handed is Handed.SENT:
        mine.update(sent_at=now, last_error="")
        return True
    _again(mail, now, words) if handed is Handed.NOT_YET else _give_up(mail, now, words)
    return False


class Handed(StrEnum):
    """What became of a mail at the server."""

    SENT = "sent"
    NOT_YET = "not yet"
    REFUSED = "refused"
    UNKNOWN = "it may have arrived"


def hand_over(message: EmailMessage) -> tuple[Handed, str]:
    """Gives one mail to the server, and what it said where that failed. NOT_YET: the server surely does not have it."""
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return Handed.NOT_YET, _words(error)
    try:
        connection.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Handed.NOT_YET if all(400 <= code < 500 for code in codes) else Handed.REFUSED, _words(error)
    except smtplib.SMTPResponseException as error:
        return Handed.NOT_YET if 400 <= error.smtp_code < 500 else Handed.REFUSED, _words(error)
    except (OSError, smtplib.SMTPException) as error:
        return Handed.UNKNOWN, _words(error)
    finally:
        connection.close()
    return Handed.SENT, ""


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [mail.to])
    message.extra_headers = dict(mail.headers)
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _again(mail: OutgoingMail, now: datetime, words: str) -> None:
    attempts = mail.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        _give_up(mail, now, words)
        return
    logger.warning("a mail could not be sent yet", extra={"mail": mail.pk, "attempts": attempts})
    wait = FIRST_WAIT * 4 ** (attempts - 1)
    OutgoingMail.objects.filter(pk=mail.pk).update(claimed_at=None, due_at=now + wait, last_error=words)


def _give_up(mail: OutgoingMail, now: datetime, words: str) -> None:
    logger.warning("a mail was given up", extra={"mail": mail.pk})
    OutgoingMail.objects.filter(pk=mail.pk).update(given_up_at=now, last_error=words)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
