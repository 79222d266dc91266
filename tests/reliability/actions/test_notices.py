"""From a change of an incident to the notice that arrives: once for each piece of news, channel and recipient."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploys import clock
from deploys.domain.signatures import Proof, StandardWebhooks, verify
from deploys.models import Role, Team, User
from incidents.actions import clocks, impact, states
from incidents.actions.declare import declare
from incidents.actions.telling import announce
from incidents.domain.clocks import Clock
from incidents.models import ImpactClass, Incident
from incidents.ports import Notice, notify
from reliability.actions import channels, delivering, notices
from reliability.actions.delivering import CLAIM, deliver_due
from reliability.actions.notices import SETTLE, tell_news
from reliability.domain.deliveries import MOST_ATTEMPTS
from reliability.models import Channel, IncidentNews, NoticeAttempt, OutgoingNotice
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory, TeamFactory
from tests.factories.incidents import deploy_of, incident_of, verdict_of
from tests.factories.notices import channel_of, notice_of
from tests.incidents.kept import everything_kept
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.database, pytest.mark.django_db(databases="__all__")]
MINUTE = dt.timedelta(minutes=1)
LATER = NOON + SETTLE


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.MAIL_IS_SET = True
    settings.ALLOW_PRIVATE_MONITORS = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def team(noon: dt.datetime) -> Team:
    team = TeamFactory.create(name="Acme", slug="acme")
    ServiceFactory.create(team=team, name="shop")
    return team


def ida_of(team: Team) -> User:
    user = User.objects.create_user("ida@example.org", first_name="Ida")
    return MembershipFactory.create(team=team, user=user, role=Role.RESPONDER).user


def opened(team: Team, **keys: Any) -> Incident:
    incident = incident_of(team, **keys)
    announce(incident)
    return incident


def step(at: dt.datetime) -> None:
    """What the worker does every few seconds."""
    with clock.at(at):
        tell_news(now=at)
        deliver_due(now=at)


def told() -> list[tuple[str, str, str]]:
    return list(OutgoingNotice.objects.order_by("pk").values_list("what", "recipient", "outcome"))


# -- who is told -------------------------------------------------------------------------------------------------------


def test_a_team_that_set_nothing_up_is_told_by_mail_once(team: Team) -> None:
    ida_of(team)
    MembershipFactory.create(team=team, role=Role.VIEWER)
    incident = opened(team)

    step(NOON)
    step(LATER)
    announce(incident)
    step(LATER + MINUTE)

    assert told() == [("opened", "ida@example.org", "sent")]
    [message] = mail.outbox
    assert message.subject.replace("\xa0", " ") == "Acme: INC-1 multi-user: shop – It broke"
    assert "shop: broken for several users, since 12:00 UTC" in str(message.body)
    assert "/t/acme/incidents/1/" in str(message.body)
    assert message.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert Channel.objects.get().is_first


def test_each_channel_is_told_of_its_classes(team: Team) -> None:
    channel_of(
        team,
        name="all",
        addresses=["all@example.org"],
        subjects=["downtime", "multi_user", "single_user", "impactless"],
    )
    channel_of(team, name="worst", addresses=["worst@example.org"], subjects=["downtime"])
    by = ida_of(team)
    incident = opened(team)
    step(NOON)

    with clock.at(NOON + MINUTE):
        impact.set_class(incident=incident, impact_class=ImpactClass.DOWNTIME, by=by, now=NOON + MINUTE)
        tell_news(now=NOON + MINUTE)
        impact.set_class(incident=incident, impact_class=ImpactClass.IMPACTLESS, by=by, now=NOON + MINUTE)
        states.resolve(incident=incident, by=by, now=NOON + MINUTE)
        tell_news(now=NOON + MINUTE)

    assert [(what, to.partition("@")[0]) for what, to, _ in told()] == [
        ("opened", "all"), ("worsened", "all"), ("worsened", "worst"), ("restored", "all"), ("restored", "worst"),
    ]  # fmt: skip


def test_what_is_logged_afterwards_is_told_to_nobody(team: Team) -> None:
    channel_of(team)
    by = ida_of(team)
    declare(
        team=team, title="Last week", by=by, now=NOON, started_at=NOON - dt.timedelta(days=7), restored_at=NOON - dt.timedelta(days=6)
    )  # fmt: skip
    incident_of(team)  # a fact alone, as an import writes it

    step(NOON)

    assert told() == []


def test_news_cost_the_same_however_many_recipients(team: Team) -> None:
    counts = []
    for number in (1, 20):
        Channel.objects.all().delete()
        channel_of(team, addresses=[f"{n}@example.org" for n in range(number)])
        opened(team)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            tell_news(now=NOON)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 15


def test_to_mark_an_incident_is_one_statement(team: Team) -> None:
    incident = incident_of(team)
    with CaptureQueriesContext(connection) as queries:
        notices.note_moved([incident])
        notices.note_moved([incident])

    assert len(queries) == 2


def test_trouble_with_one_incident_does_not_stop_the_others(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    channel_of(team)
    first, second = opened(team, title="first"), opened(team, title="second")
    standing_of = notices.standing_of

    def broken(incident: Incident, cause: Any) -> Any:
        if incident.pk == first.pk:
            raise ValueError("no")
        return standing_of(incident, cause)

    monkeypatch.setattr(notices, "standing_of", broken)
    with pytest.raises(RuntimeError, match="1 incident"):
        tell_news(now=NOON)

    assert list(OutgoingNotice.objects.values_list("incident", flat=True)) == [second.pk]
    monkeypatch.undo()
    assert not notices.is_waiting(now=NOON)
    tell_news(now=NOON + notices.AFTER_TROUBLE)
    assert OutgoingNotice.objects.count() == 2


def test_a_clock_that_was_set_back_delays_no_news(team: Team) -> None:
    channel_of(team)
    with clock.at(NOON + dt.timedelta(hours=1)):
        opened(team)

    assert notices.is_waiting(now=NOON)
    assert tell_news(now=NOON) == 1


# -- what people read ---------------------------------------------------------------------------------------------------


def test_what_follows_at_once_is_told_with_the_opening(team: Team) -> None:
    channel_of(team)
    incident = opened(team)
    tell_news(now=NOON)
    verdict_of(incident, [(deploy_of(team), 0.93), (None, 0.05)])
    announce(incident)
    tell_news(now=NOON)

    step(LATER)
    step(LATER + MINUTE)

    assert [(what, outcome) for what, _, outcome in told()] == [("opened", "sent"), ("cause", "folded")]
    [message] = mail.outbox
    assert "Likely: deploy shop 1.4.0 (93 %)." in str(message.body).replace("\xa0", " ")


def test_a_cause_found_later_is_told_and_told_once(team: Team) -> None:
    channel_of(team)
    incident = opened(team)
    step(NOON)
    step(LATER)
    change = deploy_of(team)
    verdict_of(incident, [(change, 0.8), (None, 0.1)])
    announce(incident)
    step(NOON + MINUTE)
    verdict_of(incident, [(change, 0.95), (None, 0.01)], number=2)
    announce(incident)
    step(NOON + 2 * MINUTE)
    verdict_of(incident, [(change, 0.97), (None, 0.01)], number=3)
    announce(incident)
    step(NOON + 2 * MINUTE + SETTLE)

    assert [what for what, _, _ in told()] == ["opened", "cause"]
    assert [message.subject.replace("\xa0", " ") for message in mail.outbox][1:] == [
        "Acme: INC-1 likely: deploy shop 1.4.0"
    ]


def test_quiet_hours_hold_what_is_no_downtime_and_tell_how_it_stands_when_they_end(team: Team) -> None:
    channel_of(team, quiet_from=dt.time(11), quiet_to=dt.time(14), zone="Europe/London")
    by = ida_of(team)
    incident = opened(team)
    opened(team, title="Dead", **{"class": "downtime"})
    step(NOON)
    step(LATER)
    assert [message.subject.split(" – ")[-1] for message in mail.outbox] == ["Dead"]

    with clock.at(NOON + 20 * MINUTE):
        states.resolve(incident=incident, by=by, now=NOON + 20 * MINUTE)
    for minutes in (20, 21, 119):
        step(NOON + minutes * MINUTE)
    assert len(mail.outbox) == 1
    step(NOON + 120 * MINUTE)
    step(NOON + 121 * MINUTE)

    assert [(what, outcome) for what, _, outcome in told()] == [
        ("opened", "folded"),
        ("opened", "sent"),
        ("restored", "sent"),
    ]
    assert "restored after 20 min" in mail.outbox[1].subject.replace("\xa0", " ")


def test_a_muted_channel_and_a_muted_incident_tell_nothing_later_either(team: Team) -> None:
    channel = channel_of(team)
    by = ida_of(team)
    channels.mute(channel=channel, until=NOON + MINUTE)
    opened(team, title="while muted")
    step(NOON)
    step(LATER)
    incident = opened(team, title="itself")
    tell_news(now=NOON + 2 * MINUTE)
    notices.mute_incident(incident=incident, by=by, now=NOON + 2 * MINUTE)
    with clock.at(NOON + 3 * MINUTE):
        states.resolve(incident=incident, by=by, now=NOON + 3 * MINUTE)
    step(NOON + 4 * MINUTE)
    step(NOON + 5 * MINUTE)

    assert [(what, outcome) for what, _, outcome in told()] == [("opened", "muted"), ("opened", "muted")]
    assert mail.outbox == []
    notices.unmute_incident(incident=incident)
    with clock.at(NOON + 6 * MINUTE):
        states.reopen(incident=incident, by=by, now=NOON + 6 * MINUTE)
    step(NOON + 6 * MINUTE)
    step(NOON + 7 * MINUTE)
    assert [message.subject.split(":")[1].strip() for message in mail.outbox] == ["INC-2 is back, multi-user"]


def test_whoever_leaves_a_channel_gets_nothing_more(team: Team) -> None:
    channel = channel_of(team, addresses=["a@example.org", "b@example.org"])
    opened(team)
    tell_news(now=NOON)
    channels.leave(channel=channel, address="a@example.org", now=NOON)
    step(LATER)
    opened(team)
    step(NOON + MINUTE)

    assert told() == [
        ("opened", "a@example.org", "dropped"), ("opened", "b@example.org", "sent"), ("opened", "b@example.org", ""),
    ]  # fmt: skip


def test_without_a_mail_server_the_log_says_why_nobody_was_told(team: Team, settings: Any) -> None:
    settings.MAIL_IS_SET = False
    channel_of(team)
    opened(team)
    step(NOON)
    step(LATER)

    notice = OutgoingNotice.objects.get()
    assert (notice.outcome, "UPSHOT_EMAIL_URL" in notice.why) == ("given_up", True)


def test_budgets_are_told_by_the_channels_that_want_them(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="webhook", url=receiver.url)
    channel_of(team, name="no budgets", subjects=["downtime"])
    channel_of(team, name="mail")
    notice = Notice(
        team=team, key="burn/1/began", urgency="page", title="It burns", text="5 % left.", path="/t/acme/objectives/"
    )
    notify(notice)
    notify(notice)
    step(NOON)

    assert [(what, to) for what, to, _ in told()] == [("notice", ""), ("notice", "a@example.org")]
    assert [message.subject for message in mail.outbox] == ["[now] Acme: It burns"]
    assert "/t/acme/objectives/" in str(mail.outbox[0].body)
    [(_, body)] = receiver.got
    assert (json.loads(body)["type"], json.loads(body)["data"]["urgency"]) == ("upshot.budget", "page")


def test_budgets_and_action_items_are_told_beside_incidents_of_the_same_batch(team: Team) -> None:
    channel_of(team, name="promises", subjects=["promise", "multi_user"])
    opened(team)
    tell_news(now=NOON)
    with clock.at(LATER):
        notify(Notice(team=team, key="b", urgency="page", title="It burns", text=""))
        notify(Notice(team=team, key="p", urgency="ticket", title="Overdue: docs", text="", about="promise"))
    step(LATER)

    assert [message.subject.partition(": ")[2][:5] for message in mail.outbox] == ["INC-1", "Overd"]


# -- machines ----------------------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_with_both_secrets_during_a_rotation(team: Team, receiver: Receiver) -> None:
    by = ida_of(team)
    channel, old = channels.make_channel(
        team=team, kind="webhook", wanted=channels.Wanted("hook", url=receiver.url), by=by, now=NOON
    )
    new = channels.rotate_secret(channel=channel, now=NOON)
    opened(team)
    step(NOON)
    opened(team)
    step(NOON + dt.timedelta(hours=24))

    verdicts = [
        [verify([StandardWebhooks()], Proof(headers, body), secrets=[secret], now=at).is_valid for secret in (old, new)]
        for (headers, body), at in zip(receiver.got, (NOON, NOON + dt.timedelta(hours=24)), strict=True)
    ]
    assert verdicts == [[True, True], [False, True]]
    headers, body = receiver.got[0]
    event = json.loads(body)
    assert (event["type"], event["id"]) == ("dev.cdevents.incident.detected.0.3.0", headers["webhook-id"])
    assert event["data"]["customData"]["url"].endswith("/t/acme/incidents/1/")
    assert headers["content-type"] == "application/cloudevents+json"


def test_a_machine_is_told_the_beginning_before_the_end_also_after_a_failure(team: Team, receiver: Receiver) -> None:
    by = ida_of(team)
    channel_of(team, kind="webhook", url=receiver.url, subjects=["downtime"])
    incident = opened(team)
    step(NOON)
    assert receiver.got == []
    receiver.answers = [(503, {"Retry-After": "120"}, b"later"), (200, {}, b"")]
    with clock.at(NOON + MINUTE):
        impact.set_class(incident=incident, impact_class=ImpactClass.DOWNTIME, by=by, now=NOON + MINUTE)
    step(NOON + MINUTE)
    with clock.at(NOON + 2 * MINUTE):
        clocks.set_clock(incident=incident, clock=Clock.RESTORED, at=NOON + 2 * MINUTE, by=by, now=NOON + 2 * MINUTE)
    for minutes in (2, 3, 4, 5):
        step(NOON + minutes * MINUTE)

    types = [json.loads(body)["type"].split(".")[3] for _, body in receiver.got]
    assert types == ["detected", "detected", "resolved"]
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert ids[0] == ids[1] != ids[2]
    first = OutgoingNotice.objects.order_by("pk").first()
    assert first is not None
    assert list(first.attempts.order_by("pk").values_list("verdict", "status", "answer")) == [
        ("again", 503, "later"),
        ("sent", 200, ""),
    ]
    assert first.attempts.order_by("pk")[1].at >= NOON + 3 * MINUTE  # as it had asked


def test_a_receiver_that_never_answers_well_is_given_up_and_that_is_shown(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="webhook", url=receiver.url)
    opened(team)
    receiver.answers = [(500, {}, b"no: Authorization: Bearer abcdefghijklmnop1234567890")]
    at = NOON
    tell_news(now=at)
    while OutgoingNotice.objects.filter(outcome="").exists():
        deliver_due(now=at)
        at = max(at, OutgoingNotice.objects.get().due_at)

    notice = OutgoingNotice.objects.get()
    assert (notice.outcome, notice.why, notice.attempts.count()) == (
        "given_up",
        f"answered 500 after {MOST_ATTEMPTS} attempts",
        MOST_ATTEMPTS,
    )
    assert "abcdefghijklmnop" not in NoticeAttempt.objects.filter(notice=notice)[0].answer


def test_a_receiver_that_is_gone_switches_its_channel_off(team: Team, receiver: Receiver) -> None:
    channel = channel_of(team, kind="webhook", url=receiver.url)
    opened(team)
    opened(team)
    receiver.answers = [(410, {}, b"")]
    step(NOON)
    channel.refresh_from_db()
    opened(team)
    step(NOON + MINUTE)

    assert channel.off_at == NOON
    assert "answered 410" in channel.off_because
    assert [outcome for _, _, outcome in told()] == ["given_up", "given_up"]
    channels.switch_on(channel=channel)
    receiver.answers = [(200, {}, b"")]
    opened(team)
    step(NOON + 2 * MINUTE)
    assert told()[-1][2] == "sent"


def test_a_redirect_is_not_followed(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="webhook", url=receiver.url)
    opened(team)
    receiver.answers = [(302, {"Location": receiver.url}, b"")]
    step(NOON)

    assert len(receiver.got) == 1
    assert "not followed" in OutgoingNotice.objects.get().why


def test_slack_gets_two_lines_and_a_link(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="slack", url=receiver.url)
    opened(team, title="<!channel> *bold* <https://evil.example|here>")
    step(NOON)
    assert receiver.got == []
    step(LATER)

    [(_, body)] = receiver.got
    message = json.loads(body)
    assert [block["text"]["type"] for block in message["blocks"]] == [
        "plain_text",
        "plain_text",
        "plain_text",
        "mrkdwn",
    ]
    assert message["blocks"][3]["text"]["text"] == "<http://127.0.0.1:8000/t/acme/incidents/1/|Open INC-1>"
    assert "<!channel>" not in message["text"]


def test_teams_gets_a_card(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="teams", url=receiver.url)
    opened(team, title="[here](https://evil.example)")
    receiver.answers = [(202, {}, b"")]
    step(NOON)
    step(LATER)

    [(headers, body)] = receiver.got
    card = json.loads(body)["attachments"][0]["content"]
    assert headers["content-type"] == "application/json"
    assert card["body"][0]["inlines"][0]["text"].endswith("[here](https://evil.example)")
    assert card["actions"][0] == {
        "type": "Action.OpenUrl", "title": "Open INC-1", "url": "http://127.0.0.1:8000/t/acme/incidents/1/",
    }  # fmt: skip
    assert OutgoingNotice.objects.get().outcome == "sent"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0177.0.0.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_no_notice_reaches_a_private_address_that_is_not_allowed(
    team: Team, receiver: Receiver, settings: Any, host: str
) -> None:
    channel_of(
        team, kind="webhook", url=receiver.url.replace("127.0.0.1", host) if host[0] not in "02" else receiver.url
    )
    if host[0] in "02":  # stored when it was allowed, or by whoever can write to the database
        Channel.objects.update(url_encrypted=channels.encrypt(receiver.url.replace("127.0.0.1", host)))
    settings.ALLOW_PRIVATE_MONITORS = False
    opened(team)
    step(NOON)

    assert receiver.got == []
    assert "not an address of the public Internet" in OutgoingNotice.objects.get().why


def test_a_private_address_is_refused_when_a_channel_is_made(team: Team, settings: Any) -> None:
    settings.ALLOW_PRIVATE_MONITORS = False

    with pytest.raises(channels.ChannelRefused, match="UPSHOT_PRIVATE_NETWORKS"):
        channel_of(team, kind="webhook", url="http://169.254.169.254/latest/meta-data")


# -- crashes ------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["notices.written", "notices.sent"])
def test_a_worker_that_dies_loses_nothing_and_says_it_twice_at_most(
    team: Team, receiver: Receiver, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel_of(team, kind="webhook", url=receiver.url)
    opened(team)

    def die(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr("deploys.failpoints.reach", die)
    with pytest.raises(Killed):
        step(NOON)
    monkeypatch.undo()
    step(NOON + MINUTE)
    step(NOON + CLAIM)

    assert told() == [("opened", "", "sent")]
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert (len(ids), len(set(ids))) == ((1, 1) if point == "notices.written" else (2, 1))


def test_two_workers_at_once_hand_a_notice_over_once(team: Team, receiver: Receiver) -> None:
    channel_of(team, kind="webhook", url=receiver.url)
    opened(team)
    tell_news(now=NOON)
    row = OutgoingNotice.objects.select_related("channel__team", "user").get()

    delivering._send_all([row], NOON)
    delivering._send_all([OutgoingNotice.objects.select_related("channel__team", "user").get()], NOON)
    OutgoingNotice.objects.update(outcome="", ended_at=None, claimed_until=NOON + MINUTE)
    delivering._send_all([row], NOON)

    assert len(receiver.got) == 1


# -- the log -------------------------------------------------------------------------------------------------------------


def test_the_log_forgets_after_thirty_days_and_news_are_not_told_again(team: Team) -> None:
    channel_of(team)
    incident = opened(team)
    step(NOON)
    step(LATER)
    waiting = notice_of(team, incident=incident, due_at=NOON + dt.timedelta(days=90))

    assert notices.forget_notices(now=LATER + notices.KEPT) == 0
    assert notices.forget_notices(now=LATER + notices.KEPT + MINUTE) == 1

    announce(incident)
    tell_news(now=LATER + notices.KEPT + MINUTE)
    assert list(OutgoingNotice.objects.all()) == [waiting]
    assert IncidentNews.objects.get(incident=incident).number == 1


def test_no_secret_of_a_channel_is_kept_in_the_open(team: Team) -> None:
    by = ida_of(team)
    wanted = channels.Wanted("hook", url="https://hooks.example/services/T0/very-secret-path")
    channel, secret = channels.make_channel(team=team, kind="webhook", wanted=wanted, by=by, now=NOON)

    kept = everything_kept()
    assert "very-secret-path" not in kept
    assert secret.removeprefix("whsec_") not in kept
    channels.remove(channel=channel, now=NOON)
    channel.refresh_from_db()
    assert (channel.url_encrypted, channel.secret_encrypted) == (None, None)
