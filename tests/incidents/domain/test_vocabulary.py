from __future__ import annotations

import pytest

from incidents.domain.vocabulary import MECHANISMS, external_hosts, mechanisms, named_services


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("SSLError", "certificate verify failed: certificate has expired", {"certificate", "expiry"}),
        ("javax.net.ssl.SSLHandshakeException", "PKIX path validation failed", {"certificate"}),
        (
            "x509.CertificateInvalidError",
            "x509: certificate has expired or is not yet valid",
            {"certificate", "expiry"},
        ),
        ("Error", "getaddrinfo ENOTFOUND api.pay.example", {"name_resolution"}),
        ("UnknownHostException", "api.pay.example", {"name_resolution"}),
        ("net.OpError", "dial tcp: lookup api: no such host", {"name_resolution", "connection"}),
        ("ReadTimeout", "read timed out", {"timeout"}),
        ("context.deadlineExceededError", "context deadline exceeded", {"timeout"}),
        ("Error", "connect ECONNREFUSED <ip>", {"connection"}),
        ("PSQLException", "FATAL: remaining connection slots are reserved", {"exhaustion"}),
        (
            "SQLTransientConnectionException",
            "HikariPool-#: Connection is not available, request timed out",
            {"exhaustion", "timeout"},
        ),
        ("OutOfMemoryError", "Java heap space", {"memory"}),
        ("Error", "JavaScript heap out of memory", {"memory"}),
        ("OSError", "[Errno #] No space left on device", {"disk"}),
        ("PG::UndefinedColumn", "column orders.total does not exist", {"schema"}),
        ("SqlException", "Invalid object name 'Orders'", {"schema"}),
        ("Mysql2::Error", "Deadlock found when trying to get lock", {"lock"}),
        ("Stripe::RateLimitError", "Too many requests", {"rate_limit", "exhaustion"}),
    ],
)
def test_mechanisms_are_read_in_every_language(type_: str, text: str, expected: set[str]) -> None:
    assert expected <= mechanisms(type_, text)


def test_a_plain_mistake_speaks_of_none_of_the_operational_ones() -> None:
    assert mechanisms("ZeroDivisionError", "division by zero") == frozenset()
    assert len(MECHANISMS) == len(set(MECHANISMS))


def test_services_are_named_by_word_or_host_label() -> None:
    services = frozenset({"shop", "db", "mail"})

    assert named_services("'cart' in response of shop", (), services) == {"shop"}
    assert named_services("# from", ("shop.internal", "db-service.svc"), services) == {"shop", "db"}
    assert named_services("shopping is down", (), services) == frozenset()


def test_foreign_hosts_are_neither_ours_nor_private() -> None:
    hosts = ("api.pay.example", "shop.example", "cache.internal", "localhost", "#.test")

    assert external_hosts(hosts, frozenset({"shop"})) == ("api.pay.example",)
