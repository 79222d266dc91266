"""What this room draws on pages of the room below."""

from __future__ import annotations

from deploys.ports import register_column, register_panel
from incidents.views.columns import COLUMNS
from incidents.views.drift import out_of_line
from incidents.views.felt import felt_of_both
from incidents.views.intake import what_is_heard
from incidents.views.monitors import watched_by
from incidents.views.panels import PANELS
from incidents.views.runbooks import service_runbooks


def register() -> None:
    """Called once, when the first page asks for it."""
    for place, panel, order in PANELS:
        register_panel(place, panel, order=order)
    register_panel("service-answer", what_is_heard, order=20)
    register_panel("service-aside", watched_by, order=20)
    register_panel("service-answer", out_of_line, order=30)
    register_panel("service-aside", service_runbooks, order=40)
    register_panel("compare-main", felt_of_both)
    for place, column in COLUMNS:
        register_column(place, column)
