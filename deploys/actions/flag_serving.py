"""What a web process knows of flags: everything needed to answer, in memory, renewed when the database says so.

Answers need no query. While the database is away the last that was known is served.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deploys import clock
from deploys.domain.flag_rules import Ruleset
from deploys.models import Environment, FlagEnvironment, FlagEpoch, FlagKey
from deploys.queries.flag_rulesets import ruleset_of

REFRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class KnownKey:
    """Who asks: a key's environment and what it may."""

    public_id: str
    environment_id: int
    application: str
    is_public: bool
    origins: frozenset[str]


@dataclass(slots=True)
class FlagStore:
    """One for each process. `refresh` runs in a thread; everything else in the event loop, which reads whole mappings."""

    now: Callable[[], dt.datetime] = clock.now
    epoch: int = -1
    looked_at: dt.datetime | None = None
    keys: dict[str, KnownKey] = field(default_factory=dict)
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    _waiting: dict[int, set[asyncio.Event]] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Looks whether anything changed, and loads what did. One query when nothing did."""
        with self._lock:
            began_at = self.now()
            epoch = FlagEpoch.objects.filter(pk=1).values_list("number", flat=True).first() or 0
            if epoch != self.epoch:
                self._load(epoch)
            self.looked_at = began_at

    def _load(self, epoch: int) -> None:
        keys = {
            row.secret_hash: KnownKey(
                str(row.public_id), row.environment_id, row.application, row.kind == FlagKey.Kind.BROWSER,
                frozenset(row.origins),
            )
            for row in FlagKey.objects.filter(revoked_at__isnull=True)
        }  # fmt: skip
        wanted = {key.environment_id for key in keys.values()}
        epochs = dict(FlagEnvironment.objects.filter(environment__in=wanted).values_list("environment_id", "epoch"))
        changed = [each for each in wanted if each not in self.rulesets or self.epochs.get(each) != epochs.get(each)]
        loaded = {row.pk: ruleset_of(row) for row in Environment.objects.filter(pk__in=changed)}
        self.rulesets = {each: ruleset for each, ruleset in {**self.rulesets, **loaded}.items() if each in wanted}
        self.epochs, self.keys, self.epoch = epochs, keys, epoch
        for environment_id in loaded:
            self._wake(environment_id)

    def key_of(self, secret: str) -> KnownKey | None:
        """The key with this secret, as far as this process knows."""
        return self.keys.get(hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest())

    def key_named(self, public_id: str) -> KnownKey | None:
        """The key with this public id."""
        return next((key for key in self.keys.values() if key.public_id == public_id), None)

    async def heard_since(self, at: dt.datetime, *, seconds: float = 2 * REFRESH_SECONDS) -> bool:
        """Waits until the database has been looked at after the instant; False where it was not in time."""
        for _ in range(int(seconds / 0.05)):
            if self.looked_at is not None and self.looked_at >= at:
                return True
            await asyncio.sleep(0.05)
        return False

    def listen(self, environment_id: int) -> asyncio.Event:
        """An event that is set when flags of the environment change. Give it back with `unlisten`."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._waiting.setdefault(environment_id, set()).add(event)
        return event

    def unlisten(self, environment_id: int, event: asyncio.Event) -> None:
        """Nobody waits for this event any more."""
        self._waiting.get(environment_id, set()).discard(event)

    def _wake(self, environment_id: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set, environment_id)

    def _set(self, environment_id: int) -> None:
        for event in self._waiting.get(environment_id, ()):
            event.set()
