"""Runbooks: written, revised, retired, and marked with whether they worked."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from deploys.models import Service, User
from incidents.actions.telling import Line, announce, locked, write_lines
from incidents.models import Incident, Runbook, RunbookUse, RunbookVersion, TimelineEntry

LONGEST = 50_000


class RunbookRefused(ValueError):
    """A runbook that cannot be kept; the message says why."""


@transaction.atomic
def write_runbook(*, service: Service, title: str, text: str, by: User, now: dt.datetime) -> Runbook:
    """A new runbook of the service. Raises RunbookRefused without title or text, or where the title is taken."""
    title, text = _checked(title, text)
    if Runbook.objects.filter(service=service, title=title).exists():
        raise RunbookRefused(f"{service.name} has a runbook of that title already.")
    try:
        with transaction.atomic():
            runbook = Runbook.objects.create(team=service.team, service=service, title=title, created_at=now)
    except IntegrityError as error:  # somebody was quicker
        raise RunbookRefused(f"{service.name} has a runbook of that title already.") from error
    RunbookVersion.objects.create(runbook=runbook, number=1, text=text, at=now, by=by)
    return runbook


@transaction.atomic
def revise(
    *, runbook: Runbook, title: str, text: str, seen: int, by: User, now: dt.datetime, note: str = ""
) -> RunbookVersion:
    """A new version, if the text is new. `seen`: the number it was written on.

    Raises RunbookRefused where somebody else revised it meanwhile, and as `write_runbook`.
    """
    runbook = Runbook.objects.select_for_update(of=("self",)).select_related("service").get(pk=runbook.pk)
    title, text = _checked(title, text)
    if Runbook.objects.filter(service=runbook.service, title=title).exclude(pk=runbook.pk).exists():
        raise RunbookRefused(f"{runbook.service.name} has a runbook of that title already.")
    last = runbook.versions.order_by("-number").select_related("by").first()
    number = last.number if last else 0
    if number != seen:
        raise RunbookRefused("Somebody else revised it since you opened it: copy your text, and look at theirs first.")
    if title != runbook.title:
        Runbook.objects.filter(pk=runbook.pk).update(title=title)
    if last is not None and last.text == text:
        return last
    return RunbookVersion.objects.create(
        runbook=runbook, number=number + 1, text=text, at=now, by=by, note=note.strip()[:300]
    )


def retire(*, runbook: Runbook, is_retired: bool, now: dt.datetime) -> None:
    """It is offered no more, or is again. Its versions and uses stay."""
    Runbook.objects.filter(pk=runbook.pk, retired_at__isnull=is_retired).update(retired_at=now if is_retired else None)


@transaction.atomic
def mark_used(
    *, incident: Incident, runbook: Runbook, outcome: RunbookUse.Outcome, by: User, now: dt.datetime, note: str = ""
) -> RunbookUse:
    """It was followed in this incident, in its newest version. Said again of the same incident, the last word stands.

    Raises RunbookRefused for one of another team.
    """
    incident = locked(incident)
    if runbook.team_id != incident.team_id:
        raise RunbookRefused("Choose a runbook of this team.")
    version = runbook.versions.order_by("-number").first()
    if version is None:
        raise RunbookRefused("This runbook has no text.")
    values = {"version": version, "outcome": outcome, "note": note.strip()[:300], "at": now, "by": by}
    use = RunbookUse.objects.filter(incident=incident, version__runbook=runbook).order_by("pk").first()
    if use is not None and (use.outcome, use.note) == (outcome, values["note"]):
        return use
    if use is None:
        use = RunbookUse.objects.create(incident=incident, **values)
    else:
        for name, value in values.items():
            setattr(use, name, value)
        use.save(update_fields=list(values))
    data = {"state": "runbook", "title": runbook.title, "version": version.number, "outcome": outcome.value}
    line = Line(kind=TimelineEntry.Kind.STATE, text=use.note, data=data)
    write_lines(incident=incident, lines=[line], by=by, now=now)
    announce(incident)
    return use


def _checked(title: str, text: str) -> tuple[str, str]:
    title = title.replace("\x00", "").strip()[:200]
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not title:
        raise RunbookRefused("Give it a title.")
    if not text:
        raise RunbookRefused("Write what to do.")
    if len(text) > LONGEST:
        raise RunbookRefused(f"A runbook has at most {LONGEST:,} characters; this one has {len(text):,}.")
    return title, text
