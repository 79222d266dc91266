"""Takes secrets and personal data out of what is kept for reading.

Two rules: a value under a telling name goes whatever it is (`secret_names`, `secret_pairs`); a value that looks like a
secret goes wherever it stands (`secret_shapes`). Texts inside texts are read as such: JSON, percent-encoding, base64.
Local variables of frames are dropped, not scrubbed: nobody can list what a program keeps in them. Grouping and the
user's identity are computed before this step, from what was sent; the identity is kept as a salted hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from incidents.domain import secret_shapes as shapes
from incidents.domain.secret_names import Kind, kind_of, plain_name
from incidents.domain.secret_pairs import without_pairs
from incidents.domain.secret_shapes import FILTERED
from incidents.domain.text_patterns import compiled

MAX_DEPTH = 12
MAX_TEXT = 8_192
MAX_KEYS = 200
MAX_LIST = 250
MAX_NAME = 200
_CACHED_LENGTH = 256
_SHORTEST = 6
_NESTED = 3  # texts inside texts inside texts
_MARGIN = 512  # what is cut off is looked at too, so that no half of a secret stays at the cut
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ANNOUNCES = re.compile(  # the next of a row is its value: options of a command, headers
    r"--?[A-Za-z][\w-]{0,60}|(?:proxy-)?authorization|(?:set-)?cookie2?|x-[\w-]{0,40}(?:key|token|auth|secret)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a team adds to the rules everybody has. Names are compared as `plain_name` spells them.

    `names` are secret, `safe_names` are not; `patterns` are those of `text_patterns`. The switches keep what is taken
    out otherwise: local variables of frames (scrubbed, but kept), public IP addresses, e-mail addresses.
    """

    names: frozenset[str] = frozenset()
    safe_names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    keeps_locals: bool = False
    keeps_addresses: bool = False
    keeps_emails: bool = False


