"""Which environments count as the same: senders spell production as they like."""

from deploys.domain.tiers import PRODUCTION, tier_of


def tier(environment: str) -> str:
    """``production`` for every name that begins with prod or live, without case; otherwise the name in lower case."""
    return PRODUCTION if tier_of(environment) == PRODUCTION else environment.lower()
