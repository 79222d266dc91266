"""The channels of a team: made, changed, muted, given new secrets, removed; and who leaves one."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from deploys.actions.catalog import clean_name
from deploys.actions.secrets import decrypt, encrypt
from deploys.actions.sources import GRACE
from deploys.domain.signatures import WHSEC
from deploys.models import Team, User
from incidents.actions.outgoing import private_networks
from incidents.domain.addresses import BadUrl, checked_place
from reliability.domain.quiet_hours import QuietHours
from reliability.domain.weeks import zone_named
from reliability.models import Channel, ChannelLeaver, OutgoingNotice
from reliability.models.notices import default_subjects

LONGEST_URL: Final = 2_000
MOST_ADDRESSES: Final = 50
MOST_CHANNELS: Final = 30
FOR_GOOD: Final = datetime(9000, 1, 1, tzinfo=UTC)
_SALT: Final = "leave a channel"


class ChannelRefused(ValueError):
    """What was asked cannot be; `field` is the one to correct, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants of a channel. `url` empty: as it is."""

    name: str
    subjects: Sequence[str] = field(default_factory=default_subjects)
    is_to_members: bool = False
    addresses: Sequence[str] = ()
    url: str = ""
    zone: str = "UTC"
    quiet_from: time | None = None
    quiet_to: time | None = None
    is_quiet_for_downtime: bool = False


def first_channel(*, team: Team, now: datetime) -> Channel:
    """What a team has that has set nothing up: mail to everybody who may act."""
    channel, _ = Channel.objects.get_or_create(
        team=team, is_first=True,
        defaults={"kind": Channel.Kind.EMAIL, "name": "Everybody who may act", "is_to_members": True, "zone": team.zone, "created_at": now},
    )  # fmt: skip
    return channel


@transaction.atomic
def make_channel(*, team: Team, kind: str, wanted: Wanted, by: User, now: datetime) -> tuple[Channel, str]:
    """A new channel; of a webhook also the secret it is signed with, shown now and never again. Raises ChannelRefused."""
    if Channel.objects.filter(team=team, removed_at=None).count() >= MOST_CHANNELS:
        raise ChannelRefused("name", f"A team may have {MOST_CHANNELS} channels.")
    channel = Channel(team=team, kind=kind, created_by=by, created_at=now)
    _set(channel, wanted)
    secret = ""
    if kind == Channel.Kind.WEBHOOK:
        secret = _new_secret()
        channel.secret_encrypted = encrypt(secret)
    channel.save()
    return channel, secret


@transaction.atomic
def change_channel(*, channel: Channel, wanted: Wanted) -> None:
    """From now on it is like this. Raises ChannelRefused."""
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    _set(row, wanted)
    row.save()


def _set(channel: Channel, wanted: Wanted) -> None:
    channel.name = clean_name(wanted.name, what="channel", longest=100)
    channel.subjects, channel.zone = list(wanted.subjects), wanted.zone
    if (wanted.quiet_from is None) is not (wanted.quiet_to is None):
        raise ChannelRefused("quiet_to", "Quiet hours need both, when they begin and when they end.")
    if wanted.quiet_from is not None and wanted.quiet_from == wanted.quiet_to:
        raise ChannelRefused("quiet_to", "They end when they begin: mute the channel instead, or leave both empty.")
    channel.quiet_from, channel.quiet_to = wanted.quiet_from, wanted.quiet_to
    channel.is_quiet_for_downtime = wanted.is_quiet_for_downtime
    if channel.kind == Channel.Kind.EMAIL:
        addresses = list(dict.fromkeys(address.strip().lower() for address in wanted.addresses))
        if len(addresses) > MOST_ADDRESSES:
            raise ChannelRefused("addresses", f"At most {MOST_ADDRESSES} addresses.")
        if not addresses and not wanted.is_to_members:
            raise ChannelRefused("addresses", "Say who gets it: an address, or everybody who may act.")
        channel.addresses, channel.is_to_members = addresses, wanted.is_to_members
        return
    if wanted.url:
        try:
            place = checked_place(wanted.url, private_networks())
        except BadUrl as error:
            raise ChannelRefused("url", f"This address cannot be used: {error}.") from error
        channel.url_encrypted, channel.host = encrypt(wanted.url), f"{place.scheme}://{place.host}"[:260]
    elif not channel.url_encrypted:
        raise ChannelRefused("url", "Where is it delivered?")


def _new_secret() -> str:
    return WHSEC + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def rotate_secret(*, channel: Channel, now: datetime) -> str:
    """A new secret, shown now and never again. For another 24 hours, messages are signed with the one before, too."""
    secret = _new_secret()
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    Channel.objects.filter(pk=row.pk).update(
        secret_encrypted=encrypt(secret),
        previous_secret_encrypted=row.secret_encrypted,
        previous_secret_until=now + GRACE,
    )
    return secret


def signing_secrets(channel: Channel, *, now: datetime) -> list[str]:
    """The secrets a message is signed with, the newest first. UnreadableSecret: see `deploys.actions.secrets.decrypt`."""
    found = [decrypt(channel.secret_encrypted)] if channel.secret_encrypted else []
    until = channel.previous_secret_until
    if channel.previous_secret_encrypted and until is not None and now < until:
        found.append(decrypt(channel.previous_secret_encrypted))
    return found


def mute(*, channel: Channel, until: datetime) -> None:
    """Nothing of what happens until then is told by it, also not later."""
    Channel.objects.filter(pk=channel.pk).update(muted_until=until)


def unmute(*, channel: Channel) -> None:
    """It tells again, from the next news on."""
    Channel.objects.filter(pk=channel.pk).update(muted_until=None)


def switch_off(*, channel: Channel, because: str, now: datetime) -> None:
    """Nothing is written for it until somebody switches it on."""
    Channel.objects.filter(pk=channel.pk, off_at=None).update(off_at=now, off_because=because[:200])


def switch_on(*, channel: Channel) -> None:
    """It is used again, from the next news on."""
    Channel.objects.filter(pk=channel.pk).update(off_at=None, off_because="")


@transaction.atomic
def remove(*, channel: Channel, now: datetime) -> None:
    """It is gone, with its secrets; what it told stays in the log, and what waits is not sent."""
    Channel.objects.filter(pk=channel.pk).update(
        removed_at=now,
        url_encrypted=None,
        secret_encrypted=None,
        previous_secret_encrypted=None,
        previous_secret_until=None,
    )
    waiting = OutgoingNotice.objects.filter(channel=channel, outcome="", claimed_until=None)
    waiting.update(outcome=OutgoingNotice.Outcome.DROPPED, why="the channel was removed", ended_at=now)


def quiet_hours(channel: Channel) -> QuietHours | None:
    """Its quiet hours, None where it has none."""
    if channel.quiet_from is None or channel.quiet_to is None:
        return None
    return QuietHours(channel.quiet_from, channel.quiet_to, zone_named(channel.zone))


def leave_address(channel: Channel, address: str) -> str:
    """The page on which whoever holds a mail of the channel leaves it."""
    token = signing.dumps([str(channel.public_id), address], salt=_SALT)
    return f"{settings.BASE_URL}{reverse('channel-leave', args=[token])}"


def leaver_of(token: str) -> tuple[Channel, str] | None:
    """The channel and the address of a token; None for a forged one."""
    try:
        public_id, address = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    channel = Channel.objects.select_related("team").filter(public_id=public_id).first()
    return (channel, address) if channel is not None else None


@transaction.atomic
def leave(*, channel: Channel, address: str, now: datetime) -> None:
    """No more mail of the channel to this address, nor any that waits. Idempotent."""
    ChannelLeaver.objects.get_or_create(channel=channel, address=address, defaults={"left_at": now})
    waiting = OutgoingNotice.objects.filter(channel=channel, recipient=address, outcome="", claimed_until=None)
    waiting.update(outcome=OutgoingNotice.Outcome.DROPPED, why="the reader left the channel", ended_at=now)


def take_back(*, channel: Channel, address: str) -> None:
    """Somebody who had left gets its mail again."""
    ChannelLeaver.objects.filter(channel=channel, address=address).delete()


def muted_for(hours: int | None, *, now: datetime) -> datetime:
    """Until when a channel that is muted for so long is muted; None: until somebody takes it back."""
    return FOR_GOOD if hours is None else now + timedelta(hours=hours)
