"""What is kept of an address."""

from __future__ import annotations

import pytest

from deploys.domain.web_addresses import may_be_followed, without_userinfo


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


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://ci/run/5", True), ("HTTP://ci", True), ("javascript:alert(1)//https://ci", False), (" https://ci", False), ("//ci", False),
        ("data:text/html,x", False), ("", False),
    ],
)  # fmt: skip
def test_pages_link_only_to_the_web(address: str, is_link: bool) -> None:
    assert may_be_followed(address) is is_link
