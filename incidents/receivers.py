"""What this room does when the room below announces a fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.dispatch import receiver

from deploys import clock
from deploys.actions.inferred import absorb_inferred
from deploys.models import Deploy, Service
from deploys.queries.chunks import chunks
from deploys.signals import changes_recorded, service_declared
from incidents.actions.watching import begin_unwatched
from incidents.tasks import reattribute

NEWBORN: Final = dt.timedelta(minutes=5)
"""A service made by the deploy just recorded is this young."""


@receiver(changes_recorded, dispatch_uid="incidents.weigh_again")
def weigh_again(sender: object, change_ids: Sequence[int], **_: Any) -> None:  # Any: Django's signal arguments
    """Has the incidents that these changes may explain weighed again."""
    for some in chunks(change_ids):
        reattribute.apply_async(args=[list(some)], retry=False)


@receiver(service_declared, dispatch_uid="incidents.begin_unwatched")
def begins_unwatched(sender: object, service_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """A service that somebody declares begins unwatched."""
    service = Service.objects.select_related("team").get(pk=service_id)
    begin_unwatched(service=service, now=clock.now())


@receiver(changes_recorded, dispatch_uid="incidents.absorb_inferred")
def absorbs_inferred(sender: object, change_ids: Sequence[int], **_: Any) -> None:  # Any: Django's signal arguments
    """A deploy reported late takes the place of the one that was inferred for lack of it."""
    for some in chunks(change_ids):
        services = Deploy.objects.filter(pk__in=some).values_list("service", flat=True).distinct()
        absorb_inferred(now=clock.now(), service_ids=list(services))


@receiver(changes_recorded, dispatch_uid="incidents.begin_unwatched_by_deploy")
def begins_unwatched_by_deploy(sender: object, change_ids: Sequence[int], **_: Any) -> None:  # Any: as above
    """So does one that appears because a deploy names it."""
    now = clock.now()
    for some in chunks(change_ids):
        new = Service.objects.select_related("team").filter(
            changes__pk__in=some, is_declared=False, is_unwatched=False, created_at__gt=now - NEWBORN
        )
        for service in new.distinct():
            begin_unwatched(service=service, now=now)
