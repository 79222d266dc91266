"""Who sent a request that came through proxies.

Every proxy adds the address it was called from to the right end of X-Forwarded-For. So the list is read from the right, and
only as long as the last reader is one that the operator trusts: what stands left of the first stranger, that stranger made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
MOST_HOPS = 20


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The address nearest to the client that somebody trusted vouches for; `peer` where nobody does.

    An entry that is no address ends the reading: whoever stands to its right is answered for.
    """
    at, hops = peer, forwarded.split(",")[-MOST_HOPS:] if forwarded else []
    while hops and _is_trusted(at, trusted):
        found = _address(hops.pop())
        if found is None:
            break
        at = str(found)
    return at


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    found = _address(text)
    return found is not None and any(found in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1` or `[2001:db8::1]:567`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
