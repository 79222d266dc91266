"""What an environment is for, guessed from its name: senders spell environments as they like."""

from __future__ import annotations

import re
from typing import Final

PRODUCTION: Final = "production"
STAGING: Final = "staging"
TESTING: Final = "testing"
DEVELOPMENT: Final = "development"
OTHER: Final = "other"

#: Beginnings that decide, in this order. Only the first row enters the metrics (METRICS: prod… and live…).
_BEGINNINGS: Final = (
    (PRODUCTION, ("prod", "live")),
    (STAGING, ("stag", "preprod", "pre-prod", "preview", "uat")),
    (TESTING, ("test", "qa")),
    (DEVELOPMENT, ("dev", "local")),
)
_CI = re.compile(r"ci([^a-z]|$)")


def tier_of(name: str) -> str:
    """The tier of an environment by its name, without case; `other` where the name tells nothing.

    >>> tier_of("Production EU"), tier_of("qa-2"), tier_of("ci"), tier_of("city")
    ('production', 'testing', 'testing', 'other')
    """
    lowered = name.strip().lower()
    for tier, beginnings in _BEGINNINGS:
        if lowered.startswith(beginnings):
            return tier
    return TESTING if _CI.match(lowered) else OTHER
