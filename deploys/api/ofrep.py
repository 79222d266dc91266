"""OpenFeature Remote Evaluation Protocol: /ofrep/v1/evaluate/flags, one or all, and where changes are announced."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from django.conf import settings
from django.core import signing

from deploys import clock
from deploys.actions.flag_checks import CheckTally
from deploys.actions.flag_serving import FlagStore, KnownKey
from deploys.api.ofrep_transport import (
    Gone,
    TooLarge,
    headers_of,
    preflight,
    read_body,
    secret_of,
    send_reply,
    shared_with,
)
from deploys.api.raw_asgi import Answer, Receive, Scope, Send
from deploys.domain.allowances import Allowances
from deploys.domain.flag_conditions import Context
from deploys.domain.flag_evaluation import ErrorCode, Unanswerable, evaluate
from deploys.domain.flag_rules import Ruleset, Stage
from deploys.domain.flag_variants import is_key
from deploys.formats.ofrep import STATUS, context_of, encoded, etag_of, failure, is_current, listing, success
from deploys.models import FlagCheck

logger = logging.getLogger(__name__)

PREFIX: Final = "/ofrep/v1/"
ALL: Final = "/ofrep/v1/evaluate/flags"
EVENTS: Final = "/ofrep/v1/events"
FALLBACKS: Final = "/ofrep/v1/fallbacks/"
#: How long the address of an event stream may be used, and how many streams one process holds.
STREAM_SECONDS: Final = 24 * 3600
MOST_STREAMS: Final = 2_000
HEARTBEAT_SECONDS: Final = 20.0
SALT: Final = "ofrep-events"


class Refused(Exception):
    """The whole request gets no values. `code` is told in the body."""

    def __init__(self, status: int, details: str, code: ErrorCode = ErrorCode.GENERAL, *, retry: int = 0) -> None:
        super().__init__(details)
        self.status = status
        self.code = code
        self.retry = retry


def is_ofrep(path: str) -> bool:
    """Whether the address is this protocol's."""
    return path.startswith(PREFIX)


