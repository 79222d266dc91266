"""What people decide about dead letters: put them back into the inbox, or throw them away; who did it is kept."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from deploys.models import Team, User
from incidents.actions.ingest import discard_dead_letters, replay_dead_letters
from incidents.models import DeadLetterAct

logger = logging.getLogger(__name__)

#: Bodies that are moved in one transaction: keeps memory and the inbox's write lock small whatever was chosen.
CHUNK = 200
_ACTS = {DeadLetterAct.Act.REPLAY: replay_dead_letters, DeadLetterAct.Act.DISCARD: discard_dead_letters}


def decide_dead_letters(*, act: str, ids: Sequence[int], team: Team | None, by: User, now: dt.datetime) -> int:
    """Replays or discards these letters; how many there still were. ValueError for any other act.

    The caller has made sure that the letters are the team's (or nobody's, with no team). Safe to do twice: a letter
    that is gone is not counted. What was done before a failure stays done, and is in the record.
    """
    do = _ACTS[DeadLetterAct.Act(act)]
    done = 0
    try:
        for start in range(0, len(ids), CHUNK):
            done += do(ids=ids[start : start + CHUNK])
    finally:
        if done:
            DeadLetterAct.objects.create(team=team, by=by, at=now, act=act, quantity=done)
            logger.info("dead letters decided", extra={"act": act, "quantity": done})
    return done
