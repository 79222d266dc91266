"""Secrets that stand behind their name in a text: `password=…`, `"token": "…"`, `--api-key …`, `Cookie: …`."""

from __future__ import annotations

import re
from collections.abc import Callable

from incidents.domain.secret_shapes import FILTERED

# A name, and what may stand between it and its value. Behind dashes a blank is enough, as on a command line.
_HEAD = re.compile(
    r"(?<![\w.$-])(--?)?([^\W\d][\w.$\[\]-]*+)"
    r"(?:\\*+[\"'`]?\]?\s{0,3}(?:=>|:=|[=:])\s{0,3}|(?(1)\\*+[\"'`]?,?\s{1,3}|(?!)))"
)
_QUOTE = re.compile(r"[bBrRuUfF]{0,2}(\\*+(?:\"\"\"|'''|[\"'`]))")
_BARE = re.compile(r"[^\s&\"'`,;<>)\]}|\\]++")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|SSWS|ApiKey)\s{1,3}(?=\S)", re.IGNORECASE)
_WHOLE_LINE = re.compile(r"(?:Digest|Hawk|OAuth|Signature|Negotiate|AWS4-HMAC-SHA256)\s[^\r\n]*+", re.IGNORECASE)
_COOKIES = re.compile(r"[^\s;,\"']++(?:;[ \t]?[^\s;,\"'=]++=[^\s;,\"']*+)*+")
_BRACKET = re.compile(r"[\[\](){}]")
_WORDS = frozenset(
    """
    a an and any are auth bool boolean bytes cannot denied empty expected expired failed false field for has header in
    incorrect invalid is malformed may missing must never nil no none not null number of optional or rejected required
    should str string text the this to true undefined unknown unset was were with wrong
    """.split()  # noqa: SIM905 -- a list of words reads better as words
)


def without_pairs(text: str, is_secret: Callable[[str], bool], *, is_code: bool) -> str:
    """The text with the values of secret names replaced.

    In lines of code only literals are replaced: `password: str` and `token = request.token` tell nothing.
    Every search goes on where the one before ended, so the whole is linear in the length of the text.
    """
    found: list[str] = []
    kept_from = at = 0
    while head := _HEAD.search(text, at):
        at = head.end()
        if not is_secret(head[2]):
            continue
        start, end = _value(text, at, head[2], is_code=is_code)
        if start < end and not text.startswith(FILTERED, start):
            found += (text[kept_from:start], FILTERED)
            kept_from = end
        at = max(at, end)
    return "".join((*found, text[kept_from:])) if found else text


def _value(text: str, at: int, name: str, *, is_code: bool) -> tuple[int, int]:
    """Where the value that begins at `at` stands, without its quotes. Nothing: two equal places."""
    quote = _QUOTE.match(text, at)
    if quote:
        return quote.end(), _closing(text, quote.end(), quote[1])
    if is_code:
        bare = _BARE.match(text, at)
        is_literal = bare is not None and any(each.isdigit() for each in bare.group()) and "(" not in bare.group()
        return (at, bare.end()) if bare and is_literal else (at, at)
    if text.startswith(("[", "{"), at):
        return at, _balanced(text, at)
    line = _WHOLE_LINE.match(text, at) or ("cookie" in name.lower() and _COOKIES.match(text, at))
    if line:
        return at, line.end()
    scheme = _SCHEME.match(text, at)
    bare = _BARE.match(text, scheme.end() if scheme else at)
    if bare is None or (scheme is None and bare.group().rstrip(".!?").lower() in _WORDS):
        return at, at
    return at, bare.end()


def _closing(text: str, start: int, quote: str) -> int:
    """The end of a quoted value: its own quote, not one with a backslash more. A text that was cut ends there."""
    end = text.find(quote, start)
    while end >= 0 and not quote.startswith("\\") and text[end - 1 : end] == "\\" and end > start:
        end = text.find(quote, end + 1)
    return len(text) if end < 0 else end


def _balanced(text: str, start: int) -> int:
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        depth += 1 if bracket.group() in "[({" else -1
        if depth == 0:
            return bracket.end()
    return len(text)
