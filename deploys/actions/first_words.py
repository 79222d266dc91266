"""Commits that nobody knew, by the fifty: the rows that one fact about each gives, written without folding and projecting.

The rows are those of `record_facts` with the projector of kind `change`; a test holds both to the same. It is this that a
deploy with many commits spends most of its time on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploys.actions.facts import COLUMNS, HISTORY
from deploys.actions.inserts import insert_rows
from deploys.domain.commits import CommitReport
from deploys.models import Commit, CommitDeploy, Deploy, Fact, FactKind, Team


@dataclass(frozen=True, slots=True)
class FirstWord:
    """The first fact about a commit. `identity` names its record; `deploys` are those it lies in, as `payload` says.

    `payload` is storable (`deploys.actions.facts`).
    """

    identity: str
    commit: CommitReport
    payload: Mapping[str, Any]  # Any: JSON
    received_at: dt.datetime
    origin: str
    deploys: Sequence[Deploy]


def write_first_words(team: Team, words: Sequence[FirstWord]) -> None:
    """Writes fact, commit and links of each. Nobody may know these commits; the team is locked."""
    if not words:
        return
    facts = [
        (
            team.pk,
            FactKind.CHANGE.value,
            word.identity,
            word.received_at,
            word.origin,
            None,
            HISTORY,
            None,
            word.payload,
        )
        for word in words
    ]
    insert_rows(Fact, COLUMNS, facts)
    commits = [
        (team.pk, said["sha"], word.commit.committed_at, said.get("author", ""), said.get("title", ""))
        for word in words
        if (said := word.payload)
    ]
    keys = insert_rows(Commit, ("team", "sha", "committed_at", "author", "title"), commits)
    links = [
        (team.pk, key, str(deploy.change.public_id), deploy.pk)
        for word, key in zip(words, keys, strict=True)
        for deploy in word.deploys
    ]
    insert_rows(CommitDeploy, ("team", "commit", "reference", "deploy"), links)
