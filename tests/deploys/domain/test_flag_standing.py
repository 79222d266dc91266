from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_rules import FlagKind, Kill, Rule, Rules, Serve, Stage, always
from deploys.domain.flag_standing import Reach, reach

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
OFF = Reach("off", is_reached=False, is_complete=False, percent=0)
EVERYBODY = Rules(always("on"), is_on=True)
HALF = Serve((("on", WHOLE),), WHOLE // 2, "off")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (Rules(always("on")), OFF),
        (replace(EVERYBODY, kill=Kill("why")), OFF),
        (Rules(always("off"), is_on=True), OFF),
        (EVERYBODY, Reach("on", is_reached=True, is_complete=True, percent=100)),
        (Rules(HALF, is_on=True), Reach(None, is_reached=True, is_complete=False, percent=50)),
        (replace(EVERYBODY, targets={"u": "off"}), Reach(None, is_reached=True, is_complete=False, percent=100)),
        (replace(EVERYBODY, rules=(Rule(always("on")),)), Reach("on", is_reached=True, is_complete=True, percent=100)),
        (
            replace(EVERYBODY, prerequisites=(("a", "on"),)),
            Reach(None, is_reached=True, is_complete=False, percent=100),
        ),
    ],
)
def test_who_gets_what(rules: Rules, told: Reach) -> None:
    assert reach(rules, "off", FlagKind.RELEASE, NOW) == told


@pytest.mark.parametrize(("stage", "told"), [(Stage.SHADOW, False), (Stage.FALLBACK, False), (Stage.COMPLETE, True)])
def test_a_migration_is_complete_on_its_last_stage(stage: Stage, told: bool) -> None:
    found = reach(Rules(always(stage), is_on=True), "off", FlagKind.MIGRATION, NOW)

    assert (found.is_complete, found.is_reached) == (told, True)
