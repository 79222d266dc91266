"""Calls learned from the hosts that errors name."""

from __future__ import annotations

from incidents.domain.topology import learned_calls

SERVICES = frozenset({"shop", "db", "orders"})


def test_whoever_names_the_host_of_a_service_calls_it() -> None:
    errors = [("shop", ("db.internal", "api.cards.example")), ("shop", ("orders-api.svc.cluster.local",)), ("db", ())]

    assert learned_calls(errors, SERVICES) == {"shop": {"db", "orders"}}


def test_a_service_that_names_itself_calls_nobody() -> None:
    assert learned_calls([("db", ("db.internal",))], SERVICES) == {}
