"""Corrections become samples, samples become weights, and nothing of it happens twice or out of the blue."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.models import Change, Team, User
from incidents.actions import causes, detection, states, teaching
from incidents.domain.weights import VERSION, WEIGHTS
from incidents.formats.frozen_terms import FrozenCandidate, freeze, thaw
from incidents.models import Cause, CauseSample, Incident, TeamWeights, Verdict, VerdictTerms
from incidents.queries import teaching as taught
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory
from tests.factories.errors import minutes
from tests.factories.incidents import deploy_of, flag_of, incident_of, verdict_of
from tests.incidents.actions.test_detection import deploy, fail, shop, spread

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LATER = NOON + dt.timedelta(minutes=30)


@pytest.fixture
def team() -> Team:
    return TeamFactory()


@pytest.fixture
def ida() -> User:
    return UserFactory(first_name="Ida", last_name="Holm")


def weighed(team: Team, *, guilty_is_far: bool = False) -> tuple[Incident, Change, Change]:
    """An incident whose verdict names a deploy before a flag and nothing, with the terms of each."""
    change, flag = deploy_of(team), flag_of(team)
    incident = incident_of(team)
    verdict = verdict_of(incident, [(change, 0.8), (flag, 0.15), (None, 0.05)])
    near = {"same_service": 1.0, "deploy_delay_4_12": 1.0}
    VerdictTerms.objects.create(
        verdict=verdict,
        kept=freeze(
            [
                FrozenCandidate(str(change.public_id), near),
                FrozenCandidate(str(flag.public_id), {"flag_own": 1.0} if guilty_is_far else {"flag_other": 1.0}),
                FrozenCandidate("", {"none_base": 1.0}),
            ]
        ),
    )
    return incident, change, flag


def sample() -> tuple[str, list[str], list[str]]:
    row = CauseSample.objects.get()
    return row.origin, row.named, row.refused


# -- words into samples -----------------------------------------------------------------------------------------------


def test_a_verdict_keeps_the_terms_of_every_candidate() -> None:
    service = shop()
    changes = [deploy(service.team, -2 - 5 * n, name=f"d{n}", service="shop") for n in range(8)]
    fail(service, spread(12, step=0.1))

    detection.run(now=NOON + minutes(2))

    verdict = Verdict.objects.get()
    kept = thaw(VerdictTerms.objects.get(verdict=verdict).kept)
    assert {each.change for each in kept} == {"", *(str(change.public_id) for change in changes)}
    assert verdict.model_version == VERSION
    guilty = next(each for each in kept if each.change == str(verdict.change.public_id if verdict.change else ""))
    assert guilty.terms["same_service"] == 1.0


def test_confirming_makes_a_sample_of_the_verdict_as_it_stood(team: Team, ida: User) -> None:
    incident, change, _ = weighed(team)

    causes.confirm_cause(incident=incident, change=change, by=ida, now=LATER)

    row = CauseSample.objects.get()
    assert (row.named, row.refused, row.origin, row.by) == ([str(change.public_id)], [], "person", ida)
    assert (row.stated, row.probability, row.model_version) == (str(change.public_id), 0.8, "test")
    found = taught.as_sample(row)
    assert found is not None
    assert found.possible == frozenset({0})


def test_rejecting_leaves_all_others_possible(team: Team, ida: User) -> None:
    incident, change, _ = weighed(team)

    causes.reject_cause(incident=incident, change=change, by=ida, now=LATER)

    assert sample() == ("person", [], [str(change.public_id)])
    found = taught.as_sample(CauseSample.objects.get())
    assert found is not None
    assert found.possible == frozenset({1, 2})


def test_reassigning_and_no_change(team: Team, ida: User) -> None:
    incident, change, flag = weighed(team)

    causes.reassign_cause(incident=incident, change=flag, by=ida, now=LATER)
    assert sample()[1] == [str(flag.public_id)]

    causes.blame_no_change(incident=incident, kind="external", by=ida, now=LATER)
    assert sample() == ("person", [""], sorted([str(change.public_id), str(flag.public_id)]))


def test_later_evidence_does_not_change_what_was_known_when_somebody_spoke(team: Team, ida: User) -> None:
    incident, change, flag = weighed(team)
    causes.reject_cause(incident=incident, change=change, by=ida, now=LATER)
    verdict_of(incident, [(flag, 0.9), (None, 0.1)], number=2)

    causes.confirm_cause(incident=incident, change=flag, by=ida, now=LATER + minutes(5))

    row = CauseSample.objects.get()
    assert (row.verdict_number, row.stated, row.named) == (1, str(change.public_id), [str(flag.public_id)])
    assert (row.first_at, row.spoken_at) == (LATER, LATER + minutes(5))


def test_a_cause_reported_late_is_learned_from_the_verdict_that_knew_it(team: Team, ida: User) -> None:
    incident, change, _ = weighed(team)
    causes.reject_cause(incident=incident, change=change, by=ida, now=LATER)
    late = deploy_of(team, release="9")
    second = verdict_of(incident, [(late, 0.9), (None, 0.1)], number=2)
    VerdictTerms.objects.create(
        verdict=second, kept=freeze([FrozenCandidate(str(late.public_id), {}), FrozenCandidate("", {})])
    )

    causes.confirm_cause(incident=incident, change=late, by=ida, now=LATER)

    assert CauseSample.objects.get().verdict_number == 2


def test_taking_it_back_forgets_it(team: Team, ida: User) -> None:
    incident, change, _ = weighed(team)
    causes.confirm_cause(incident=incident, change=change, by=ida, now=LATER)

    causes.withdraw_cause(incident=incident, cause=incident.causes.get(), by=ida, now=LATER)

    assert not CauseSample.objects.exists()


def test_without_a_verdict_nothing_is_learned(team: Team, ida: User) -> None:
    incident = incident_of(team)

    causes.confirm_cause(incident=incident, change=deploy_of(team), by=ida, now=LATER)

    assert not CauseSample.objects.exists()


def test_a_sample_that_says_nothing_is_not_fitted(team: Team, ida: User) -> None:
    incident, *_ = weighed(team)
    causes.confirm_cause(incident=incident, change=deploy_of(team, release="9"), by=ida, now=LATER)

    assert taught.as_sample(CauseSample.objects.get()) is None


def test_what_the_model_confirmed_is_no_sample(team: Team, ida: User) -> None:
    incident, change, flag = weighed(team)
    Cause.objects.create(incident=incident, kind="deploy", change=change, status="confirmed", by="model")

    teaching.learn(incident=incident, by=ida, now=LATER)

    assert not CauseSample.objects.exists()
    assert flag.pk


def test_a_refused_change_is_proposed_no_more_for_these_errors(ida: User) -> None:
    service = shop()
    change = deploy(service.team, -2)
    fail(service, spread(12, step=0.1))
    detection.run(now=NOON + minutes(2))
    incident = Incident.objects.get()

    causes.reject_cause(incident=incident, change=change, by=ida, now=NOON + minutes(3))
    detection.run(now=NOON + minutes(4))

    verdict = incident.verdicts.order_by("-number")[0]
    assert (verdict.number, verdict.change) == (2, None)
    assert not verdict.candidates.filter(change=change).exists()
    assert list(incident.causes.values_list("change", "status", "by")) == [(change.pk, "rejected", "person")]


# -- reversals --------------------------------------------------------------------------------------------------------


def rolled_back() -> Incident:
    """A deploy, errors for twelve minutes, and the version before it again."""
    service = shop()
    deploy(service.team, -600, name="d0", release="1.3.0")
    deploy(service.team, -2, name="d1", release="1.4.0")
    fail(service, spread(9, step=0.25))
    detection.run(now=NOON + minutes(2))
    fail(service, spread(40, start=2.25, step=0.25))
    detection.run(now=NOON + minutes(12))
    deploy(service.team, 11, name="d2", release="1.3.0", files=[])
    detection.run(now=NOON + minutes(60))
    return Incident.objects.get()


def test_errors_that_stop_with_a_rollback_prove_it() -> None:
    incident = rolled_back()

    verdict = incident.verdicts.select_related("change__deploy").order_by("-number")[0]
    undoing = Change.objects.get(deploy__external_id="d2")
    assert verdict.change is not None
    assert verdict.change.deploy.external_id == "d1"
    assert verdict.reversal is not None
    assert {key: verdict.reversal[key] for key in ("how", "by", "before_errors", "before_seconds", "after_errors")} == {
        "how": "rolled back", "by": str(undoing.public_id), "before_errors": 40, "before_seconds": 600.0, "after_errors": 0,
    }  # fmt: skip
    line = incident.timeline.filter(kind="verdict").order_by("-id")[0]
    assert (
        "It was rolled back as the errors stopped: 4.0 errors a minute before, none in the 30 min after." in line.text
    )


def test_an_observed_reversal_is_a_label_of_the_verdict_before_it() -> None:
    incident = rolled_back()

    row = CauseSample.objects.get()
    before = incident.verdicts.get(number=row.verdict_number)
    assert (row.origin, row.named, row.by) == (
        "reversal",
        [str(Change.objects.get(deploy__external_id="d1").public_id)],
        None,
    )
    assert before.inputs["restored"] is None
    assert "rolled_back" not in {name for each in thaw(row.terms) for name in each.terms}


def test_what_a_person_says_goes_before_a_reversal(ida: User) -> None:
    incident = rolled_back()
    change = Change.objects.get(deploy__external_id="d1")

    causes.reject_cause(incident=incident, change=change, by=ida, now=NOON + minutes(70))
    teaching.learn_reversal(incident=incident, undone=[str(change.public_id)], now=NOON + minutes(71))

    assert sample() == ("person", [], [str(change.public_id)])


def test_a_reversal_that_did_not_hold_is_forgotten() -> None:
    incident = rolled_back()

    teaching.learn_reversal(incident=incident, undone=[], now=NOON + minutes(90))

    assert not CauseSample.objects.exists()


# -- weights ----------------------------------------------------------------------------------------------------------


def teach(team: Team, ida: User, count: int, *, start: int = 0) -> None:
    """So many incidents of which people say that no change did it, though the model suspects the deploy."""
    for n in range(start, start + count):
        incident, *_ = weighed(team)
        causes.blame_no_change(incident=incident, kind="external", by=ida, now=LATER + minutes(n))


def test_ten_corrections_move_the_team_s_weights(team: Team, ida: User) -> None:
    teach(team, ida, 10)

    done = teaching.refit_due(now=LATER + minutes(60))

    row = TeamWeights.objects.get()
    assert [each.pk for each in done] == [row.pk]
    assert (row.act, row.samples_count, row.base_version) == ("kept", 10, VERSION)
    assert row.left_out_loss is not None
    assert row.shipped_loss is not None
    assert row.left_out_loss < row.shipped_loss
    model = taught.model_of(team)
    assert model.version == f"{VERSION}+team.1"
    assert WEIGHTS["none_base"] < model.weights["none_base"] <= WEIGHTS["none_base"] + 3
    assert model.weights["none_external"] == WEIGHTS["none_external"]
    assert teaching.refit_due(now=LATER + minutes(61)) == []
    assert taught.model_of(TeamFactory()) == taught.SHIPPED


def test_fewer_say_too_little(team: Team, ida: User) -> None:
    teach(team, ida, 9)

    assert teaching.refit_due(now=LATER + dt.timedelta(days=3)) == []


def test_a_night_with_one_word_is_enough_later(team: Team, ida: User) -> None:
    teach(team, ida, 10)
    teaching.refit_due(now=LATER + minutes(60))
    teach(team, ida, 1, start=70)

    assert teaching.refit_due(now=LATER + minutes(90)) == []
    assert [row.samples_count for row in teaching.refit_due(now=LATER + dt.timedelta(hours=24))] == [11]


def test_weights_that_judge_others_worse_are_dropped(team: Team, ida: User, monkeypatch: pytest.MonkeyPatch) -> None:
    teach(team, ida, 10)
    monkeypatch.setattr(teaching, "left_out_loss", lambda *_: 99.0)

    teaching.refit_due(now=LATER + minutes(60))

    assert (TeamWeights.objects.get().act, TeamWeights.objects.get().weights) == ("dropped", {})
    assert taught.model_of(team) == taught.SHIPPED


def test_reset_goes_back_and_learns_no_more_from_before(team: Team, ida: User) -> None:
    teach(team, ida, 10)
    teaching.refit_due(now=LATER + minutes(60))

    line = teaching.reset_weights(team=team, by=ida, now=LATER + minutes(61))

    assert line is not None
    assert (line.act, line.by) == ("reset", ida)
    assert taught.model_of(team) == taught.SHIPPED
    assert teaching.reset_weights(team=team, by=ida, now=LATER + minutes(62)) is None
    teach(team, ida, 9, start=70)
    assert teaching.refit_due(now=LATER + dt.timedelta(days=2)) == []
    teach(team, ida, 1, start=80)
    assert [row.samples_count for row in teaching.refit_due(now=LATER + dt.timedelta(days=2))] == [10]


def test_nothing_to_reset(team: Team, ida: User) -> None:
    assert teaching.reset_weights(team=team, by=ida, now=LATER) is None


def test_an_upgrade_puts_them_out_of_force_until_the_next_refit(team: Team, ida: User) -> None:
    teach(team, ida, 10)
    teaching.refit_due(now=LATER + minutes(60))
    TeamWeights.objects.update(base_version="older")

    assert taught.model_of(team) == taught.SHIPPED
    assert len(teaching.refit_due(now=LATER + minutes(61))) == 1
    assert taught.model_of(team).version == f"{VERSION}+team.2"


def test_false_alarms_teach_nothing(team: Team, ida: User) -> None:
    teach(team, ida, 10)
    states.dismiss(incident=Incident.objects.order_by("pk")[0], by=ida, now=LATER)

    assert teaching.refit_due(now=LATER + minutes(60)) == []


def test_two_refits_at_once_write_one_line(team: Team, ida: User, monkeypatch: pytest.MonkeyPatch) -> None:
    teach(team, ida, 10)

    def beaten(*_: Any) -> float:
        TeamWeights.objects.create(team=team, number=1, made_at=LATER, act="dropped", base_version=VERSION)
        return 0.0

    monkeypatch.setattr(teaching, "left_out_loss", beaten)

    assert teaching.refit_team(team=team, now=LATER + minutes(60)) is None
    assert TeamWeights.objects.count() == 1


def test_the_team_s_weights_make_its_verdicts() -> None:
    service = shop()
    own = {"same_service": 0.2, "file_inner": 0.0, "deploy_delay_2_4": 0.0}
    TeamWeights.objects.create(team=service.team, number=1, made_at=NOON, act="kept", base_version=VERSION, weights=own)
    deploy(service.team, -2)
    fail(service, spread(12, step=0.1))

    detection.run(now=NOON + minutes(2))

    verdict = Verdict.objects.get()
    line = verdict.candidates.get(change__isnull=False).evidence.get(term="same_service")
    assert verdict.model_version == f"{VERSION}+team.1"
    assert line.log_ratio == pytest.approx(0.2)


# -- how people answered ----------------------------------------------------------------------------------------------


def test_links_that_people_kept_and_overturned(team: Team, ida: User) -> None:
    answers: list[Any] = [causes.confirm_cause, causes.reject_cause, causes.reject_cause]
    for answer in answers:
        incident, change, _ = weighed(team)
        answer(incident=incident, change=change, by=ida, now=LATER)
    incident, change, _ = weighed(team)
    Cause.objects.create(
        incident=incident, kind="deploy", change=change, status="suggested", by="model", probability=0.8
    )
    incident, _, flag = weighed(team)
    causes.reject_cause(incident=incident, change=flag, by=ida, now=LATER)

    links = taught.model_links(team, since=NOON - dt.timedelta(days=1))

    assert (links.made, links.kept, links.overturned, links.answered) == (4, 1, 2, 3)


def test_why_the_model_may_not_confirm_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "98 of 100" in taught.why_not_confirm()
    monkeypatch.setattr(taught, "MAY_CONFIRM", True)
    assert taught.why_not_confirm() == ""
