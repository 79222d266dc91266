"""Environments are compared by tier: senders spell production as they like."""

PRODUCTION = "production"


def tier(environment: str) -> str:
    """``production`` for every name that begins with prod or live, without case; otherwise the name in lower case."""
    name = environment.lower()
    return PRODUCTION if name.startswith(("prod", "live")) else name
