"""Channels are set up, tried and muted on pages; what was told stands in a log; a mail's link opens a page with a button."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deploys.models import Role, Team
from incidents.actions import states
from incidents.models import Incident
from reliability.actions import channels
from reliability.actions.delivering import deliver_due
from reliability.models import Channel, OutgoingNotice
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, TeamFactory
from tests.factories.incidents import incident_of
from tests.factories.notices import channel_of, link_of, notice_of
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _mail_server(settings: Any, noon: dt.datetime) -> None:
    settings.MAIL_IS_SET = True
    settings.ALLOW_PRIVATE_MONITORS = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def team() -> Team:
    return TeamFactory.create(name="Acme", slug="acme")


def member(team: Team, role: str) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(team=team, role=role, user__email=f"{role}@example.org").user)
    return client


def page(name: str, team: Team, *args: Any) -> str:
    return reverse(name, args=[team.slug, *args])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_team_without_channels_reads_who_is_told_all_the_same(team: Team) -> None:
    client = member(team, Role.VIEWER)

    shown = text(client.get(page("team-notifications", team)))

    assert "everybody who may act is told by mail" in shown
    assert "Add a channel" not in shown
    assert not Channel.objects.exists()
    channels.remove(channel=channel_of(team), now=NOON)
    assert "every channel was removed" in text(client.get(page("team-notifications", team)))


def test_an_administrator_adds_a_channel_of_each_kind(team: Team) -> None:
    client, path = member(team, Role.ADMIN), page("team-notifications", team)

    mailed = client.post(
        path,
        {"act": "add-email", "name": "on call", "subjects": ["downtime"], "addresses": "a@example.org\nB@example.org"},
    )
    slack = client.post(
        path,
        {"act": "add-slack", "name": "#ops", "subjects": ["downtime"], "url": "https://hooks.example/T0/secret-path"},
    )
    url = "https://example.logic.azure.com/workflows/secret-path"
    teams = client.post(path, {"act": "add-teams", "name": "team", "subjects": ["downtime"], "url": url})
    webhook = client.post(
        path, {"act": "add-webhook", "name": "hook", "subjects": ["budget"], "url": "https://hooks.example/in"}
    )

    assert [each.status_code for each in (mailed, slack, teams, webhook)] == [302, 302, 302, 200]
    assert "whsec_" in text(webhook)
    rows = list(Channel.objects.order_by("pk").values_list("kind", "addresses", "host", "subjects"))
    assert rows == [
        ("email", ["a@example.org", "b@example.org"], "", ["downtime"]), ("slack", [], "https://hooks.example", ["downtime"]),
        ("teams", [], "https://example.logic.azure.com", ["downtime"]),
        ("webhook", [], "https://hooks.example", ["budget"]),
    ]  # fmt: skip
    shown = text(client.get(path))
    assert "whsec_" not in shown
    assert "secret-path" not in shown
    assert all(each in shown for each in ("on call", "#ops", "a@example.org and b@example.org", "nothing told yet"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"act": "add-email", "name": "a"}, "Say who gets it"),
        ({"act": "add-email", "name": "a", "addresses": "nobody"}, "nobody is no e-mail address"),
        (
            {"act": "add-email", "name": "a", "addresses": "\n".join(f"{n}@example.org" for n in range(51))},
            "At most 50",
        ),
        ({"act": "add-email", "name": "", "addresses": "a@example.org"}, "This field is required"),
        (
            {"act": "add-email", "name": "a", "addresses": "a@example.org", "subjects": ["everything"]},
            "not one of the available choices",
        ),
        ({"act": "add-slack", "name": "a"}, "This field is required"),
        ({"act": "add-slack", "name": "a", "url": "ftp://x.example/"}, "must begin with http"),
        ({"act": "add-webhook", "name": "a", "url": "https://u:p@x.example/"}, "not accepted"),
        ({"act": "add-webhook", "name": "a\x00b", "url": "https://x.example/"}, "Null characters"),
    ],
)
def test_what_cannot_be_a_channel_is_said(team: Team, fields: dict[str, Any], problem: str) -> None:
    answer = member(team, Role.ADMIN).post(page("team-notifications", team), {"subjects": ["downtime"], **fields})

    assert answer.status_code == 422
    assert problem in text(answer)
    assert not Channel.objects.exists()


def test_a_channel_is_changed_and_a_half_of_quiet_hours_refused(team: Team) -> None:
    channel, client = channel_of(team, kind="webhook"), member(team, Role.ADMIN)
    path = page("team-channel", team, channel.public_id)
    said = {
        "act": "save",
        "name": "night",
        "subjects": ["downtime", "budget"],
        "zone": "europe/berlin",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }

    refused = client.post(path, {**said, "quiet_to": ""})
    same = client.post(path, {**said, "quiet_to": "22:00"})
    saved = client.post(path, said)

    assert (refused.status_code, same.status_code, saved.status_code) == (422, 422, 302)
    before = channel.url_encrypted
    channel.refresh_from_db()
    assert (channel.name, channel.zone, channel.quiet_from, channel.url_encrypted) == (
        "night",
        "Europe/Berlin",
        dt.time(22),
        before,
    )
    assert "quiet 22:00–07:00 Europe/Berlin" in text(client.get(page("team-notifications", team)))


def test_a_new_secret_is_shown_once_and_the_old_one_counts_for_a_day(team: Team) -> None:
    channel, client = channel_of(team, kind="webhook"), member(team, Role.ADMIN)
    path = page("team-channel", team, channel.public_id)

    assert "whsec_" in text(client.post(path, {"act": "rotate"}))
    channel.refresh_from_db()

    assert len(channels.signing_secrets(channel, now=NOON)) == 2
    assert len(channels.signing_secrets(channel, now=NOON + dt.timedelta(hours=24))) == 1
    assert "whsec_" not in text(client.get(path))
    assert client.post(page("team-channel", team, channel_of(team).public_id), {"act": "rotate"}).status_code == 404


def test_off_on_take_back_and_remove(team: Team) -> None:
    channel, client = channel_of(team), member(team, Role.ADMIN)
    path = page("team-channel", team, channel.public_id)
    channels.leave(channel=channel, address="a@example.org", now=NOON)

    for act in ("off", "on", "take-back", "remove"):
        assert client.post(path, {"act": act, "address": "a@example.org"}).status_code == 302, act

    channel.refresh_from_db()
    assert (channel.off_at, channel.removed_at, channel.leavers.count()) == (None, NOON, 0)
    assert client.get(path).status_code == 404


def test_whoever_may_act_tests_and_mutes_but_does_not_set_up(team: Team, receiver: Receiver) -> None:
    channel = channel_of(team, kind="webhook", url=receiver.url, quiet_from=dt.time(0), quiet_to=dt.time(23))
    client, path = member(team, Role.RESPONDER), page("channel-act", team, channel.public_id)

    tested = client.post(path, {"act": "test"}, follow=True)
    muted = client.post(path, {"act": "mute", "hours": ""}, follow=True)
    channel.refresh_from_db()

    assert "was tested just now" in text(client.post(path, {"act": "test"}, follow=True))
    assert "The test was sent" in text(tested)
    assert len(receiver.got) == 1
    assert "until taken back" in text(muted)
    assert channel.muted_until == channels.FOR_GOOD
    client.post(path, {"act": "unmute"})
    channel.refresh_from_db()
    assert channel.muted_until is None
    assert client.post(path, {"act": "mute", "hours": "7"}).status_code == 404
    assert client.post(page("team-notifications", team), {"act": "add-email"}).status_code == 403


def test_a_test_that_does_not_arrive_says_why_and_is_not_repeated(
    team: Team, receiver: Receiver, settings: Any
) -> None:
    channel = channel_of(team, kind="slack", url=receiver.url)
    receiver.answers = [(403, {}, b"invalid_token")]
    client, path = member(team, Role.ADMIN), page("channel-act", team, channel.public_id)

    assert "The test was not sent: answered 403" in text(client.post(path, {"act": "test"}, follow=True))
    assert deliver_due(now=NOON + dt.timedelta(days=1)) == 0

    settings.MAIL_IS_SET = False
    mailed = page("channel-act", team, channel_of(team).public_id)
    assert "no mail server" in text(client.post(mailed, {"act": "test"}, follow=True))
    empty = channel_of(team, name="empty")
    channels.leave(channel=empty, address="a@example.org", now=NOON)
    assert "leads to nobody" in text(
        client.post(page("channel-act", team, empty.public_id), {"act": "test"}, follow=True)
    )


def test_a_test_by_mail_goes_to_every_recipient(team: Team) -> None:
    channel = channel_of(team, addresses=["a@example.org", "b@example.org"])

    member(team, Role.ADMIN).post(page("channel-act", team, channel.public_id), {"act": "test"})

    assert [message.to for message in mail.outbox] == [["a@example.org"], ["b@example.org"]]
    assert "Nothing is broken" in str(mail.outbox[0].body)


# -- the log -------------------------------------------------------------------------------------------------------------


def test_the_log_tells_every_attempt_and_what_was_sent(team: Team, receiver: Receiver) -> None:
    channel = channel_of(team, kind="slack", url=receiver.url)
    receiver.answers = [(500, {}, b"<b>later</b>")]
    notice = notice_of(team, channel=channel, recipient="")
    deliver_due(now=NOON)
    client = member(team, Role.VIEWER)

    listed = text(client.get(page("notice-list", team)))
    told = text(client.get(page("notice-detail", team, notice.public_id)))
    of_incident = text(client.get(page("incident-notices", team, notice.incident.number)))

    assert "tried 1 time, again" in listed
    assert "answered 500" in told
    assert "&lt;b&gt;later&lt;/b&gt;" in told
    assert "shop: broken for several users" in told
    assert notice.title in of_incident
    assert "Mute its notices" not in of_incident


def test_the_log_is_narrowed_by_outcome_and_channel_and_turns_pages(team: Team) -> None:
    channel, client, path = channel_of(team), member(team, Role.VIEWER), page("notice-list", team)
    assert "Nothing was told in the last 30 days" in text(client.get(path))
    for number in range(51):
        notice_of(team, channel=channel, title=f"notice {number}.", incident=Incident.objects.first())
    OutgoingNotice.objects.filter(title="notice 3.").update(outcome="sent", ended_at=NOON)

    first = client.get(path)
    assert "notice 50." in text(first)
    assert "notice 0." not in text(first)
    assert "notice 0." in text(client.get(f"{path}?{first.context['page'].older}"))
    assert "notice 3." in text(client.get(f"{path}?outcome=sent&channel={channel.public_id}"))
    assert "No notice matches" in text(client.get(f"{path}?outcome=given_up"))
    assert "No notice matches" in text(client.get(f"{path}?channel=x"))
    assert client.get(f"{path}?cursor=x").status_code == 404


def test_the_pages_cost_the_same_however_many_rows(team: Team) -> None:
    client = member(team, Role.ADMIN)
    counts = []
    for _ in range(2):
        for _ in range(2):
            notice = notice_of(
                team, channel=channel_of(team), outcome="sent", ended_at=NOON, incident=Incident.objects.first()
            )
        paths = [
            page("team-notifications", team),
            page("notice-list", team),
            page("incident-notices", team, notice.incident.number),
        ]
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            found.append(len(queries))
        counts.append(found)

    assert counts[0] == counts[1]


def test_a_responder_mutes_one_incident(team: Team) -> None:
    incident = incident_of(team)
    client, path = member(team, Role.RESPONDER), page("incident-notices", team, incident.number)

    assert "Nobody was told of it" in text(client.get(path))
    assert "muted" in text(client.post(path, {"act": "mute"}, follow=True))
    assert "Mute its notices" in text(client.post(path, {"act": "unmute"}, follow=True))
    assert client.post(path, {"act": "other"}).status_code == 404


# -- links in mails ------------------------------------------------------------------------------------------------------


def test_looking_at_the_link_changes_nothing_and_the_button_acknowledges(team: Team) -> None:
    incident = incident_of(team)
    path = link_of(team, incident=incident).removeprefix("http://127.0.0.1:8000")
    client = Client()

    for _ in range(3):
        shown = client.get(path)
    client.head(path)
    incident.refresh_from_db()

    assert incident.acknowledged_at is None
    assert "Acknowledge INC-1?" in text(shown)
    assert "no-store" in shown["Cache-Control"]
    done = text(client.post(path, follow=True))
    incident.refresh_from_db()
    assert incident.acknowledged_at == NOON
    assert "INC-1 is acknowledged" in done
    assert "leads" in done
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403


def test_a_link_that_cannot_be_used_says_so(team: Team) -> None:
    assert Client().get("/acknowledge/none/").status_code == 404
    assert Client().post("/acknowledge/none/").status_code == 404


def test_over_is_over(team: Team) -> None:
    incident = incident_of(team)
    path = link_of(team, incident=incident).removeprefix("http://127.0.0.1:8000")
    states.resolve(incident=incident, by=MembershipFactory.create(team=team).user, now=NOON)

    assert "nothing to acknowledge" in text(Client().get(path))


def test_a_reader_leaves_by_the_link_or_by_the_mail_program(team: Team) -> None:
    channel = channel_of(team)
    path = channels.leave_address(channel, "a@example.org").removeprefix("http://127.0.0.1:8000")

    assert "Leave this channel?" in text(Client().get(path))
    assert channel.leavers.count() == 0
    assert "No more mail" in text(Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"}))
    assert Client().post(path).status_code == 200
    assert [leaver.address for leaver in channel.leavers.all()] == ["a@example.org"]
    assert Client().get("/mail/leave/x/").status_code == 404
