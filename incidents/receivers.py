"""What this room does when the room below announces a fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.dispatch import receiver

from deploys import clock
from deploys.actions.inferred import absorb_inferred
from deploys.models import Change, Service
from deploys.queries.prepared import PreparedRows
from deploys.signals import changes_recorded, changes_recording, nothing_ran, service_declared
from incidents.actions.watching import begin_unwatched, note_absence
from incidents.models import UnweighedChange

NEWBORN: Final = dt.timedelta(minutes=5)
"""A service made by the deploy just recorded is this young."""
_new_services: Final = PreparedRows(
    lambda changes, since: Service.objects.select_related("team").filter(
        pk__in=Change.objects.filter(pk__among=changes).values("service"), is_declared=False, is_unwatched=False,
        created_at__gt=since,
    ),
    changes=[-101], since=dt.datetime(1971, 2, 3, tzinfo=dt.UTC),
)  # fmt: skip


@receiver(changes_recording, dispatch_uid="incidents.weigh_again")
def weigh_again(sender: object, team_id: int, change_ids: Sequence[int], **_: Any) -> None:  # Any: as Django sends it
    """Has the next detection weigh the incidents that these changes may explain."""
    UnweighedChange.objects.bulk_create(
        (UnweighedChange(team_id=team_id, change_id=each) for each in change_ids), batch_size=500
    )


@receiver(service_declared, dispatch_uid="incidents.begin_unwatched")
def begins_unwatched(sender: object, service_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """A service that somebody declares begins unwatched."""
    service = Service.objects.select_related("team").get(pk=service_id)
    begin_unwatched(service=service, now=clock.now())


@receiver(changes_recorded, dispatch_uid="incidents.absorb_inferred")
def absorbs_inferred(sender: object, change_ids: Sequence[int], **_: Any) -> None:  # Any: Django's signal arguments
    """A deploy reported late takes the place of the one that was inferred for lack of it."""
    absorb_inferred(now=clock.now(), change_ids=change_ids)


@receiver(changes_recorded, dispatch_uid="incidents.begin_unwatched_by_deploy")
def begins_unwatched_by_deploy(sender: object, change_ids: Sequence[int], **_: Any) -> None:  # Any: as above
    """So does one that appears because a deploy names it."""
    now = clock.now()
    for service in _new_services(changes=list(change_ids), since=now - NEWBORN):
        begin_unwatched(service=service, now=now)


@receiver(nothing_ran, dispatch_uid="incidents.note_absence")
def notes_absence(sender: object, since: dt.datetime, until: dt.datetime, **_: Any) -> None:  # Any: as above
    """Upshot's own downtime is a gap in monitoring, and nobody else's downtime."""
    note_absence(since=since, until=until)
