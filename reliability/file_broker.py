"""The file-system broker, so that a process which dies in the middle of a message harms nobody.

Kombu's own writes messages and the table of queues in place. A process that is killed there leaves an empty or half a
file, and every worker that reads it ends, one after the other. Here files appear whole, under their name, or not at all;
and what cannot be read anyway (a power cut) is thrown away: messages are wake-ups without content, and the sweep finds
what a lost one would have told.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

LEFT_OVER_SECONDS = 60.0  # far longer than any process works on one file


class Channel(filesystem.Channel):
    """A folder of messages. `processed_folder`, on the same disk, holds a file while it is written or read."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Any: kombu's own, passed on
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]  # kombu has no types
        self._clear_left_overs()

    def get_table(self, exchange: str) -> list[Any]:  # Any: kombu's named tuples
        """Where an exchange sends to; nothing where that cannot be read: the next process that starts writes it anew."""
        try:
            return list(super().get_table(exchange))  # type: ignore[no-untyped-call]  # as above
        except ValueError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        table = self.get_table(exchange)
        if binding not in table:
            self._write(self._exchange_file(exchange), [binding, *table])  # type: ignore[no-untyped-call]  # as above

    def _put(self, queue: str, payload: object, **_: Any) -> None:  # type: ignore[override]  # its own classes disagree
        name = f"{time.monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"
        self._write(Path(self.data_folder_out, name), payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # Any: a message as kombu wrote it
        for name in sorted(os.listdir(self.data_folder_in)):  # noqa: PTH208 -- looked at twenty times a second
            if name.partition(".")[2] == f"{queue}.msg":
                message = self._taken(name)
                if message is not None:
                    return message
        raise Empty

    def _taken(self, name: str) -> dict[str, Any] | None:
        """The message, which is gone from the folder then; None where another worker was quicker or nobody can read it."""
        mine = Path(self.processed_folder, name)
        try:
            Path(self.data_folder_in, name).replace(mine)
        except OSError:
            return None
        try:
            text = mine.read_bytes()
            mine.unlink()
        except OSError as error:
            raise ChannelError(f"cannot read the message {mine}") from error
        try:
            message = loads(bytes_to_str(text))
        except ValueError:
            message = None
        if isinstance(message, dict):
            return message
        logger.warning("a message that cannot be read was thrown away", extra={"bytes": len(text)})
        return None

    def _write(self, path: Path, content: object) -> None:
        part = Path(self.processed_folder, f"{uuid.uuid4()}.part")
        try:
            part.write_bytes(str_to_bytes(dumps(content)))
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise ChannelError(f"cannot write {path}") from error

    def _clear_left_overs(self) -> None:
        """Removes what processes had at hand when they were killed."""
        for path in Path(self.processed_folder).iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process clears, too
                if time.time() - path.stat().st_mtime > LEFT_OVER_SECONDS:
                    path.unlink()


class Transport(filesystem.Transport):
    """Kombu's, with the channel above."""

    Channel = Channel
