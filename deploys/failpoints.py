"""Named points at which a test has the process killed, as a power cut or the kernel would: no clean-up, no last word.

UPSHOT_FAILPOINT arms one of them; settings refuse it outside tests. Unarmed, a point costs one look at the settings.
The names stand where the points are, `failpoints.reach("…")`; tests/incidents/test_kill.py kills at every one.
"""

from __future__ import annotations

import itertools
import os
import signal

from django.conf import settings

_passes = itertools.count(1)


def reach(name: str) -> None:
    """Ends the process here, if this is the point that a test has named and it is passed for the n-th time."""
    armed = settings.FAILPOINT
    if armed is not None and armed[0] == name and next(_passes) == armed[1]:
        os.kill(os.getpid(), signal.SIGKILL)
