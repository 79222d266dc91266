"""From what a source says to what is recorded: rules, then one action per kind of report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploys.actions.deliveries import was_taken
from deploys.actions.deploys import record
from deploys.actions.flag_tickets import take_ticket
from deploys.actions.flags import record_flag
from deploys.actions.pushes import record_push
from deploys.domain.changes import DeployReport, FlagReport, OutsideReport, PushReport
from deploys.domain.source_rules import Rule, fitting_rule
from deploys.domain.tickets import TicketReport
from deploys.formats.webhook import Message, Said, SourceKind
from deploys.models import Change, Delivery, Service, Source
from deploys.ports import take_outside_report

Verdict = Delivery.Verdict
#: A message with several reports has the first of these that any of them got.
_ORDER = (Verdict.CREATED, Verdict.UPDATED, Verdict.DUPLICATE, Verdict.REFUSED, Verdict.IGNORED)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message. `problem` is the slug of the page that explains a refusal or why nothing was recorded."""

    verdict: str
    reason: str = ""
    change: Change | None = None
    service: Service | None = None
    problem: str = ""


def take(
    *, source: Source, kind: SourceKind, message: Message, received_at: dt.datetime, is_replay: bool = False
) -> Taken:
    """Records what the message says. A delivery that was recorded before is a duplicate, unless a person replays it."""
    if message.ignored:
        return Taken(Verdict.IGNORED, message.ignored, service=source.service, problem=message.problem)
    if not is_replay and was_taken(source=source, delivery_id=message.delivery_id):
        return Taken(Verdict.DUPLICATE, "this delivery was taken before", service=source.service)
    taken = [
        _take_one(source, said, f"{message.delivery_id[:180]}{f'#{place}' if place else ''}", received_at)
        for place, said in enumerate(message.said)
    ]
    whole = _together(taken) if taken else Taken(Verdict.IGNORED, "nothing in it to record")
    if whole.verdict == Verdict.REFUSED and kind.forgives:
        return replace(whole, verdict=Verdict.IGNORED, reason=f"{whole.problem}: {whole.reason}")
    return whole


def _together(taken: Sequence[Taken]) -> Taken:
    """One answer for all reports of a message: the strongest verdict, and every reason once."""
    first = min(taken, key=lambda each: _ORDER.index(Verdict(each.verdict)))
    reasons = list(dict.fromkeys(each.reason for each in taken if each.reason))
    return replace(first, reason="; ".join(reasons[:10]))


def _take_one(source: Source, said: Said, delivery_id: str, received_at: dt.datetime) -> Taken:
    match said.report:
        case DeployReport() as report:
            return _deploy(source, said, report, delivery_id, received_at)
        case FlagReport() as report:
            return _flag(source, said, report, delivery_id, received_at)
        case PushReport() as report:
            return _push(source, report, received_at)
        case OutsideReport() as report:
            return _outside(source, said, report, received_at)
        case TicketReport() as report:
            return _ticket(source, report, received_at)


def _rule(source: Source, said: Said, environment: str) -> Rule | None:
    return fitting_rule(
        source.rules, repository=said.repository, environment=environment, trigger=said.trigger, by_rule=said.by_rule
    )


def _deploy(source: Source, said: Said, report: DeployReport, delivery_id: str, received_at: dt.datetime) -> Taken:
    rule = _rule(source, said, report.environment or "")
    if rule is None and said.by_rule:
        return Taken(
            Verdict.IGNORED, f"{said.trigger or 'this run'}: a deploy only where a rule names it",
            service=source.service, problem="unsupported-event",
        )  # fmt: skip
    if rule is None and source.is_strict:
        name = said.repository or report.service
        return Taken(Verdict.REFUSED, f"no rule names {name}", service=source.service, problem="unknown-repository")
    named = (rule or {}).get("service") or (source.service.name if source.service else report.service)
    report = replace(report, service=named, environment=(rule or {}).get("to_environment") or report.environment)
    if (retired := _retired(source, report, received_at)) is not None:
        return retired
    recorded = record(
        team=source.team, report=report, source=str(source.public_id), received_at=received_at,
        delivery_id=delivery_id or None, head_sha=report.commit or "",
    )  # fmt: skip
    return Taken(recorded.verdict, change=recorded.deploy.change, service=recorded.deploy.service)


def _retired(source: Source, report: DeployReport, received_at: dt.datetime) -> Taken | None:
    """A refusal where the service had ended before this deploy."""
    service = source.team.services.filter(name=report.service, retired_at__isnull=False).first()
    at = report.started_at or report.finished_at or received_at
    if service is None or service.retired_at is None or at < service.retired_at:
        return None
    said = f"{service.name} is retired since {service.retired_at:%Y-%m-%d}"
    return Taken(Verdict.REFUSED, said, service=service, problem="inactive-service")


def _flag(source: Source, said: Said, report: FlagReport, delivery_id: str, received_at: dt.datetime) -> Taken:
    rule = _rule(source, said, report.environment or "") or {}
    named = rule.get("service") or (source.service.name if source.service else None)
    known = said.repository.rsplit("/", 1)[-1]
    if named is None and source.team.services.filter(name=known).exists():
        named = known
    report = replace(
        report, services=(named,) if named else None, environment=rule.get("to_environment") or report.environment
    )
    recorded = record_flag(
        team=source.team, report=report, source=str(source.public_id), received_at=received_at,
        delivery_id=delivery_id or None,
    )  # fmt: skip
    return Taken(recorded.verdict, change=recorded.change.change if recorded.change else None, service=source.service)


def _push(source: Source, report: PushReport, received_at: dt.datetime) -> Taken:
    pushed = record_push(team=source.team, report=report, received_at=received_at)
    verdict = Verdict.CREATED if pushed.is_new else Verdict.UPDATED if pushed.is_news else Verdict.DUPLICATE
    count = "1 commit" if pushed.count == 1 else f"{pushed.count} commits"
    more = "; the push had more, which its sender does not name" if report.is_truncated else ""
    return Taken(verdict, f"{count} of {report.repository}{more}", service=source.service)


def _ticket(source: Source, report: TicketReport, received_at: dt.datetime) -> Taken:
    is_news = take_ticket(source=source, report=report, received_at=received_at)
    state = "closed" if report.is_closed else "open"
    if is_news is None:
        return Taken(Verdict.IGNORED, "no flag names this ticket", service=source.service)
    return Taken(
        Verdict.UPDATED if is_news else Verdict.DUPLICATE, f"a flag's ticket is {state}", service=source.service
    )


def _outside(source: Source, said: Said, report: OutsideReport, received_at: dt.datetime) -> Taken:
    rule = _rule(source, said, report.environment or "") or {}
    service = rule.get("service") or (source.service.name if source.service else report.service)
    origin = f"{source.public_id} {report.origin}"  # two senders may use the same ids
    environment = rule.get("to_environment") or report.environment
    report = replace(report, service=service, environment=environment, origin=origin)
    answer = take_outside_report(source.team, report, received_at)
    if answer is None:
        return Taken(
            Verdict.IGNORED, f"{report.state}: trouble reported by other tools is not taken here",
            service=source.service, problem="unsupported-event",
        )  # fmt: skip
    return Taken(answer.verdict, answer.reason, service=source.service)
