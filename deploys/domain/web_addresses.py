"""Addresses that senders name, as far as they may be kept and followed."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\\]*@")


def without_userinfo(address: str) -> str:
    """The address without name and password before its host (RFC 3986, section 3.2.1); any other text as it is."""
    return _USERINFO.sub(r"\1", address)


def may_be_followed(address: str) -> bool:
    """Whether a page may link to it: an http or https address, and nothing that a browser would run."""
    return address.lower().startswith(("https://", "http://"))
