"""Tables of how well we do."""

from reliability.models.mail import OutgoingMail
from reliability.models.objectives import Objective
from reliability.models.reports import ReportPlan, ReportShare, ReportSnapshot, ReportSubscription

__all__ = ["Objective", "OutgoingMail", "ReportPlan", "ReportShare", "ReportSnapshot", "ReportSubscription"]
