"""What an error message says once the parts that change from event to event are taken out.

Two events of one fault differ in numbers, ids, addresses and moments. ``normalise`` replaces those by placeholders
and keeps apart what is worth knowing about them: the hosts that were named and the HTTP status. The rule for a value is
general, not a list of templates: a word that holds a digit is a value; a word that holds none is wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_LENGTH = 2000
"""Characters of a message that are looked at; longer ones are mostly dumps of data."""

_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s/?#'\"<>()]+)([^\s'\"<>)]*)", re.IGNORECASE)
_IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?")
_IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}"
    # shortened, as RFC 5952 spells it: lower case, and with a digit, for `Cafe::Bad` and `bad::ad` are names of code
    r"|(?=[0-9a-f:]*\d)(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?)"
    r"(?:%\w+)?(?![\w:])"
)
_HEX = re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", re.IGNORECASE)
# A name with at least one dot whose last label is letters only: a host name, a module path or a file name.
_DOTTED = re.compile(
    r"(?<![\w@/\\.-])([a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*\.[a-z]{2,24})"
    r"(?::(\d{1,5}))?(?![\w(/\\])",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"[+-]?(?:(?<![A-Za-z0-9])\d+(?:[.,:]\d+)+|[A-Za-z0-9]*\d[A-Za-z0-9]*(?:-[A-Za-z0-9]+)*"
    r"|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*-[A-Za-z0-9]*\d[A-Za-z0-9]*(?:-[A-Za-z0-9]+)*)"
)
_QUOTED = re.compile(r"\"([^\"\n]{1,400})\"|(?<!\w)'([^'\n]{1,400})'|`([^`\n]{1,400})`")
_SIGN = re.compile(r"(?<![\w#])[+-]#")
_PLAIN_WORD = re.compile(r"[A-Za-z_#][\w#.$:/<>*\[\]-]{0,59}")
_STATUS = re.compile(
    r"(?:^|\b(?i:status(?: code)?|http(?:/\d(?:\.\d)?)?|code|error|returned|answered|response)\b\D{0,3})"
    r"([1-5]\d\d)\b|\b([45]\d\d) (?i:server|client) (?i:error)|(?<![\w:.,+-])([45]\d\d)\s+[A-Z][a-z]+"  # not a port
)
_STATUSES = frozenset(
    [*range(100, 104), *range(200, 209), 226, *range(300, 309), *range(400, 432), 451, 499]
) | frozenset([*range(500, 512), *range(520, 531)])
"""What RFC 9110's registry, nginx and Cloudflare use; 443 and 587 are ports."""
_SPACE = re.compile(r"\s+")

HOST_HINTS = re.compile(
    r"\b(?:host(?:name)?|server|url|uri|address|endpoint|connect\w*|resolv\w*|lookup|dial|peer|upstream|"
    r"port|dns|tls|ssl|certificate|to|from|at|for)\b[\s:='\"(]*$",
    re.IGNORECASE,
)
CODE_SUFFIXES = frozenset(
    """
    py js ts tsx jsx mjs cjs rb go java kt scala php cs cpp cc c h hpp rs swift ex exs erl clj vue svelte html
    css json yaml yml toml xml sql csv txt log md conf ini cfg lock so dll exe jar war class png jpg gif svg pdf
    map sh
    """.split()  # noqa: SIM905 -- a list of words reads better as words
)
"""Last labels that make a dotted name a file rather than a host."""


@dataclass(frozen=True, slots=True)
class Message:
    """``text`` identifies the fault; ``hosts`` are the names it mentions, lower case, in order, without port."""

    text: str
    hosts: tuple[str, ...] = ()
    status: int | None = None


def _is_host(name: str, port: str | None, before: str) -> bool:
    labels = name.lower().split(".")
    if "_" in name or labels[-1] in CODE_SUFFIXES or name != name.lower():
        return False
    if port is not None or labels[-1] in _HOST_SUFFIXES:
        return True
    return len(labels) >= 3 and HOST_HINTS.search(before) is not None


_HOST_SUFFIXES = frozenset(
    """
    com net org io dev app cloud example test internal local localdomain svc cluster lan intranet corp home
    invalid arpa edu gov mil int info biz co eu de fr uk us jp br in cn nl se no fi dk es it pl ch at be ca au
    nz ai me tv
    """.split()  # noqa: SIM905 -- a list of words reads better as words
)


def _without_values(label: str) -> str:
    return "#" if any(c.isdigit() for c in label) else label


def host_pattern(host: str) -> str:
    """The host with numbered labels made alike: ``shard-17.db.internal`` and ``shard-3.db.internal`` are one place."""
    return ".".join(_without_values(label) for label in host.split("."))


def _quoted(match: re.Match[str]) -> str:
    inner = next(group for group in match.groups() if group is not None)
    return f"'{inner}'" if _PLAIN_WORD.fullmatch(inner) else "'*'"


def _status(text: str) -> int | None:
    for found in _STATUS.finditer(text):
        status = int(next(group for group in found.groups() if group is not None))
        if status in _STATUSES:
            return status
    return None


@lru_cache(maxsize=8192)
def normalise(raw: str) -> Message:
    """Take the values out of a message. Never raises; the empty message stays empty. Idempotent on its own text."""
    text = raw[:MAX_LENGTH]
    status = _status(text)
    hosts: list[str] = []

    def keep(host: str) -> str:
        host = host.lower().strip(".")
        if host not in hosts:
            hosts.append(host)
        return host_pattern(host)

    def url(match: re.Match[str]) -> str:
        authority = match[2].rsplit("@", 1)[-1]
        host = authority.split(":")[0] if not authority.startswith("[") else "<ip>"
        if not any(c.isalpha() for c in host) or host == "<ip>":
            return f"{match[1]}://<ip>{match[3].split('?')[0]}"
        return f"{match[1]}://{keep(host)}{match[3].split('?')[0].split('#')[0]}"

    def dotted(match: re.Match[str]) -> str:
        if not _is_host(match[1], match[2], text[max(0, match.start() - 30) : match.start()]):
            return match[0]
        return keep(match[1]) + (":#" if match[2] else "")

    text = _TIME.sub("<time>", text)
    text = _UUID.sub("<id>", text)
    text = _URL.sub(url, text)
    text = _EMAIL.sub("<email>", text)
    text = _DOTTED.sub(dotted, text)
    text = _IPV4.sub("<ip>", text)
    text = _IPV6.sub("<ip>", text)
    text = _HEX.sub("#", text)
    text = _SIGN.sub("#", _VALUE.sub("#", text))
    text = _QUOTED.sub(_quoted, text)
    return Message(_SPACE.sub(" ", text).strip(), tuple(hosts), status)
