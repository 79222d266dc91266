"""Which network addresses a monitor or a webhook may be pointed at: the URL comes from a user, and must not reach into
our network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

Networks = Sequence[IPv4Network | IPv6Network]
EVERYWHERE: Final[Networks] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))

_NAT64 = IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class BadUrl(ValueError):
    """No URL that can be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL points: `target` is the path with its query, as it goes on the wire."""

    scheme: str
    host: str
    port: int
    target: str


def place_of(url: str) -> Place:
    """The parts of an HTTP URL. BadUrl for other schemes, for user names, and for everything parsers disagree on."""
    if not url.isascii() or not url.isprintable() or any(character in url for character in " \\<>\"'"):
        raise BadUrl("the URL holds a character that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl("not a URL") from error
    if parts.scheme not in _PORTS:
        raise BadUrl("the URL must begin with http:// or https://")
    if "@" in parts.netloc:
        raise BadUrl("a URL with a user name or password is not accepted")
    if not parts.hostname or port == 0:
        raise BadUrl("the URL names no host")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme=parts.scheme, host=parts.hostname, port=port or _PORTS[parts.scheme], target=target)


def is_public(address: str) -> bool:
    """Is this a numeric address of the public Internet, whatever it is wrapped in? Text that is no address is not."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if found.teredo is not None:
            return False
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast and not found.is_reserved


def may_be_asked(address: str, networks: Networks) -> bool:
    """Is this numeric address public, or in one of the private networks that the administrator allows?

    An IPv4 address that is written as IPv6 (RFC 4291, section 2.5.5.2) is where the connection goes: in IPv4.
    """
    if is_public(address):
        return True
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def checked_place(url: str, networks: Networks) -> Place:
    """The parts of a URL that somebody sets up now. BadUrl also where it spells out an address that must not be asked.

    A host name is judged when it is asked, by what it then resolves to.
    """
    place = place_of(url)
    is_numeric = place.host.replace(".", "").isdigit() or ":" in place.host
    named = "127.0.0.1" if place.host == "localhost" else place.host
    if (is_numeric or place.host == "localhost") and not may_be_asked(named, networks):
        raise BadUrl(f"{place.host} is not an address of the public Internet; UPSHOT_PRIVATE_NETWORKS would allow it")
    return place
