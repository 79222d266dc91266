from __future__ import annotations

import math

import pytest

from incidents.domain.attribution import attribute, missing_inputs, terms_of
from incidents.domain.candidates import in_question
from incidents.domain.case import Case, span_words
from incidents.domain.evidence import DAY, HOUR, MINUTE, Change, ServiceFacts, TrafficPoint, releases_before
from incidents.domain.weights import VERSION, WEIGHTS
from tests.incidents.domain.cases import ONSET, SERVICES, case, deploy, episode, flag, issue, outage, replace, sighting


def names(of: Case, change: Change | None = None) -> dict[str, float]:
    """The terms of one candidate with their values."""
    for candidate, terms in terms_of(of):
        if (candidate.id if candidate else None) == (change.id if change else None):
            return {term.name: round(term.value, 3) for term in terms}
    raise LookupError("no such candidate")


def has(of: Case, change: Change | None, *wanted: str) -> bool:
    """Are all of these among the candidate's terms?"""
    return set(wanted) <= set(names(of, change))


# -- the whole ------------------------------------------------------------------------------------------------------


def test_a_deploy_that_changed_the_innermost_frame_right_before_is_likely() -> None:
    guilty = deploy(-3, files=("src/shop/pay.py",))
    verdict = attribute(case(changes=[guilty, deploy(-400, id="old", release="1.9")]))

    assert (verdict.best.change, verdict.outcome, verdict.version) == (guilty, "likely", VERSION)
    assert sum(w.probability for w in verdict.ranked) == pytest.approx(1)
    assert all(line.factor == pytest.approx(math.exp(line.log_ratio)) for line in verdict.best.lines)


def test_without_any_change_no_change_did_it() -> None:
    verdict = attribute(case())

    assert (verdict.best.change, verdict.best.probability) == (None, 1.0)


def test_an_expired_certificate_of_a_foreign_host_is_no_change() -> None:
    text = issue(
        type="SSLError", text="certificate has expired for api.pay.example", hosts=("api.pay.example",), paths=()
    )
    verdict = attribute(case(episode(text), changes=[deploy(-45)]))

    assert verdict.best.change is None


def test_undecided_is_said() -> None:
    verdict = attribute(case(changes=[deploy(-3, id="a"), deploy(-3, id="b")]))

    assert verdict.outcome == "undecided"


def test_weights_can_be_replaced_and_ties_go_to_no_change() -> None:
    verdict = attribute(case(changes=[deploy(-3)]), weights={})

    assert verdict.best.change is None
    assert [w.probability for w in verdict.ranked] == [0.5, 0.5]
    assert verdict.best.lines == ()


def test_a_missing_input_adds_no_term() -> None:
    told, untold = deploy(-3, files=("other/x.py",), id="told"), deploy(-3, files=None, id="untold")
    of = case(changes=[told, untold, deploy(-900, files=("shop/pay.py",), id="once")])

    assert names(of, told).keys() - names(of, untold).keys() == {"files_elsewhere"}


def test_missing_inputs_are_named() -> None:
    bare = [sighting(n) for n in range(5)]
    of = case(
        episode(sightings=bare), changes=[deploy(-3), flag(-3)], services={**SERVICES, "shop": ServiceFacts("shop")}
    )

    assert missing_inputs(of, in_question(of)) == (
        "no file list for some deploys: send files with the deploy",
        "no release on the errors: set release in the SDK",
        "no traffic counts: enable session tracking",
        "no flag values on the errors: enable the SDK's flag tracking",
        "no dependencies of shop known: declare what it calls",
    )


def test_every_term_has_a_weight() -> None:
    every = [
        case(changes=[deploy(-3, files=("shop/pay.py",)), flag(-4)]),
        case(episode(issue(type="MemoryError", text="out of memory")), changes=[deploy(-200)]),
        case(outages=[outage()], changes=[deploy(-3)]),
    ]

    assert {term.name for of in every for _, terms in terms_of(of) for term in terms} - WEIGHTS.keys() == set()


# -- candidates -----------------------------------------------------------------------------------------------------


