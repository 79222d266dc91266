"""Tables of what changed."""

from deploys.models.among import Among
from deploys.models.artifacts import Artifact, Commit, CommitDeploy, Push, PushedCommit, Release, ReleaseCommit
from deploys.models.attempts import SignInAttempt
from deploys.models.catalog import (
    Dependency,
    Environment,
    Membership,
    OwnerGroup,
    Policy,
    ProjectNumber,
    Role,
    Service,
    Team,
    Tier,
)
from deploys.models.changes import INFERRED, Change, Deploy, Flag, FlagChange
from deploys.models.facts import Fact, FactKind, FactOrigin
from deploys.models.flag_code import FlagReference, FlagRepository, FlagScan, FlagTrace
from deploys.models.flags import (
    FlagCheck,
    FlagEnvironment,
    FlagEpoch,
    FlagKey,
    FlagProposal,
    FlagRevision,
    FlagSegment,
    FlagSettings,
    FlagTask,
    RegisteredFlag,
)
from deploys.models.schedules import ScheduledJob
from deploys.models.sources import Delivery, Source
from deploys.models.tokens import ApiToken, DsnKey, OneTimeLink, Scope
from deploys.models.users import User

__all__ = [
    "INFERRED",
    "Among",
    "ApiToken",
    "Artifact",
    "Change",
    "Commit",
    "CommitDeploy",
    "Delivery",
    "Dependency",
    "Deploy",
    "DsnKey",
    "Environment",
    "Fact",
    "FactKind",
    "FactOrigin",
    "Flag",
    "FlagChange",
    "FlagCheck",
    "FlagEnvironment",
    "FlagEpoch",
    "FlagKey",
    "FlagProposal",
    "FlagReference",
    "FlagRepository",
    "FlagRevision",
    "FlagScan",
    "FlagSegment",
    "FlagSettings",
    "FlagTask",
    "FlagTrace",
    "Membership",
    "OneTimeLink",
    "OwnerGroup",
    "Policy",
    "ProjectNumber",
    "Push",
    "PushedCommit",
    "RegisteredFlag",
    "Release",
    "ReleaseCommit",
    "Role",
    "ScheduledJob",
    "Scope",
    "Service",
    "SignInAttempt",
    "Source",
    "Team",
    "Tier",
    "User",
]
