"""What this room does when the room below announces a fact."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.dispatch import receiver

from deploys import clock
from deploys.actions.inferred import absorb_inferred
from deploys.models import Deploy, Service
from deploys.signals import change_recorded, service_declared
from incidents.actions.watching import begin_unwatched
from incidents.tasks import reattribute

NEWBORN: Final = dt.timedelta(minutes=5)
"""A service made by the deploy just recorded is this young."""


@receiver(change_recorded, dispatch_uid="incidents.weigh_again")
def weigh_again(sender: object, change_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """Has the incidents that this change may explain weighed again."""
    reattribute.apply_async(args=[change_id], retry=False)


@receiver(service_declared, dispatch_uid="incidents.begin_unwatched")
def begins_unwatched(sender: object, service_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """A service that somebody declares begins unwatched."""
    service = Service.objects.select_related("team").get(pk=service_id)
    begin_unwatched(service=service, now=clock.now())


@receiver(change_recorded, dispatch_uid="incidents.absorb_inferred")
def absorbs_inferred(sender: object, change_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """A deploy reported late takes the place of the one that was inferred for lack of it."""
    service_id = Deploy.objects.filter(pk=change_id).values_list("service", flat=True).first()
    if service_id is not None:
        absorb_inferred(now=clock.now(), service_id=service_id)


@receiver(change_recorded, dispatch_uid="incidents.begin_unwatched_by_deploy")
def begins_unwatched_by_deploy(sender: object, change_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """So does one that appears because a deploy names it."""
    now = clock.now()
    new = Service.objects.select_related("team").filter(
        changes__pk=change_id, is_declared=False, is_unwatched=False, created_at__gt=now - NEWBORN
    )  # fmt: skip
    for service in new:
        begin_unwatched(service=service, now=now)
