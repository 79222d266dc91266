"""The one gate through which JSON from outside becomes Python values.

orjson is strict and quick, and refuses what would hurt later (NaN, lone surrogates, nesting beyond 1024). Clients do
send such things, though: a JavaScript string cut in the middle of an emoji ends in a lone surrogate. So a refused
text gets a second, scrubbing reading before it is called invalid. No string that comes out holds a NUL character or a
lone surrogate, and no number is NaN or infinite: both databases can store the text of it.
"""

from __future__ import annotations

import json

import msgspec
import orjson

# Two Python frames a level: well inside the interpreter's default limit of 1000.
MAX_DEPTH = 200
_INT64 = 2**63
_DIGITS = 4000  # CPython refuses to convert longer decimal strings


class _AnyObject(msgspec.Struct):
    """A JSON object of which nothing is kept."""


_PASSING_OVER = msgspec.json.Decoder(_AnyObject)


class InvalidJson(ValueError):
    """The text is no JSON, or nested too deep."""


def loads(data: bytes) -> object:
    """Parse JSON text. Raises InvalidJson, and nothing else, whatever the input."""
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _second_reading(data)
    # most texts hold no such escape and need no walk at all
    return clean(value) if b"\\u0000" in data else value


def loads_object(data: bytes) -> dict[str, object]:
    """As `loads`, but the text must hold a JSON object."""
    value = loads(data)
    if not isinstance(value, dict):
        raise InvalidJson(f"expected a JSON object, got {type(value).__name__}")
    return value


def check_object(data: bytes) -> None:
    """Raises InvalidJson exactly where `loads_object` does, for a fifth of the time: no value is made.

    What is passed over is held to JSON's grammar, not to what the second reading mends (UTF-8, the size of numbers).
    """
    try:
        _PASSING_OVER.decode(data)
    except (ValueError, RecursionError):
        loads_object(data)


def clean_text(text: str) -> str:
    """The text without NUL characters; lone surrogates become the replacement character."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # UTF-16 joins proper pairs that came as two escapes and marks the ones left alone
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean(value: object, depth: int = 0) -> object:
    """The same value with every string cleaned and every number storable; None below MAX_DEPTH levels."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return None
        return {clean_text(str(key)): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, depth + 1) for item in value] if depth < MAX_DEPTH else None
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return float(value) if abs(value) < 10**300 else None
    return value


def _second_reading(data: bytes) -> object:
    text = data.decode("utf-8-sig", "replace")
    try:
        return clean(json.loads(text, parse_constant=_no_constant, parse_int=_bounded_int, parse_float=_finite))
    except (ValueError, RecursionError) as error:
        raise InvalidJson("not valid JSON") from error


def _no_constant(_name: str) -> None:
    """NaN and the infinities are not JSON; the value they stood for is unknown."""


def _bounded_int(digits: str) -> int | None:
    return int(digits) if len(digits) < _DIGITS else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) != float("inf") else None
