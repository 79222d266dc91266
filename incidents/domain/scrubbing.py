"""Takes secrets and personal data out of what is kept for reading.

Two rules: a value under a telling name goes whatever it is; a value that looks like a secret goes wherever it stands.
Local variables of frames are dropped, not scrubbed: nobody can list what a program keeps in them. Grouping and the
user's identity are computed before this step, from what was sent; the identity is kept as a salted hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from ipaddress import IPv4Address

FILTERED = "[filtered]"
MAX_DEPTH = 12
MAX_TEXT = 8_192
MAX_KEYS = 200
MAX_LIST = 250
_CACHED_LENGTH = 256

_SECRET_NAME = re.compile(
    r"pass(?:w(?:or)?d|phrase|code)|pwd$|secret|credential|authorization|bearer|(?:^|[_\-.])auth$|cookie|csrf|xsrf|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|encryption[_-]?key|signature$|session[_-]?(?:id|key)$|"
    r"sessionid|jsessionid|phpsessid|^sid$|(?:^|[_\-.])(?:token|jwt|otp|pin|cvv|cvc|iban|ssn)$|(?:auth|access|refresh|id|csrf|"
    r"bearer|api|reset|security|device)_?-?token|^x-api|card[_-]?(?:number|no)|credit[_-]?card|^dsn$|email|e[_-]mail|phone|"
    r"^(?:remote_addr|x[_-]forwarded[_-]for|x[_-]real[_-]ip|http_x_forwarded_for|forwarded|cf[_-]connecting[_-]ip|"
    r"true[_-]client[_-]ip|ip|ip[_-]?address|client[_-]?ip|username)$",
    re.IGNORECASE,
)
_DROPPED_NAMES = frozenset({"vars"})

_EMAIL = re.compile(r"[\w.+%-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b")
_USERINFO = re.compile(r"(?<=://)[^/\s@\"'<>]+(?=@)")
_JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IPV4 = re.compile(r"(?<![\w.-])(?<!v)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.-]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})(?:[0-9a-fA-F:]*)(?![\w:])")
_KEY_START = re.compile(r"AKIA|ASIA|gh[pousr]_|github_|glpat|[sr]k_|sk-|xox|AIza|SG\.|whsec|npm_|pypi-")
_DIGITS = re.compile(r"\d[\d -]{11}")
_ASSIGNED = re.compile(
    r"((?:[\w-]*(?:passw(?:or)?d|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"session[_-]?id|sessionid|cookie|authorization)|\bpwd|\bauth)[\"']?\s*(?:=>|[=:])\s*[\"']?)"
    r"((?:Bearer|Basic|Token|Digest)\s+)?[^\s&\"',;<>)\]}]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/_.~=-]{8,}", re.IGNORECASE)
_KNOWN_KEYS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|"
    r"\bsk_(?:live|test)_\w{10,}|\brk_(?:live|test)_\w{10,}|\bxox[abeoprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bsk-[\w-]{20,}|"
    r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\bwhsec_\w{16,}|\bnpm_\w{30,}|\bpypi-[\w-]{30,}"
)


@lru_cache(maxsize=4_096)  # the same few hundred names come with every report
def is_secret_name(name: str) -> bool:
    """Does a key, header or parameter of this name hold something that must not be kept?"""
    return bool(_SECRET_NAME.search(name))


def scrub_text(text: str) -> str:
    """The text with secrets replaced and at most MAX_TEXT characters long."""
    if len(text) < 6:
        return text
    if len(text) > _CACHED_LENGTH:
        return _scrub_text(text[:MAX_TEXT] + "…" if len(text) > MAX_TEXT else text)
    return _scrub_line(text)


def _scrub_text(text: str) -> str:
    """Cheap tests come before costly patterns: most texts are file names and lines of code."""
    if "@" in text:
        text = _USERINFO.sub(FILTERED, text) if "://" in text else text
        text = _EMAIL.sub(FILTERED, text)
    if "eyJ" in text:
        text = _JWT.sub(FILTERED, text)
    if "-----BEGIN" in text:
        text = _PEM.sub(FILTERED, text)
    if _has_hint(text.lower()):
        text = _SCHEME.sub(rf"\1 {FILTERED}", _ASSIGNED.sub(rf"\1{FILTERED}", text))
    if _KEY_START.search(text):
        text = _KNOWN_KEYS.sub(FILTERED, text)
    if _DIGITS.search(text):
        text = _CARD.sub(_card, text)
    if text.count(".") >= 3:
        text = _IPV4.sub(_address, text)
    if text.count(":") >= 4:
        text = _IPV6.sub(FILTERED, text)
    return text


def _has_hint(lowered: str) -> bool:
    """Plain searches for words: quicker than one pattern that knows them all, or a loop over them."""
    return (
        "pass" in lowered or "pwd" in lowered or "secret" in lowered or "token" in lowered or "key" in lowered
        or "auth" in lowered or "bearer" in lowered or "basic" in lowered or "cookie" in lowered or "sess" in lowered
    )  # fmt: skip


# Reports of one error share nearly all their lines (frames, source context), so the second one costs little.
_scrub_line = lru_cache(maxsize=16_384)(_scrub_text)


def scrub(value: object, depth: int = 0) -> object:
    """A JSON value without secrets, bounded in depth, width and length of texts. Long lists keep their end: the newest."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return "…"
        items = value.items() if len(value) <= MAX_KEYS else list(value.items())[:MAX_KEYS]
        return {
            str(name)[:200]: FILTERED if item and is_secret_name(str(name)) else scrub(item, depth + 1)
            for name, item in items
            if name not in _DROPPED_NAMES
        }
    if isinstance(value, list):
        return [_scrub_element(item, depth + 1) for item in value[-MAX_LIST:]] if depth < MAX_DEPTH else "…"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return f"{value:.6g}" if abs(value) < 10**300 else "…"  # no JSON reader agrees on more
    return value


def identity_hash(identity: str, *, salt: bytes) -> str:
    """The key by which users are told apart: 32 hexadecimal digits, not reversible without the team's salt."""
    return hmac.new(salt, identity.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32] if identity else ""


def _scrub_element(item: object, depth: int) -> object:
    """Headers and tags also come as [name, value] pairs."""
    if isinstance(item, str):
        return scrub_text(item)
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and is_secret_name(item[0]):
        return [item[0], FILTERED]
    return scrub(item, depth)


def _card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match.group() if character.isdecimal()]
    return FILTERED if _luhn(digits) and len(set(digits)) > 1 else match.group()


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1 annex B check digit."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _address(match: re.Match[str]) -> str:
    """Public addresses are people's as often as not; private ones are the team's own machines and useful to read."""
    try:
        return FILTERED if IPv4Address(match.group()).is_global else match.group()
    except ValueError:
        return match.group()