def test_candidates_are_near_in_time_or_place() -> None:
    kept = [
        deploy(-70 * 60, id="own"), deploy(-600, id="dependency", services=("db",)), deploy(-170, id="anywhere", services=("mail",)),
        deploy(1.5, id="clocks"), flag(-500, id="own-flag"),
    ]  # fmt: skip
    dropped = [
        deploy(-73 * 60, id="old"), deploy(-200, id="far", services=("mail",)), deploy(3, id="later"), deploy(-9, id="refused"),
        flag(-5, id="void", old=50.0),
    ]  # fmt: skip

    found = in_question(case(changes=[*kept, *dropped], rejected=frozenset({"refused"})))

    assert {c.id for c in found} == {c.id for c in kept}


def test_a_flag_of_unknown_owner_is_looked_up_among_those_who_evaluate_it() -> None:
    unknown = flag(-500, services=())

    assert in_question(case(changes=[unknown])) == []
    assert in_question(case(changes=[unknown], flag_services={"fast-pay": frozenset({"shop"})})) == [unknown]


# -- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minute", "name"),
    [
        (1, "before"), (-1, "0_2"), (-3, "2_4"), (-10, "4_12"), (-20, "12_30"), (-60, "30_90"), (-200, "90_300"), (-600, "5h_14h"),
        (-3000, "14h_72h"),
    ],
)  # fmt: skip
def test_each_delay_has_its_bin(minute: float, name: str) -> None:
    change, turned = deploy(minute), flag(minute)

    assert has(case(changes=[change, turned]), change, f"deploy_delay_{name}")
    assert has(case(changes=[change, turned]), turned, f"flag_delay_{name}")


def test_a_failure_inside_the_roll_out_counts() -> None:
    running = deploy(-8, finish=None, status="in_progress")

    assert has(case(changes=[running]), running, "in_rollout")
    assert not has(case(changes=[deploy(-8)]), deploy(-8), "in_rollout")


def test_reasons_to_come_late() -> None:
    job = [sighting(60 * n - ONSET % 3600 / 60, user="") for n in range(4)]
    late, soon = deploy(-300), deploy(-100)

    assert has(case(episode(sightings=job, minutes=180), changes=[late]), late, "late_job", "late_rare")
    assert has(
        case(episode(sightings=[sighting(n, user="u") for n in range(9)]), changes=[soon]), soon, "late_one_user"
    )
    assert has(case(episode(issue(text="out of memory")), changes=[late]), late, "late_memory", "latest_memory")
    soon = deploy(-30)
    assert has(case(episode(issue(text="connection pool exhausted")), changes=[soon]), soon, "late_exhaustion")


def test_a_called_service_deployed_right_before_counts() -> None:
    change = deploy(-3, services=("db",))

    assert has(case(changes=[change]), change, "dependency", "dependency_soon")


# -- place ----------------------------------------------------------------------------------------------------------


def test_places() -> None:
    of = case(
        episode(), episode(issue(key="k2", service="edge"), count=3),
        changes=[
            deploy(-3, id="own"), deploy(-3, id="edge", services=("edge",)), deploy(-3, id="db", services=("db",)),
            deploy(-3, id="mail", services=("mail",)),
        ],
    )  # fmt: skip
    own, edge, db, mail = (next(c for c in of.around.changes if c.id == name) for name in ("own", "edge", "db", "mail"))

    assert has(of, own, "same_service", "latest_code", "common_dependency")
    assert has(of, edge, "also_affected")
    assert has(of, db, "dependency", "common_dependency")
    assert has(of, mail, "unrelated")


def test_callers_and_far_dependencies() -> None:
    of = case(
        changes=[deploy(-3, id="edge", services=("edge",)), deploy(-3, id="disk", services=("disk",))],
        services={**SERVICES, "db": ServiceFacts("db", frozenset({"disk"})), "disk": ServiceFacts("disk")},
    )
    edge, disk = (next(c for c in of.around.changes if c.id == name) for name in ("edge", "disk"))

    assert has(of, edge, "caller")
    assert has(of, disk, "dependency_far")


def test_following_names_leads_to_the_root() -> None:
    own, db = deploy(-3), deploy(-4, id="db", services=("db",))
    of = case(episode(issue(text="timeout in response of db")), changes=[own, db])

    assert has(of, own, "points_away")
    assert has(of, db, "named", "root", "root_latest")
    assert of.root == "db"


