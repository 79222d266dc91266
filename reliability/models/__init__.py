"""Tables of how well we do."""

from reliability.models.objectives import Objective
from reliability.models.reports import ReportSnapshot

__all__ = ["Objective", "ReportSnapshot"]
