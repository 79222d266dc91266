"""Bodies that break receivers, each with what must become of it: the same on SQLite and on PostgreSQL.

An outcome is the status and the reason of a refusal, or what was stored: "stored: <title of the issue>". ID stands for a
new event id, so that cases do not meet each other.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

ID = b"0" * 31 + b"1"  # replaced by each case's own
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bad:
    """One request. `coding` is its Content-Encoding; `kind` the endpoint."""

    name: str
    body: bytes
    outcome: str
    coding: str = ""
    kind: str = "envelope"


def envelope(
    payload: dict[str, Any] | bytes, *, head: bytes = b'{"event_id":"%s"}' % ID, with_length: bool = True
) -> bytes:
    """An envelope of one event."""
    event = payload if isinstance(payload, bytes) else json.dumps({"message": "probe", **payload}).encode()
    item = {"type": "event", "length": len(event)} if with_length else {"type": "event"}
    return b"\n".join((head, json.dumps(item).encode(), event, b""))


GOOD = envelope({})
PACKED = gzip.compress(GOOD, mtime=0)
STORED = "stored: probe"


def _deep(levels: int) -> bytes:
    return envelope(b'{"message":"probe","extra":' + b"[" * levels + b"]" * levels + b"}")


def _raw(text: bytes) -> bytes:
    return envelope(b'{"message":"probe",' + text + b"}")


FRAMES = [{"filename": f"f{n}.py", "function": f"g{n}", "lineno": n, "in_app": True} for n in range(5_000)]

CASES = [
    Bad("as it should be", PACKED, STORED, "gzip"),
    Bad("an event that says nothing", envelope(b"{}"), "stored: error without a message"),
    # envelopes
    Bad("nothing", b"", "400"),
    Bad("a header that is no JSON", b"hello\n", "400"),
    Bad("a header that is a list", b"[]\n", "400"),
    Bad("an id that is no UUID", envelope({}, head=b'{"event_id":"../../etc/passwd"}'), "400"),
    Bad("no id anywhere", envelope({}, head=b"{}"), STORED),
    Bad("a length beyond the body", GOOD.replace(b'"length": ', b'"length": 9'), "400"),
    Bad("a negative length", b'{}\n{"type":"event","length":-5}\n{}\n', "400"),
    Bad("a length of a word", b'{}\n{"type":"event","length":"five"}\n{}\n', "400"),
    Bad("a length in the middle of the event", b'{}\n{"type":"event","length":5}\n{"message":"probe"}\n', "400"),
    Bad("an item without a type", b'{}\n{"length":2}\n{}\n', "400"),
    Bad("two events", GOOD + GOOD.split(b"\n", 1)[1], "400"),
    Bad("a thousand and one items", b"{}\n" + b'{"type":"x"}\n{}\n' * 1_001, "400"),
    Bad("an unknown item, then an event", b'{"event_id":"%s"}\n{"type":"zzz","length":3}\nabc\n' % ID + GOOD.split(b"\n", 1)[1], STORED),
    Bad("a session of nothing", b'{}\n{"type":"session"}\n{"sid":"x"}\n', "nothing to store"),
    Bad("a session that is a list", b'{}\n{"type":"sessions"}\n[1]\n', "nothing to store"),
    Bad("a client report of wrong types", b'{}\n{"type":"client_report"}\n{"discarded_events":[5,{"quantity":"x"}]}\n', "nothing to store"),
    Bad("a check-in of wrong types", b'{}\n{"type":"check_in"}\n{"monitor_slug":5,"status":[]}\n', "nothing to store"),
    Bad("a transaction of wrong types", b'{}\n{"type":"transaction"}\n{"timestamp":"x","contexts":5,"spans":{}}\n', "nothing to store"),
    # content codings
    Bad("half a gzip stream", PACKED[: len(PACKED) // 2], "400", "gzip"),
    Bad("a damaged gzip stream", PACKED[:30] + b"\0\1\2\3" + PACKED[34:], "400", "gzip"),
    Bad("plain, said to be gzip", GOOD, "400", "gzip"),
    Bad("plain, said to be br", GOOD, "400", "br"),
    Bad("plain, said to be zstd", GOOD, "400", "zstd"),
    Bad("gzip within gzip", gzip.compress(PACKED), "400", "gzip"),
    Bad("bytes after the stream", zlib.compress(GOOD) + b"x", "400", "deflate"),
    Bad("a coding nobody knows", GOOD, "415", "compress"),
    Bad("an event of two MiB", gzip.compress(envelope({"extra": {"a": "B" * 2 * MIB}})), "413", "gzip"),
    # JSON
    Bad("JSON that stops", envelope(b'{"message": '), "400"),
    Bad("a list", envelope(b"[1,2,3]"), "400"),
    Bad("a word", envelope(b'"probe"'), "400"),
    Bad("depth 900", _deep(900), STORED),
    Bad("depth 2,000", _deep(2_000), "400"),
    Bad("depth 50,000", _deep(50_000), "400"),
    Bad("NaN", _raw(b'"extra":{"a":NaN,"b":-Infinity}'), STORED),
    Bad("a number of 5,000 digits", _raw(b'"extra":{"a":' + b"9" * 5_000 + b"}"), STORED),
    Bad("an integer of 30 digits", _raw(b'"extra":{"a":' + b"9" * 30 + b"}"), STORED),
    Bad("1e400", _raw(b'"extra":{"a":1e400}'), STORED),
    Bad("a key twice", envelope(b'{"message":"first","message":"second"}'), "stored: second"),
    Bad("NUL and half a surrogate pair", envelope(b'{"message":"a\\u0000b\\ud800c"}'), "stored: ab\ufffdc"),
    Bad("NUL in a key", _raw(b'"tags":{"a\\u0000b":"c\\u0000"},"extra":{"\\u0000":"\\ud800"}'), STORED),
    Bad("half a surrogate pair in names", envelope(b'{"message":"probe","release":"\\ud83d","environment":"\\udc00","server_name":"\\ud800"}'), STORED),
    Bad("bytes that are no UTF-8", envelope(b'{"message":"caf\xe9"}'), "stored: caf\ufffd"),
    Bad("a byte order mark", envelope(b'\xef\xbb\xbf{"message":"probe"}'), STORED),
    # wrong types and sizes
    Bad("wrong types everywhere", envelope({"message": {"a": [1]}, "level": 17, "tags": "x", "user": 5, "release": {"x": 1}, "breadcrumbs": 7, "contexts": [], "request": "x", "sdk": 5, "fingerprint": {"a": 1}, "timestamp": [], "exception": {"values": [None, {"type": 3, "value": [], "stacktrace": {"frames": "no"}}]}}), "stored: 3"),
    Bad("an exception that is a number", envelope({"exception": 5, "threads": 7, "stacktrace": []}), STORED),
    Bad("a frame of wrong types", envelope({"exception": [{"type": "E", "stacktrace": {"frames": [None, 5, {"lineno": 10**30, "filename": [], "in_app": "x"}]}}]}), "stored: E: probe"),
    Bad("a release of 3,000 characters", envelope({"release": "r" * 3_000}), STORED),
    Bad("long names everywhere", envelope({"environment": "e" * 900, "transaction": "t" * 9_000, "server_name": "h" * 900, "logger": "l" * 900, "platform": "p" * 900, "dist": "d" * 900}), STORED),
    Bad("an exception with a long type", envelope({"exception": {"values": [{"type": "T" * 900, "value": 10**30}]}}), "stored: " + "T" * 200 + ": probe"),
    Bad("a message with %s and too few parameters", envelope({"logentry": {"message": "100% of %s %d", "params": [1]}}), "stored: 100% of %s %d"),
    Bad("a message of 100,000 characters", envelope({"message": "x" * 100_000}), "stored: " + "x" * 300),
    Bad("10,000 tags", envelope({"tags": {f"tag{n}": "v" for n in range(10_000)}}), STORED),
    Bad("tags as odd pairs", envelope({"tags": [["a"], ["b", 1, 2], 5, None, [None, "x"], ["c", "d"]]}), STORED),
    Bad("a tag of almost one MiB", envelope({"tags": {"a": "b" * 1_000_000}}), STORED),
    Bad("5,000 frames", envelope({"exception": {"values": [{"type": "E", "value": "probe", "stacktrace": {"frames": FRAMES}}]}}), "stored: E: probe"),
    Bad("a thousand exceptions", envelope({"exception": {"values": [{"type": f"E{n}", "value": "probe"} for n in range(1_000)]}}), "stored: E999: probe"),
    Bad("a time in the year 10,000", envelope({"timestamp": 10**30}), STORED),
    Bad("a time before 1970", envelope({"timestamp": -5}), STORED),
    Bad("a user id of 40 digits", envelope({"user": {"id": 10**40}, "level": 10**30}), STORED),
    Bad("line breaks and escapes in names", envelope({"release": "1\r\n2\x1b[31m", "environment": "a\u2028b", "server_name": "h\n"}), STORED),
    # the older endpoint
    Bad("store: a list", b"[]", "400", kind="store"),
    Bad("store: nothing", b"", "400", kind="store"),
    Bad("store: too large", json.dumps({"message": "x" * 2 * MIB}).encode(), "413", kind="store"),
    Bad("store: an id that is no UUID", b'{"event_id":"x","message":"probe"}', STORED, kind="store"),
]  # fmt: skip
