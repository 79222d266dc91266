"""Handing notices over. Each is claimed, sent outside of any transaction, and what became of it is noted.

A worker that dies in between leaves a claim that runs out; then the notice is sent again under the same id (`webhook-id`,
`Message-ID`), by which its receiver knows it. So a notice is told at least once, and twice only after such a death.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from deploys import failpoints
from deploys.actions.secrets import UnreadableSecret, decrypt
from deploys.domain.signatures import StandardWebhooks
from incidents.actions.outgoing import Refused, address_of, ask, private_networks
from incidents.domain.addresses import BadUrl, place_of
from incidents.domain.scrubbing import DEFAULT as SCRUBBER
from incidents.models import Incident
from reliability.actions import channels
from reliability.actions.acknowledging import make_link
from reliability.actions.mail import Handed, hand_over
from reliability.addresses import incident_url
from reliability.domain.deliveries import MOST_ATTEMPTS, Outcome, Verdict, asked_wait, next_wait, verdict_of_status
from reliability.domain.folding import leading
from reliability.domain.incident_news import What
from reliability.domain.notice_words import one_line, words_of
from reliability.domain.weeks import zone_named
from reliability.formats.notices import MEDIA_TYPE, slack_message, teams_message
from reliability.models import Channel, NoticeAttempt, OutgoingNotice
from reliability.queries.notices import known_cause, story_of

logger = logging.getLogger(__name__)

CLAIM: Final = timedelta(minutes=2)
#: Of one batch. All are sent at once, in THREADS threads, within the time of their claims.
MOST_AT_ONCE: Final = 40
THREADS: Final = 8
TIMEOUT_SECONDS: Final = 10.0
AGENT: Final = "Upshot-Notice/1"
ANSWER_BYTES: Final = 500
#: What of a body is kept in the log.
KEPT_BODY: Final = 20_000
BEHIND: Final = timedelta(seconds=5)
#: How a notice for people is written for a chat.
CHATS: Final = {Channel.Kind.SLACK: slack_message, Channel.Kind.TEAMS: teams_message}
Row = OutgoingNotice.Outcome


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice ready to go: nothing of it needs the database any more."""

    notice: OutgoingNotice
    kept: str
    message: EmailMultiAlternatives | None = None
    url: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _waiting() -> QuerySet[OutgoingNotice]:
    return OutgoingNotice.objects.filter(outcome=Row.WAITING)


def is_due(*, now: datetime) -> bool:
    """Is there anything to hand over?"""
    return _due(now).exists()


def _due(now: datetime) -> QuerySet[OutgoingNotice]:
    return _waiting().filter(Q(claimed_until=None) | Q(claimed_until__lte=now), due_at__lte=now)


def deliver_due(*, now: datetime) -> int:
    """Hands over one batch of what is due; how many were looked at. Any number of workers may do this at once."""
    rows = list(_due(now).select_related("channel__team", "user").order_by("due_at", "pk")[:MOST_AT_ONCE])
    ready = _in_turn(rows, now)
    _send_all([row for row in ready if _may_go(row, now)], now)
    return len(rows)


def deliver_now(notices: Sequence[OutgoingNotice], *, now: datetime) -> list[OutgoingNotice]:
    """Hands these over at once, whatever the hour (a test); as they stand afterwards."""
    keys = [notice.pk for notice in notices]
    _send_all(list(_waiting().filter(pk__in=keys).select_related("channel__team", "user").order_by("pk")), now)
    return list(OutgoingNotice.objects.filter(pk__in=keys).order_by("pk"))


def _in_turn(rows: Sequence[OutgoingNotice], now: datetime) -> list[OutgoingNotice]:
    """Of several notices of one incident that wait for the same recipient: for people the one that tells all, the others
    are told with it; for machines the first, the others wait for it. Two queries, and one for each incident with more.
    """
    incidents = {row.incident_id for row in rows if row.incident_id is not None}
    if not incidents:
        return list(rows)
    queues: dict[tuple[int, int | None, str], list[OutgoingNotice]] = {}
    for each in _waiting().filter(incident__in=incidents).order_by("pk"):
        queues.setdefault((each.channel_id, each.incident_id, each.recipient), []).append(each)
    going = []
    for row in rows:
        if row.incident_id is None:
            going.append(row)
            continue
        queue = queues.get((row.channel_id, row.incident_id, row.recipient), [row])
        if row.channel.kind == Channel.Kind.WEBHOOK:
            if queue[0].pk == row.pk:
                going.append(row)
            else:
                _waiting().filter(pk=row.pk).update(due_at=max(queue[0].due_at, now) + BEHIND)
            continue
        free = [each for each in queue if each.claimed_until is None or each.claimed_until <= now]
        lead = free[leading([What(each.what) for each in free])]
        if lead.pk == row.pk:
            others = [each.pk for each in free if each.pk != row.pk]
            if others:
                _end(_waiting().filter(pk__in=others), Row.FOLDED, f"told with: {row.title}", now)
            going.append(row)
        else:  # when the leading one goes, it takes this one along
            _waiting().filter(pk=row.pk).update(due_at=max(lead.due_at, now) + BEHIND)
    return going


