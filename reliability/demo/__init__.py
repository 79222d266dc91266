"""The demo: a team with a history of about 90 days, the same every time it is made."""

DEMO_TEAM = "demo"
DEMO_PERSON = "demo@example.org"
