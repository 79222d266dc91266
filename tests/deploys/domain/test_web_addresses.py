"""What is kept of an address."""

from __future__ import annotations

import pytest

from deploys.domain.web_addresses import without_userinfo


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://user:secret@ci.example.org/run/5?x=1#y", "https://ci.example.org/run/5?x=1#y"),
        ("http://token@ci", "http://ci"),
        ("https://user:p@ss@ci:8443/", "https://ci:8443/"),
        ("HTTPS://user:@ci/", "HTTPS://ci/"),
        ("https://ci/@scope/package?by=a@b", "https://ci/@scope/package?by=a@b"),
        ("https://ci?by=a@b", "https://ci?by=a@b"),
        ("somebody@example.org", "somebody@example.org"),
        ("", ""),
    ],
)
def test_name_and_password_are_taken_out(sent: str, kept: str) -> None:
    assert without_userinfo(sent) == kept
