"""Monitors ask when they are due, once, and only where they may."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import socket
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from django.conf import Settings

from incidents import ports
from incidents.actions.monitors import add_monitor, is_due, run_due, stop_monitor, warn_of_certificates
from incidents.actions.outgoing import Refused, certificate_until
from incidents.actions.probing import Probe, probe
from incidents.domain.addresses import EVERYWHERE, BadUrl, Networks
from incidents.models import Check, Monitor
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes


class Site(http.server.BaseHTTPRequestHandler):
    """Answers the status named by the path; `/slow` answers nothing, `/drip` a byte now and then."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.server.stopped.wait(5)  # type: ignore[attr-defined]  # set by the fixture
            return
        if self.path == "/drip":
            self.send_response(200)
            self.flush_headers()
            with contextlib.suppress(OSError):
                while not self.server.stopped.wait(0.1):  # type: ignore[attr-defined]  # as above
                    self.wfile.write(b"X")
            return
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.stopped = threading.Event()  # type: ignore[attr-defined]  # read by the handler
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stopped.set()  # type: ignore[attr-defined]  # as above
    server.shutdown()
    thread.join()
    server.server_close()


def ask(url: str, *, networks: Networks = EVERYWHERE) -> Probe:
    return probe(url, timeout_seconds=0.5, networks=networks)


@pytest.mark.parametrize(
    ("path", "ok", "problem"),
    [("/200", True, ""), ("/302", True, ""), ("/404", False, "status 404"), ("/503", False, "status 503")],
)
def test_the_status_decides_and_redirects_are_not_followed(site: str, path: str, ok: bool, problem: str) -> None:
    answer = ask(site + path)

    assert (answer.ok, answer.status, answer.problem) == (ok, int(path[1:]), problem)
    assert answer.latency_ms is not None


def test_no_answer_is_a_failure_with_its_reason(site: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    assert ask(f"{site}/slow") == Probe(ok=False, problem="no answer within 0.5 s")
    assert ask(f"{site}/drip") == Probe(ok=False, problem="no answer within 0.5 s")
    assert ask(f"http://127.0.0.1:{port}/") == Probe(ok=False, problem="no connection")
    assert ask(site.replace("http:", "https:") + "/200").problem.startswith("TLS: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0177.0.0.1", "2130706433", "0x7f.1"])
def test_private_addresses_are_refused_however_they_are_spelled(site: str, host: str) -> None:
    with pytest.raises(Refused):
        ask(site.replace("127.0.0.1", host) + "/200", networks=())


def test_a_private_network_that_the_administrator_allows_may_be_asked(site: str) -> None:
    assert ask(site + "/200", networks=(IPv4Network("127.0.0.0/8"),)).ok
    with pytest.raises(Refused):
        ask(site + "/200", networks=(IPv4Network("10.0.0.0/8"),))


@pytest.mark.django_db
@pytest.mark.database
def test_due_monitors_are_asked_once_a_period(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_MONITORS = True
    service = ServiceFactory.create()
    monitor = add_monitor(service=service, url="https://shop.example/up", now=NOON, period_seconds=60)
    answers = iter([Probe(ok=True, status=200, latency_ms=9.5), Probe(ok=False, status=503, problem="status 503")])

    failed = [run_due(now=NOON + minutes(n), ask=lambda *_, **__: next(answers)) for n in (0, 0.5, 1.25)]

    assert failed == [0, 0, 1]
    assert list(Check.objects.order_by("at").values_list("source", "at", "ok", "status", "latency_ms", "problem")) == [
        (str(monitor.public_id), NOON, True, 200, 9.5, ""),
        (str(monitor.public_id), NOON + minutes(1.25), False, 503, None, "status 503"),
    ]
    assert (is_due(now=NOON + minutes(1.9)), is_due(now=NOON + minutes(2))) == (False, True)
    stop_monitor(monitor=monitor)
    assert not is_due(now=NOON + minutes(9))


@pytest.mark.django_db
@pytest.mark.database
def test_a_claim_keeps_others_away_until_it_runs_out() -> None:
    add_monitor(service=ServiceFactory.create(), url="https://shop.example/", now=NOON, period_seconds=5)
    Monitor.objects.update(leased_until=NOON + minutes(1))

    assert [is_due(now=NOON + minutes(n)) for n in (0.5, 1)] == [False, True]


@pytest.mark.django_db
@pytest.mark.database
def test_a_refused_monitor_says_nothing_about_its_service() -> None:
    add_monitor(service=ServiceFactory.create(), url="https://shop.example/", now=NOON)

    def refuse(*_: object, **__: object) -> Probe:
        raise Refused("not a public address")

    assert run_due(now=NOON, ask=refuse) == 0
    assert (Check.objects.count(), Monitor.objects.get().leased_until) == (0, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://127.0.0.1/"}, {"url": "http://localhost/"}, {"url": "http://[::1]/"}, {"url": "ftp://x/"},
        {"url": "https://x.example/" + "y" * 500}, {"period_seconds": 1}, {"timeout_seconds": 0.0}, {"timeout_seconds": 61.0},
    ],
)  # fmt: skip
def test_monitors_that_are_not_made(values: dict[str, object]) -> None:
    with pytest.raises((BadUrl, ValueError)):
        add_monitor(service=ServiceFactory.create(), now=NOON, **{"url": "https://x.example/", **values})  # type: ignore[arg-type]  # bad on purpose


@pytest.mark.django_db
def test_a_monitor_made_again_is_the_same_one() -> None:
    service = ServiceFactory.create()

    first = add_monitor(service=service, url="https://x.example/", now=NOON)
    second = add_monitor(service=service, url="https://x.example/", now=NOON, period_seconds=30)

    assert (second.pk, Monitor.objects.get().period_seconds) == (first.pk, 30)
    service.refresh_from_db()
    assert service.is_probed


# -- certificates -------------------------------------------------------------------------------------------------------


class Shown:
    """A connection whose other side showed a certificate that ends then."""

    def __init__(self, until: str) -> None:
        self.sock = self
        self.until = until

    def getpeercert(self) -> dict[str, str]:
        return {"notAfter": self.until} if self.until else {}


def test_the_end_of_a_certificate_is_read() -> None:
    assert certificate_until(Shown("Mar  4 12:00:00 2026 GMT")) == NOON
    assert certificate_until(Shown("")) is None
    assert certificate_until(object()) is None


@pytest.mark.django_db(databases="__all__")
def test_a_certificate_is_told_of_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    notices: list[ports.Notice] = []
    monkeypatch.setattr(ports, "_notifiers", {"test": notices.append})
    service = ServiceFactory.create(name="shop")
    monitor = add_monitor(service=service, url="https://shop.example/", now=NOON)
    until = NOON + dt.timedelta(days=20)
    run_due(now=NOON, ask=lambda *_, **__: Probe(ok=True, status=200, latency_ms=1.0, certificate_until=until))
    monitor.refresh_from_db()

    counts = [warn_of_certificates(now=NOON + dt.timedelta(days=days)) for days in (0, 6, 7, 13, 19, 19.5, 21)]

    assert monitor.certificate_until == until
    assert counts == [0, 1, 0, 1, 1, 0, 0]
    assert [(notice.title, notice.urgency) for notice in notices] == [
        ("The certificate of shop ends in 14 d", "ticket"), ("The certificate of shop ends in 7 d", "ticket"),
        ("The certificate of shop ends in 1 d", "page"),
    ]  # fmt: skip
    assert notices[0].text == "https://shop.example/ shows a certificate that is good until 2026-03-24 12:00 UTC."
