"""Asks a monitor's URL once."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from incidents.actions.outgoing import Refused, address_of, ask
from incidents.domain.addresses import BadUrl, Networks, place_of

AGENT = "Upshot-Monitor/1"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking. `latency_ms` is the time to the answer's head; `problem` is empty where `ok`."""

    ok: bool
    status: int | None = None
    latency_ms: float | None = None
    problem: str = ""
    certificate_until: dt.datetime | None = None


def probe(url: str, *, timeout_seconds: float, networks: Networks) -> Probe:
    """Asks the URL with GET. Up means a status from 200 to 399 in time. Raises Refused for forbidden addresses.

    A certificate that does not hold is a failure as users see it.
    """
    try:
        place = place_of(url)
    except BadUrl as error:
        raise Refused(str(error)) from error
    began = time.perf_counter()
    try:
        address = address_of(place, networks)
    except OSError:
        return Probe(ok=False, problem=f"the name {place.host} does not resolve")
    try:
        answer = ask(place, address, timeout_seconds=timeout_seconds, headers={"User-Agent": AGENT})
    except NewConnectionError:  # before the next: it is one of them by inheritance, and not by meaning
        return Probe(ok=False, problem="no connection")
    except TookTooLong:
        return Probe(ok=False, problem=f"no answer within {timeout_seconds:g} s")
    except SSLError as error:
        return Probe(ok=False, problem=f"TLS: {error}"[:200])
    except (HTTPError, OSError) as error:
        return Probe(ok=False, problem=f"{type(error).__name__}"[:200])
    latency = round((time.perf_counter() - began) * 1000, 1)
    is_up = 200 <= answer.status < 400
    return Probe(
        ok=is_up, status=answer.status, latency_ms=latency, problem="" if is_up else f"status {answer.status}",
        certificate_until=answer.certificate_until,
    )  # fmt: skip
