"""The worker as a program: `python -m reliability.worker THREADS`, which `manage.py serve` starts.

It does what `celery -A reliability worker --pool threads` does, and loads neither Celery's command line, which brings a
library for prompts along, nor Django's checks, which load every page and the API: 25 MB less for a process that never shows
a page. `celery -A reliability worker --pool threads` remains another way to start one.
"""

from __future__ import annotations

import os
import sys

from reliability.celery import app


def main(threads: int) -> int:
    """Works until told to stop; the exit status."""
    os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
    worker = app.Worker(
        concurrency=threads, loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True, without_heartbeat=True
    )  # fmt: skip
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
