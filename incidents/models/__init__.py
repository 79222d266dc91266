"""Tables of what broke."""

from incidents.models.alerts import Alert, AlertWord
from incidents.models.attribution import (
    Candidate,
    CauseSample,
    EvidenceLine,
    Proposal,
    TeamWeights,
    UnweighedChange,
    Verdict,
    VerdictTerms,
)
from incidents.models.bulk import BulkAct
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
from incidents.models.jobs import Job, JobRun, PingKey
from incidents.models.learning import ActionItem, Retrospective, Runbook, RunbookUse, RunbookVersion
from incidents.models.monitors import Check, Maintenance, Monitor, MonitoringGap
from incidents.models.privacy import PrivacyRules
from incidents.models.response import RoleHolder

__all__ = [
    "AT_ONCE",
    "ActionItem",
    "Alert",
    "AlertWord",
    "BatchInHand",
    "BulkAct",
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
    "PingKey",
    "PrivacyRules",
    "Proposal",
    "ReleaseSighting",
    "Remedy",
    "RequestCount",
    "Retrospective",
    "RoleHolder",
    "Runbook",
    "RunbookUse",
    "RunbookVersion",
    "SessionSeen",
    "TeamWeights",
    "TimelineEntry",
    "TrafficCount",
    "UnweighedChange",
    "Verdict",
    "VerdictTerms",
]
