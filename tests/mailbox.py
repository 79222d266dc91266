"""A mail server on loopback, in this process: takes every mail and keeps it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What has come, in order."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)

    def texts(self) -> list[tuple[str, str]]:
        """Subject and plain text of every mail."""
        return [(str(mail["Subject"]), str(mail.get_body(("plain",)).get_content())) for mail in list(self.mails)]  # type: ignore[union-attr]  # all of ours have one


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server (RFC 5321, as much as a client needs that only sends) until the end of the block."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 loopback")
            while line := self.rfile.readline():
                verb = line[:4].strip().upper()
                if verb == b"QUIT":
                    self.say("221 bye")
                    return
                if verb == b"DATA":
                    self.say("354 go on")
                    self.take()
                self.say("250 ok")

        def take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            box.mails.append(mail)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        box.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
