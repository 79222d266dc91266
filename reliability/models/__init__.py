"""Tables of how well we do."""

from reliability.models.objectives import Objective
from reliability.models.reports import ReportPlan, ReportShare, ReportSnapshot, ReportSubscription

__all__ = ["Objective", "ReportPlan", "ReportShare", "ReportSnapshot", "ReportSubscription"]
