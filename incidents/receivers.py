"""What this room does when the room below announces a fact."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from deploys.signals import change_recorded
from incidents.tasks import reattribute


@receiver(change_recorded, dispatch_uid="incidents.weigh_again")
def weigh_again(sender: object, change_id: int, **_: Any) -> None:  # Any: Django's signal arguments
    """Has the incidents that this change may explain weighed again."""
    reattribute.apply_async(args=[change_id], retry=False)