def test_names_that_lead_in_a_circle_end() -> None:
    of = case(
        episode(issue(text="edge says no")), episode(issue(key="k2", service="edge", text="shop says no"), count=4)
    )

    assert of.root == "edge"


def test_newer_deploys_in_between_speak_against() -> None:
    older = deploy(-60, id="older")
    newer = [deploy(-20, id="n1", release="2.1", before="2.0"), deploy(-10, id="n2", release="2.2", before="2.1")]

    assert names(case(changes=[older, *newer]), older)["newer_between"] == round(math.log(3), 3)


# -- code -----------------------------------------------------------------------------------------------------------


def test_files_in_the_stack() -> None:
    inner, second, elsewhere = (
        deploy(-3, id=path, files=(path,)) for path in ("src/shop/pay.py", "src/shop/views.py", "src/shop/mail.py")
    )
    of = case(changes=[inner, second, elsewhere])

    assert has(of, inner, "file_inner", "file_inner_rare", "file_last_touch")
    assert has(of, second, "file_second")
    assert has(of, elsewhere, "files_elsewhere")


def test_an_outer_frame_counts_as_such() -> None:
    change = deploy(-3, files=("x/shop/urls.py",))
    of = case(episode(issue(paths=("shop/pay.py", "shop/views.py", "shop/urls.py"))), changes=[change])

    assert has(of, change, "file_outer")


def test_a_file_that_changes_all_the_time_says_less() -> None:
    rare = deploy(-3, files=("shop/pay.py",), id="rare")
    often = [deploy(-5000 - n, files=("shop/pay.py",), id=f"o{n}") for n in range(9)]
    others = [deploy(-5000 - n, files=("shop/x.py",), id=f"o{n}") for n in range(9)]

    assert (
        names(case(changes=[rare, *often]), rare)["file_inner_rare"]
        < names(case(changes=[rare, *others]), rare)["file_inner_rare"]
    )


def test_a_late_failure_in_a_file_untouched_since() -> None:
    guilty = deploy(-600, id="g", files=("shop/pay.py",))
    newer = deploy(-300, id="n", files=("shop/other.py",))
    of = case(changes=[guilty, newer])

    assert has(of, guilty, "file_inner_late", "file_untouched_since", "file_last_touch")
    assert has(of, newer, "files_elsewhere", "files_elsewhere_late")


def test_a_file_says_little_where_a_resource_ran_out() -> None:
    change = deploy(-300, files=("shop/pay.py",))

    assert has(case(episode(issue(text="out of memory")), changes=[change]), change, "file_inner", "file_resource")


def test_kinds_of_deploys() -> None:
    noop = deploy(-3, id="noop", release="1.9")
    migration = deploy(-3, id="migration", files=("shop/migrations/0007_total.sql",))
    config = deploy(-3, id="config", files=("deploy/values.yaml", "README.md"))
    failed = deploy(-3, id="failed", status="failure")
    canary = deploy(-3, id="canary", strategy="canary", percent=10, finish=None, status="in_progress")
    every = [noop, migration, config, failed, canary]

    plain, schema = case(changes=every), case(episode(issue(text="column total does not exist")), changes=every)
    refused = case(episode(issue(text="connection refused")), changes=every)

    assert has(plain, noop, "noop")
    assert has(plain, migration, "migration_other")
    assert has(schema, migration, "migration_schema")
    assert has(refused, config, "config", "config_speaks")
    assert has(plain, failed, "failed")
    assert has(plain, canary, "canary")


def test_stated_strategies_are_believed() -> None:
    assert deploy(strategy="migration").is_migration
    assert deploy(strategy="config").is_config
    assert not deploy(files=("a.py",)).is_config
    assert not deploy().is_migration


def test_a_rollback_with_an_error_of_that_time() -> None:
    first, second = deploy(-900, id="a", release="1.0", before=""), deploy(-500, id="b", release="1.1", before="1.0")
    back = deploy(-3, id="c", release="1.0", before="1.1")
    of = case(episode(reason="regressed"), changes=[first, second, back])

    assert has(of, back, "rollback", "rollback_regressed")
    assert not has(of, second, "rollback")
    assert has(case(changes=[deploy(-3, stated_kind="rollback")]), deploy(-3), "rollback")


