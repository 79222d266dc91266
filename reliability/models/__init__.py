"""Tables of how well we do."""

from reliability.models.alerts import BurnAlert
from reliability.models.flags import FlagMailStop
from reliability.models.mail import OutgoingMail
from reliability.models.notices import (
    AcknowledgeLink,
    Channel,
    ChannelLeaver,
    IncidentNews,
    NoticeAttempt,
    OutgoingNotice,
)
from reliability.models.objectives import Objective
from reliability.models.reports import ReportPdf, ReportPlan, ReportShare, ReportSnapshot, ReportSubscription
from reliability.models.spans import NamedChange, RecordSpan, SpanProgress

__all__ = [
    "AcknowledgeLink",
    "BurnAlert",
    "Channel",
    "ChannelLeaver",
    "FlagMailStop",
    "IncidentNews",
    "NamedChange",
    "NoticeAttempt",
    "Objective",
    "OutgoingMail",
    "OutgoingNotice",
    "RecordSpan",
    "ReportPdf",
    "ReportPlan",
    "ReportShare",
    "ReportSnapshot",
    "ReportSubscription",
    "SpanProgress",
]
