"""What each reason for a refusal or a loss means, and what to do about it: one sentence each.

Reasons of losses are those of the Sentry SDKs (sentry-docs, develop-docs/sdk/telemetry/client-reports); a reason that
stands in no table keeps its own name and gets a general sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NO_REASON = "not told"
#: Client reports count error events under these categories; `default` is the older spelling.
ERROR_CATEGORIES = frozenset({"error", "default"})
SESSION_CATEGORIES = frozenset({"session"})
#: The application's own code or settings said that these are no errors to report, so no count is too low by them.
BY_CHOICE = frozenset({"before_send", "before_send_transaction", "event_processor", "ignored", "filtered"})


def humanised(name: str) -> str:
    """A name made for machines as people read it: `wrong_key` becomes `wrong key`."""
    return re.sub(r"[_\-.:/\s]+", " ", name).strip() or NO_REASON


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


_TOO_LARGE = "It was larger than allowed: send less with each event (breadcrumbs, extra data, attachments)."
_MALFORMED = "It was no valid envelope or event, and sending it again will not help: update the SDK, or mend what builds the body."
_REFUSED = "The sender was told why in the answer's X-Sentry-Error header; its debug log shows it."

_REFUSALS: Mapping[str, str] = {
    "wrong_key": "The key in the DSN is none of this service, or was switched off, or a proxy took it away: copy the DSN of the service's page into the SDK.",
    "malformed": _MALFORMED,
    "too_large": _TOO_LARGE,
    "unknown_coding": "It came in a content coding that is not read here: use gzip, deflate, br or zstd.",
    "rate": "More came than one service may send at a time: find the error that repeats, sample, or raise the service's rate; SDKs wait as told.",
    "backlog": "Bodies wait longer than allowed to be digested: see that a worker runs, or run more of them.",
    "inbox": "Too much lies in the inbox: see that a worker runs, or run more of them.",
    "queue": "Too much was waiting for the disk at once: find the error that repeats, or give the server a faster disk.",
    "disk": "The disk is nearly full: make room on the server.",
    "slow": "The body took longer than 30 s to arrive: look at the network between the application and here.",
    "unavailable": "The commit failed and nothing was kept: see the server's log and its disk.",
}  # fmt: skip

_LOSSES: Mapping[str, str] = {
    "queue_overflow": "The application made reports faster than its SDK could send them: find the error that repeats, or enlarge the SDK's queue.",
    "cache_overflow": "The SDK's store of unsent reports was full, mostly after a long time without network.",
    "buffer_overflow": "The SDK's buffer was full: find what repeats, or enlarge the buffer.",
    "backpressure": "The SDK was overloaded and sent less on purpose.",
    "ratelimit_backoff": "The SDK was told to wait and dropped what came meanwhile: see what was refused above.",
    "network_error": "The request did not reach this server: check DNS, TLS, firewall and proxy between the application and here.",
    "send_error": "This server or a proxy answered with an error: see what was refused above.",
    "internal_sdk_error": "The SDK itself failed: update it.",
    "insufficient_data": "The SDK had too little to make a report of.",
    "sample_rate": "The SDK is set to sample: only a part of what happened is counted; set sample_rate to 1 for errors.",
    "before_send": "The application's before_send dropped it, by choice.",
    "event_processor": "An event processor or ignore rule of the application dropped it, by choice.",
    "ignored": "An ignore rule of the application dropped it, by choice.",
    "too_big": _TOO_LARGE,
    "invalid": _MALFORMED,
}  # fmt: skip
_LOST = "The SDK says so and gives no other reason than this word; its debug log tells more."


@dataclass(frozen=True, slots=True)
class Expired:
    """What was deleted after its time, in words."""

    name: str
    advice: str


#: By the outcome they are counted under.
EXPIRED: Mapping[str, Expired] = {
    "expired": Expired("never digested", "They waited for 14 days and were deleted, so what they held is lost: see that a worker runs."),
    "dead_expired": Expired("dead letters", "Nobody decided about them for 14 days, so they were deleted and what they held is lost: replay or discard dead letters sooner."),
}  # fmt: skip

SKIPPED = "Counted by kind and not kept. Nothing is to be done."
ADVICE_ON_SKIPPED: Mapping[str, str] = {
    "attachment": "Files are not kept. SDKs are asked to stop sending them for an hour at a time.",
    "profile": "Profiles are not kept. SDKs are asked to stop sending them; switch profiling off to save the traffic.",
    "replay_event": "Replays are not kept. SDKs are asked to stop sending them; switch them off to save the traffic.",
    "replay_recording": "Replays are not kept. SDKs are asked to stop sending them; switch them off to save the traffic.",
    "log": "Logs are not kept. SDKs are asked to stop sending them; switch them off to save the traffic.",
}


def advice_on_refusal(reason: str) -> str:
    """What a refusal means and what to do; a general sentence for a reason that is not known."""
    return _REFUSALS.get(_key(reason), _REFUSED)


def advice_on_loss(reason: str) -> str:
    """What a loss means and what to do; a general sentence for a reason that is not known."""
    return _LOSSES.get(_key(reason), _LOST)
