"""Reading JSON of strangers: every function gives a checked value, or None, or raises a typed error with the path."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from deploys.domain.instants import NotAnInstant, parse_instant
from deploys.domain.tiers import OTHER, tier_of
from deploys.domain.web_addresses import without_userinfo
from deploys.formats.webhook import Inbound, Json, UnexpectedPayload, UnreadableBody

_VERSION: Final = re.compile(r"(?:refs/tags/)?(v?\d+(?:\.\d+)+[\w.+-]*)")
_SHA: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_ZONE: Final = re.compile(r" (?=[+-]\d)| ?UTC$")
EMPTY_WORDS: Final = frozenset({"", "<no value>", "<nil>", "null", "None"})


def json_of(body: bytes) -> Json:
    """The JSON object of a body. UnreadableBody otherwise."""
    value = any_json(body)
    if not isinstance(value, Mapping):
        raise UnreadableBody("expected a JSON object")
    return value


def any_json(body: bytes) -> Any:  # Any: JSON
    """Any JSON value."""
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise UnreadableBody(f"not JSON: {error}") from error


def json_or_form(inbound: Inbound, name: str = "payload") -> Json:
    """The JSON object of a delivery, sent as such or as a field of a form."""
    if not _is_form(inbound):
        return json_of(inbound.body)
    try:
        fields = parse_qs(inbound.body.decode("ascii"), max_num_fields=10, errors="strict")
    except ValueError as error:
        raise UnreadableBody(f"not a form: {error}") from error
    if name not in fields:
        raise UnreadableBody(f"the form has no field {name}")
    return json_of(fields[name][0].encode())


def shown(inbound: Inbound) -> object:
    """The JSON of a delivery for its line in the log; None where it is none."""
    try:
        return json_or_form(inbound) if _is_form(inbound) else any_json(inbound.body)
    except UnreadableBody:
        return None


def _is_form(inbound: Inbound) -> bool:
    sent = inbound.header("Content-Type").split(";", maxsplit=1)[0]
    return sent.strip().lower() == "application/x-www-form-urlencoded"


def part(value: object, *path: str) -> Json:
    """The object at the path; empty where there is none. For what may be missing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def needed(value: Json, key: str) -> Json:
    """The object under the key."""
    found = value.get(key)
    if not isinstance(found, Mapping):
        raise UnexpectedPayload(f"{key}: expected an object")
    return found


def part_or_text(value: object) -> Json:
    """An object, or one written as JSON text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return part(value)


def items(value: object, most: int = 5000) -> Sequence[Json]:
    """The objects of a list; other things in it are passed over."""
    return [each for each in value[:most] if isinstance(each, Mapping)] if isinstance(value, list) else []


def text(value: Json, key: str, path: str = "", longest: int = 200) -> str:
    """One line under the key. UnexpectedPayload where it is missing."""
    found = line(value.get(key), longest)
    if not found:
        raise UnexpectedPayload(f"{path + '.' if path else ''}{key}: expected a text or a number")
    return found


def line(value: object, longest: int = 200) -> str | None:
    """One printable line of a text or number, cut; None for anything else, and for what templates print for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        said = str(value)
    except ValueError:  # an integer of more than 4,300 digits
        return None
    found = "".join(each if each.isprintable() else " " for each in said[:longest]).strip()
    return None if found in EMPTY_WORDS else found


def instant(value: Json, key: str, path: str = "") -> dt.datetime:
    """The time under the key. UnexpectedPayload where it is missing or has no zone."""
    found = moment(value.get(key))
    if found is None:
        raise UnexpectedPayload(f"{path + '.' if path else ''}{key}: expected a time with offset")
    return found


def moment(value: object) -> dt.datetime | None:
    """A time as senders write it: ISO 8601, `2016-08-12 15:23:28 UTC`, `… +0200`, epoch seconds; None for others."""
    if isinstance(value, str):
        value = _ZONE.sub(lambda found: "Z" if "UTC" in found[0] else "", value.strip()[:40])
    try:
        return parse_instant(value)
    except NotAnInstant:
        return None


def milliseconds(value: object) -> dt.datetime | None:
    """A time in epoch milliseconds, as number or digits; None for others, and for what no clock of ours shows."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 7_000_000_000_000:
        return None
    return parse_instant(value / 1000)


def sha(value: object) -> str | None:
    """A commit's name in hex, in lower case; None for others, and for the zeros that stand for none."""
    found = line(value, 65) or ""
    return found.lower() if _SHA.fullmatch(found) and found.strip("0") else None


def version_of(*names: object) -> str | None:
    """The first name that looks like a version (`v1.4.2`, `refs/tags/1.4.2`), without what stands before it."""
    for name in names:
        if found := _VERSION.fullmatch(line(name, 250) or ""):
            return found[1]
    return None


def web_address(*values: object) -> str | None:
    """The first that is an http(s) address of up to 500 characters, without name and password."""
    for value in values:
        found = line(value, 501)
        if found and len(found) <= 500 and found.startswith(("https://", "http://")):
            return without_userinfo(found)
    return None


def last_part(path: str) -> str:
    """The name of a repository without its owner."""
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")[:200] or path[:200]


def repository_of(address: object) -> str:
    """`owner/name` of a clone address; empty for anything else."""
    found = line(address, 500) or ""
    if "://" not in found and "@" in found and ":" in found:
        found = "ssh://" + found.replace(":", "/", 1)
    try:
        return urlsplit(found).path.strip("/").removesuffix(".git")[:200]
    except ValueError:
        return ""


def place_of(stated: object, namespace: object) -> str | None:
    """The environment stated, else a namespace whose name says what it is for (prod, staging); None: not said."""
    if said := line(stated, 100):
        return said
    named = line(namespace, 100)
    return named if named and tier_of(named) != OTHER else None
