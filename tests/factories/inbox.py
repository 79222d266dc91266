"""What waits in the inbox, and what could not be digested."""

from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from deploys.models import Service
from incidents.models import DeadLetter
from tests.conftest import NOON


class DeadLetterFactory(DjangoModelFactory[DeadLetter]):
    class Meta:
        model = DeadLetter

    project = 1
    kind = "envelope"
    event_id = factory.Sequence(lambda n: f"{n:032x}")
    body = b"no envelope"
    received_at = NOON
    failed_at = NOON
    reason = "MalformedEnvelope: the envelope header is not a JSON object"


def dead_letter_of(service: Service, **fields: Any) -> DeadLetter:
    """A letter of this service, failed at NOON."""
    return DeadLetterFactory.create(project=service.number, **fields)
