"""Addresses that senders name, as far as they may be kept."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\\]*@")


def without_userinfo(address: str) -> str:
    """The address without name and password before its host (RFC 3986, section 3.2.1); any other text as it is."""
    return _USERINFO.sub(r"\1", address)
