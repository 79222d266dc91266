"""Stored reports as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.shown_event import ShownCrumb, ShownError, ShownEvent, ShownFrame, shown_event

REPORT = {
    "exception": {
        "values": [
            {"type": "OSError", "value": "gone", "stacktrace": {"frames": [{"filename": "db.py", "lineno": 5}]}},
            {
                "type": "KeyError",
                "value": "'total'",
                "mechanism": {"handled": False},
                "stacktrace": {
                    "frames": [
                        {"filename": "lib/python3.12/site-packages/web/base.py", "function": "run", "lineno": 9},
                        {
                            "filename": "orders/totals.py", "function": "total", "lineno": 88, "in_app": True,
                            "pre_context": ["def total(row):"], "context_line": "    return row['total']",
                            "post_context": [""], "vars": {"row": {"a": 1}},
                        },
                    ]
                },
            },
        ]
    },
    "request": {"method": "POST", "url": "https://shop.example/pay"},
    "contexts": {"runtime": {"name": "CPython", "type": "runtime"}, "trace": {"op": "http.server"}},
    "breadcrumbs": {
        "values": [{"timestamp": "10:00", "category": "http", "data": {"method": "GET", "url": "/x", "status_code": 200}}]
    },
}  # fmt: skip


def test_chain_begins_with_the_error_that_is_named() -> None:
    assert shown_event(REPORT) == ShownEvent(
        errors=(
            ShownError(
                type="KeyError",
                message="'total'",
                frames=(
                    ShownFrame(
                        place="orders/totals.py:88", function="total", is_own=True,
                        lines=((87, "def total(row):", False), (88, "    return row['total']", True), (89, "", False)),
                        variables=(("row", "{'a': 1}"),),
                    ),
                    ShownFrame(
                        place="lib/python3.12/site-packages/web/base.py:9", function="run", is_own=False, lines=(), variables=()
                    ),
                ),
                is_handled=False,
            ),
            ShownError(
                type="OSError", message="gone",
                frames=(ShownFrame(place="db.py:5", function="", is_own=True, lines=(), variables=()),), is_handled=None,
            ),
        ),
        request=(("method", "POST"), ("url", "https://shop.example/pay")),
        contexts=(("runtime", (("name", "CPython"),)),),
        crumbs=(ShownCrumb(at="10:00", category="http", message="GET /x 200", level=""),),
    )  # fmt: skip


@pytest.mark.parametrize("report", [None, [], {}, {"exception": 3}, {"exception": {"values": [None, 7]}}])
def test_what_is_no_report_is_empty(report: object) -> None:
    assert shown_event(report) == ShownEvent(errors=(), request=(), contexts=(), crumbs=())


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_KEYS = st.sampled_from(
    ["exception", "values", "stacktrace", "frames", "type", "value", "vars", "lineno", "context_line", "pre_context",
     "mechanism", "handled", "request", "contexts", "breadcrumbs", "data", "message", "logentry", "filename", "x"]
)  # fmt: skip


@given(
    st.recursive(
        _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=30
    )
)
def test_nothing_crashes_it(report: object) -> None:
    assert isinstance(shown_event(report), ShownEvent)


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (["tags", "exceptions"], ("some of its errors", "some tags or their ends")),
        ([1, None, "other"], ()),
        ("frames", ()),
        (None, ()),
    ],
)
def test_what_was_cut_is_told_in_words(mark: object, expected: tuple[str, ...]) -> None:
    assert shown_event({"truncated": mark}).cut == expected
