"""Webhook signatures, over the bytes as received and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum


class SignatureVerdict(StrEnum):
    """What a look at the signature says."""

    VALID = "valid"
    VALID_PREVIOUS = "valid (previous)"
    MISSING = "missing"
    INVALID = "invalid"


def github_signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for this body (GitHub, "Validating webhook deliveries")."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify_github(header: str | None, body: bytes, *, secrets: Iterable[str]) -> SignatureVerdict:
    """Compares the header with the signature by each secret, the current one first, then any still accepted.

    The SHA-1 header of old is never looked at. Text that is not ASCII compares as bytes and simply differs.
    """
    if not header:
        return SignatureVerdict.MISSING
    given = header.strip().encode("utf-8", "surrogateescape")
    verdict = SignatureVerdict.INVALID
    for place, secret in enumerate(secrets):
        if hmac.compare_digest(github_signature(secret, body).encode(), given):
            verdict = SignatureVerdict.VALID_PREVIOUS if place else SignatureVerdict.VALID
    return verdict
