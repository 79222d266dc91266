"""Asks a URL once. The address is resolved and judged here, and the connection goes to that very address: a name that
resolves anew between the judgement and the connection cannot lead it elsewhere. Redirects are answers, not orders.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from incidents.domain.addresses import BadUrl, Place, is_public, place_of

AGENT = "Upshot-Monitor/1"


class Refused(Exception):
    """The URL leads to an address that must not be asked. Says nothing about the service."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking. `latency_ms` is the time to the answer's head; `problem` is empty where `ok`."""

    ok: bool
    status: int | None = None
    latency_ms: float | None = None
    problem: str = ""


def probe(url: str, *, timeout_seconds: float, allows_private: bool) -> Probe:
    """Asks the URL with GET. Up means a status from 200 to 399 in time. Raises Refused for forbidden addresses.

    A certificate that does not hold is a failure as users see it.
    """
    try:
        place = place_of(url)
    except BadUrl as error:
        raise Refused(str(error)) from error
    began = time.perf_counter()
    try:
        address = _address(place, allows_private=allows_private)
    except OSError:
        return Probe(ok=False, problem=f"the name {place.host} does not resolve")
    try:
        status = _ask(place, address, timeout_seconds)
    except NewConnectionError:  # before the next: it is one of them by inheritance, and not by meaning
        return Probe(ok=False, problem="no connection")
    except TookTooLong:
        return Probe(ok=False, problem=f"no answer within {timeout_seconds:g} s")
    except SSLError as error:
        return Probe(ok=False, problem=f"TLS: {error}"[:200])
    except (HTTPError, OSError) as error:
        return Probe(ok=False, problem=f"{type(error).__name__}"[:200])
    latency = round((time.perf_counter() - began) * 1000, 1)
    is_up = 200 <= status < 400
    return Probe(ok=is_up, status=status, latency_ms=latency, problem="" if is_up else f"status {status}")


def _address(place: Place, *, allows_private: bool) -> str:
    """One address of the host. Refused where any of them is not public: which one a resolver gives next is not ours."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not allows_private and not all(is_public(address) for address in addresses):
        raise Refused(f"{place.host} is not an address of the public Internet")
    return addresses[0]


def _ask(place: Place, address: str, timeout_seconds: float) -> int:
    timeout = urllib3.Timeout(total=timeout_seconds)
    default = {"http": 80, "https": 443}[place.scheme]
    name = f"[{place.host}]" if ":" in place.host else place.host
    headers = {
        "Host": name if place.port == default else f"{name}:{place.port}",
        "User-Agent": AGENT,
        "Accept": "*/*",
        "Connection": "close",
    }
    pool: urllib3.HTTPConnectionPool
    if place.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, place.port, timeout=timeout, retries=False, server_hostname=place.host, assert_hostname=place.host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, place.port, timeout=timeout, retries=False)
    try:
        answer = pool.urlopen("GET", place.target, headers=headers, redirect=False, preload_content=False)
        answer.close()  # the head is all that is wanted, however long the body would be
        return int(answer.status)
    finally:
        pool.close()
