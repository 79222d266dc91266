"""Secrets: hashed where they are only compared, encrypted where we must use them again."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class UnreadableSecret(Exception):
    """A stored secret was encrypted with another UPSHOT_SECRET_KEY."""


def _cipher() -> Fernet:
    """AES-128-CBC with HMAC-SHA256, keyed from the instance's secret key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 -- 5 MB in each process, of which few ever need it

    digest = hashlib.sha256(b"upshot secrets v1\x00" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def encrypt(secret: str) -> bytes:
    """The secret as stored."""
    return _cipher().encrypt(secret.encode())


def decrypt(stored: bytes | memoryview) -> str:
    """The secret again. UnreadableSecret when the instance's key has changed."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- as above

    try:
        return _cipher().decrypt(bytes(stored)).decode()
    except InvalidToken as error:
        raise UnreadableSecret("stored with another UPSHOT_SECRET_KEY: rotate this secret") from error


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """SHA-256 in hex: enough for secrets with 256 random bits, and cheap on every request."""
    return hashlib.sha256(secret.encode()).hexdigest()
