"""An incident in two lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.incident_news import What
from reliability.domain.notice_words import LONGEST_TITLE, Named, Story, one_line, words_of

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
STORY = Story("INC-7", "KeyError: 'total'", "multi_user", ["shop"], 132, AT, AT + timedelta(minutes=12))
DEPLOY = Named("deploy shop 1.4.0", "deploy", "likely", 0.931)
FLAG = Named("flag vat, 25 to 50 %", "flag", "confirmed")
UTC_ZONE = ZoneInfo("UTC")


def told(what: What, story: Story, zone: ZoneInfo = UTC_ZONE) -> tuple[str, str, str]:
    words = words_of(what, story, zone)
    return tuple(text.replace("\u00a0", " ") for text in (words.subject, words.broken, words.cause))  # type: ignore[return-value]  # three


@pytest.mark.parametrize(
    ("what", "changes", "expected"),
    [
        (What.OPENED, {}, (
            "INC-7 multi-user: shop – KeyError: 'total'", "shop: broken for 132 users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Cause not known yet. Nobody is on it yet: acknowledge. Look at the suspects.")),
        (What.OPENED, {"title": "", "services": [], "users": 0, "is_acknowledged": True}, (
            "INC-7 multi-user: no service named", "no service named: broken for several users, since 12:00 UTC (12 min).",
            "Cause not known yet. Look at the suspects.")),
        (What.WORSENED, {"impact_class": "downtime", "cause": DEPLOY, "acknowledged_by": "Ida", "is_acknowledged": True}, (
            "INC-7 is downtime now: shop", "shop: down for all users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Likely: deploy shop 1.4.0 (93 %). Ida is on it. Roll it back, or say that it was not this.")),
        (What.CAUSE, {"cause": FLAG, "impact_class": "single_user", "is_acknowledged": True}, (
            "INC-7 confirmed: flag vat, 25 to 50 %", "shop: broken for one user, since 12:00 UTC (12 min). KeyError: 'total'",
            "Confirmed: flag vat, 25 to 50 %. Turn the flag off, or say that it was not this.")),
        (What.CAUSE, {"is_acknowledged": True, "impact_class": "impactless"}, (
            "INC-7: shop", "shop: broken, no user hit, since 12:00 UTC (12 min). KeyError: 'total'", "Cause not known yet. Look at the suspects.")),
        (What.OPENED, {"cause": Named("capacity", "other", "confirmed"), "is_acknowledged": True, "impact_class": "downtime", "lost_ratio": 0.374}, (
            "INC-7 downtime: shop – KeyError: 'total'", "shop: down in part, 37 % of it lost, since 12:00 UTC (12 min). KeyError: 'total'",
            "Confirmed: capacity. Follow it up where it came from.")),
        (What.RESTORED, {"restored_at": AT + timedelta(minutes=9), "now": AT + timedelta(days=1)}, (
            "INC-7 restored after 9 min: shop", "shop: was broken for 132 users, from 4 Mar 12:00 UTC for 9 min. KeyError: 'total'",
            "Cause not known yet. Check that it is over, and say what caused it.")),
        (What.RESTORED, {"restored_at": AT + timedelta(minutes=9), "cause": DEPLOY}, (
            "INC-7 restored after 9 min: shop", "shop: was broken for 132 users, from 12:00 UTC for 9 min. KeyError: 'total'",
            "Likely: deploy shop 1.4.0 (93 %). Check that it is over.")),
        (What.REOPENED, {"is_acknowledged": True}, (
            "INC-7 is back, multi-user: shop", "shop: broken for 132 users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Cause not known yet. Look at the suspects.")),
        (What.WITHDRAWN, {}, (
            "INC-7 was a false alarm: shop", "shop: broken for 132 users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Cause not known yet. Nothing to do: it counts nowhere.")),
        (What.MERGED, {"merged_into": "INC-4"}, (
            "INC-7 repeats INC-4: shop", "shop: broken for 132 users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Cause not known yet. Follow INC-4 instead.")),
        (What.MERGED, {}, (
            "INC-7 repeats another incident: shop", "shop: broken for 132 users, since 12:00 UTC (12 min). KeyError: 'total'",
            "Cause not known yet. Follow that one instead.")),
    ],
)  # fmt: skip
def test_two_lines_say_what_for_whom_since_when_why_and_what_to_do(
    what: What, changes: dict[str, object], expected: tuple[str, str, str]
) -> None:
    assert told(what, replace(STORY, **changes)) == expected  # type: ignore[arg-type]  # fields of a story


def test_times_are_on_the_readers_clock() -> None:
    assert "since 13:00 CET" in told(What.OPENED, STORY, ZoneInfo("Europe/Berlin"))[1]


@given(title=st.text(), service=st.text(), cause=st.text(), what=st.sampled_from(What))
def test_whatever_somebody_wrote_each_is_one_line(title: str, service: str, cause: str, what: What) -> None:
    story = replace(STORY, title=title, services=[service], cause=Named(cause, "deploy", "likely", 0.9))

    for text in told(what, story):
        assert len(text) < 600
        assert text.isprintable(), text
        assert "\n" not in text


def test_a_long_title_is_cut() -> None:
    assert one_line("a\r\nb\u202ec\x00d " + "x" * 500) == "a b c d " + "x" * (LONGEST_TITLE - 9) + "…"
