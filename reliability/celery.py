"""The Celery application. Messages are wake-ups; what is to be done stands in the database."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")

# Celery warns a worker that runs as root, because pickled messages could run code; ours are JSON, and nothing else is taken.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("upshot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["deploys", "incidents", "reliability"])

_stop = threading.Event()


@worker_ready.connect  # type: ignore[untyped-decorator]  # celery has no types
def start_ticker(**_: Any) -> None:  # Any: Celery's signal arguments
    """Every worker looks for due jobs; the lease decides who runs each."""
    from reliability.ticker import run_ticker  # noqa: PLC0415 -- needs the Django applications, which load after this module

    _stop.clear()
    threading.Thread(target=run_ticker, args=(_stop,), name="ticker", daemon=True).start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # celery has no types
def stop_ticker(**_: Any) -> None:  # Any: Celery's signal arguments
    """Lets the ticker end before the worker does."""
    _stop.set()
