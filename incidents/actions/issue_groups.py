"""People put issues together and take them apart; what comes later follows, and every step can be undone.

Merging makes a new issue that holds the events of its parts. A part keeps its fingerprint, counts and users, and both go
on growing with every event, so that the whole is always the exact sum of its parts: taking one out, or all, needs no
memory of what was. An event that arrives again is known by its id, wherever it lies.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Max, Min, Sum

from deploys.models import User
from incidents.actions.cardinality import OVERFLOW
from incidents.actions.incidents import mark_repeated
from incidents.models import (
    Episode,
    ErrorEvent,
    Incident,
    IncidentIssue,
    Issue,
    IssueAct,
    IssueCount,
    IssueUser,
)
from incidents.queries.evidence import issue_facts

_WHOLE: Final = "merged:"
NEAR: Final = dt.timedelta(hours=3)
"""Symptoms of one issue closer than this are one symptom."""


class GroupingRefused(ValueError):
    """Issues that cannot be put together or taken apart; the message says why."""


def locked_wholes(issues: Iterable[Issue]) -> dict[int, Issue]:
    """By part: the issue that it is merged into, locked. No query where nothing is merged.

    Parts are locked before wholes, each in order of their ids; no event's own key names a whole.
    """
    parts = {each.pk: each.merged_into_id for each in issues if each.merged_into_id is not None}
    if not parts:
        return {}
    rows = Issue.objects.select_for_update(no_key=True).filter(pk__in=set(parts.values())).order_by("pk")
    wholes = {row.pk: row for row in rows}
    return {pk: wholes[whole] for pk, whole in parts.items()}


def is_whole(issue: Issue) -> bool:
    """Was it made by merging?"""
    return issue.fingerprint.startswith(_WHOLE)


@transaction.atomic
def merge_issues(*, one: Issue, other: Issue, by: User, now: dt.datetime) -> Issue:
    """The two are one fault; answers the issue that holds both. Merging what is merged changes nothing.

    Raises GroupingRefused for issues of two services, for one issue, and for the overflow issue.
    """
    if one.service_id != other.service_id:
        raise GroupingRefused("Only issues of one service can be merged: an event belongs to its service.")
    given = _locked([one.pk, other.pk])
    wholes = {each.pk: each for each in given if is_whole(each)}
    wholes |= locked_wholes(given)
    into = {wholes[pk].pk if pk in wholes else pk for pk in (one.pk, other.pk)}
    if len(into) == 1:
        if one.pk == other.pk:
            raise GroupingRefused("An issue cannot be merged with itself.")
        return Issue.objects.get(pk=into.pop())
    if any((each.grouping_version, each.fingerprint) == OVERFLOW for each in given):
        raise GroupingRefused("The overflow issue collects what has nothing in common; it cannot be merged.")
    standing = sorted({each.pk: each for each in wholes.values()}.values(), key=lambda each: each.pk)
    whole = standing[0] if standing else _new_whole(given)
    for emptied in standing[1:]:
        _move(emptied, whole)
    plain = [each.pk for each in given if each.pk not in wholes]
    ErrorEvent.objects.filter(issue__in=plain).update(part=F("issue_id"), issue=whole)
    Issue.objects.filter(pk__in=plain).update(merged_into=whole, dirty_at=None, kept_count=0)
    _move_evidence(plain, whole, now)
    _add_up(whole.pk)
    Issue.objects.filter(pk=whole.pk).update(dirty_at=now)
    _note(whole, IssueAct.Kind.MERGED, [*given], by, now)
    return Issue.objects.get(pk=whole.pk)


@transaction.atomic
def take_out(*, whole: Issue, parts: Sequence[Issue], by: User, now: dt.datetime) -> Issue | None:
    """These parts stand for themselves again. Where fewer than two would remain all do, and None is answered.

    Raises GroupingRefused for what is no part of it (any more).
    """
    every = list(Issue.objects.select_for_update().filter(merged_into=whole.pk).order_by("pk"))
    leaving = [each for each in every if each.pk in {part.pk for part in parts}]
    if not leaving or len(leaving) < len({part.pk for part in parts}):
        raise GroupingRefused("That is no part of this issue any more.")
    whole = Issue.objects.select_for_update().get(pk=whole.pk)
    is_over = len(every) - len(leaving) < 2
    if is_over:
        leaving = every
    _note(whole, IssueAct.Kind.TAKEN_OUT, leaving, by, now)
    staying = [each.pk for each in every if each not in leaving]
    for part in leaving:
        moved = ErrorEvent.objects.filter(issue=whole.pk, part=part.pk).update(issue=part.pk, part=None)
        Issue.objects.filter(pk=part.pk).update(
            merged_into=None, kept_count=moved, dirty_at=now, status=whole.status, assignee=whole.assignee_id,
            resolved_at=whole.resolved_at, resolved_in_release=whole.resolved_in_release,
        )  # fmt: skip
    _hand_back(whole, leaving, staying)
    if is_over:
        whole.delete()
        return None
    _add_up(whole.pk)
    Issue.objects.filter(pk=whole.pk).update(dirty_at=now)
    return Issue.objects.get(pk=whole.pk)


def _locked(ids: Sequence[int]) -> list[Issue]:
    """Parts before wholes, as everywhere."""
    rows = Issue.objects.select_for_update()
    plain = list(rows.filter(pk__in=ids).exclude(fingerprint__startswith=_WHOLE).order_by("pk"))
    return plain + list(rows.filter(pk__in=ids, fingerprint__startswith=_WHOLE).order_by("pk"))


def _new_whole(parts: Sequence[Issue]) -> Issue:
    """Named after the part with most events; open as long as one of them is."""
    main = max(parts, key=lambda each: (each.events_count, -each.pk))
    statuses = {each.status for each in parts}
    is_open = Issue.Status.OPEN in statuses or len(statuses) > 1
    return Issue.objects.create(
        service_id=main.service_id,
        grouping_version=max(each.grouping_version for each in parts),
        fingerprint=f"{_WHOLE}{uuid.uuid4().hex}",
        explanation=main.explanation,
        type=main.type,
        title=main.title,
        culprit=main.culprit,
        level=main.level,
        status=Issue.Status.OPEN if is_open else main.status,
        resolved_at=None if is_open else main.resolved_at,
        resolved_in_release="" if is_open else main.resolved_in_release,
        regressed_at=main.regressed_at,
        first_seen_at=main.first_seen_at,
        last_seen_at=main.last_seen_at,
        assignee_id=main.assignee_id,
    )


def _move(emptied: Issue, whole: Issue) -> None:
    """Everything of one whole goes to another."""
    Issue.objects.filter(merged_into=emptied.pk).update(merged_into=whole)
    ErrorEvent.objects.filter(issue=emptied.pk).update(issue=whole)
    _move_links([emptied.pk], whole)
    Episode.objects.filter(issue=emptied.pk).update(issue=whole)
    IssueAct.objects.filter(issue=emptied.pk).update(issue=whole)
    emptied.delete()


def _add_up(whole: int) -> None:
    """Counts, users and totals of a whole from its parts, anew. Raw: a busy issue has very many rows."""
    count, user = IssueCount._meta.db_table, IssueUser._meta.db_table
    ids = f"SELECT id FROM {Issue._meta.db_table} WHERE merged_into_id = %s"  # noqa: S608 -- as below
    IssueCount.objects.filter(issue=whole).delete()
    IssueUser.objects.filter(issue=whole).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {count} (issue_id, environment_id, bucket_at, release, host, count) "  # noqa: S608 -- names from the models
            f"SELECT %s, environment_id, bucket_at, release, host, SUM(count) FROM {count} WHERE issue_id IN ({ids}) "
            "GROUP BY environment_id, bucket_at, release, host",
            [whole, whole],
        )
        cursor.execute(
            f"INSERT INTO {user} (issue_id, user_key, first_seen_at) "  # noqa: S608 -- as above
            f"SELECT %s, user_key, MIN(first_seen_at) FROM {user} WHERE issue_id IN ({ids}) GROUP BY user_key",
            [whole, whole],
        )
    parts = Issue.objects.filter(merged_into=whole)
    sums = parts.aggregate(events=Sum("events_count"), first=Min("first_seen_at"), last=Max("last_seen_at"))
    earliest = parts.order_by("first_seen_at", "pk").values_list("first_release", flat=True)[0]
    Issue.objects.filter(pk=whole).update(
        events_count=sums["events"], first_seen_at=sums["first"], last_seen_at=sums["last"], first_release=earliest,
        kept_count=ErrorEvent.objects.filter(issue=whole).count(), users_count=IssueUser.objects.filter(issue=whole).count(),
    )  # fmt: skip


def _move_evidence(parts: Collection[int], whole: Issue, now: dt.datetime) -> None:
    """Symptoms and incidents of the parts are the whole's. Incidents that turn out to be of one symptom are one."""
    _move_links(parts, whole)
    facts = asdict(issue_facts(whole, whole.service.name))
    Episode.objects.filter(issue__in=parts).update(issue=whole, facts=facts)
    Episode.objects.filter(issue=whole).update(facts=facts)
    rows = list(Episode.objects.filter(issue=whole, incident__isnull=False).order_by("started_at", "pk"))
    for earlier, later in pairwise(rows):
        if later.started_at <= earlier.last_at + NEAR and later.incident_id != earlier.incident_id:
            _join(later.incident_id, earlier.incident_id, whole, now)
            later.incident_id = earlier.incident_id


