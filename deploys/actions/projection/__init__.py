"""From folded records to rows, kind by kind: the only place that writes the tables of services, deploys, commits and flags.

Every projector works on many records at once, changes only rows that differ, and gives the same rows when run again.
"""

from deploys.actions.projection.commits import project_commits
from deploys.actions.projection.deploys import project_deploys
from deploys.actions.projection.flags import project_flags
from deploys.actions.projection.policy import project_policy
from deploys.actions.projection.services import project_services

__all__ = ["project_commits", "project_deploys", "project_flags", "project_policy", "project_services"]
