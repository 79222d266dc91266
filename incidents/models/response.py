"""Who does what in an incident."""

from __future__ import annotations

from django.db import models

from deploys.models import User
from incidents.domain.response import ResponseRole
from incidents.models.incidents import Incident


class RoleHolder(models.Model):
    """Who holds a role of an incident now; who held it before stands in the timeline. The lead is `Incident.lead`."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="role_holders")
    role = models.CharField(max_length=14)
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    since_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "role"], name="role_holder_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in ResponseRole if role != ResponseRole.LEAD]),
                name="role_holder_role_known",
            ),
        ]
