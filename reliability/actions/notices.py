"""News become notices: one row for each piece of news, channel and recipient, written in the transaction that notes that
it was told.

Whoever changes an incident only marks it as moved, in the same transaction; the news are worked out afterwards, from
how it stands. So a crash anywhere loses none and doubles none, and trouble here never stops what is told of.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from deploys import clock, failpoints
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.domain.identifiers import uuid7
from deploys.domain.instants import instant_text
from deploys.models import Change, Membership, Role, Team, User
from incidents.models import Incident
from incidents.ports import Notice
from reliability.actions.channels import first_channel
from reliability.addresses import incident_url, page_url
from reliability.domain.incident_news import Told, What, news
from reliability.domain.notice_words import Story, one_line, words_of
from reliability.domain.weeks import zone_named
from reliability.formats.notices import IncidentEvent, artifact_of, cloud_event, plain_event
from reliability.models import Channel, IncidentNews, OutgoingNotice
from reliability.queries.notices import KnownCause, known_cause, standing_of, story_of

logger = logging.getLogger(__name__)

#: News for people wait this long, so that what follows at once (the cause, a worse class) is told with them.
SETTLE: Final = timedelta(seconds=10)
#: An incident whose news could not be worked out is looked at again after this.
AFTER_TROUBLE: Final = timedelta(minutes=5)
KEPT: Final = timedelta(days=30)
TEST: Final = "test"
#: A channel is tested no more often than this.
BETWEEN_TESTS: Final = timedelta(seconds=10)

_EVENTS: Final = {
    What.OPENED: "detected", What.REOPENED: "detected", What.RESTORED: "resolved", What.WITHDRAWN: "resolved", What.MERGED: "resolved",
    What.WORSENED: "worsened", What.CAUSE: "cause",
}  # fmt: skip


def note_moved(incidents: Sequence[Incident]) -> None:
    """There may be something to tell of these incidents. One statement, in the transaction that changes them."""
    now = clock.now()
    IncidentNews.objects.bulk_create(
        [IncidentNews(incident=each, moved_at=now) for each in sorted(incidents, key=lambda each: each.pk)],
        update_conflicts=True, unique_fields=["incident"], update_fields=["moved_at"],
    )  # fmt: skip


def is_waiting(*, now: datetime) -> bool:
    """Has any incident moved?"""
    return _moved(now).exists()


def _moved(now: datetime) -> QuerySet[IncidentNews]:
    """What is to be looked at. An instant further ahead than AFTER_TROUBLE is of a clock that has been set back since."""
    return IncidentNews.objects.filter(Q(moved_at__lte=now) | Q(moved_at__gt=now + AFTER_TROUBLE))


def tell_news(*, now: datetime, most: int = 200) -> int:
    """Writes the notices of incidents that have moved; how many. One that cannot be told does not stop the others."""
    written, failed = 0, 0
    for incident_id in list(_moved(now).order_by("moved_at").values_list("incident_id", flat=True)[:most]):
        try:
            written += _tell(incident_id, now)
        except Exception:
            logger.exception("the news of an incident could not be told", extra={"incident": incident_id})
            IncidentNews.objects.filter(incident=incident_id).update(moved_at=now + AFTER_TROUBLE)
            failed += 1
    if failed:
        raise RuntimeError(f"the news of {failed} incidents could not be told")
    return written


@transaction.atomic
def _tell(incident_id: int, now: datetime) -> int:
    row = IncidentNews.objects.select_for_update().get(incident=incident_id)
    incident = Incident.objects.select_related("team", "environment", "lead", "duplicate_of").get(pk=incident_id)
    cause = known_cause(incident)
    before = Told(row.worst_class, row.is_restored, row.is_uncounted, row.cause) if row.worst_class else None
    found, told = news(before, standing_of(incident, cause), now=now)
    if told is not None:
        row.worst_class, row.is_restored, row.is_uncounted, row.cause = (
            told.worst_class, told.is_restored, told.is_uncounted, told.cause,
        )  # fmt: skip
    row.number, row.moved_at = row.number + len(found), None
    row.save()
    if not found or told is None or row.muted_at is not None:
        return 0
    telling = _Telling(incident, cause, story_of(incident, cause, now=now), now)
    rows = [
        notice
        for channel in channels_of(incident.team, now=now)
        if told.worst_class in channel.subjects or (before is not None and before.worst_class in channel.subjects)
        for notice in telling.rows(channel, _for_channel(channel, found, before), row.number, told.worst_class)
    ]
    _keep(rows, incident.team, now)
    failpoints.reach("notices.written")
    return len(rows)


def _for_channel(channel: Channel, found: Sequence[What], before: Told | None) -> Sequence[What]:
    """A machine that has heard nothing of an incident so far is told first that there is one."""
    has_heard = before is not None and before.worst_class in channel.subjects
    if channel.kind != Channel.Kind.WEBHOOK or has_heard or _EVENTS[found[0]] == "detected":
        return found
    return (What.OPENED, *(each for each in found if each is not What.WORSENED))


@dataclass(frozen=True, slots=True)
class _Telling:
    """One incident about to be told."""

    incident: Incident
    cause: KnownCause | None
    story: Story
    now: datetime

    def rows(self, channel: Channel, found: Sequence[What], number: int, subject: str) -> Iterable[OutgoingNotice]:
        """A row for each piece of news and recipient of the channel."""
        is_machine = channel.kind == Channel.Kind.WEBHOOK
        due_at = self.now if is_machine else self.now + SETTLE
        for place, what in enumerate(found):
            title = words_of(what, self.story, zone_named(channel.zone)).subject
            for address, user in recipients(channel):
                notice = OutgoingNotice(
                    team=self.incident.team, channel=channel, incident=self.incident, what=what.value, subject=subject, recipient=address,
                    key=f"incident/{self.incident.pk}/{number}.{place}-{what.value}/{channel.pk}/{address}", user=user,
                    title=title[:300], occurred_at=self.now, due_at=due_at, public_id=uuid7(),
                )  # fmt: skip
                if is_machine:
                    notice.body = self._event(what, str(notice.public_id)).decode()
                yield notice

    def _event(self, what: What, event_id: str) -> bytes:
        incident, cause = self.incident, self.cause
        said = self.story.cause
        more: dict[str, Any] = {  # Any: JSON
            "news": what.value, "incident": incident.slug, "url": settings.BASE_URL + incident_url(incident.team, incident),
            "title": one_line(incident.title, 300), "class": incident.impact_class, "services": list(self.story.services),
            "started_at": instant_text(incident.begins_at), "users": incident.users_count,
            "restored_at": instant_text(incident.restored_at) if incident.restored_at else None,
            "cause": {"words": said.words, "kind": said.kind, "said": said.said, "probability": said.odds} if said else None,
        }  # fmt: skip
        event = IncidentEvent(
            id=event_id, what=_EVENTS[what], at=self.now, source=source_of(incident.team), incident_id=str(incident.public_id),
            environment=incident.environment.name, description=one_line(incident.title, 300) or incident.slug,
            service=self.story.services[0] if self.story.services else None,
            artifact=_artifact(cause.change) if cause is not None else None, more=more,
        )  # fmt: skip
        return cloud_event(event)


def _artifact(change: Change | None) -> str | None:
    if change is None or change.kind != Change.Kind.DEPLOY or change.deploy.release is None or change.service is None:
        return None
    digest = change.deploy.artifact.digest if change.deploy.artifact else None
    return artifact_of(change.service.name, change.deploy.release.version, digest)


def source_of(team: Team) -> str:
    """Where the events of a team come from, as CloudEvents name it."""
    return settings.BASE_URL + page_url("dashboard", team.slug)


def channels_of(team: Team, *, now: datetime) -> list[Channel]:
    """The team's channels that are in use. A team that never had one gets its first: mail to everybody who may act."""
    rows = list(Channel.objects.filter(team=team).order_by("pk"))
    if not rows:
        rows = [first_channel(team=team, now=now)]
    return [row for row in rows if row.removed_at is None and row.off_at is None]