def test_seen_outside_production_first() -> None:
    change, other = deploy(-3), deploy(-4, id="mail", services=("mail",))
    of = case(changes=[change, other], staging={"k1": [ONSET - 30 * MINUTE]})

    assert has(of, change, "staging")
    assert not has(of, other, "staging")
    assert not has(case(changes=[change], staging={"k1": [ONSET - DAY]}), change, "staging")


# -- exposure -------------------------------------------------------------------------------------------------------


def rolling(*hosts: tuple[str, str]) -> Case:
    """Failures on (host, release) in the first minute of a roll-out of ten."""
    change = deploy(-1, id="d", finish=ONSET + 9 * MINUTE)
    seen = [sighting(n / 10, host=host, release=release) for n, (host, release) in enumerate(hosts)]
    return case(episode(sightings=seen), changes=[change])


def test_only_hosts_on_the_new_release_fail() -> None:
    of = rolling(("a", "2.0"), ("b", "2.0"), ("c", "2.0"))

    assert has(of, of.around.changes[0], "release", "release_only_new")
    assert names(of, of.around.changes[0])["release"] > 2


def test_hosts_on_both_releases_refute() -> None:
    of = rolling(("a", "1.9"), ("b", "2.0"), ("c", "1.9"))

    assert names(of, of.around.changes[0])["release"] < -2


def test_only_hosts_on_the_old_release_fail() -> None:
    seen = [sighting(n / 10, host=f"h{n}", release="1.9") for n in range(4)]
    change = deploy(-9, id="d", finish=ONSET + 3 * MINUTE)
    of = case(episode(sightings=seen), changes=[change])

    assert names(of, change)["release"] > 0


def test_the_share_on_a_release_is_counted_where_traffic_is() -> None:
    points = [TrafficPoint(ONSET - 60, 900, 90, "1.9"), TrafficPoint(ONSET - 60, 900, 10, "2.0")]
    change = deploy(-1, id="d", finish=ONSET + 30 * MINUTE)
    of = case(episode(sightings=[sighting(0, release="2.0")]), changes=[change], traffic={"shop": points})

    assert names(of, change)["release"] == round(math.log(0.88 * 0.97 / 0.1 + 0.12 * 0.03 / 0.1), 3)


def test_a_release_that_everybody_runs_says_nothing() -> None:
    of = case(episode(sightings=[sighting(1, release="2.0")]), changes=[deploy(-20)])

    assert not has(of, of.around.changes[0], "release")


def test_canaries_and_failed_deploys_hit_few_hosts() -> None:
    canary = deploy(-3, id="c", strategy="canary", percent=25, finish=None, status="in_progress")
    failed = deploy(-3, id="f", status="failure", finish=ONSET + 5 * MINUTE)
    one = [sighting(n, host="shop-eu1-a", release="2.0") for n in range(6)]
    all_ = [sighting(n, host=host) for n, host in enumerate(SERVICES["shop"].hosts)]

    assert has(case(episode(sightings=one), changes=[canary, failed]), canary, "few_hosts", "release")
    assert has(case(episode(sightings=one), changes=[canary, failed]), failed, "few_hosts", "release")
    assert has(case(episode(sightings=all_), changes=[canary]), canary, "many_hosts")


def exposed(*states: bool, turned: Change) -> dict[str, float]:
    """Terms of a flag change with these values on the failing users' events."""
    seen = [sighting(n, flags={"fast-pay": on}) for n, on in enumerate(states)]
    return names(case(episode(sightings=seen), changes=[turned]), turned)


def test_users_under_the_flag_support_and_others_refute() -> None:
    up, down = flag(-3), flag(-3, old=50.0, new=10.0)

    assert exposed(True, True, True, turned=up)["flag_exposure"] > 1
    assert "flag_all_exposed" in exposed(True, True, turned=up)
    assert exposed(False, False, turned=up)["flag_exposure"] < -3
    assert exposed(False, False, False, turned=down)["flag_exposure"] > 0
    assert "flag_down" in exposed(turned=down)


def test_whose_flag_it_is() -> None:
    own, db, mail, unknown = (
        flag(-3, id=name or "?", key=name, services=(name,) if name else ()) for name in ("shop", "db", "mail", "")
    )
    of = case(changes=[own, db, mail, unknown])
    edge = case(episode(), episode(issue(key="k2", service="edge"), count=2), changes=[flag(-3, services=("edge",))])

    assert has(of, own, "flag_own", "flag_step")
    assert has(of, db, "flag_dependency")
    assert has(of, mail, "flag_other")
    assert has(of, unknown, "flag_owner_unknown")
    assert has(edge, edge.around.changes[0], "flag_affected")


