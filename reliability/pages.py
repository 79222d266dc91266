"""What this room draws on pages of the rooms below."""

from __future__ import annotations

from deploys.ports import register_column, register_panel
from reliability.views.flag_debt import flag_debt
from reliability.views.objectives import BUDGET_COLUMN, service_budgets


def register() -> None:
    """Called once, when the first page asks for it."""
    register_panel("service-aside", service_budgets, order=10)
    register_panel("flag-cleanup", flag_debt)
    register_column("service-list", BUDGET_COLUMN)