def _join(repeated: int | None, of: int | None, whole: Issue, now: dt.datetime) -> None:
    """An incident whose only symptoms are those of this issue repeats the one that has the symptom before it."""
    if Episode.objects.filter(incident=repeated).exclude(issue=whole).exists():
        return
    both = {row.pk: row for row in Incident.objects.select_related("team", "environment").filter(pk__in=[repeated, of])}
    if len(both) == 2 and repeated is not None and of is not None:
        Episode.objects.filter(incident=repeated).update(incident=of)
        mark_repeated(incident=both[repeated], of=both[of], now=now)


def _move_links(issues: Collection[int], whole: Issue) -> None:
    firsts = dict(
        IncidentIssue.objects.filter(issue__in=[*issues, whole.pk]).values_list("incident").annotate(at=Min("from_at"))
    )
    IncidentIssue.objects.filter(issue__in=issues).delete()
    for incident, from_at in firsts.items():
        IncidentIssue.objects.update_or_create(incident_id=incident, issue=whole, defaults={"from_at": from_at})


def _hand_back(whole: Issue, leaving: Sequence[Issue], staying: Collection[int]) -> None:
    """Symptoms and incidents go to the parts whose events lie in them, and stay with the whole where others' do."""
    for episode in Episode.objects.filter(issue=whole).select_related("service"):
        for part in leaving:
            if _was_seen([part.pk], episode.started_at, episode.last_at):
                facts = asdict(issue_facts(part, episode.service.name))
                values = {field.attname: getattr(episode, field.attname) for field in Episode._meta.concrete_fields}
                Episode.objects.create(**{**values, "id": None, "issue_id": part.pk, "facts": facts})
        if not _was_seen(staying, episode.started_at, episode.last_at):
            episode.delete()
    for link in IncidentIssue.objects.filter(issue=whole).select_related("incident"):
        incident = link.incident
        until = incident.last_evidence_at or incident.restored_at or whole.last_seen_at
        for part in leaving:
            if _was_seen([part.pk], link.from_at, until):
                IncidentIssue.objects.get_or_create(
                    incident=incident, issue_id=part.pk, defaults={"from_at": link.from_at}
                )
        if not _was_seen(staying, link.from_at, until):
            link.delete()


def _was_seen(issues: Collection[int], since: dt.datetime, until: dt.datetime) -> bool:
    """Did any of these happen then? To five minutes."""
    rows = IssueCount.objects.filter(issue__in=issues, bucket_at__gt=since - dt.timedelta(minutes=5))
    return rows.filter(bucket_at__lte=until).exists()


def _note(whole: Issue, kind: IssueAct.Kind, parts: Sequence[Issue], by: User, now: dt.datetime) -> None:
    told = [{"public_id": str(each.public_id), "title": each.title} for each in parts]
    about = [whole] if kind == IssueAct.Kind.MERGED else [whole, *parts]
    for each in about:
        IssueAct.objects.create(service_id=whole.service_id, issue=each, kind=kind, parts=told, at=now, by=by)