def test_a_segment_that_holds_all_failing_users() -> None:
    turned = flag(-3, segment={"country": "DE"})
    inside = case(episode(sightings=[sighting(n, tags={"country": "DE"}) for n in range(5)]), changes=[turned])
    outside = case(episode(sightings=[sighting(n, tags={"country": "FR"}) for n in range(5)]), changes=[turned])

    assert names(inside, turned)["flag_segment"] > 3
    assert names(outside, turned)["flag_segment"] < -3
    assert not has(case(changes=[turned]), turned, "flag_segment")


def test_events_without_users_count_five_times_at_most() -> None:
    seen = [sighting(n, user="", flags={"fast-pay": True}) for n in range(50)]
    turned = flag(-3, new=10.0)

    assert names(case(episode(sightings=seen), changes=[turned]), turned)["flag_exposure"] == 10.0
    assert exposed(True, turned=replace(turned, new=None)).keys().isdisjoint({"flag_exposure", "flag_step"})


# -- nothing did it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("certificate has expired", "none_expired"), ("getaddrinfo ENOTFOUND db", "none_dns"), ("not the leader", "none_infrastructure"),
        ("rate limit exceeded", "none_rate_limit"), ("connection refused", "none_remote"), ("out of memory", "none_memory"),
        ("pool exhausted", "none_exhaustion"),
    ],
)  # fmt: skip
def test_messages_that_speak_for_no_change(text: str, name: str) -> None:
    assert has(case(episode(issue(text=text))), None, name)


def test_a_foreign_host_that_fails_for_several() -> None:
    host = ("api.pay.example",)
    of = case(episode(issue(hosts=host)), episode(issue(key="k2", service="mail", hosts=host), count=5))

    assert has(of, None, "none_external", "none_external_shared", "none_no_common", "none_at_once")


def test_an_error_out_of_a_library() -> None:
    assert has(case(episode(issue(is_library_inside=True))), None, "none_library")


def traffic(factor: float) -> dict[str, list[TrafficPoint]]:
    """A week of quarter hours with 100 sessions, and `factor` times as many from the onset on."""
    quiet = [TrafficPoint(ONSET - n * 900, 900, 100) for n in range(1, 700)]
    return {"shop": [*quiet, TrafficPoint(ONSET, 900, int(100 * factor))]}


@pytest.mark.parametrize(("factor", "name"), [(4, "none_spike"), (1.8, "none_spike_some"), (1, "none_no_spike")])
def test_traffic_against_the_same_hour_of_other_days(factor: float, name: str) -> None:
    assert has(case(traffic=traffic(factor)), None, name)


def test_overload_under_a_spike() -> None:
    assert has(case(episode(issue(text="pool exhausted")), traffic=traffic(5)), None, "none_spike_load")


def test_traffic_is_compared_with_the_hours_before_where_no_other_day_is_known() -> None:
    recent = {"shop": [point for point in traffic(4)["shop"] if point.at > ONSET - 3 * HOUR]}

    assert has(case(traffic=recent), None, "none_spike")
    assert not has(case(traffic={"shop": [TrafficPoint(ONSET - 9 * DAY, 900, 5)]}), None, "none_spike")
    assert not has(case(traffic={"shop": [TrafficPoint(ONSET, 900, 5)]}), None, "none_no_spike")
    assert not has(
        case(traffic={"shop": [TrafficPoint(ONSET - 1800, 900, 0), TrafficPoint(ONSET, 900, 5)]}), None, "none_spike"
    )


def test_known_errors() -> None:
    key = "shop|KeyError|'sku'"

    assert has(case(episode(reason="burst")), None, "none_known")
    assert has(case(episode(reason="regressed")), None, "none_regressed")
    assert has(case(known_texts={key: ONSET - DAY}), None, "none_known_text")
    assert has(case(outages=[outage()]), None, "none_checks_only")


