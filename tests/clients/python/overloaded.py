"""Sends events one by one to a server that soon has enough of them, waits until it may again, and reports what was lost.

Says on standard output what became of each request: its status.
"""

import sys
import time

import sentry_sdk
from sentry_sdk.transport import HttpTransport

statuses: list[int] = []


class Watched(HttpTransport):
    """The SDK's own transport, with its answers written down."""

    def _handle_response(self, response, envelope):  # type: ignore[no-untyped-def]
        if envelope.get_event() is not None:
            statuses.append(response.status)
        return super()._handle_response(response, envelope)


sentry_sdk.init(sys.argv[1], release="shop@1.4.0", server_name="web-1", transport=Watched)
for number in range(12):
    sentry_sdk.capture_message(f"early {number}")
sentry_sdk.flush(timeout=15)
time.sleep(float(sys.argv[2]))
sentry_sdk.capture_message("late")
sentry_sdk.get_client().close(timeout=15)
sys.stdout.write(" ".join(map(str, statuses)))
