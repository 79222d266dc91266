from dataclasses import replace
from datetime import UTC, datetime

from incidents.domain.event import ErrorEvent, Frame
from incidents.domain.fingerprint import DEFAULT, VERSION, fingerprint, group

EVENT = ErrorEvent(
    event_id="e1",
    timestamp=datetime(2026, 3, 3, 10, tzinfo=UTC),
    type="KeyError",
    message="'price_17'",
    frames=(Frame(file="https://cdn.shop.test/main.9f86d081.js", function="loadCart", line=1, in_app=True),),
)


def test_fingerprint_ignores_values_bundle_hashes_and_lines() -> None:
    later = replace(
        EVENT,
        message="'price_99'",
        frames=(Frame(file="https://cdn.shop.test/main.aa17c3f0.js", function="loadCart", line=7, in_app=True),),
    )

    assert fingerprint(later) == fingerprint(EVENT)


def test_fingerprint_tells_type_message_and_place_apart() -> None:
    others = [
        replace(EVENT, type="ValueError"),
        replace(EVENT, message="'owner_17'"),
        replace(EVENT, frames=(Frame(file="main.js", function="saveCart", in_app=True),)),
    ]

    assert len({fingerprint(event) for event in [EVENT, *others]}) == 4


def test_group_explains_itself() -> None:
    grouping = group(EVENT)

    assert grouping.version == VERSION
    assert grouping.culprit == "main.js in loadCart"
    assert grouping.explanation == ("type: KeyError", "message: 'price_#'", "place: main.js in loadCart")


def test_a_sent_fingerprint_replaces_or_extends_the_default() -> None:
    other = replace(EVENT, message="'owner'")

    assert fingerprint(EVENT, ["mine"]) == fingerprint(other, ["mine"])
    assert fingerprint(EVENT, ["mine", DEFAULT]) != fingerprint(other, ["mine", DEFAULT])
    assert fingerprint(EVENT, [DEFAULT]) == fingerprint(EVENT)


def test_events_without_type_fall_back_to_transaction_and_logger() -> None:
    bare = replace(EVENT, type="", message="", frames=(), transaction="/cart", logger="shop")

    assert group(bare).explanation == ("transaction: /cart", "logger: shop")
    assert group(replace(bare, message="slow")).explanation == ("message: slow", "logger: shop")
