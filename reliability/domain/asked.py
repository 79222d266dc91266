"""From facts and a question to the printed report: the one path that a file, the database and tests share."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from deploys.domain.records import Fact, Payload, fold_all, known_by
from reliability.domain.contract import Report, contract
from reliability.domain.dora import Printed
from reliability.domain.history import history_of
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge


def knowledge_of(facts: Iterable[Fact], traffic: Iterable[Payload], as_of: datetime) -> Knowledge:
    """What is known as of an instant. traffic: the counts known then, each interval once."""
    return Knowledge(history_of(fold_all(known_by(facts, as_of)), traffic, as_of))


def report(known: Knowledge, window: Interval, zone: ZoneInfo) -> Printed:
    """The printed report of a window."""
    return contract(Report(known, window, zone))
