"""Acknowledging from a mail: a link for one person and one incident, which opens a page with a button. Looking changes
nothing, for programs that check mail follow links.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from deploys.actions.secrets import secret_hash
from deploys.models import Membership, Role
from incidents.actions import states
from incidents.models import Incident
from reliability.models import AcknowledgeLink, OutgoingNotice

LIFE: Final = timedelta(hours=48)


class LinkUnusable(Exception):
    """The link is unknown or too old, or its holder may not act any more. The message says which."""


def _secret(notice: OutgoingNotice) -> str:
    """256 bits that only this instance can make; the same each time, so that nothing but its hash is kept."""
    digest = salted_hmac("upshot.acknowledge", str(notice.public_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def make_link(*, notice: OutgoingNotice, now: datetime) -> str:
    """The address that lets the recipient of a notice acknowledge; empty where the address belongs to nobody who may act."""
    if notice.user_id is None or notice.incident_id is None:
        return ""
    secret = _secret(notice)
    AcknowledgeLink.objects.get_or_create(
        notice=notice,
        defaults={
            "secret_hash": secret_hash(secret), "incident_id": notice.incident_id, "user_id": notice.user_id,
            "created_at": now, "expires_at": now + LIFE,
        },
    )  # fmt: skip
    return f"{settings.BASE_URL}{reverse('acknowledge', args=[secret])}"


def look_up(secret: str, *, now: datetime) -> AcknowledgeLink:
    """The link behind a secret, with its incident and person. Raises LinkUnusable."""
    rows = AcknowledgeLink.objects.select_related("incident__team", "incident__lead", "incident__environment", "user")
    link = rows.filter(secret_hash=secret_hash(secret)).first()
    if link is None:
        raise LinkUnusable("This link is not known here. Was it copied whole?")
    if link.expires_at <= now:
        raise LinkUnusable("This link is too old: it works for two days.")
    may_act = Membership.objects.filter(
        team=link.incident.team_id, user=link.user_id, user__is_active=True, role__in=[Role.RESPONDER, Role.ADMIN]
    )
    if not may_act.exists():
        raise LinkUnusable("The person this link was sent to may not act on incidents of this team any more.")
    return link


@transaction.atomic
def acknowledge(*, link: AcknowledgeLink, now: datetime) -> Incident:
    """The person of the link looks at the incident: as by the button of its page. A second time changes nothing."""
    AcknowledgeLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now)
    return states.acknowledge(incident=link.incident, by=link.user, now=now)
