"""Tables of what broke."""

from incidents.models.alerts import Alert, AlertWord
from incidents.models.attribution import (
    Candidate,
    CauseSample,
    EvidenceLine,
    Proposal,
    TeamWeights,
    Verdict,
    VerdictTerms,
)
from incidents.models.counts import (
    IngestCount,
    LossCount,
    NamesUsed,
    ReleaseSighting,
    RequestCount,
    SessionSeen,
    TrafficCount,
)
from incidents.models.episodes import CheckWatch, Episode
from incidents.models.events import ErrorEvent
from incidents.models.inbox import BatchInHand, DeadLetter, DeadLetterAct, DigestMark, InboxItem
from incidents.models.incidents import (
    AT_ONCE,
    Cause,
    ImpactClass,
    ImpactSpell,
    Incident,
    IncidentIssue,
    IncidentService,
    Remedy,
    TimelineEntry,
)
from incidents.models.issues import Issue, IssueAct, IssueCount, IssueUser
from incidents.models.jobs import Job, JobRun
from incidents.models.monitors import Check, Maintenance, Monitor, MonitoringGap
from incidents.models.privacy import PrivacyRules

__all__ = [
    "AT_ONCE",
    "Alert",
    "AlertWord",
    "BatchInHand",
    "Candidate",
    "Cause",
    "CauseSample",
    "Check",
    "CheckWatch",
    "DeadLetter",
    "DeadLetterAct",
    "DigestMark",
    "Episode",
    "ErrorEvent",
    "EvidenceLine",
    "ImpactClass",
    "ImpactSpell",
    "InboxItem",
    "Incident",
    "IncidentIssue",
    "IncidentService",
    "IngestCount",
    "Issue",
    "IssueAct",
    "IssueCount",
    "IssueUser",
    "Job",
    "JobRun",
    "LossCount",
    "Maintenance",
    "Monitor",
    "MonitoringGap",
    "NamesUsed",
    "PrivacyRules",
    "Proposal",
    "ReleaseSighting",
    "Remedy",
    "RequestCount",
    "SessionSeen",
    "TeamWeights",
    "TimelineEntry",
    "TrafficCount",
    "Verdict",
    "VerdictTerms",
]
