from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bench.flag_rules import NOW, Labelled, field_scores, labelled, own_scores
from deploys.domain.flag_cleanup import Limits, Removal, Rule, State, effort, judge, risk
from deploys.domain.flag_code import CodeEvidence
from deploys.domain.flag_dossier import Dossier, Standing, Usage

FLAGS = labelled()
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_labelled_flag_is_judged_as_labelled(flag: Labelled) -> None:
    judged = flag.judged

    assert (set(judged.rules), {each.rule for each in judged.questions}, judged.state) == (
        flag.rules, flag.questions, flag.state,
    )  # fmt: skip
    assert all(each.missing for each in judged.questions)


def test_the_set_has_every_rule_every_state_and_what_is_hard() -> None:
    names = " ".join(flag.name for flag in FLAGS)

    assert len(FLAGS) >= 60
    assert {rule for flag in FLAGS for rule in flag.rules} == set(Rule)
    states = {flag.state for flag in FLAGS}
    assert states == {str(state) for state in State} - {"code removed", "draining"}  # these follow from a proof
    assert all(words in names for words in ("no scan", "no telemetry", "listed", "kill switch", "put together"))


def test_every_rule_finds_all_and_nothing_else_and_no_single_signal_does() -> None:
    assert [(name, score.precision, score.recall) for name, score in own_scores(FLAGS)] == [
        (name, 1.0, 1.0) for name in [*map(str, Rule), "should go", "needs evidence"]
    ]
    assert all((score.precision or 0) < 0.9 and (score.recall or 0) < 0.6 for _, score in field_scores(FLAGS))


@pytest.mark.parametrize(
    ("removal", "state"),
    [
        (Removal.CODE_REMOVED, State.CODE_REMOVED),
        (Removal.DRAINING, State.DRAINING),
        (Removal.PROVEN, State.DRAINING),
    ],
)
def test_a_flag_on_its_way_out_says_how_far_it_is(removal: Removal, state: State) -> None:
    flag = Dossier("k", created_at=NOW - 40 * DAY, owner="ann")

    assert judge(flag, NOW, Limits(), removal).state == state


def test_limits_are_the_project_s_own() -> None:
    flag = next(flag for flag in FLAGS if flag.name == "five days for everybody").dossier

    assert judge(flag, NOW, Limits(rolled_out=4 * DAY)).rules == (Rule.ROLLED_OUT,)


ON = Standing(
    "production", is_production=True, constant="on", is_reached=True, is_complete=True, since=NOW - 20 * DAY,
    usage=Usage(NOW, NOW - 60 * DAY, NOW, None, "on", NOW - 20 * DAY, 5_000),
)  # fmt: skip
SAFE = Dossier(
    "k", created_at=NOW - 60 * DAY, owner="ann", standings=(ON,), code=CodeEvidence(3, some=True, files_count=3)
)


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        (SAFE, "low"),
        (replace(SAFE, code=CodeEvidence(9, some=True, files_count=4)), "medium"),
        (replace(SAFE, incidents_count=1), "medium"),
        (replace(SAFE, standings=(replace(ON, since=NOW - 3 * DAY),)), "medium"),
        (replace(SAFE, standings=(replace(ON, usage=replace(ON.usage, only_variant="off")),)), "medium"),
        (replace(SAFE, standings=(replace(ON, usage=replace(ON.usage, only_since=NOW - DAY)),)), "medium"),
        (replace(SAFE, standings=(replace(ON, usage=Usage(NOW, NOW - 60 * DAY)),)), "low"),
        (replace(SAFE, standings=(replace(ON, usage=Usage(NOW, NOW - 3 * DAY)),)), "high"),
        (replace(SAFE, dependants=("other",)), "high"),
        (replace(SAFE, code=CodeEvidence(3, some=True, files_count=3, is_dynamic=True)), "high"),
        (replace(SAFE, code=CodeEvidence(None, "no repository is scanned")), "high"),
        (replace(SAFE, standings=(replace(ON, constant=None),)), "high"),
        (
            replace(SAFE, standings=(ON, replace(ON, environment="staging", is_production=False, constant="off"))),
            "high",
        ),
        (replace(SAFE, standings=(replace(ON, usage=Usage()),)), "high"),
        (replace(SAFE, standings=()), "high"),
    ],
)
def test_the_risk_of_taking_it_out(flag: Dossier, told: str) -> None:
    assert risk(flag, NOW, Limits()) == told


@pytest.mark.parametrize(("files", "told"), [(0, "S"), (3, "S"), (4, "M"), (10, "M"), (11, "L")])
def test_the_effort_of_taking_it_out(files: int, told: str) -> None:
    assert effort(replace(SAFE, code=CodeEvidence(files, some=bool(files), files_count=files))) == told


def test_effort_is_unknown_without_a_scan() -> None:
    assert effort(Dossier("k")) == "unknown"


def test_what_is_missing_is_said_in_words() -> None:
    flags = {flag.name: flag for flag in FLAGS}

    assert {
        name: [each.missing for each in flags[name].judged.questions]
        for name in (
            "nobody asks, and for three days nobody could have known", "half on, no telemetry at all",
            "only ever listed by a browser", "never asked for, but watched for five days only",
        )
    } == {
        "nobody asks, and for three days nobody could have known": ["production: no telemetry since 1 March 2026"],
        "half on, no telemetry at all": ["production: no telemetry"],
        "only ever listed by a browser": ["production: only listed, never asked for by itself"],
        "never asked for, but watched for five days only": ["production: telemetry is younger than that"],
    }  # fmt: skip
    assert Dossier("k").why_unknown(NOW, DAY) == "no production environment is known"
