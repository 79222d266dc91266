"""Proofs of who sent a webhook: over the bytes as received, compared in constant time, one scheme per family of senders.

A scheme looks only at headers (and for tokens at the address), so it judges before anything of the body is parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

#: How far a signed time may be from ours, to either side (Standard Webhooks, "Verifying webhook authenticity").
WINDOW: Final = timedelta(minutes=5)
WHSEC: Final = "whsec_"


class SignatureVerdict(StrEnum):
    """What a look at the proof says."""

    VALID = "valid"
    VALID_PREVIOUS = "valid (previous)"
    MISSING = "missing"
    INVALID = "invalid"
    STALE = "stale"

    @property
    def is_valid(self) -> bool:
        """Whether the delivery is from who knows the secret, and fresh."""
        return self in {SignatureVerdict.VALID, SignatureVerdict.VALID_PREVIOUS}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request brings: names of headers in lower case, the body as received."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


class Scheme(Protocol):
    """One way to prove who sends."""

    @property
    def says(self) -> str:
        """Where the proof is expected, for the sentence that tells a sender what is missing."""

    def is_presented(self, proof: Proof) -> bool:
        """Whether the request carries a proof of this kind, right or wrong."""

    def fits(self, proof: Proof, secret: str) -> bool:
        """Whether the proof was made with this secret."""

    def is_stale(self, proof: Proof, now: datetime) -> bool:
        """Whether the sender signed a time, and it is too far from now."""


@dataclass(frozen=True, slots=True)
class _OneHeader:
    """A proof that stands in one header and signs no time."""

    header: str

    @property
    def says(self) -> str:
        """The header."""
        return f"the header {self.header}"

    def is_presented(self, proof: Proof) -> bool:
        """A header that is there but empty is no proof."""
        return bool(proof.headers.get(self.header.lower(), "").strip())

    def is_stale(self, proof: Proof, now: datetime) -> bool:
        """No time is signed."""
        return False


@dataclass(frozen=True, slots=True)
class Hmac(_OneHeader):
    """HMAC of the body in one header, after `prefix`, in hex or base64. With `many`, a comma list of which one must fit."""

    prefix: str = ""
    digest: str = "sha256"
    is_base64: bool = False
    many: bool = False

    def value(self, secret: str, body: bytes) -> str:
        """What a sender puts into the header."""
        raw = hmac.new(secret.encode(), body, self.digest).digest()
        return self.prefix + (base64.b64encode(raw).decode() if self.is_base64 else raw.hex())

    def fits(self, proof: Proof, secret: str) -> bool:
        """Text that is not ASCII compares as bytes and simply differs."""
        given = proof.headers[self.header.lower()]
        parts = given.split(",") if self.many else [given]
        return any_equal(self.value(secret, proof.body), (part.strip() for part in parts))


@dataclass(frozen=True, slots=True)
class NamedHmac(_OneHeader):
    """`<algorithm>=<hex>`: the header names the algorithm, of which only these are taken."""

    digests: Sequence[str] = ("sha224", "sha256", "sha384", "sha512")

    def fits(self, proof: Proof, secret: str) -> bool:
        """An algorithm that is not in the list never fits."""
        given = proof.headers[self.header.lower()].strip()
        digest = given.partition("=")[0]
        return digest in self.digests and Hmac(self.header, f"{digest}=", digest).fits(proof, secret)


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """`webhook-signature`: a list of `v1,<base64>` over id, time and body (standardwebhooks.com, spec 1.0).

    The key is the base64 text after `whsec_`; a secret without that prefix is used as its own bytes.
    """

    @property
    def says(self) -> str:
        """The three headers."""
        return "the headers webhook-id, webhook-timestamp and webhook-signature"

    def is_presented(self, proof: Proof) -> bool:
        """The signature decides; without id or time it does not fit."""
        return bool(proof.headers.get("webhook-signature", "").strip())

    def value(self, secret: str, body: bytes, *, message_id: str, at: str) -> str:
        """One entry of the header."""
        signed = b".".join((_bytes(message_id), _bytes(at), body))
        return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()

    def fits(self, proof: Proof, secret: str) -> bool:
        """Any of the entries of version 1."""
        message_id, at = proof.headers.get("webhook-id", ""), proof.headers.get("webhook-timestamp", "")
        if not message_id or not at:
            return False
        expected = self.value(secret, proof.body, message_id=message_id, at=at)
        return any_equal(expected, proof.headers["webhook-signature"].split())

    def is_stale(self, proof: Proof, now: datetime) -> bool:
        """A time that is no number, or more than WINDOW from now."""
        return is_far(proof.headers.get("webhook-timestamp", ""), now)


@dataclass(frozen=True, slots=True)
class Token(_OneHeader):
    """The secret itself: in a header as it is, after `Bearer`, as password of `Basic`, or in the address as `?token=`."""

    header: str = "Authorization"
    in_address: bool = False

    @property
    def says(self) -> str:
        """The header, or the address."""
        place = f"the header {self.header}"
        return f"{place}, or ?token= in the address" if self.in_address else place

    def is_presented(self, proof: Proof) -> bool:
        """Either place."""
        return bool(self._given(proof))

    def fits(self, proof: Proof, secret: str) -> bool:
        """Any of the forms."""
        return any_equal(secret, self._given(proof))

    def _given(self, proof: Proof) -> list[str]:
        given = proof.headers.get(self.header.lower(), "").strip()
        found = [given] if given else []
        scheme, _, rest = given.partition(" ")
        if self.header == "Authorization" and scheme.lower() == "bearer":
            found.append(rest.strip())
        elif self.header == "Authorization" and scheme.lower() == "basic":
            found.append(_password(rest))
        if self.in_address and proof.query.get("token"):
            found.append(proof.query["token"])
        return found


@dataclass(frozen=True, slots=True)
class BodyHashToken(_OneHeader):
    """A JSON Web Token (RFC 7515, HS256 only) whose claims hold the SHA-256 of the body in hex, and who issued it."""

    issuer: str

    def fits(self, proof: Proof, secret: str) -> bool:
        """`alg` must say HS256: a token that names another algorithm, or none, is not looked at further."""
        parts = proof.headers[self.header.lower()].strip().split(".")
        if len(parts) != 3 or _part(parts[0]).get("alg") != "HS256":
            return False
        raw = hmac.new(secret.encode(), _bytes(f"{parts[0]}.{parts[1]}"), hashlib.sha256).digest()
        if not any_equal(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), [parts[2].rstrip("=")]):
            return False
        claims = _part(parts[1])
        hashed = claims.get("sha256")
        is_body = isinstance(hashed, str) and any_equal(hashlib.sha256(proof.body).hexdigest(), [hashed])
        return is_body and claims.get("iss") == self.issuer


def verify(schemes: Sequence[Scheme], proof: Proof, *, secrets: Iterable[str], now: datetime) -> SignatureVerdict:
    """The verdict of the first scheme that the request presents: the strongest stands first, so none can be skipped.

    Every secret is tried, the current one first, then any still accepted after a rotation.
    """
    scheme = next((each for each in schemes if each.is_presented(proof)), None)
    if scheme is None:
        return SignatureVerdict.MISSING
    verdict = SignatureVerdict.INVALID
    for place, secret in enumerate(secrets):
        if scheme.fits(proof, secret) and verdict is SignatureVerdict.INVALID:
            verdict = SignatureVerdict.VALID_PREVIOUS if place else SignatureVerdict.VALID
    if verdict.is_valid and scheme.is_stale(proof, now):
        return SignatureVerdict.STALE
    return verdict


def any_equal(expected: str, given: Iterable[str]) -> bool:
    """Whether one of the texts is the expected one. Every comparison is on bytes and takes the same time."""
    known, found = _bytes(expected), False
    for each in given:
        found |= hmac.compare_digest(known, _bytes(each))
    return found


def is_far(stated: str, now: datetime) -> bool:
    """Whether epoch seconds lie more than WINDOW from now; also when they are no such number."""
    if not stated.strip().isascii() or not stated.strip().isdigit() or len(stated.strip()) > 12:
        return True
    return abs(int(stated) - now.timestamp()) > WINDOW.total_seconds()


GITHUB: Final = Hmac("X-Hub-Signature-256", prefix="sha256=")


def github_signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for this body (GitHub, "Validating webhook deliveries")."""
    return GITHUB.value(secret, body)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _key(secret: str) -> bytes:
    if not secret.startswith(WHSEC):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _part(encoded: str) -> Mapping[str, object]:
    """One part of a token; empty when it is not a JSON object in base64url."""
    try:
        value = json.loads(base64.urlsafe_b64decode(_bytes(encoded) + b"=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
