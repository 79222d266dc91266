"""What a monitor learns of a certificate in a real handshake, with a server on loopback that signed its own."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import Settings

from incidents.actions.monitors import add_monitor, run_due
from incidents.actions.probing import Probe, probe
from incidents.domain.addresses import EVERYWHERE
from incidents.models import Check, Monitor
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory

DAY = dt.timedelta(days=1)
HOST = "127.0.0.1"


def signed(folder: Path, until: dt.datetime) -> Path:
    """A file with a key and a certificate of this host that ends then."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - 30 * DAY)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "site.pem"
    file.write_bytes(key.private_bytes(pem, kind, serialization.NoEncryption()) + made.public_bytes(pem))
    return file


class Site(http.server.BaseHTTPRequestHandler):
    """Answers 204."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The address of a site with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with http.server.ThreadingHTTPServer((HOST, 0), Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"https://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def today() -> dt.datetime:
    """The other side's clock is the real one."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def asked(url: str) -> Probe:
    return probe(url, timeout_seconds=20, networks=EVERYWHERE)


@pytest.mark.django_db
def test_the_end_of_a_certificate_is_read_in_the_handshake(
    tmp_path: Path, today: dt.datetime, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    file = signed(tmp_path, today + 10 * DAY)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    settings.ALLOW_PRIVATE_MONITORS = True

    with served(file) as url:
        add_monitor(service=ServiceFactory.create(), url=url, now=NOON)
        failed = run_due(now=NOON)

    assert (failed, Check.objects.get().status) == (0, 204)
    assert Monitor.objects.get().certificate_until == today + 10 * DAY


@pytest.mark.parametrize(
    ("days", "is_trusted", "problem"), [(10, False, "self-signed certificate"), (-1, True, "certificate has expired")]
)
def test_a_certificate_that_does_not_hold_is_a_failed_check(
    tmp_path: Path, today: dt.datetime, monkeypatch: pytest.MonkeyPatch, days: int, problem: str, *, is_trusted: bool
) -> None:
    file = signed(tmp_path, today + days * DAY)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with served(file) as url:
        answer = asked(url)

    assert (answer.ok, answer.status, answer.certificate_until) == (False, None, None)
    assert answer.problem.startswith("TLS: ")
    assert problem in answer.problem
