"""How much a sender may send, in one place. Sizes in bytes; docs/ingest.md tells the reasons."""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

#: A request body as it comes over the wire.
MAX_WIRE: Final = 20 * MIB
#: The same, decoded. One body of this size is decoded at a time.
MAX_DECODED: Final = 20 * MIB
#: Bodies that stay below this when decoded are handled on the event loop; larger ones in a thread.
INLINE_DECODED: Final = MIB // 2
#: A payload, by type of item. The numbers are those of Relay, so that no client meets a limit it does not know.
ITEM_LIMITS: Final = {
    "event": MIB,
    "transaction": MIB,
    "span": 8 * MIB,  # a container of up to 1,000 spans; the Python SDK sends it off at 5 MiB
    "log": MIB,
    "check_in": 100 * 1024,
    "client_report": 4 * 1024,
    "session": 100 * 1024,
    "sessions": 100 * 1024,
}
#: Bodies accepted and not yet committed, in all, and their bytes. Beyond, senders are told to wait.
MAX_QUEUED: Final = 4_000
MAX_QUEUED_BYTES: Final = 64 * MIB
#: Projects whose rates are remembered.
MAX_BUCKETS: Final = 20_000
#: Rows of one commit.
MAX_GROUP: Final = 500
#: Seconds a body may take to arrive.
BODY_SECONDS: Final = 30.0
#: Seconds a sender is asked to wait when told to slow down.
RETRY_SECONDS: Final = 10
