"""The web application: errors, flags and posted deploys by raw applications; all else by Django in a pool of threads.

Imported once Django is set up; `reliability/asgi.py` is what servers are pointed to.
"""

from __future__ import annotations

import gc
import multiprocessing.util

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from deploys.actions.flag_checks import FLUSH_SECONDS as CHECKS_SECONDS
from deploys.actions.flag_checks import CheckTally
from deploys.actions.flag_serving import REFRESH_SECONDS, FlagStore
from deploys.api import deploy_posts
from deploys.api.deploy_posts import DeployPosts
from deploys.api.ofrep import Ofrep, is_ofrep
from deploys.api.raw_asgi import Application, Receive, Scope, Send
from incidents.ingest.admission import Admission, Bounds, Watch
from incidents.ingest.application import Ingest
from incidents.ingest.background import Repeating
from incidents.ingest.keys import KeyCache
from incidents.ingest.requests import target_of
from incidents.ingest.tally import FLUSH_SECONDS, Tally
from incidents.ingest.writer import GroupWriter
from incidents.tasks import wake_drain
from reliability.middleware import every_answer
from reliability.mount import Mounted

#: How old the knowledge of backlog and disk may be.
WATCH_SECONDS = 1.0
_pages = Mounted(get_wsgi_application(), threads=settings.WEB_THREADS)
_deploys = DeployPosts(
    view=_pages, headers=[(name.lower().encode(), value.encode()) for name, value in every_answer().items()]
)
_ingest: Ingest | None = None
_flags: Ofrep | None = None


def _the_ingest() -> Ingest:
    """Made with the first request, inside the event loop and the process that serve it."""
    global _ingest  # noqa: PLW0603 -- one for each process
    if _ingest is None:
        connections.close_all()
        # what was imported stays for good: the collector need not walk through it again while senders wait
        gc.collect()
        gc.freeze()
        admission, tally = Admission(Bounds.from_settings()), Tally()
        _ingest = Ingest(keys=KeyCache(), writer=GroupWriter(wake=wake_drain), admission=admission, tally=tally)
        Repeating("ingest-watch", seconds=WATCH_SECONDS, work=Watch(admission).look).start()
        counting = Repeating("ingest-counts", seconds=FLUSH_SECONDS, work=tally.flush)
        counting.start()
        # a server's forked child ends without running atexit; this runs in both cases
        multiprocessing.util.Finalize(None, counting.stop, exitpriority=10)
    return _ingest


def _the_flags() -> Ofrep:
    """As the ingest: made with the first request."""
    global _flags  # noqa: PLW0603 -- one for each process
    if _flags is None:
        store, tally = FlagStore(), CheckTally()
        _flags = Ofrep(store=store, tally=tally, rate=settings.FLAG_RATE)
        Repeating("flags", seconds=REFRESH_SECONDS, work=store.refresh).start()
        counting = Repeating("flag-checks", seconds=CHECKS_SECONDS, work=tally.flush)
        counting.start()
        multiprocessing.util.Finalize(None, counting.stop, exitpriority=10)
    return _flags


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _handler_of(scope["path"])(scope, receive, send)


def _handler_of(path: str) -> Application:
    if target_of(path) is not None:
        return _the_ingest()
    if path == deploy_posts.PATH:
        return _deploys
    return _the_flags() if is_ofrep(path) else _pages


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing is to be prepared; said so because some servers warn when an application does not answer."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