def test_one_host_or_one_region() -> None:
    one = [sighting(n, host="shop-eu1-a") for n in range(6)]
    region = [sighting(n, host=f"shop-eu1-{'ab'[n % 2]}") for n in range(8)]

    assert has(case(episode(sightings=one)), None, "none_one_host")
    assert has(case(episode(sightings=region)), None, "none_one_region")


def test_people_that_are_missing() -> None:
    nobody = [sighting(n, user="") for n in range(6)]
    loner = [sighting(n, user="u") for n in range(6)]
    job = case(episode(issue(service="db"), sightings=nobody))

    assert has(case(episode(sightings=nobody)), None, "none_no_users")
    assert has(case(episode(sightings=loner)), None, "none_one_user")
    assert has(job, None, "none_background")


# -- how it ended ---------------------------------------------------------------------------------------------------


def test_a_rollback_as_the_errors_stop() -> None:
    guilty, back = deploy(-3, id="g"), deploy(20, id="b", release="1.9", before="2.0")
    of = case(changes=[guilty, back], ended=20)

    assert has(of, guilty, "rolled_back")
    assert has(of, None, "none_ended_with_change")


def test_a_rollback_that_does_not_help_refutes() -> None:
    suspect, back = deploy(-3, id="g"), deploy(5, id="b", release="1.9", before="2.0")

    assert has(case(changes=[suspect, back]), suspect, "rolled_back_in_vain")


def test_a_repair_of_the_same_files() -> None:
    guilty = deploy(-3, id="g", files=("shop/pay.py",))
    same, other = (
        deploy(20, id="s", release="2.1", files=("shop/pay.py",)),
        deploy(20, id="o", release="2.1", files=("a/b.py",)),
    )

    assert has(case(changes=[guilty, same], ended=20), guilty, "ended_by_deploy", "fix_same_files")
    assert has(case(changes=[guilty, other], ended=20), guilty, "ended_by_deploy", "fix_other_files")
    assert not has(case(changes=[guilty, same]), guilty, "ended_by_deploy")


def test_a_failed_deploy_that_was_withdrawn() -> None:
    failed = deploy(-3, id="f", status="failure", finish=ONSET + 20 * MINUTE)
    early = replace(failed, finish=ONSET + 4 * MINUTE)

    assert has(case(changes=[failed], ended=20), failed, "failed_reverted")
    assert has(case(changes=[early]), early, "failed_reverted_in_vain")


def test_errors_that_stop_with_the_roll_out() -> None:
    slow = deploy(-3, id="s", finish=ONSET + 20 * MINUTE)

    assert has(case(changes=[slow], ended=20), slow, "ended_with_rollout")


def test_a_flag_that_was_undone() -> None:
    on = flag(-3, id="on")
    off = flag(20, id="off", old=50.0, new=0.0)
    early = flag(4, id="early", old=50.0, new=0.0)
    further = flag(10, id="more", old=50.0, new=100.0)

    assert has(case(changes=[on, further, off], ended=20), on, "flag_undone")
    assert has(case(changes=[on, early]), on, "flag_undone_in_vain")
    assert not has(case(changes=[on, off]), on, "flag_undone")
    assert not has(case(changes=[replace(on, old=None), off], ended=20), replace(on, old=None), "flag_undone")


def test_an_end_without_any_change() -> None:
    assert has(case(ended=20), None, "none_ended_alone")
    assert not has(case(), None, "none_ended_alone")


# -- small things ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (40, "40 s"),
        (-200, "3 min"),
        (7800, "2 h 10 min"),
        (7200, "2 h"),
        (12 * HOUR + 60, "12 h"),
        (2 * DAY, "2.0 days"),
    ],
)
def test_durations_are_said_shortly(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


def test_the_release_before_each_deploy() -> None:
    rows = [
        deploy(-90, id="a", release="1.0"), deploy(-80, id="b", release="1.1", status="failure"),
        deploy(-70, id="c", release="1.2", percent=10.0), deploy(-60, id="d", release="s-1", strategy="migration"),
        deploy(-50, id="e", release="1.3"), deploy(-40, id="f", release=""), deploy(-30, id="g", release="1.4"),
    ]  # fmt: skip

    assert releases_before(rows) == {"a": "", "b": "1.0", "c": "1.0", "d": "1.0", "e": "1.0", "f": "1.3", "g": "1.3"}
