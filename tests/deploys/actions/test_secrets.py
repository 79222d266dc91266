"""Secrets at rest."""

import pytest
from django.test import override_settings

from deploys.actions import secrets


def test_an_encrypted_secret_can_be_read_again_and_not_seen() -> None:
    stored = secrets.encrypt("héllo")

    assert secrets.decrypt(stored) == "héllo"
    assert "héllo".encode() not in stored


def test_another_key_cannot_read_it() -> None:
    stored = secrets.encrypt("x")

    with override_settings(SECRET_KEY="another"), pytest.raises(secrets.UnreadableSecret, match="rotate"):
        secrets.decrypt(stored)


def test_hash_is_sha256() -> None:
    assert secrets.secret_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
