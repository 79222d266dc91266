import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.messages import Message, host_pattern, normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", Message("")),
        ("user 4711 may not edit", Message("user # may not edit")),
        ("KeyError: 'price_123'", Message("KeyError: 'price_#'")),
        ("KeyError: 'price_kx-7f2c7'", Message("KeyError: 'price_#'")),
        ("no such column: cart_slug", Message("no such column: cart_slug")),
        ("order 018f2a3c-77aa-7bbb-8ccc-0123456789ab is gone", Message("order <id> is gone")),
        ("token 9f86d081884c7d659a2feaa0c55ad015 rejected", Message("token # rejected")),
        ("job due 2026-03-03T10:00:00Z missed", Message("job due <time> missed")),
        ("mail to jane.doe@shop.example bounced", Message("mail to <email> bounced")),
        ("connect to 10.1.2.3:5432 refused", Message("connect to <ip> refused")),
        ("connect to fe80:0:0:0:1:2:3:4 refused", Message("connect to <ip> refused")),
        ("at 0x7f3e2c", Message("at #")),
        (
            "HTTPSConnectionPool(host='api.pay.example', port=443): read timed out",
            Message("HTTPSConnectionPool(host='api.pay.example', port=#): read timed out", ("api.pay.example",)),
        ),
        (
            "503 Server Error for url: https://u:p@api.pay.example:8443/v2/cart/17?x=1",
            Message(
                "# Server Error for url: https://api.pay.example/#/cart/#",
                ("api.pay.example",),
                503,
            ),
        ),
        (
            "api.pay.example:8443 redirects to https://API.pay.example/login",
            Message("api.pay.example:# redirects to https://api.pay.example/login", ("api.pay.example",)),
        ),
        ("GET http://10.0.0.7/a/b?c=1 failed", Message("GET http://<ip>/a/b failed")),
        ("GET http://[fe80::1]/a failed", Message("GET http://<ip>/a failed")),
        ("connect to [fe80::1]:443 failed", Message("connect to [<ip>]:# failed")),
        ("::1 refused, fe80::1%eth0 down", Message("<ip> refused, <ip> down")),
        ("Cafe::Bad1 in std::string", Message("Cafe::# in std::string")),
        ("error: 443, answered 503", Message("error: #, answered #", (), 503)),
        ("no answer after 500 ms", Message("no answer after # ms")),
        (
            "dial tcp: lookup db-3.eu.internal: no such host",
            Message("dial tcp: lookup #.eu.internal: no such host", ("db-3.eu.internal",)),
        ),
        ("module shop.orders.views has no attribute", Message("module shop.orders.views has no attribute")),
        ("cannot read settings.yaml", Message("cannot read settings.yaml")),
        ("lookup of queue.eu.broker failed", Message("lookup of queue.eu.broker failed")),
        ("connect to queue.eu.broker failed", Message("connect to queue.eu.broker failed", ("queue.eu.broker",))),
        ("cannot open 'My holiday photo of Rome'", Message("cannot open '*'")),
        ('null value in column "owner" (77)', Message("null value in column 'owner' (#)")),
        ("bad value '%%'", Message("bad value '*'")),
        ("upstream answered status code 502", Message("upstream answered status code #", (), 502)),
        (
            "cannot reach api.pay.example:443 from here",
            Message("cannot reach api.pay.example:# from here", ("api.pay.example",)),
        ),
        ("https://api.pay.example:500 Refused", Message("https://api.pay.example Refused", ("api.pay.example",))),
        ("10.0.0.7:443 Refused", Message("<ip> Refused")),
        ("waited 12.500 Seconds", Message("waited # Seconds")),
        ("GET /pay (503 Service Unavailable)", Message("GET /pay (# Service Unavailable)", (), 503)),
        ("404 Not Found", Message("# Not Found", (), 404)),
    ],
)
def test_normalise_takes_values_out(raw: str, expected: Message) -> None:
    assert normalise(raw) == expected


def test_host_pattern_makes_numbered_places_alike() -> None:
    assert host_pattern("shard-17.db.internal") == host_pattern("shard-3.db.internal") == "#.db.internal"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_normalise_never_raises_and_leaves_no_digit_group(raw: str) -> None:
    text = normalise(raw).text

    assert not any(c in "0123456789" for c in text if c.isascii())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(), st.integers())
def test_normalise_is_blind_to_numbers(one: int, other: int) -> None:
    assert normalise(f"row {one} locked").text == normalise(f"row {other} locked").text
