"""The verdict of a week: rules and sentences."""

import pytest

from reliability.domain.verdicts import Part, Word, Worst, headline, left_ratio, verdict, week_word


def objective(*, service=None, remaining=1_000.0, spent=100.0, share=600.0, met=True, sli="time", window="28d"):
    unit = "seconds" if sli == "time" else "requests"
    return {
        "service": service, "sli": sli, "target_ratio": 0.999, "window": window, "met": met,
        f"budget_{unit}": 2_400.0, f"remaining_{unit}": remaining, f"report_spent_{unit}": spent, f"report_budget_{unit}": share,
    }  # fmt: skip


def report(*objectives, down=100, observed=604_800, deploys=31, failed=2, suspected=0):
    return {
        "objectives": {str(place): each for place, each in enumerate(objectives)},
        "total": {
            "availability": {"downtime_seconds": down, "observed_seconds": observed},
            "change_failure": {"deploys_count": deploys, "failed_count": failed, "suspected_count": suspected},
        },
    }


def said(*arguments):
    _, parts = verdict(*arguments)
    return "".join(part.text for part in parts).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("objectives", "word"),
    [
        ([], Word.NOT_JUDGED),
        ([objective(met=None)], Word.NOT_JUDGED),
        ([objective()], Word.MET),
        ([objective(), objective(met=None)], Word.MET),
        ([objective(spent=601)], Word.AT_RISK),
        ([objective(spent=600)], Word.MET),
        ([objective(remaining=479)], Word.AT_RISK),
        ([objective(remaining=480)], Word.MET),
        ([objective(remaining=-1, met=False)], Word.MISSED),
        ([objective(spent=700), objective(remaining=-1, met=False)], Word.MISSED),
    ],
)
def test_the_word_follows_the_rules(objectives, word):
    assert week_word(objectives) is word


@pytest.mark.parametrize(
    ("budget", "remaining", "left"),
    [(2_400.0, 600.0, 0.25), (2_400.0, -600.0, -0.25), (0.0, 0.0, 1.0), (0.0, -5.0, -1.0)],
)
def test_a_budget_of_nothing_is_whole_until_something_is_spent(budget, remaining, left):
    assert left_ratio({**objective(remaining=remaining), "budget_seconds": budget}) == left


def test_the_verdict_speaks_of_what_decided_the_word():
    missed = objective(service="cart", met=False, remaining=-5)

    assert headline([objective(), missed]) is missed
    assert headline([objective(service="cart", remaining=700), objective()])["service"] is None
    assert headline([]) is None


@pytest.mark.parametrize(
    ("objectives", "down", "sentence"),
    [
        ([objective()], 100, "The week kept its target: up 99.983 %, down 1 min 40 s of 10 min in the budget."),
        ([objective(spent=0)], 0, "The week kept its target: nothing was down."),
        ([objective(spent=776)], 776, "The week spent more than its share: down 12 min 56 s where 10 min were in the budget."),
        ([objective(remaining=100)], 100, "Little budget is left: 1 min 40 s of 40 min; this week up 99.983 %, down 1 min 40 s."),
        ([objective(remaining=-65, met=False, service="cart")], 100, "The 28-day target of cart is missed: 1 min 05 s over the budget of 40 min, 1 min 40 s of it this week on cart."),
        ([objective(remaining=-65, met=False, spent=0, window="month")], 0, "The monthly target is missed: 1 min 05 s over the budget of 40 min, none of it spent this week."),
        ([objective(sli="requests", service="cart")], 0, "The week kept its target: 100 failed requests on cart where 600 were in the budget."),
        ([objective(sli="requests", spent=700)], 0, "The week spent more than its share: 700 failed requests where 600 were in the budget."),
        ([objective(sli="requests", remaining=-9, met=False)], 0, "The 28-day target is missed by 9 requests; this week 100 failed requests where 600 were in the budget."),
        ([objective(sli="requests", remaining=9)], 0, "Little budget is left: 9 of 2,400 failed requests."),
        ([], 100, "No target is set that could be judged: up 99.983 %, down 1 min 40 s."),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_the_word_means(objectives, down, sentence):
    assert said(report(*objectives, down=down), None, 0).startswith(sentence)


def test_a_week_nobody_watched_is_not_a_good_one():
    assert said(report(objective(met=None), observed=0, down=0, deploys=0), None, 0) == (
        "Nobody watched this week: there is no number to judge. Nothing was deployed."
    )


@pytest.mark.parametrize(
    ("worst", "sentence"),
    [
        (Worst("INC-1", "Checkout fails", 702, 538, "cart 7.2", "confirmed", "rollback to 7.1"), "cart 7.2 did most harm: Checkout fails (INC-1) for 538 users, over after 11 min 42 s, ended by rollback to 7.1."),
        (Worst("INC-1", "Checkout fails", 702, 1, "cart 7.2", "suggested"), "cart 7.2 is suspected of the worst: Checkout fails (INC-1) for 1 user, over after 11 min 42 s."),
        (Worst("INC-1", "", 702, is_open=True), "The worst, with no cause named: INC-1 (INC-1), open for 11 min 42 s."),
    ],
)  # fmt: skip
def test_the_worst_incident_is_told_with_its_cause(worst, sentence):
    assert sentence in said(report(objective()), worst, 0)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"deploys": 31, "failed": 2}, " 31 deploys, 2 failed (6.5 %)."),
        ({"deploys": 1, "failed": 0}, " 1 deploy, none failed."),
        ({"deploys": 31, "failed": 0, "suspected": 1}, " 31 deploys, none failed, 1 more suspected."),
        ({"deploys": 0, "failed": 0}, " Nothing was deployed."),
    ],
)
def test_deploys_are_counted(numbers, sentence):
    assert said(report(objective(), **numbers), None, 0).endswith(sentence)


def test_a_bad_week_says_what_holds():
    assert said(report(objective(spent=700)), None, 0).endswith("The 28-day target of 99.9 % still holds.")
    assert said(report(objective(spent=700), objective(service="cart")), None, 0).endswith(
        "All 2 targets still hold over their own periods."
    )
    assert said(report(objective(met=False, remaining=-1), objective()), None, 0).endswith("1 of 2 targets hold.")


def test_what_waits_for_a_person_is_the_last_word():
    _, parts = verdict(report(objective()), None, 1)

    assert parts[-1] == Part("One cause waits for your decision.", to="decide")
