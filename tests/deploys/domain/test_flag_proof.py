from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from deploys.domain.flag_cleanup import Removal
from deploys.domain.flag_code import CodeEvidence
from deploys.domain.flag_dossier import Standing, Usage
from deploys.domain.flag_proof import Clients, LiveCode, Proof, proof_of

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 3, 14, 12, tzinfo=dt.UTC)
LIVE = LiveCode("shop", "production", "v9", has_removal=True, since=NOW - 9 * DAY)
WATCHED = Usage(NOW, NOW - 60 * DAY, NOW - 10 * DAY)
HERE = Standing("production", is_production=True, constant="on", is_reached=True, is_complete=True, usage=WATCHED)
MET = {
    "code": CodeEvidence(0, scanned_at=NOW - DAY), "live": [LIVE], "standings": [HERE], "seen_on_errors_at": None,
    "clients": Clients(), "at": NOW,
}  # fmt: skip


def proof(**more: Any) -> Proof:
    return proof_of(**{**MET, **more})


def test_four_proofs_in_order_prove_it() -> None:
    proven = proof()

    assert proven.removal is Removal.PROVEN
    assert [step.words for step in proven.steps] == [
        "no reference in any repository that ever had one", "live in shop in production", "no check since 5 March 2026",
        "no app on users' devices asks for flags",
    ]  # fmt: skip


CASES: dict[str, tuple[dict[str, Any], int, bool | None, str, Removal]] = {
    "code is left": ({"code": CodeEvidence(2, some=True)}, 0, False, "code still asks for it", Removal.NONE),
    "no scan": ({"code": CodeEvidence(None, "no repository is scanned")}, 0, None, "no repository is scanned", Removal.NONE),
    "no deploy is known": (
        {"live": []}, 1, None, "no deploy of a service built from these repositories is known", Removal.CODE_REMOVED,
    ),
    "one environment is behind": (
        {"live": [LIVE, replace(LIVE, environment="eu", has_removal=False)]}, 1, False, "not yet: shop in eu", Removal.CODE_REMOVED,
    ),
    "a deploy does not say what is in it": (
        {"live": [replace(LIVE, has_removal=None)]}, 1, None, "unknown what is in the deploys of shop in production", Removal.CODE_REMOVED,
    ),
    "live, nobody knows since when": (
        {"live": [replace(LIVE, since=None)]}, 2, None, "begins once that code is live everywhere", Removal.DRAINING,
    ),
    "live for three days": (
        {"live": [replace(LIVE, since=NOW - 3 * DAY)]}, 2, False, "quiet since 11 March 2026 12:00 UTC: 4 days to go", Removal.DRAINING,
    ),
    "six days and a half": (
        {"live": [replace(LIVE, since=NOW - 6.5 * DAY)]}, 2, False, "quiet since 8 March 2026 00:00 UTC: 1 day to go", Removal.DRAINING,
    ),
    "somebody asked since": (
        {"standings": [replace(HERE, usage=replace(WATCHED, checked_at=NOW - 2 * DAY))]}, 2, False,
        "quiet since 12 March 2026 12:00 UTC: 5 days to go", Removal.DRAINING,
    ),
    "an error carried it since": (
        {"seen_on_errors_at": NOW - DAY}, 2, False, "quiet since 13 March 2026 12:00 UTC: 6 days to go", Removal.DRAINING,
    ),
    "telemetry began after the deploy": (
        {"standings": [replace(HERE, usage=replace(WATCHED, watched_since=NOW - 4 * DAY))]}, 2, False,
        "quiet since 10 March 2026 12:00 UTC: 3 days to go", Removal.DRAINING,
    ),
    "telemetry is silent": (
        {"standings": [replace(HERE, usage=replace(WATCHED, telemetry_at=NOW - 2 * DAY))]}, 2, None, "no telemetry from production",
        Removal.DRAINING,
    ),
    "no telemetry ever": ({"standings": [replace(HERE, usage=Usage())]}, 2, None, "no telemetry from any environment", Removal.DRAINING),
    "apps, nobody says how long": (
        {"clients": Clients(are_known=True)}, 3, None, "apps ask for flags: say until when their older releases are supported",
        Removal.DRAINING,
    ),
    "apps, until June": (
        {"clients": Clients(are_known=True, until=dt.datetime(2026, 6, 1, tzinfo=dt.UTC))}, 3, False, "deprecated until 1 June 2026",
        Removal.DRAINING,
    ),
    "apps, until last week": (
        {"clients": Clients(are_known=True, until=NOW - 7 * DAY)}, 3, True, "older releases were supported until 7 March 2026",
        Removal.PROVEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_missing_proof_stops_the_others(case: str) -> None:
    more, place, is_met, words, removal = CASES[case]
    told = proof(**more)

    assert (told.steps[place].is_met, told.steps[place].words, told.removal) == (is_met, words, removal)
