"""The delivery log of the demo: what CI, the flag console and GitHub sent in the last weeks, and what became of it.

Pushes go through the code that takes webhooks. Deploys and flag changes were imported or played as lines of a history; their
lines in the log say what the API answers to such messages: the first of a record creates it, later ones update it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from deploys import clock
from deploys.actions.deliveries import KEPT, REPLAYABLE, delivery_line, log_delivery
from deploys.actions.intake import take
from deploys.actions.replays import kept_for_replay
from deploys.actions.sources import make_source
from deploys.actions.tokens import create_token
from deploys.domain.signatures import SignatureVerdict
from deploys.formats import github
from deploys.formats.webhook import Inbound
from deploys.models import Change, Delivery, Deploy, FlagChange, Scope, Source, Team
from reliability.demo.story import LINE

SCOPES: Final = (Scope.DEPLOYS_WRITE, Scope.RELEASES_WRITE, Scope.SERVICES_WRITE)
ORGANISATION: Final = "shop"
#: One end in so many is sent again by a CI job that did not wait for the answer.
IMPATIENT: Final = 19
Verdict = Delivery.Verdict


def log_deliveries(*, team: Team, lines: Sequence[LINE], now: dt.datetime) -> None:
    """Writes the log of the last 30 days, in order of arrival. `lines` are the whole story, in that order."""
    since = now - KEPT
    told = [line for line in lines if line["kind"] in {"deploy", "flag", "change"}]
    source = _source(team, since + dt.timedelta(hours=1))
    pushes = sorted(
        (push for push in _pushes(told) if push[0] > since + dt.timedelta(hours=2)), key=lambda push: push[0]
    )
    for place, (at, payload) in enumerate(pushes):
        if place == len(pushes) // 2:
            _refused(source, at - dt.timedelta(minutes=1), payload)
        _pushed(source, "push", payload, at, is_replayable=now - at < REPLAYABLE)
    _by_api(team, told, since)


def _source(team: Team, at: dt.datetime) -> Source:
    """GitHub's webhook of the whole organisation, with the ping that GitHub sends when it is made."""
    source, _ = make_source(team=team, kind=github.KIND.slug, name="GitHub", now=at)
    _pushed(source, "ping", {"zen": "Design for failure.", "hook_id": 1}, at, is_replayable=False)
    return source


def _pushes(lines: Sequence[LINE]) -> Iterator[tuple[dt.datetime, dict[str, Any]]]:  # Any: JSON
    """A push for each deploy with commits, a minute after the newest of them, as GitHub tells it."""
    by_deploy: dict[str, list[Mapping[str, Any]]] = defaultdict(list)  # Any: JSON
    for line in lines:
        if line["kind"] == "change":
            by_deploy[line["payload"]["deploys"][0]].append(line["payload"])
    heads: dict[str, str] = {}
    for changes in by_deploy.values():
        commits = sorted(changes, key=lambda each: each["committed_at"])
        service, after = commits[0]["service"], commits[-1]["sha"]
        payload = {
            "ref": "refs/heads/main",
            "before": heads.get(service, "0" * 40),
            "after": after,
            "repository": {"full_name": f"{ORGANISATION}/{service}", "default_branch": "main"},
            "commits": [
                {
                    "id": each["sha"], "timestamp": each["committed_at"], "message": each["title"],
                    "author": {"name": each["author"]},
                }
                for each in commits
            ],
        }  # fmt: skip
        heads[service] = after
        yield dt.datetime.fromisoformat(commits[-1]["committed_at"]) + dt.timedelta(minutes=1), payload


def _pushed(
    source: Source, event: str, payload: Mapping[str, Any], at: dt.datetime, *, is_replayable: bool
) -> None:  # Any: JSON
    """Takes a delivery as if it came now, and logs it."""
    delivery = f"demo-{event}-{at:%Y%m%d%H%M%S}"
    inbound = Inbound(orjson.dumps(payload), {"x-github-event": event, "x-github-delivery": delivery}, at)
    with clock.at(at):
        for message in github.KIND.read(inbound):
            taken = take(source=source, kind=github.KIND, message=message, received_at=at)
            log_delivery(
                team=source.team, source=source, kind=source.kind, signature=SignatureVerdict.VALID, event=event,
                delivery_id=delivery, received_at=at, verdict=taken.verdict, reason=taken.reason, change=taken.change,
                service=taken.service, body=payload,
                raw=kept_for_replay(github.KIND, inbound) if is_replayable else None,
            )  # fmt: skip


def _refused(source: Source, at: dt.datetime, payload: Mapping[str, Any]) -> None:  # Any: JSON
    """A delivery that somebody signed with another secret."""
    log_delivery(
        team=source.team, source=source, kind=source.kind, signature=SignatureVerdict.INVALID, event="push",
        delivery_id=f"demo-refused-{at:%Y%m%d%H%M%S}", received_at=at, verdict=Verdict.REFUSED,
        reason="wrong-signature: not made with this webhook's secret over this body: expected the header X-Hub-Signature-256",
    )  # fmt: skip


def _by_api(team: Team, lines: Sequence[LINE], since: dt.datetime) -> None:
    """What was posted to the API: deploys, and changes of flags."""
    token, _ = create_token(team=team, name="CI", scopes=SCOPES, now=since)
    changes = _changes(team)
    seen: set[tuple[str, str]] = set()
    log: list[Delivery] = []
    for line in lines:
        payload, at = line["payload"], dt.datetime.fromisoformat(line["received_at"])
        if line["kind"] == "change" or (key := (line["kind"], str(payload.get("id", "")))) not in changes:
            continue
        verdict = Verdict.UPDATED if key in seen else Verdict.CREATED
        seen.add(key)
        if at < since:
            continue
        change = changes[key]
        is_repeated = payload.get("status") == "success" and len(seen) % IMPATIENT == 0
        for answer, later in ((verdict, 0), (Verdict.DUPLICATE, 31))[: 1 + is_repeated]:
            log.append(
                delivery_line(
                    team=team,
                    token=token,
                    kind="api",
                    event=line["kind"],
                    received_at=at + dt.timedelta(seconds=later),
                    verdict=answer,
                    change=change,
                    service=change.service,
                    body=payload,
                    delivery_id=str(payload.get("delivery_id", "")),
                )
            )
    log.sort(key=lambda each: each.received_at)
    Delivery.objects.bulk_create(log, batch_size=100)
    if log:
        token.last_used_at = log[-1].received_at
        token.save(update_fields=["last_used_at"])


def _changes(team: Team) -> dict[tuple[str, str], Change]:
    """Deploys and flag changes of the history, by kind and id. Two queries."""
    deploys = Deploy.objects.filter(team=team).select_related("change__service")
    flips = FlagChange.objects.filter(team=team).select_related("change__service")
    found = {("deploy", each.external_id): each.change for each in deploys}
    return {**found, **{("flag", each.external_id): each.change for each in flips}}
