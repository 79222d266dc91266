"""OpenFeature Remote Evaluation Protocol 0.3.0: what is asked, and how it is answered.

Stricter than the protocol where its clients are: `variant` and `reason` always stand there, floats have a point, every
error has its details.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from deploys.domain.flag_conditions import Context
from deploys.domain.flag_evaluation import ErrorCode, Evaluation, Unanswerable

#: Larger contexts are refused: nobody's attributes need more.
MOST_BYTES: Final = 256 * 1024
STATUS: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.FLAG_NOT_FOUND: 404,
    ErrorCode.TARGETING_KEY_MISSING: 400,
    ErrorCode.INVALID_CONTEXT: 400,
    ErrorCode.PARSE_ERROR: 400,
    ErrorCode.GENERAL: 500,
}


def context_of(body: bytes) -> Context:
    """The context of a request. Unanswerable where the body is no JSON object, or its context none.

    Clients without a context send an empty one, or none: both mean a user nobody knows anything of.
    """
    try:
        said = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise Unanswerable(ErrorCode.PARSE_ERROR, f"not JSON: {error}") from error
    if not isinstance(said, dict):
        raise Unanswerable(ErrorCode.PARSE_ERROR, "expected a JSON object with a context")
    context = said.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise Unanswerable(ErrorCode.INVALID_CONTEXT, "context: expected an object")
    return context


def success(evaluation: Evaluation, *, is_public: bool = False) -> dict[str, Any]:  # Any: JSON
    """One value. To the public, names of rules are nobody's business."""
    metadata = dict(evaluation.metadata)
    if is_public:
        metadata.pop("rule", None)
        metadata.pop("prerequisite", None)
    return {
        "key": evaluation.key,
        "value": evaluation.value,
        "reason": str(evaluation.reason),
        "variant": evaluation.variant,
        "metadata": metadata,
    }


def failure(code: ErrorCode, details: str, key: str | None = None) -> dict[str, Any]:  # Any: JSON
    """Why there is no value; of one flag, or of a whole request."""
    said = {"errorCode": str(code), "errorDetails": details}
    return said if key is None else {"key": key, **said}


def listing(flags: Sequence[Mapping[str, Any]], *, stream_url: str = "") -> dict[str, Any]:  # Any: JSON
    """Every flag of an environment for one context. `stream_url`: where changes are announced."""
    said: dict[str, Any] = {"flags": list(flags), "metadata": {}}
    if stream_url:
        said["eventStreams"] = [{"type": "sse", "url": stream_url, "inactivityDelaySec": 120}]
    return said


def etag_of(flags: Sequence[Mapping[str, Any]], context: Context) -> str:  # Any: JSON
    """The tag of a listing: of what is answered and of whom it was asked for, whatever the order of attributes."""
    told = orjson.dumps([list(flags), context], option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(told).hexdigest()[:32]}"'


def is_current(if_none_match: str, etag: str) -> bool:
    """Whether one of the tags a client holds is this one, weak or not (RFC 9110, section 13.1.2)."""
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in held or etag in held


def encoded(said: Mapping[str, Any]) -> bytes:  # Any: JSON
    """JSON text; 1.0 stays 1.0."""
    return orjson.dumps(said)
