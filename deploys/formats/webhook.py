"""The contract of a source: what comes in, what comes out, and what a kind of sender declares about itself.

A source is one pure module in this folder with a `KIND` and a `read`. `docs/sources/adding.md` says how to add one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from deploys.domain.changes import DeployReport, FlagReport, OutsideReport, PushReport
from deploys.domain.signatures import Proof, Scheme
from deploys.domain.tickets import TicketReport

Json: TypeAlias = Mapping[str, Any]  # Any: JSON from outside, read with the functions of `reading`
Report: TypeAlias = DeployReport | FlagReport | PushReport | OutsideReport | TicketReport


class NotTaken(ValueError):
    """A delivery that cannot be used. The argument says what was expected; `slug` is the type of problem."""

    slug = "unexpected-payload"


class UnreadableBody(NotTaken):
    """The body is not what its content type says."""

    slug = "malformed-body"


class UnexpectedPayload(NotTaken):
    """The payload lacks something, or has it in a form nobody can read. The argument is the path and what is wrong."""

    slug = "unexpected-payload"


class MissingEvent(NotTaken):
    """The request does not say what happened."""

    slug = "missing-event"


class UnsupportedEvent(NotTaken):
    """Something this address must not take, even to ignore it."""

    slug = "unsupported-event"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One request whose proof was found valid. `headers` have names in lower case; `received_at` is our clock."""

    body: bytes
    headers: Mapping[str, str]
    received_at: dt.datetime
    query: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """The header's value; empty where it was not sent."""
        return self.headers.get(name.lower(), "").strip()

    def kept(self, names: Sequence[str]) -> dict[str, str]:
        """The headers of these names; `ce-*` stands for all that begin with `ce-`."""
        exact = {name.lower() for name in names}
        begun = tuple(name[:-1].lower() for name in names if name.endswith("*"))
        return {
            name: value for name, value in self.headers.items() if name in exact or (begun and name.startswith(begun))
        }

    @property
    def proof(self) -> Proof:
        """The part a scheme looks at."""
        return Proof(self.headers, self.body, self.query)


@dataclass(frozen=True, slots=True)
class Said:
    """One report with the names that rules look at.

    `trigger` is what made it: a workflow, a job, `published release`. With `by_rule`, it is a deploy only where a rule
    names the trigger, because most runs are none.
    """

    report: Report
    repository: str = ""
    trigger: str = ""
    by_rule: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a delivery says. Without reports, `ignored` says why; `problem` is the slug of its page, if it has one.

    `delivery_id` is the same when the sender sends the same thing again; empty where nothing can tell.
    """

    event: str
    delivery_id: str = ""
    said: Sequence[Said] = ()
    ignored: str = ""
    problem: str = ""


Read: TypeAlias = Callable[[Inbound], Sequence[Message]]


@dataclass(frozen=True, slots=True)
class SourceKind:
    """What a kind of sender declares. `schemes`: ways to prove who sends, the strongest first; one must be valid.

    `event_header` and `delivery_header` are shown in the log, also for what is refused. `keeps`: further headers that
    `read` needs, kept for a replay; a name that ends with `*` stands for all that begin so. `forgives`: authenticated content that cannot be used is answered
    200 and logged, because the sender punishes refusals.
    `is_silent`: answers with an empty body, because the sender takes any text for an error.
    `shakes_hands`: answers the OPTIONS request of CloudEvents webhooks. `brings_secret`: the sender may make the secret
    itself, so that one can be pasted. `rules`: what rules of this kind may look at.
    """

    slug: str
    title: str
    schemes: Sequence[Scheme]
    read: Read
    setup: str
    events: str
    event_header: str = ""
    delivery_header: str = ""
    keeps: Sequence[str] = ()
    forgives: bool = False
    shakes_hands: bool = False
    is_silent: bool = False
    rules: Sequence[str] = ("repository", "environment")
    brings_secret: bool = False
    secret_prefix: str = ""


def ignored(event: str, why: str, delivery_id: str = "", *, problem: str = "") -> list[Message]:
    """A delivery that says nothing to record."""
    return [Message(event, delivery_id, ignored=why, problem=problem)]


def unsupported(event: str, expected: str, delivery_id: str = "") -> list[Message]:
    """An event of which nothing is recorded: answered 2xx, because refusals make senders switch a webhook off."""
    return ignored(event, f"{event}: only {expected} say something to record", delivery_id, problem="unsupported-event")
