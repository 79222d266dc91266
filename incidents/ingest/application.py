"""The raw ASGI application that takes in errors: no URLconf, no middleware, no query for a known key.

A 200 means that the body lies committed in the inbox. Whatever cannot be digested later ends among the dead letters, so
what is certainly no event is refused here, while the sender can still hear it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploys import clock, failpoints
from deploys.api.raw_asgi import Answer, Receive, Scope, Send
from incidents.formats import bodies, envelope, strict_json
from incidents.ingest import answers
from incidents.ingest.admission import CHEAP_ITEMS, REPORT_ITEM, Admission, Bounds, Load
from incidents.ingest.answers import Refusal
from incidents.ingest.keys import KeyCache, KeysUnavailable
from incidents.ingest.limits import INLINE_DECODED, ITEM_LIMITS, MAX_DECODED, RETRY_SECONDS
from incidents.ingest.requests import Target, header, headers_of, key_of, read_body, target_of
from incidents.ingest.tally import Tally
from incidents.ingest.writer import DiskFull, GroupWriter, NotStored, QueueFull, Row

#: What nobody here keeps, as clients name it in rate limits. Sessions, check-ins, transactions and spans are counted.
_UNKEPT = {"attachment": "attachment", "profile": "profile", "profile_chunk": "profile_chunk", "replay_event": "replay",
           "replay_recording": "replay", "replay_video": "replay", "log": "log_item"}  # fmt: skip
_UNKEPT_SECONDS = 3_600
_ONE_EVENT = ("event",)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What must be known of a body before it is stored. `event_id` is empty where it holds no event.

    `reports` are the client reports in it.
    """

    event_id: str
    answer_id: str | None
    dsn: envelope.Dsn | None
    item_types: tuple[str, ...]
    reports: tuple[bytes, ...] = ()


