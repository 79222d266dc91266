from __future__ import annotations

import pytest

from deploys.domain.tiers import tier_of


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("production", "production"),
        ("Prod-EU", "production"),
        ("LIVE", "production"),
        ("preprod", "staging"),
        ("Staging", "staging"),
        ("stage2", "staging"),
        ("test", "testing"),
        ("QA", "testing"),
        ("ci", "testing"),
        ("ci-17", "testing"),
        ("cinema", "other"),
        ("dev", "development"),
        ("Development", "development"),
        ("canary", "other"),
        ("", "other"),
    ],
)
def test_tier_follows_the_beginning_of_the_name_without_case(name: str, tier: str) -> None:
    assert tier_of(name) == tier
