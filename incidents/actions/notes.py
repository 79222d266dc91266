"""Notes people write into an incident's timeline, in Markdown."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from deploys.models import User
from incidents.actions.telling import announce
from incidents.models import Incident, TimelineEntry

LONGEST = 20_000


class NoteRefused(ValueError):
    """A note that cannot be kept; the message says why."""


@transaction.atomic
def add_note(*, incident: Incident, text: str, by: User, now: dt.datetime) -> TimelineEntry:
    """Adds a note. It is kept as typed; pages render it. Raises NoteRefused when it is empty or too long."""
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise NoteRefused("Write something first.")
    if len(text) > LONGEST:
        raise NoteRefused(f"A note has at most {LONGEST:,} characters; this one has {len(text):,}.")
    entry = TimelineEntry.objects.create(incident=incident, at=now, kind=TimelineEntry.Kind.NOTE, text=text, actor=by)
    announce(incident)
    return entry
