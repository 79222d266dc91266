"""The kinds of problems the API answers with (RFC 9457). Each has a page in docs/problems/, served at /problems/<slug>."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its page's name, the status it is answered with, and its title."""

    slug: str
    status: int
    title: str


_TYPES: Final = (
    ProblemType("not-authenticated", 401, "No token was sent"),
    ProblemType("token-refused", 401, "The token is not valid"),
    ProblemType("too-many-wrong-tokens", 429, "Too many wrong tokens came from this address"),
    ProblemType("missing-scope", 403, "The token may not do this"),
    ProblemType("not-found", 404, "There is nothing here"),
    ProblemType("method-not-allowed", 405, "This address does not take that method"),
    ProblemType("not-acceptable", 406, "Only JSON is answered here"),
    ProblemType("body-too-large", 413, "The body is too large"),
    ProblemType("unsupported-media-type", 415, "The body's content type is not one of those taken"),
    ProblemType("malformed-body", 400, "The body cannot be read"),
    ProblemType("invalid-message", 422, "The message has values that are not valid"),
    ProblemType("unknown-service", 422, "The service does not exist"),
    ProblemType("unknown-environment", 422, "The environment does not exist"),
    ProblemType("invalid-cursor", 400, "The cursor is not one of ours"),
    ProblemType("unknown-source", 404, "No webhook has this address"),
    ProblemType("source-switched-off", 403, "This webhook is switched off"),
    ProblemType("missing-signature", 401, "The request is not signed"),
    ProblemType("wrong-signature", 401, "The signature does not fit the body"),
    ProblemType("stale-timestamp", 401, "The signed time is too far from ours"),
    ProblemType("unreadable-secret", 503, "This webhook's secret must be rotated"),
    ProblemType("missing-event", 400, "The request does not say what happened"),
    ProblemType("unexpected-payload", 422, "The payload lacks what this event needs"),
    ProblemType("unsupported-event", 422, "This event is not taken"),
    ProblemType("unknown-repository", 422, "No rule names this repository"),
    ProblemType("inactive-service", 422, "The service is retired"),
    ProblemType("busy", 503, "The database is busy"),
    ProblemType("server-error", 500, "Something went wrong on our side"),
)
PROBLEMS: Final[Mapping[str, ProblemType]] = {each.slug: each for each in _TYPES}
