"""Single terms of attribution where they fall silent: what is not known, not alike or not alone says nothing."""

from __future__ import annotations

from incidents.domain import terms_code, terms_ending, terms_exposure, terms_outside, terms_place
from incidents.domain.attribution import missing_inputs
from incidents.domain.case import Case, Term
from incidents.domain.evidence import HOUR, MINUTE, TrafficPoint
from tests.incidents.domain.cases import ONSET, case, deploy, episode, issue, sighting


def outside(of: Case) -> set[str]:
    """The names of the terms for no change."""
    return {term.name for term in terms_outside.outside(of)}


# -- code -----------------------------------------------------------------------------------------------------------


def test_file_lists_are_compared_with_the_stacks_of_their_own_service() -> None:
    elsewhere = issue(key="k2", service="mail", paths=("shop/pay.py",))
    change = deploy(-3, files=("src/shop/views.py",))
    of = case(episode(elsewhere, count=20), episode(), changes=[change])

    assert terms_code.files(of, change)[0] == Term("file_second", 1.0, "changed shop/views.py, the second frame")


def test_file_lists_that_never_name_a_file_of_the_stack_cannot_be_compared() -> None:
    change = deploy(-3, files=("packages/pay/index.ts",))
    of = case(changes=[change, deploy(-90, id="old", files=("packages/views/index.ts",))])

    assert (of.comparable, terms_code.files(of, change)) == (frozenset(), [])


def test_a_newer_deploy_that_changed_the_same_file_takes_the_last_touch() -> None:
    older, newer = (deploy(minute, files=("src/shop/pay.py",)) for minute in (-30, -3))
    of = case(changes=[older, newer])

    assert [term.name for term in terms_code.files(of, older)] == ["file_inner", "file_inner_rare"]
    assert [term.name for term in terms_code.files(of, newer)] == ["file_inner", "file_inner_rare", "file_last_touch"]


# -- place ----------------------------------------------------------------------------------------------------------


def test_only_the_latest_deploy_of_the_root_is_called_so() -> None:
    older, newer = (deploy(minute, services=("db",), release=f"{60 + minute}") for minute in (-30, -4))
    of = case(episode(issue(text="timeout in response of db")), changes=[older, newer])
    named = [
        Term("dependency", 1.0, "shop, which fails, calls db"),
        Term("named", 1.0, "100% of the errors name db"),
        Term("root", 1.0, "following who names whom leads to db"),
    ]

    assert terms_place.place(of, older) == named
    assert terms_place.place(of, newer) == [*named, Term("root_latest", 1.0, "it is the latest deploy of db")]


# -- exposure -------------------------------------------------------------------------------------------------------


def test_hosts_that_fail_after_the_roll_out_do_not_tell_releases_apart() -> None:
    change = deploy(-4)
    seen = [sighting(minute, host=f"h{minute}", release="2.0") for minute in (0, 1, 2)]

    assert terms_exposure.release(case(episode(sightings=seen), changes=[change]), change) == []


def test_a_canary_is_not_judged_by_few_or_nameless_hosts() -> None:
    canary = deploy(-3, strategy="canary", percent=25)
    few = case(episode(count=3), changes=[canary])
    nameless = case(episode(sightings=[sighting(n, host="") for n in range(10)]), changes=[canary])

    assert terms_exposure.concentration(few, canary) == terms_exposure.concentration(nameless, canary) == []


# -- nothing did it -------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_trusted_has_not_expired() -> None:
    of = case(episode(issue(type="SSLError", text="certificate verify failed")))

    assert outside(of) & {"none_certificate", "none_expired"} == {"none_certificate"}


def test_services_that_fail_one_after_the_other_did_not_fail_at_once() -> None:
    def two(start: float) -> Case:
        return case(episode(), episode(issue(key="k2", service="edge"), start=start))

    assert "none_at_once" in outside(two(3))
    assert "none_at_once" not in outside(two(40))


def test_hosts_of_several_regions_are_no_region() -> None:
    def failing(*hosts: str) -> set[str]:
        seen = [sighting(n, host=hosts[n % len(hosts)]) for n in range(8)]
        return outside(case(episode(sightings=seen))) & {"none_one_host", "none_one_region"}

    assert failing("shop-eu1-a", "shop-eu1-b") == {"none_one_region"}
    assert failing("shop-eu1-a", "shop-us1-c") == set()


# -- afterwards -----------------------------------------------------------------------------------------------------


def test_a_repair_without_a_file_list_is_not_compared() -> None:
    guilty = deploy(-30, files=("shop/pay.py",))
    repair = deploy(18, id="fix", release="2.1", before="2.0")

    assert terms_ending.ending(case(changes=[guilty, repair], ended=21), guilty) == [
        Term("ended_by_deploy", 1.0, "the errors stopped with the next deploys of shop")
    ]


# -- what the case knows --------------------------------------------------------------------------------------------


def test_nothing_is_asked_for_where_everything_was_sent() -> None:
    change = deploy(-3, files=("shop/pay.py",))
    of = case(
        episode(sightings=[sighting(n, release="2.0") for n in range(4)]), changes=[change],
        traffic={"shop": [TrafficPoint(ONSET, 900, 5)]},
    )  # fmt: skip

    assert missing_inputs(of, [change]) == ()


def test_traffic_is_asked_for_any_window_and_answered_the_same_each_time() -> None:
    points = [TrafficPoint(ONSET - n * 900, 900, 1_800) for n in range(1, 12)]
    around = case(traffic={"shop": [*points, TrafficPoint(ONSET, 900, 4_500)]}).around
    ratios = [around.traffic_ratio("shop", start, start + HOUR) for start in (ONSET, ONSET - 2 * HOUR, ONSET)]

    assert ratios == [2.5, 1.0, 2.5]


def test_the_share_of_a_release_is_that_of_the_interval_alone() -> None:
    points = [
        TrafficPoint(ONSET - 900, 900, 500, "1.9"), TrafficPoint(ONSET, 900, 30, "1.9"), TrafficPoint(ONSET, 900, 10, "2.0"),
        TrafficPoint(ONSET, 900, 70),
    ]  # fmt: skip
    around = case(traffic={"shop": points}).around

    assert around.release_share("shop", "2.0", ONSET + MINUTE, 900) == 0.25
    assert around.release_share("shop", "2.0", ONSET + MINUTE, 600) is None
    assert around.release_share("shop", "2.0", ONSET + HOUR, 900) is None