def recipients(channel: Channel) -> list[tuple[str, User | None]]:
    """To whom the channel leads, in order: addresses with the person behind each, where it is one who may act.

    A channel with one receiver has the empty address.
    """
    if channel.kind != Channel.Kind.EMAIL:
        return [("", None)]
    members = Membership.objects.filter(
        team=channel.team_id, role__in=[Role.RESPONDER, Role.ADMIN], user__is_active=True
    )
    people = {each.user.email: each.user for each in members.select_related("user").order_by("user__email")}
    wanted = [*(people if channel.is_to_members else ()), *channel.addresses]
    left = set(channel.leavers.values_list("address", flat=True))
    return [(address, people.get(address)) for address in dict.fromkeys(wanted) if address not in left]


def tell_channels(notice: Notice) -> None:
    """The notifier: what is no news of an incident, as rows for every channel that tells of such things."""
    now = clock.now()
    rows = []
    for channel in channels_of(notice.team, now=now):
        if notice.about not in channel.subjects:
            continue
        for address, user in recipients(channel):
            row = OutgoingNotice(
                team=notice.team, channel=channel, what="notice", subject=notice.about[:12], urgency=notice.urgency, recipient=address, user=user,
                key=f"notice/{notice.key}/{channel.pk}/{address}"[:500], title=one_line(notice.title, 300),
                story={"title": notice.title, "text": notice.text, "path": notice.path}, occurred_at=now, due_at=now, public_id=uuid7(),
            )  # fmt: skip
            if channel.kind == Channel.Kind.WEBHOOK:
                row.body = plain_event(
                    event_id=str(row.public_id), kind=notice.about, at=now, source=source_of(notice.team),
                    data={"title": notice.title, "text": notice.text, "urgency": notice.urgency, "url": settings.BASE_URL + notice.path},
                ).decode()  # fmt: skip
            rows.append(row)
    _keep(rows, notice.team, now)


