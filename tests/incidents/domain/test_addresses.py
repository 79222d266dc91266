"""What a monitor or a webhook may be pointed at."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.addresses import EVERYWHERE, BadUrl, Place, checked_place, is_public, may_be_asked, place_of


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
     "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
     "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
     "64:ff9b::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "localhost", "", "0177.0.0.1", "2130706433"],
)  # fmt: skip
def test_addresses_that_lead_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://shop.example", Place("https", "shop.example", 443, "/")),
        ("http://shop.example:8080/up?deep=1", Place("http", "shop.example", 8080, "/up?deep=1")),
        ("http://[2606:2800::1]/", Place("http", "2606:2800::1", 80, "/")),
    ],
)
def test_urls_are_taken_apart(url: str, place: Place) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://shop.example/", "file:///etc/passwd", "gopher://x/", "http://", "http:///x", "https://user@x/",
     "https://good.example@127.0.0.1/", "http://good.example\\@127.0.0.1/", "http://x/ y", "http://x/\r\nHost: y", "http://x:0/",
     "http://x:99999/", "http://[::1/", "http://ex\u00e4mple/", "http://\u2488x/", "javascript:alert(1)"],
)  # fmt: skip
def test_urls_that_are_not_asked(url: str) -> None:
    with pytest.raises(BadUrl):
        place_of(url)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("8.8.8.8", True), ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fd00::7", True), ("192.168.0.1", False), ("10.1.2.999", False),
        ("127.0.0.1", False), ("::ffff:169.254.169.254", False), ("2002:0a01:0203::", False), ("64:ff9b::0a01:0203", False), ("intern", False),
    ],
)  # fmt: skip
def test_private_networks_are_asked_only_where_they_are_listed(address: str, is_allowed: bool) -> None:
    assert may_be_asked(address, (IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8"))) is is_allowed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "2130706433", "0177.0.0.1"])
def test_a_url_that_spells_out_a_private_address_is_refused_when_it_is_set_up(host: str) -> None:
    with pytest.raises(BadUrl, match="UPSHOT_PRIVATE_NETWORKS"):
        checked_place(f"http://{host}/hook", ())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "hooks.example", "8.8.8.8"])
def test_other_urls_are_judged_when_they_are_asked(host: str) -> None:
    assert checked_place(f"http://{host}/hook", EVERYWHERE).host == host


@given(text=st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    is_public(text)
    for url in (text, f"http://{text}"):
        try:
            place_of(url)
        except BadUrl:
            continue