class Scrubber:
    """Rules made ready for use. Remembers what lines became: reports of one error share nearly all of theirs."""

    def __init__(self, rules: Rules, *, remembered: int = 4_096) -> None:
        self.rules = rules
        self._names = frozenset(plain_name(name) for name in rules.names)
        self._safe = frozenset(plain_name(name) for name in rules.safe_names)
        self._patterns = compiled(rules.patterns)
        self._line = lru_cache(maxsize=remembered)(self._prose)
        self._code_line = lru_cache(maxsize=remembered)(self._code_text)
        self._key = lru_cache(maxsize=remembered)(self._keyed)

    def is_secret_name(self, name: str) -> bool:
        """Does a key, header or parameter of this name hold something that must not be kept?"""
        return self._kind(name) in (Kind.SECRET, Kind.MAIL, Kind.ADDRESS)

    def text(self, text: str, *, is_code: bool = False) -> str:
        """The text with secrets replaced and at most MAX_TEXT characters long."""
        size = len(text)
        if size < _SHORTEST and not self._patterns:
            return text
        if size <= _CACHED_LENGTH:
            return self._code_line(text) if is_code else self._line(text)
        if size <= MAX_TEXT:
            return self._scrubbed(text, is_code=is_code)
        cleaned = self._scrubbed(text[: MAX_TEXT + _MARGIN], is_code=is_code)
        return cleaned[:MAX_TEXT] + "…"

    def value(self, value: object, depth: int = 0) -> object:
        """A JSON value without secrets, bounded in depth, width and length of texts. Long lists keep their end: the newest."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._mapping(value, depth) if depth < MAX_DEPTH else "…"
        if isinstance(value, list):
            return self._list(value, depth) if depth < MAX_DEPTH else "…"
        if isinstance(value, int) and not -(10**12) < value < 10**12:
            return _big_number(value)
        return value

    def _mapping(self, mapping: dict[object, object], depth: int) -> dict[str, object]:
        items = mapping.items() if len(mapping) <= MAX_KEYS else list(mapping.items())[:MAX_KEYS]
        found: dict[str, object] = {}
        for name, item in items:
            key, kind = self._key(name if type(name) is str and len(name) <= MAX_NAME else str(name)[:MAX_NAME])
            if kind is Kind.PLAIN:
                if type(item) is str:  # the calls are spared: nearly all values end here
                    found[key] = self._line(item) if _SHORTEST <= len(item) <= _CACHED_LENGTH else self.text(item)
                else:
                    found[key] = self.value(item, depth + 1) if item.__class__ in _NESTING else item
            elif kind is Kind.CODE:
                found[key] = self._code(item)
            elif kind is not Kind.LOCALS:
                found[key] = FILTERED if item and item is not True else item
        if mapping.get("value"):  # headers and tags also come as {"name": …, "value": …}
            name = mapping.get("name") or mapping.get("key")
            if isinstance(name, str) and self.is_secret_name(name):
                found["value"] = FILTERED
        return found

    def _list(self, items: list[object], depth: int) -> list[object]:
        """Headers and tags also come as [name, value] pairs, command lines and raw headers as one row."""
        items = items[-MAX_LIST:]
        if len(items) == 2 and isinstance(items[0], str) and items[1] and self.is_secret_name(items[0]):
            return [items[0], FILTERED]
        found = [self.value(item, depth + 1) for item in items]
        for place, item in enumerate(items[:-1]):
            if type(item) is str and _ANNOUNCES.fullmatch(item) and self.is_secret_name(item):
                found[place + 1] = FILTERED
        return found

    def _code(self, item: object) -> object:
        if isinstance(item, list):
            return [
                self.text(each, is_code=True) if isinstance(each, str) else self.value(each, MAX_DEPTH)
                for each in item[-MAX_LIST:]
            ]
        return self.text(item, is_code=True) if isinstance(item, str) else self.value(item, MAX_DEPTH)

    def _kind(self, name: str) -> Kind:
        kind = kind_of(name)
        rules = self.rules
        if kind is Kind.LOCALS:
            return Kind.PLAIN if rules.keeps_locals else kind
        if (kind is Kind.MAIL and rules.keeps_emails) or (kind is Kind.ADDRESS and rules.keeps_addresses):
            kind = Kind.PLAIN
        if self._names or self._safe:
            plain = plain_name(name)
            if plain in self._names:
                return Kind.SECRET
            if plain in self._safe and kind is not Kind.CODE:
                return Kind.PLAIN
        return kind

    def _keyed(self, name: str) -> tuple[str, Kind]:
        return self.text(name), self._kind(name)

    def _prose(self, text: str) -> str:
        return self._scrubbed(text, is_code=False)

    def _code_text(self, text: str) -> str:
        return self._scrubbed(text, is_code=True)

    def _scrubbed(self, text: str, *, is_code: bool, level: int = 0) -> str:
        """Cheap tests come before costly patterns: most texts are file names and lines of code."""
        if level < _NESTED and (text[:1] in ("{", "[") or "%" in text):
            inner = self._as_json(text) or self._unquoted(text, is_code=is_code, level=level)
            if inner is not None:
                return inner
        if "-----BEGIN" in text:
            text = shapes.PEM.sub(FILTERED, text)
        if "hook" in text:
            text = shapes.HOOKS.sub(FILTERED, text)
        if shapes.LONG_WORD.search(text):
            text = self._without_keys(text, level)
        if "@" in text:
            text = self._without_people(text)
        if self._names or _has_hint(text.lower()):
            text = self._without_named(text, is_code=is_code)
        if not self.rules.keeps_addresses:
            text = _without_addresses(text)
        if shapes.DIGITS.search(text):
            text = shapes.CARD.sub(shapes.card, text)
        for pattern in self._patterns:
            text = pattern.sub(FILTERED, text)
        return text

    def _as_json(self, text: str) -> str | None:
        """The JSON text without secrets; None where it is none."""
        if text[-1] not in "}]":
            return None
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return None
        cleaned = self.value(inner)
        return text if cleaned == inner else json.dumps(cleaned, ensure_ascii=False)

    def _unquoted(self, text: str, *, is_code: bool, level: int) -> str | None:
        """The text without percent-encoding and secrets, where it hid some that way."""
        if not _PERCENT.search(text):
            return None
        plain = unquote(text)
        cleaned = self._scrubbed(plain, is_code=is_code, level=level + 1)
        return cleaned if cleaned != plain else None

    def _without_people(self, text: str) -> str:
        if "://" in text:
            text = shapes.USERINFO.sub(FILTERED, text)
        return text if self.rules.keeps_emails else shapes.EMAIL.sub(shapes.email, text)

    def _without_keys(self, text: str, level: int) -> str:
        if "eyJ" in text:
            text = shapes.JWT.sub(FILTERED, text)
        text = shapes.KEYS.sub(FILTERED, text)
        if level < _NESTED:
            text = shapes.ENCODED.sub(lambda match: self._encoded(match.group(), level), text)
        return text

    def _without_named(self, text: str, *, is_code: bool) -> str:
        """What stands behind a telling name or scheme."""
        text = without_pairs(text, self.is_secret_name, is_code=is_code)
        text = shapes.SCHEME.sub(shapes.scheme, text)
        if "-u" in text:
            text = shapes.CURL_USER.sub(rf"\1\2{FILTERED}", text)
        if "</" in text:
            text = shapes.ELEMENT.sub(lambda match: self._named(f"<{match[1]}>", match[1], match[2]), text)
        if "form-data" in text:
            text = shapes.PART.sub(lambda match: self._named(match[1], match[2], match[3]), text)
        return text

    def _named(self, head: str, name: str, value: str) -> str:
        return head + (FILTERED if self.is_secret_name(name) else value)

    def _encoded(self, word: str, level: int) -> str:
        plain = shapes.decoded(word)
        return FILTERED if plain and self._scrubbed(plain, is_code=False, level=level + 1) != plain else word


_NESTING = frozenset({dict, list, int})


def _without_addresses(text: str) -> str:
    if text.count(".") >= 3:
        text = shapes.IPV4.sub(shapes.address, text)
    return shapes.IPV6.sub(shapes.long_address, text) if text.count(":") >= 2 else text


def _has_hint(lowered: str) -> bool:
    """Plain searches for parts of telling names: quicker than one pattern that knows them all, or a loop over them."""
    if (
        "pass" in lowered or "token" in lowered or "key" in lowered or "secret" in lowered or "auth" in lowered
        or "mail" in lowered or "cookie" in lowered or "sess" in lowered or "cred" in lowered or "bearer" in lowered
        or "basic" in lowered or "pwd" in lowered or "-u" in lowered or not lowered.isascii()
    ):  # fmt: skip
        return True
    return ("=" in lowered or ":" in lowered or ">" in lowered or "-" in lowered) and (
        "sid" in lowered or "sig" in lowered or "srf" in lowered or "card" in lowered or "cc" in lowered
        or "phone" in lowered or "pin" in lowered or "otp" in lowered or "cv" in lowered or "ssn" in lowered
        or "dsn" in lowered or "iban" in lowered or "jwt" in lowered or "salt" in lowered or "name" in lowered
        or "ip" in lowered or "birth" in lowered or "addr" in lowered or "conn" in lowered or "code" in lowered
        or "number" in lowered or "dob" in lowered or "msisdn" in lowered or "pw" in lowered or "forwarded" in lowered
        or "street" in lowered or "tax" in lowered or "params" in lowered
    )  # fmt: skip


def _big_number(value: int) -> object:
    if 10**12 <= value < 10**19 and shapes.is_card(str(value)):
        return FILTERED
    if -(2**63) <= value < 2**63:
        return value
    return f"{value:.6g}" if abs(value) < 10**300 else "…"  # no JSON reader agrees on more


DEFAULT = Scrubber(Rules(), remembered=16_384)


@lru_cache(maxsize=16)
def scrubber_for(rules: Rules) -> Scrubber:
    """The scrubber of a team with these rules; those of a few teams are remembered with the lines they saw."""
    return Scrubber(rules) if rules != Rules() else DEFAULT


def identity_hash(identity: str, *, salt: bytes) -> str:
    """The key by which users are told apart: 32 hexadecimal digits, not reversible without the team's salt."""
    return hmac.new(salt, identity.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32] if identity else ""
