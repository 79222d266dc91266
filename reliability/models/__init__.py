"""Tables of how well we do."""

from reliability.models.alerts import BurnAlert
from reliability.models.mail import OutgoingMail
from reliability.models.objectives import Objective
from reliability.models.reports import ReportPlan, ReportShare, ReportSnapshot, ReportSubscription

__all__ = [
    "BurnAlert",
    "Objective",
    "OutgoingMail",
    "ReportPlan",
    "ReportShare",
    "ReportSnapshot",
    "ReportSubscription",
]