def _keep(rows: Sequence[OutgoingNotice], team: Team, now: datetime) -> None:
    """Writes the notices down; where the team switched notifications off by its own flag, as muted by that."""
    if rows and not is_on(team, OwnFlag.NOTICES, now=now):
        for row in rows:
            row.outcome, row.why, row.ended_at = (
                OutgoingNotice.Outcome.MUTED,
                f"switched off by the flag {OwnFlag.NOTICES}",
                now,
            )
    OutgoingNotice.objects.bulk_create(rows, ignore_conflicts=True)


class TooSoon(Exception):
    """The channel was tested just before."""


def write_test(*, channel: Channel, by: User, now: datetime) -> list[OutgoingNotice]:
    """A test for each recipient of the channel, to be handed over by `delivering.deliver_now`. Raises TooSoon."""
    if OutgoingNotice.objects.filter(channel=channel, what=TEST, occurred_at__gt=now - BETWEEN_TESTS).exists():
        raise TooSoon(f"{channel.name} was tested just now: try again in ten seconds")
    text = f"{by.name} tests the channel {channel.name} of {channel.team.name}. Nothing is broken."
    path, run = page_url("team-notifications", channel.team.slug), uuid7()
    rows = []
    for address, user in recipients(channel):
        row = OutgoingNotice(
            team=channel.team, channel=channel, what=TEST, subject=TEST, urgency="info", recipient=address, user=user, public_id=uuid7(),
            key=f"test/{run}/{address}", title=f"Test of {one_line(channel.name)}", story={"text": text, "path": path},
            occurred_at=now, due_at=now,
        )  # fmt: skip
        if channel.kind == Channel.Kind.WEBHOOK:
            data = {"title": row.title, "text": text, "url": settings.BASE_URL + path}
            source = source_of(channel.team)
            row.body = plain_event(event_id=str(row.public_id), kind=TEST, at=now, source=source, data=data).decode()
        rows.append(row)
    return OutgoingNotice.objects.bulk_create(rows)


@transaction.atomic
def mute_incident(*, incident: Incident, by: User, now: datetime) -> None:
    """No further notice of this incident, and none of those that wait. Idempotent."""
    IncidentNews.objects.get_or_create(incident=incident)
    IncidentNews.objects.filter(incident=incident, muted_at=None).update(muted_at=now, muted_by=by)
    waiting = OutgoingNotice.objects.filter(incident=incident, outcome="", claimed_until=None)
    waiting.update(outcome=OutgoingNotice.Outcome.MUTED, why=f"muted by {by.name}"[:300], ended_at=now)


def unmute_incident(*, incident: Incident) -> None:
    """Notices of it are sent again, from the next news on."""
    IncidentNews.objects.filter(incident=incident).update(muted_at=None, muted_by=None)


def forget_notices(*, now: datetime) -> int:
    """Deletes what ended more than 30 days ago, a thousand at a time; how many notices."""
    count = 0
    old = OutgoingNotice.objects.filter(ended_at__lt=now - KEPT).order_by("pk").values_list("pk", flat=True)
    while pks := list(old[:1000]):
        OutgoingNotice.objects.filter(pk__in=pks).delete()
        count += len(pks)
    return count