def _may_go(row: OutgoingNotice, now: datetime) -> bool:
    """Whether nothing speaks against handing it over now; else it is ended or put off."""
    channel = row.channel
    mine = _waiting().filter(pk=row.pk)
    if channel.removed_at is not None or channel.off_at is not None:
        _end(mine, Row.DROPPED, "the channel was removed" if channel.removed_at else "the channel is off", now)
        return False
    if channel.muted_until is not None and now < channel.muted_until:
        _end(mine, Row.MUTED, "the channel is muted", now)
        return False
    hours = channels.quiet_hours(channel)
    until = hours.quiet_until(now) if hours is not None else None
    if until is not None and (row.subject != "downtime" or channel.is_quiet_for_downtime):
        mine.update(due_at=until, why="held: quiet hours")
        return False
    return True


def _end(rows: QuerySet[OutgoingNotice], outcome: str, why: str, now: datetime) -> None:
    rows.update(outcome=outcome, why=why[:300], ended_at=now, claimed_until=None)


def _send_all(rows: Sequence[OutgoingNotice], now: datetime) -> None:
    """Claims these, sends them, notes what became of each. The network is waited for outside of any transaction."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    parcels = []
    for row in rows:
        if (
            not _waiting()
            .filter(free, pk=row.pk)
            .update(claimed_until=now + CLAIM, attempts_count=F("attempts_count") + 1)
        ):
            continue
        row.attempts_count += 1
        try:
            parcels.append(_packed(row, now))
        except (UnreadableSecret, BadUrl) as problem:
            _note(row, Outcome(Verdict.REFUSED, str(problem)), 0.0, now)
    if not parcels:
        return
    failpoints.reach("notices.claimed")
    with ThreadPoolExecutor(min(THREADS, len(parcels)), thread_name_prefix="notices") as threads:
        outcomes = list(threads.map(_hand_over, parcels))
    failpoints.reach("notices.sent")
    for parcel, (outcome, seconds) in zip(parcels, outcomes, strict=True):
        _note(parcel.notice, outcome, seconds, now, parcel.kept)


# -- packing ----------------------------------------------------------------------------------------------------------


def _packed(row: OutgoingNotice, now: datetime) -> Parcel:
    if row.channel.kind == Channel.Kind.WEBHOOK:
        body, at = row.body.encode(), str(int(now.timestamp()))
        sign = StandardWebhooks()
        signatures = [
            sign.value(secret, body, message_id=str(row.public_id), at=at)
            for secret in channels.signing_secrets(row.channel, now=now)
        ]
        headers = {
            "Content-Type": MEDIA_TYPE, "webhook-id": str(row.public_id), "webhook-timestamp": at, "webhook-signature": " ".join(signatures),
        }  # fmt: skip
        return Parcel(row, row.body, url=decrypt(row.channel.url_encrypted or b""), body=body, headers=headers)
    title, lines, path = _told(row, now)
    if row.channel.kind in CHATS:
        link = settings.BASE_URL + path if path else ""
        body = CHATS[Channel.Kind(row.channel.kind)](
            lines=[title, *lines], link=link, link_words=f"Open {row.incident.slug}" if row.incident else "Open"
        )
        url = decrypt(row.channel.url_encrypted or b"")
        return Parcel(
            row, "\n".join([title, *lines, link]), url=url, body=body, headers={"Content-Type": "application/json"}
        )
    return _mail(row, title, lines, path, now)


def _told(row: OutgoingNotice, now: datetime) -> tuple[str, list[str], str]:
    """The subject, the lines and the page of a notice for people: how things stand now, whatever happened before."""
    if row.incident_id is None:
        return row.title, [str(row.story.get("text", ""))], str(row.story.get("path", ""))
    incident = Incident.objects.select_related("team", "environment", "lead", "duplicate_of").get(pk=row.incident_id)
    row.incident = incident
    words = words_of(What(row.what), story_of(incident, known_cause(incident), now=now), zone_named(row.channel.zone))
    return words.subject, [words.broken, words.cause], incident_url(incident.team, incident)


def _mail(row: OutgoingNotice, title: str, lines: Sequence[str], path: str, now: datetime) -> Parcel:
    incident = row.incident
    may_acknowledge = incident is not None and incident.is_open and incident.acknowledged_at is None
    button = make_link(notice=row, now=now) if may_acknowledge else ""
    leave = channels.leave_address(row.channel, row.recipient)
    prefix = {"page": "[now] ", "ticket": "[this week] "}.get(row.urgency, "") if incident is None else ""
    context = {
        "title": title, "lines": lines, "team": row.team, "link": settings.BASE_URL + path if path else "", "button": button, "leave": leave,
        "channel": row.channel, "slug": incident.slug if incident else "",
    }  # fmt: skip
    message = EmailMultiAlternatives(
        f"{prefix}{one_line(row.team.name, 60)}: {one_line(title, 250)}", render_to_string("email/notice.txt", context),
        settings.DEFAULT_FROM_EMAIL, [row.recipient],
    )  # fmt: skip
    message.attach_alternative(render_to_string("email/notice.html", context), "text/html")
    host = settings.BASE_URL.partition("://")[2].partition("/")[0].partition(":")[0] or "localhost"
    message.extra_headers = {
        "Message-ID": f"<{row.public_id}@{host}>", "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }  # fmt: skip
    if incident is not None:  # all mails of an incident stand together
        message.extra_headers["References"] = f"<{incident.public_id}@{host}>"
    kept = render_to_string(
        "email/notice.txt",
        {**context, "button": "[a link of its own]" if button else "", "leave": "[a link of its own]"},
    )
    return Parcel(row, kept, message=message)


# -- sending ----------------------------------------------------------------------------------------------------------


def _hand_over(parcel: Parcel) -> tuple[Outcome, float]:
    """One attempt, in a thread of its own: no database here."""
    began = time.perf_counter()
    outcome = _mailed(parcel) if parcel.message is not None or not parcel.url else _posted(parcel)
    return outcome, max(0.001, round(time.perf_counter() - began, 3))


def _mailed(parcel: Parcel) -> Outcome:
    if not settings.MAIL_IS_SET or parcel.message is None:
        return Outcome(Verdict.REFUSED, "this instance has no mail server (UPSHOT_EMAIL_URL)")
    handed, words = hand_over(parcel.message)
    if handed is Handed.SENT:
        return Outcome(Verdict.SENT, "taken by the mail server")
    if handed is Handed.REFUSED or (handed is Handed.UNKNOWN and parcel.notice.attempts_count > 1):
        return Outcome(Verdict.REFUSED, words)
    return Outcome(Verdict.AGAIN, words)


def _posted(parcel: Parcel) -> Outcome:
    try:
        place = place_of(parcel.url)
        answer = ask(
            place, address_of(place, private_networks()), method="POST", body=parcel.body, timeout_seconds=TIMEOUT_SECONDS,
            headers={"User-Agent": AGENT, **parcel.headers}, most_bytes=ANSWER_BYTES,
        )  # fmt: skip
    except Refused as refusal:
        return Outcome(Verdict.AGAIN, f"not sent: {refusal}")
    except NewConnectionError:
        return Outcome(Verdict.AGAIN, "no connection")
    except TookTooLong:
        return Outcome(Verdict.AGAIN, f"no answer within {TIMEOUT_SECONDS:g} s")
    except SSLError as error:
        return Outcome(Verdict.AGAIN, f"TLS: {error}"[:300])
    except (HTTPError, OSError) as error:
        return Outcome(Verdict.AGAIN, f"no connection: {type(error).__name__}")
    verdict = verdict_of_status(answer.status, is_strict=parcel.notice.channel.kind == Channel.Kind.SLACK)
    words = f"answered {answer.status}" + (", a redirect, which is not followed" if 300 <= answer.status < 400 else "")
    said = SCRUBBER.value(answer.body.decode("utf-8", "replace").replace("\x00", ""))
    return Outcome(verdict, words, answer.status, str(said), asked_wait(answer.headers.get("retry-after", "")))


@transaction.atomic
def _note(row: OutgoingNotice, outcome: Outcome, seconds: float, now: datetime, kept: str = "") -> None:
    """Keeps the attempt, and ends the notice or says when it is tried again."""
    NoticeAttempt.objects.create(
        notice=row, at=now, verdict=outcome.verdict.value, words=outcome.words[:300], status=outcome.status,
        answer=outcome.answer[:500], seconds=seconds,
    )  # fmt: skip
    mine = _waiting().filter(pk=row.pk)
    if kept:
        mine.update(body=kept[:KEPT_BODY])
    if outcome.verdict is Verdict.SENT:
        _end(mine, Row.SENT, outcome.words, now)
        return
    if outcome.verdict is Verdict.GONE:
        channels.switch_off(
            channel=row.channel, because=f"its receiver {outcome.words}: nobody listens there any more", now=now
        )
    asked = next_wait(row.attempts_count, key=str(row.public_id), asked=outcome.wait)
    if outcome.verdict is not Verdict.AGAIN or asked is None or row.what == "test":
        logger.warning("a notice was given up", extra={"notice": row.pk, "attempts": row.attempts_count})
        tried = f" after {row.attempts_count} attempts" if row.attempts_count >= MOST_ATTEMPTS else ""
        _end(mine, Row.GIVEN_UP, f"{outcome.words}{tried}", now)
        return
    mine.update(claimed_until=None, due_at=now + asked, why=outcome.words[:300])