class Ofrep:
    """The ASGI application. Lives in one event loop; `store` and `tally` are renewed and emptied from threads."""

    def __init__(
        self, *, store: FlagStore, tally: CheckTally, now: Callable[[], dt.datetime] = clock.now, rate: float = 0
    ) -> None:
        """`rate`: requests a second that one key may send; 0: as many as it likes."""
        self._allowances = Allowances(rate)
        self._store = store
        self._tally = tally
        self._now = now
        self._streams = 0
        self._unknown: dict[str, dt.datetime] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        headers, path, method = headers_of(scope), str(scope["path"]), str(scope["method"])
        origin = headers.get(b"origin", "")
        if method == "OPTIONS":
            await send_reply(send, preflight())
            return
        key = ""
        try:
            if path == EVENTS and method == "GET":
                await self._stream(scope, receive, send, origin)
                return
            key = _flag_of(path)
            reply = await self._answer(path, key, method, headers, receive)
        except Gone:
            return
        except Refused as refusal:
            reply = _refusal(refusal, key)
        except Exception:
            logger.exception("a flag could not be evaluated", extra={"flag": key})
            reply = Answer(500, encoded(failure(ErrorCode.GENERAL, "the server failed; its log says how", key or None)))
        await send_reply(send, Answer(reply.status, reply.body, (*reply.headers, *shared_with(origin))))

    async def _answer(self, path: str, key: str, method: str, headers: Mapping[bytes, str], receive: Receive) -> Answer:
        if not key and path != ALL:
            raise Refused(404, "there is nothing at this address", ErrorCode.FLAG_NOT_FOUND)
        if method != "POST":
            return Answer(405, encoded(failure(ErrorCode.GENERAL, "ask by POST")), ((b"allow", b"POST, OPTIONS"),))
        known = await self._who(headers)
        if seconds := self._allowances.wait(known.public_id, self._now().timestamp()):
            raise Refused(429, f"this key asks more often than it may: wait {seconds} s", retry=seconds)
        try:
            body = await read_body(receive)
        except TooLarge as error:
            raise Refused(413, "the context is larger than 256 KiB", ErrorCode.INVALID_CONTEXT) from error
        try:
            context = context_of(body)
        except Unanswerable as error:
            raise Refused(STATUS[error.code], str(error), error.code) from error
        ruleset = self._store.rulesets.get(known.environment_id, Ruleset())
        if path.startswith(FALLBACKS):
            return self._fallback(known, ruleset, key)
        if key:
            return self._one(known, ruleset, key, context)
        return self._all(known, ruleset, context, headers.get(b"if-none-match", ""))

    async def _who(self, headers: Mapping[bytes, str]) -> KnownKey:
        """The key that asks. One that nobody knows yet may be newer than the last look: that is waited for."""
        secret = secret_of(headers)
        if not secret:
            raise Refused(401, "send a key as Authorization: Bearer, or as X-API-Key")
        known = self._store.key_of(secret)
        if known is None:
            known = await self._maybe_new(secret)
        origin = headers.get(b"origin", "").lower()
        if origin and not known.is_public:
            raise Refused(403, "this is a server's key: pages need a browser's key, because everybody can read theirs")
        if origin and known.origins and origin not in known.origins:
            raise Refused(403, "this key may not be used from this origin")
        return known

    async def _maybe_new(self, secret: str) -> KnownKey:
        now = self._now()
        if len(self._unknown) > 10_000:
            self._unknown.clear()
        refused_at = self._unknown.get(secret)
        is_fresh = refused_at is not None and now - refused_at < dt.timedelta(seconds=30)
        if not is_fresh:
            was_heard = await self._store.heard_since(now)
            if (known := self._store.key_of(secret)) is not None:
                return known
            if not was_heard:
                raise Refused(503, "the database is away, and this key is not known from before", retry=5)
            self._unknown[secret] = now
        raise Refused(401, "this key is unknown or revoked")

    def _one(self, known: KnownKey, ruleset: Ruleset, key: str, context: Context) -> Answer:
        now = self._now()
        try:
            evaluation = evaluate(ruleset, key, context, now)
        except Unanswerable as error:
            if is_key(key):
                self._tally.add(known.environment_id, key, known.application, "", FlagCheck.Kind.CHECK.value, now)
            return Answer(STATUS[error.code], encoded(failure(error.code, str(error), key)))
        self._tally.add(
            known.environment_id, key, known.application, evaluation.variant, FlagCheck.Kind.CHECK.value, now
        )
        return Answer(200, encoded(success(evaluation, is_public=known.is_public)))

    def _all(self, known: KnownKey, ruleset: Ruleset, context: Context, if_none_match: str) -> Answer:
        now, found = self._now(), []
        for key in sorted(ruleset.flags):
            variant = ""
            try:
                evaluation = evaluate(ruleset, key, context, now)
                variant = evaluation.variant
                found.append(success(evaluation, is_public=known.is_public))
            except Unanswerable as error:
                found.append(failure(error.code, str(error), key))
            self._tally.add(known.environment_id, key, known.application, variant, FlagCheck.Kind.BULK.value, now)
        etag = etag_of(found, context)
        headers = ((b"etag", etag.encode()),)
        if if_none_match and is_current(if_none_match, etag):
            return Answer(304, b"", headers)
        return Answer(200, encoded(listing(found, stream_url=self._stream_url(known))), headers)

    def _fallback(self, known: KnownKey, ruleset: Ruleset, key: str) -> Answer:
        """A migration's new way failed and the old one served; counted, nothing else."""
        if key not in ruleset.flags:
            raise Refused(404, f"there is no flag {key} here", ErrorCode.FLAG_NOT_FOUND)
        variant = str(Stage.FALLBACK)
        self._tally.add(
            known.environment_id, key, known.application, variant, FlagCheck.Kind.FALLBACK.value, self._now()
        )
        return Answer(204)

    # -- where changes are announced (ADR 0008 of the protocol) --------------------------------------------------------

    def _stream_url(self, known: KnownKey) -> str:
        token = signing.dumps(known.public_id, salt=SALT)
        return f"{settings.BASE_URL}{EVENTS}?stream={token}"

    async def _stream(self, scope: Scope, receive: Receive, send: Send, origin: str) -> None:
        """Server-sent events: one message for each change of the environment's flags."""
        token = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10).get("stream", [""])[0]
        try:
            known = self._store.key_named(str(signing.loads(token, salt=SALT, max_age=STREAM_SECONDS)))
        except signing.BadSignature:
            known = None
        if known is None:
            raise Refused(401, "this address is not valid any more: ask for all flags again")
        if origin and known.origins and origin.lower() not in known.origins:
            raise Refused(403, "this key may not be used from this origin")
        if self._streams >= MOST_STREAMS:
            raise Refused(503, "too many event streams: poll instead", retry=60)
        self._streams += 1
        event = self._store.listen(known.environment_id)
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), *shared_with(origin)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _write(send, b"retry: 2000\n\n")
            while not gone.done() and self._store.key_named(known.public_id) is not None:
                changed = asyncio.ensure_future(event.wait())
                await asyncio.wait({changed, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if event.is_set():
                    event.clear()
                    version = self._store.epochs.get(known.environment_id, 0)
                    await _write(
                        send, f'id: {version}\ndata: {{"type":"refetchEvaluation","etag":"{version}"}}\n\n'.encode()
                    )
                elif not gone.done():
                    await _write(send, b": still here\n\n")
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams -= 1
            self._store.unlisten(known.environment_id, event)
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


def _flag_of(path: str) -> str:
    """The flag an address names; empty for the address of all."""
    for before in (f"{ALL}/", FALLBACKS):
        if path.startswith(before):
            return path.removeprefix(before)
    return ""


def _refusal(refusal: Refused, key: str) -> Answer:
    said: dict[str, Any] = failure(refusal.code, str(refusal), key or None)
    headers = ((b"retry-after", str(refusal.retry).encode()),) if refusal.retry else ()
    if refusal.status == 401:
        headers = ((b"www-authenticate", b'Bearer realm="upshot"'),)
    return Answer(refusal.status, encoded(said), headers)
