"""Segments made, changed and deleted. A changed segment changes what flags serve: it is told as a change of each of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from deploys.actions.flag_registry import FlagRefused, rights_of, touch
from deploys.actions.flag_switches import record_flip
from deploys.actions.turns import one_write
from deploys.domain.flag_documents import InvalidRules, segment_document, segment_of
from deploys.domain.flag_variants import is_key
from deploys.models import FlagRevision, FlagSegment, Team, User
from deploys.queries.flag_segments import Use, segment_uses


def save_segment(
    *, team: Team, key: str, said: object, now: dt.datetime, by: User | None, reason: str = "", is_new: bool = False
) -> FlagSegment:
    """A segment, new or changed; as it is where it says that already. FlagRefused names what is wrong.

    `is_new`: refused where one of that key exists. Where a flag that is on uses the segment in an environment whose changes a
    second person approves, it is refused: a segment of another name can be proposed for the flag.
    """
    if not is_key(key):
        raise FlagRefused("expected 1 to 100 letters, digits, dots, dashes and underscores", field="key")
    try:
        document = segment_document(segment_of(key, said))
    except InvalidRules as error:
        raise FlagRefused(str(error), field=error.pointer.split("/")[1] if error.pointer else "") from error
    with one_write():
        row = FlagSegment.objects.select_for_update().filter(team=team, key=key).first()
        if row is None:
            row = FlagSegment.objects.create(team=team, key=key, document=document)
            touch(team.environments.all())
            return row
        if is_new:
            raise FlagRefused("a segment of this key exists", field="key")
        before = row.document
        if before == document:
            return row
        uses = segment_uses(team).get(key, [])
        for use in uses:
            if use.rules.is_on and rights_of(use.environment).needs_approval:
                raise FlagRefused(
                    f"{use.flag.key} uses it in {use.environment}, where a second person approves changes: make a segment of "
                    "another name, and ask for the flag to use that"
                )
        row.document = document
        row.save(update_fields=["document"])
        for use in uses:
            _note(use, row, before, reason, now, by)
        touch(team.environments.all())
    return row


def delete_segment(*, segment: FlagSegment) -> None:
    """No rule can name it any more. FlagRefused while one does."""
    with one_write():
        uses = segment_uses(segment.team).get(segment.key, [])
        if uses:
            names = ", ".join(dict.fromkeys(use.flag.key for use in uses))
            raise FlagRefused(f"{names} uses {segment.key}: take it out of the rules first")
        segment.delete()


def _note(
    use: Use,
    segment: FlagSegment,
    before: dict[str, Any],  # Any: JSON
    reason: str,
    now: dt.datetime,
    by: User | None,
) -> None:
    """In the flag's history; and on the timeline where somebody may be served otherwise now."""
    words = f"segment {segment.key} changed"
    revision = FlagRevision.objects.create(
        flag=use.flag, environment=use.environment, act=FlagRevision.Act.CHANGED, at=now, by=by,
        reason=f"{words}: {reason}" if reason else words, before={"segment": before}, after={"segment": segment.document},
    )  # fmt: skip
    if use.rules.is_on and use.rules.killed_at(now) is None:
        identity = str(revision.public_id)
        revision.change = record_flip(use.flag, use.environment, identity, use.rules, now, use.rules, now, by)
        revision.save(update_fields=["change"])
