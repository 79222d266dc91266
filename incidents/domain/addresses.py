"""Which network addresses a monitor may be pointed at: its URL comes from a user, and must not reach into our network."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

_NAT64 = IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class BadUrl(ValueError):
    """No URL that a monitor can ask; the text says why."""


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
