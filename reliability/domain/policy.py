"""The counting policy in force."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from deploys.domain.environments import tier
from deploys.domain.records import Payload


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts, and how long to wait. Durations in seconds."""

    environment: str = "production"
    failure_classes: tuple[str, ...] = ("downtime", "multi_user")
    deploy_timeout_seconds: float = 86_400
    pending_seconds: float = 259_200
    maintenance_notice_seconds: float = 86_400
    stale_after_seconds: float = 1_209_600

    @property
    def tier(self) -> str:
        """The tier that enters the numbers."""
        return tier(self.environment)

    @property
    def deploy_timeout(self) -> timedelta:
        """Silence for longer makes a deploy never finished."""
        return timedelta(seconds=self.deploy_timeout_seconds)

    @property
    def pending(self) -> timedelta:
        """Younger deploys without a failure await their verdict."""
        return timedelta(seconds=self.pending_seconds)

    @property
    def maintenance_notice(self) -> timedelta:
        """Shortest notice that excuses a slot."""
        return timedelta(seconds=self.maintenance_notice_seconds)

    @property
    def stale_after(self) -> timedelta:
        """A flag may stand still for this long."""
        return timedelta(seconds=self.stale_after_seconds)


def policy_of(header: Payload) -> Policy:
    """The policy a history's header states, with the defaults for what it leaves out."""
    stated = header.get("policy")
    if not isinstance(stated, dict):
        return Policy()
    values: dict[str, Any] = {}  # Any: each value was checked against its field when the line was read
    for name in Policy.__slots__:
        value = stated.get(name)
        if value is not None:
            values[name] = tuple(value) if name == "failure_classes" else value
    return Policy(**values)
