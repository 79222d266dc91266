"""When numbers are told to be incomplete, and how."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from incidents.domain.completeness import Gap, Missing, Sentence, missing_of, sentences
from incidents.domain.intake import RAW_KEPT, Counted, Lost

AT = dt.datetime(2026, 3, 3, 11, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def said(*missing: Missing) -> list[str]:
    return [each.text.replace("\N{NO-BREAK SPACE}", " ") for each in sentences(missing, zone=BERLIN)]


def test_losses_by_choice_and_of_other_kinds_say_nothing() -> None:
    losses = [
        Lost(AT, "queue_overflow", "error", 5),
        Lost(AT, "before_send", "error", 9),
        Lost(AT, "network_error", "session", 2),
        Lost(AT, "network_error", "attachment", 3),
    ]
    counts = [
        Counted(AT, "body", "refused:rate", 4),
        Counted(AT, "body", "expired", 2),
        Counted(AT, "event", "stored", 100),
    ]

    assert missing_of("cart", counts, losses) == [
        Missing("cart", Gap.ERRORS, AT, 5),
        Missing("cart", Gap.SESSIONS, AT, 2),
        Missing("cart", Gap.REFUSED, AT, 4),
        Missing("cart", Gap.EXPIRED, AT - RAW_KEPT, 2),
    ]


def test_the_gravest_gap_comes_first_and_in_it_the_largest() -> None:
    assert said(
        Missing("a", Gap.SESSIONS, AT, 30),
        Missing("a", Gap.DEAD, AT, 1),
        Missing("a", Gap.DEAD, AT, 1),
        Missing("b", Gap.DEAD, AT, 1),
        Missing("b", Gap.EXPIRED, AT, 1),
        Missing("a", Gap.EXPIRED, AT, 2),
        Missing("a", Gap.REFUSED, AT, 1),
        Missing("b", Gap.REFUSED, AT, 17),
        Missing("a", Gap.ERRORS, AT, 1_200),
    ) == [
        "SDKs of a reported 1,200 errors lost on Tuesday 3 March: error counts are too low.",
        "17 requests of b were refused on Tuesday 3 March: what they held is not counted.",
        "1 request of a was refused on Tuesday 3 March: what they held is not counted.",
        "2 bodies of a that came on Tuesday 3 March were deleted undigested after 14 days: what they held is not counted.",
        "1 body of b that came on Tuesday 3 March was deleted undigested after 14 days: what they held is not counted.",
        "2 bodies of a lie in the dead letters: what they hold is not counted.",
        "1 body of b lies in the dead letters: what they hold is not counted.",
        "SDKs of a reported 30 sessions lost on Tuesday 3 March: shares of users are uncertain.",
    ]


def test_days_are_those_of_the_zone_and_many_are_counted() -> None:
    late = AT.replace(hour=23)

    assert "on Wednesday 4 March:" in said(Missing("a", Gap.ERRORS, late, 1))[0]
    two = [Missing("a", Gap.ERRORS, AT + day * DAY, 1) for day in range(2)]
    assert "2 errors lost on Tuesday 3 March and Wednesday 4 March:" in said(*two)[0]
    assert "on 3 days:" in said(*two, Missing("a", Gap.ERRORS, AT + 2 * DAY, 1))[0]


def test_nothing_missing_says_nothing() -> None:
    assert sentences([], zone=BERLIN) == []
    assert sentences([Missing("a", Gap.ERRORS, AT, 1)], zone=BERLIN)[0] == Sentence(
        "a", "SDKs of a reported 1\N{NO-BREAK SPACE}error lost on Tuesday 3 March: error counts are too low."
    )
