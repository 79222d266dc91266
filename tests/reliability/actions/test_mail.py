"""Mail is handed over at most once, and tried again only while the server cannot have it."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend

from reliability.actions.mail import MOST_ATTEMPTS, queue_mail, send_due_mail
from reliability.models import OutgoingMail
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _server(settings):
    settings.MAIL_IS_SET = True


def queue(key: str = "report/1/2026-W10", **more: object) -> bool:
    team = TeamFactory.create()
    return queue_mail(team=team, key=key, to="a@example.org", subject="Week\r\n47", text="up", now=NOON, **more)


class Failing(EmailBackend):
    """A server that fails as it is told to."""

    opening: Exception | None = None
    sending: Exception | None = None

    def open(self) -> None:
        if self.opening is not None:
            raise self.opening

    def send_messages(self, messages: object) -> int:
        if self.sending is not None:
            raise self.sending
        return super().send_messages(messages)


@pytest.fixture
def server(settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.reliability.actions.test_mail.Failing"
    monkeypatch.setattr(Failing, "opening", None)
    monkeypatch.setattr(Failing, "sending", None)
    return Failing


def test_a_mail_is_sent_once_with_both_bodies() -> None:
    assert queue(html="<p>up</p>", headers={"List-Unsubscribe": "<x>"})
    assert not queue()

    assert send_due_mail(now=NOON) == 1
    assert send_due_mail(now=NOON + MINUTE) == 0
    [sent] = outbox.outbox
    assert (sent.subject, sent.body, sent.to) == ("Week 47", "up", ["a@example.org"])
    assert sent.alternatives[0].content == "<p>up</p>"
    assert sent.message()["List-Unsubscribe"] == "<x>"
    assert OutgoingMail.objects.get().sent_at == NOON


def test_without_a_server_mail_waits(settings) -> None:
    settings.MAIL_IS_SET = False
    queue()

    assert send_due_mail(now=NOON) == 0
    assert OutgoingMail.objects.get().attempts == 0


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("no"), smtplib.SMTPAuthenticationError(535, b"no"), TimeoutError("slow")]
)
def test_a_server_that_cannot_be_reached_is_tried_again_later_and_later(server, error) -> None:
    queue()
    server.opening = error

    waits, now = [], NOON
    while OutgoingMail.objects.get().given_up_at is None:
        assert send_due_mail(now=now) == 0
        row = OutgoingMail.objects.get()
        waits.append(row.due_at - now)
        now = max(row.due_at, now)

    assert len(waits) == MOST_ATTEMPTS
    assert waits[:4] == [MINUTE, 4 * MINUTE, 16 * MINUTE, 64 * MINUTE]
    assert type(error).__name__ in OutgoingMail.objects.get().last_error


def test_once_the_server_is_back_the_mail_goes(server) -> None:
    queue()
    server.opening = ConnectionRefusedError("no")
    send_due_mail(now=NOON)
    server.opening = None

    assert send_due_mail(now=NOON + timedelta(seconds=59)) == 0
    assert send_due_mail(now=NOON + MINUTE) == 1
    assert OutgoingMail.objects.get().last_error == ""


@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [
        (smtplib.SMTPDataError(451, b"later"), True),
        (smtplib.SMTPDataError(554, b"spam"), False),
        (smtplib.SMTPRecipientsRefused({"a@example.org": (450, b"later")}), True),
        (smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"nobody")}), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (TimeoutError("no answer"), False),
    ],
)
def test_what_may_have_arrived_is_not_sent_again(server, error, is_tried_again) -> None:
    queue()
    server.sending = error

    send_due_mail(now=NOON)

    row = OutgoingMail.objects.get()
    assert (row.given_up_at is None) is is_tried_again
    assert row.claimed_at is None or not is_tried_again


def test_a_mail_whose_worker_died_is_given_up_and_says_so() -> None:
    queue()
    OutgoingMail.objects.update(claimed_at=NOON, attempts=1)

    assert send_due_mail(now=NOON + timedelta(minutes=59)) == 0
    assert OutgoingMail.objects.get().given_up_at is None
    assert send_due_mail(now=NOON + timedelta(minutes=60)) == 0
    assert "may have arrived" in OutgoingMail.objects.get().last_error
    assert outbox.outbox == []