class Ingest:
    """Takes the requests that `target_of` recognises. One per process; belongs to its event loop."""

    def __init__(
        self,
        *,
        keys: KeyCache,
        writer: GroupWriter,
        admission: Admission | None = None,
        tally: Tally | None = None,
        now: Callable[[], dt.datetime] = clock.now,
    ) -> None:
        self._keys = keys
        self._writer = writer
        self._admission = admission or Admission(Bounds.from_settings())
        self._tally = tally or Tally(now=now)
        self._now = now
        # one at a time: what a bomb may cost is paid once, not once per sender
        self._large = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; a client that leaves before its body is complete gets nothing."""
        target = target_of(scope["path"])
        try:
            answer = await self._answer(scope, receive, target)
        except Refusal as refusal:
            if refusal.reason and target is not None:
                project = target.project if refusal.project is None else refusal.project
                self._tally.add(project, refusal.reason)
            answer = answers.refused(refusal)
        if answer is not None:
            await answers.send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive, target: Target | None) -> Answer | None:
        if target is None:
            raise Refusal(404, "no such endpoint")
        if scope["method"] == "OPTIONS":
            return answers.preflight()
        if scope["method"] != "POST":
            raise Refusal(405, "use POST", ((b"allow", b"POST, OPTIONS"),))
        headers = headers_of(scope)
        key = key_of(headers, bytes(scope.get("query_string", b"")))
        if key is not None and target.project is not None:
            await self._authenticate(target.project, key)  # before a byte of the body is read
            self._admission.check_room(target.project)
        body = await read_body(headers, receive)
        if body is None:
            return None
        failpoints.reach("accept.read")
        received_at = self._now()
        coding = header(headers, b"content-encoding").strip().lower()
        parsed = await self._parse(body, coding, target.kind)
        project = await self._authorise(target, key, parsed.dsn)
        if not parsed.item_types:
            return answers.accepted(parsed.answer_id)
        try:
            self._admission.check_room(project)
            self._admission.check_rate(project, _load(parsed.item_types))
        except Refusal as refusal:
            refusal.project = project
            await self._save_reports(project, parsed, refusal, received_at)
            raise
        row = Row(
            project=project,
            kind=target.kind,
            encoding="" if coding == "identity" else coding,
            event_id=parsed.event_id,
            body=body,
            received_at=received_at,
        )
        await self._store(row)
        failpoints.reach("accept.answering")
        return answers.accepted(parsed.answer_id, limits=_limits(parsed.item_types))

    async def _save_reports(self, project: int, parsed: Parsed, refusal: Refusal, received_at: dt.datetime) -> None:
        """Stores the client reports of a body whose rest came too fast: no client sends one again, so it would be lost."""
        if refusal.reason != "rate" or not 0 < len(parsed.reports) < len(parsed.item_types):
            return
        body = envelope.of_items(REPORT_ITEM, parsed.reports)
        with contextlib.suppress(Refusal):  # the refusal of the whole body is the answer
            self._admission.check_reports(project, len(parsed.reports))
            await self._store(Row(project, "envelope", "", "", body, received_at))

    async def _store(self, row: Row) -> None:
        try:
            await self._writer.write(row)
        except QueueFull as error:
            raise answers.too_much(str(error), seconds=RETRY_SECONDS, reason="queue") from error
        except DiskFull as error:
            raise answers.too_much(str(error), seconds=RETRY_SECONDS, reason="disk", status=507) from error
        except NotStored as error:
            raise answers.not_now(str(error), seconds=RETRY_SECONDS) from error

    async def _parse(self, body: bytes, coding: str, kind: str) -> Parsed:
        """On the event loop while it is small, whatever it claims to be; in a thread once it turns out large."""
        try:
            return parse(body, coding=coding, kind=kind, limit=INLINE_DECODED)
        except bodies.BodyTooLarge:
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(self._large, _parse_large, body, coding, kind)
            except bodies.BodyTooLarge as error:
                raise Refusal(413, str(error)) from error

    async def _authorise(self, target: Target, key: str | None, dsn: envelope.Dsn | None) -> int:
        """The project, once all that names a key or a project agrees. Raises Refusal 403."""
        project = target.project
        if dsn is not None:
            if (project is not None and dsn.project != project) or (key is not None and dsn.public_key != key):
                raise Refusal(403, "the DSN in the envelope does not agree with the request")
            if key is None or project is None:
                await self._authenticate(dsn.project, dsn.public_key)
            return dsn.project
        if project is None or key is None:
            raise Refusal(403, "missing authorization information")
        return project

    async def _authenticate(self, project: int, key: str) -> None:
        try:
            is_valid = await self._keys.is_valid(project, key)
        except KeysUnavailable as error:
            raise answers.not_now(str(error), seconds=RETRY_SECONDS) from error
        if not is_valid:
            raise Refusal(403, "bad sentry DSN public key")


def parse(body: bytes, *, coding: str, kind: str, limit: int) -> Parsed:
    """What a body holds. Raises Refusal with the reason, and BodyTooLarge past `limit` decoded bytes."""
    try:
        data = bodies.decode(body, coding=coding, limit=limit)
        return _parse_store(data) if kind == "store" else _parse_envelope(data)
    except bodies.UnknownCoding as error:
        raise Refusal(415, str(error)) from error
    except bodies.BadBody as error:
        raise Refusal(400, str(error)) from error
    except envelope.ItemTooLarge as error:
        raise Refusal(413, str(error)) from error
    except envelope.MalformedEnvelope as error:
        raise Refusal(400, f"invalid envelope: {error}") from error
    except strict_json.InvalidJson as error:
        raise Refusal(400, f"invalid event: {error}") from error


def _parse_large(body: bytes, coding: str, kind: str) -> Parsed:
    """Measured first: most bodies that unfold this far are bombs."""
    bodies.measure(body, coding=coding, limit=MAX_DECODED)
    return parse(body, coding=coding, kind=kind, limit=MAX_DECODED)


def _parse_store(data: bytes) -> Parsed:
    if len(data) > ITEM_LIMITS["event"]:
        raise envelope.ItemTooLarge(f"the event is larger than {ITEM_LIMITS['event']} bytes")
    event_id = _id_of(strict_json.loads_object(data))
    return Parsed(event_id=event_id, answer_id=event_id, dsn=None, item_types=_ONE_EVENT)


def _parse_envelope(data: bytes) -> Parsed:
    found = envelope.parse(data, limits=ITEM_LIMITS)
    event_id = ""
    for item in found.items:
        if item.type != "event":
            continue
        if found.event_id:
            strict_json.check_object(item.payload)
            event_id = found.event_id
        else:
            event_id = _id_of(strict_json.loads_object(item.payload))
    return Parsed(
        event_id=event_id,
        answer_id=event_id or found.event_id,
        dsn=found.dsn,
        item_types=tuple(item.type for item in found.items),
        reports=tuple(item.payload for item in found.items if item.type == REPORT_ITEM),
    )


def _id_of(payload: dict[str, object]) -> str:
    """The id the client gave, or a new one: whoever answers an id must know the event by it."""
    return envelope.canonical_id(payload.get("event_id")) or uuid.uuid4().hex


def _load(item_types: tuple[str, ...]) -> Load:
    """How many events a body counts for: at least one if it holds anything that is neither cheap nor dropped."""
    if item_types == _ONE_EVENT:  # as nearly every body
        return Load(events=1)
    kinds = Counter(item_types)
    reports = kinds.pop(REPORT_ITEM, 0)
    dear = {kind: count for kind, count in kinds.items() if kind not in CHEAP_ITEMS}
    events = sum(count for kind, count in dear.items() if kind not in _UNKEPT) or min(1, len(dear))
    return Load(events, len(kinds) > len(dear), reports)


def _limits(item_types: Iterable[str]) -> str:
    """Asks the client to keep to itself what nobody here reads, when it has just sent some."""
    categories = sorted({_UNKEPT[kind] for kind in item_types if kind in _UNKEPT})
    return f"{_UNKEPT_SECONDS}:{';'.join(categories)}:organization:not_kept" if categories else ""
