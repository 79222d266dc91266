"""What lets machines and people in. Only hashes of secrets are stored; each secret is shown once."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models.catalog import Role, Service, Team
from deploys.models.users import User


class Scope(models.TextChoices):
    """What an API token may do."""

    DEPLOYS_WRITE = "deploys:write"
    DEPLOYS_READ = "deploys:read"
    RELEASES_WRITE = "releases:write"
    SERVICES_WRITE = "services:write"
    INCIDENTS_READ = "incidents:read"
    INCIDENTS_WRITE = "incidents:write"
    METRICS_READ = "metrics:read"
    OBJECTIVES_WRITE = "objectives:write"


class ApiToken(models.Model):
    """A bearer token of a team. `secret_hash` is the SHA-256 of the whole token, which holds 256 random bits."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="tokens")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)


class DsnKey(models.Model):
    """The public key of a service's DSN: 128 random bits in hex. Write-only by nature, so stored in clear."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="dsn_keys")
    public_key = models.CharField(max_length=32, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)


class OneTimeLink(models.Model):
    """A link that lets somebody in once: to set up the instance, to sign in, or to join a team."""

    class Purpose(models.TextChoices):
        SETUP = "setup"
        SIGN_IN = "sign_in"
        INVITATION = "invitation"

    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices, null=True)
    email = models.EmailField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(purpose="invitation") | models.Q(team__isnull=False, role__isnull=False),
                name="invitation_has_team_and_role",
            ),
            models.CheckConstraint(
                condition=~models.Q(purpose="sign_in") | models.Q(user__isnull=False), name="sign_in_link_has_user"
            ),
        ]
