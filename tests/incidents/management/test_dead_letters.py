"""The command that lists dead letters and lets a person decide."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from incidents.models import DeadLetter, InboxItem
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("dead_letters", *arguments, stdout=out)
    return out.getvalue()


def letter(event_id: str) -> DeadLetter:
    return DeadLetter.objects.create(
        project=42, kind="envelope", event_id=event_id, body=b"x", received_at=NOON, failed_at=NOON, reason="bad\nbody"
    )


def test_letters_are_listed_on_one_line_each() -> None:
    first, second = letter("a"), letter("")

    assert run() == (
        f"{second.pk}\t42\t2026-03-04T12:00:00Z\t-\t'bad\\nbody'\n"
        f"{first.pk}\t42\t2026-03-04T12:00:00Z\ta\t'bad\\nbody'\n"
        "2 dead letters\n"
    )


def test_letters_go_back_or_away() -> None:
    first, second, third = letter("a"), letter("b"), letter("c")

    assert run("--replay", str(first.pk)) == "1 put back into the inbox\n"
    assert list(InboxItem.objects.values_list("event_id", "attempts")) == [("a", 0)]
    assert run("--discard", str(second.pk)) == "1 deleted\n"
    assert list(DeadLetter.objects.all()) == [third]
