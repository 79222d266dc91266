"""Requests to addresses that users gave: monitors ask them, notifications go to them. The one way out.

The host is resolved and judged here, and the connection goes to that very address: a name that resolves anew between
the judgement and the connection cannot lead it elsewhere. Redirects are answers, not orders.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from incidents.domain.addresses import EVERYWHERE, Networks, Place, may_be_asked

_PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """The URL leads to an address that must not be asked. Says nothing about who is behind it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers in lower case; of the body the beginning, if any was wanted.

    `certificate_until`: when the certificate it was sent under ends; None without TLS.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate_until: dt.datetime | None = None


def certificate_until(connection: object) -> dt.datetime | None:
    """When the certificate that the other side showed ends; None without TLS. It has been verified already."""
    shown = getattr(getattr(connection, "sock", None), "getpeercert", None)
    told = shown() if shown is not None else None
    if not told or "notAfter" not in told:
        return None
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), tz=dt.UTC)


def private_networks() -> Networks:
    """The private networks that whoever runs this instance lets users' addresses lead into."""
    return EVERYWHERE if settings.ALLOW_PRIVATE_MONITORS else cast("Networks", settings.PRIVATE_NETWORKS)


def address_of(place: Place, networks: Networks) -> str:
    """One numeric address of the host. Raises Refused where any of them may not be asked, for which one a resolver gives
    next is not ours to say; OSError where there is none.
    """
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not all(may_be_asked(address, networks) for address in addresses):
        raise Refused(f"{place.host} is not an address of the public Internet")
    return addresses[0]


def ask(
    place: Place,
    address: str,
    *,
    timeout_seconds: float,
    headers: Mapping[str, str],
    method: str = "GET",
    body: bytes | None = None,
    most_bytes: int = 0,
) -> Answer:
    """One request to this address, as `place` names it, within the time limit as a whole. Raises urllib3's HTTPError and
    OSError.

    At most `most_bytes` of the answer's body are read, from what comes with its first packet.
    """
    timeout = urllib3.Timeout(total=timeout_seconds)
    name = f"[{place.host}]" if ":" in place.host else place.host
    sent = {
        "Host": name if place.port == _PORTS[place.scheme] else f"{name}:{place.port}",
        "Accept": "*/*",
        "Connection": "close",
        **headers,
    }
    pool: urllib3.HTTPConnectionPool
    if place.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, place.port, timeout=timeout, retries=False, server_hostname=place.host, assert_hostname=place.host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, place.port, timeout=timeout, retries=False)
    with contextlib.closing(pool), _in_time(pool, place, timeout_seconds) as ends:
        answer = pool.urlopen(method, place.target, body=body, headers=sent, redirect=False, preload_content=False)
        try:
            begun = answer.read1(most_bytes) if most_bytes else b""
        finally:
            answer.close()  # the rest is not wanted, however long it would be
        heard = {key.lower(): value for key, value in answer.headers.items()}
        return Answer(
            status=int(answer.status), headers=heard, body=begun, certificate_until=ends[-1] if ends else None
        )


@contextlib.contextmanager
def _in_time(
    pool: urllib3.HTTPConnectionPool, place: Place, timeout_seconds: float
) -> Iterator[list[dt.datetime | None]]:
    """Hangs up when the time is over. The library's own limit begins anew with every byte, so that whoever sends one now
    and then would hold a worker for hours.

    Gives the ends of the certificates that were shown, read as soon as a connection stands: an answer that closes it has
    taken its socket away before anybody can look.
    """
    made = pool.ConnectionCls
    opened: list[HTTPConnection] = []
    ends: list[dt.datetime | None] = []
    is_late = threading.Event()

    def watched(*args: Any, **kwargs: Any) -> Any:  # Any: as the library makes its connections
        connection = cast("HTTPConnection", made(*args, **kwargs))
        connect = connection.connect

        def connect_and_look() -> None:
            connect()
            ends.append(certificate_until(connection))

        connection.connect = connect_and_look  # type: ignore[method-assign]  # of this one connection
        opened.append(connection)
        return connection

    def hang_up() -> None:
        is_late.set()
        for connection in opened:
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # of the plain socket: the TLS one belongs to the thread that reads
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    pool.ConnectionCls = watched  # type: ignore[assignment]  # called as the class is
    watchdog = threading.Timer(timeout_seconds, hang_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield ends
    except (HTTPError, OSError, ValueError) as error:
        if is_late.is_set():
            raise ReadTimeoutError(pool, place.target, "no answer in time") from error
        raise
    finally:
        watchdog.cancel()
    if is_late.is_set():
        raise ReadTimeoutError(pool, place.target, "no answer in time")
