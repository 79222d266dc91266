from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats import incident_table
from incidents.formats.incident_table import (
    KEYS,
    NotATable,
    Reading,
    guessed_columns,
    parsed_instant,
    read_rows,
    read_table,
)

BERLIN = ZoneInfo("Europe/Berlin")


def rows(text: str, **more: Any) -> list[Any]:
    table = read_table(text)
    reading = Reading(columns=guessed_columns(table.header), zone=dt.UTC, **more)
    return [row.problems or row.payload for row in read_rows(table, reading)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_the_separator(separator: str) -> None:
    header = separator.join(["Ticket", "Title", "Class", "Service", "Start", "Resolved"])
    cells = separator.join(["T-1", "Down", "outage", "shop", "2026-03-04 12:00", "2026-03-04T13:00:00+01:00"])

    assert rows(f"\N{BOM}{header}\r\n{cells}\r\n\r\n") == [
        {
            "id": "T-1", "title": "Down", "class": "downtime", "services": ["shop"],
            "started_at": "2026-03-04T12:00:00Z", "restored_at": "2026-03-04T12:00:00Z",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "title\n", "\n\n", "title\n" + "x\n" * 5_001])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(NotATable):
        read_table(text)


def test_a_cell_that_is_too_large_for_the_reader_is_refused() -> None:
    with pytest.raises(NotATable, match="Line 2"):
        read_table('title\n"' + "x" * 200_000)


def test_columns_are_guessed_by_their_names_and_no_key_twice() -> None:
    assert guessed_columns(["Summary", "Started at", "Name", "Colour", "Duration (min)"]) == (
        "title", "started_at", "", "", "minutes",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "dates", "expected"),
    [
        ("2026-03-04T12:00:00Z", "iso", "2026-03-04T12:00:00+00:00"),
        ("2026-03-04 12:00", "iso", "2026-03-04T12:00:00+01:00"),
        ("2026/03/04 12:00:30", "iso", "2026-03-04T12:00:30+01:00"),
        ("2026-03-04", "iso", "2026-03-04T00:00:00+01:00"),
        ("04.03.2026 12:00", "day", "2026-03-04T12:00:00+01:00"),
        ("4/3/2026, 1:30 PM", "day", "2026-03-04T13:30:00+01:00"),
        ("03/04/26 12:00", "month", "2026-03-04T12:00:00+01:00"),
        ("03/31/2026", "day", None),
        ("yesterday", "iso", None),
    ],
)
def test_times_as_spreadsheets_write_them(text: str, dates: str, expected: str | None) -> None:
    at = parsed_instant(text, zone=BERLIN, dates=dates)

    assert (at.isoformat() if at else None) == expected


HEADER = "id,title,class,services,start,detected,mitigated,resolved,minutes,severity,notes\n"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,,downtime,shop,2026-03-04,,,,,,", "no title"),
        ("1,x,,shop,2026-03-04,,,,,,", "no class"),
        ("1,x,huge,shop,2026-03-04,,,,,,", "no class called 'huge'"),
        ("1,x,downtime,,2026-03-04,,,,,,", "no service"),
        ("1,x,downtime,shop,,,,2026-03-04,,,", "no start: neither when it began nor when it was detected"),
        ("1,x,downtime,shop,soon,,,,,,", "started: cannot read the time 'soon'"),
        ("1,x,downtime,shop,0204-03-04,,,,,,", "started: expected a year from 1990 to 2199, got 204"),
        ("1,x,downtime,shop,2026-03-04,2026-03-03,,,,,", "detected lies before its start"),
        ("1,x,downtime,shop,2026-03-04,,2026-03-06,2026-03-05,,,", "mitigated lies after restored"),
        ("1,x,downtime,shop,2026-03-04,,,,long,,", "cannot read the length 'long'"),
    ],
)
def test_a_row_says_why_it_is_refused(row: str, problem: str) -> None:
    assert problem in rows(HEADER + row)[0]


@pytest.mark.parametrize(
    ("length", "end"), [("90", "13:30:00"), ("1:30", "13:30:00"), ("0:01:30", "12:01:30"), ("1,5", "12:01:30")]
)
def test_a_length_gives_the_end(length: str, end: str) -> None:
    payload = rows(HEADER + f'1,x,downtime,shop,2026-03-04 12:00,,,,"{length}",,')[0]

    assert payload["restored_at"] == f"2026-03-04T{end}Z"


def test_the_end_that_is_told_stands_before_its_length() -> None:
    payload = rows(HEADER + "1,x,downtime,shop,2026-03-04 12:00,,,2026-03-04 12:05,90,,")[0]

    assert payload["restored_at"] == "2026-03-04T12:05:00Z"
    assert "restored_at" not in rows(HEADER + "1,x,downtime,shop,2026-03-04 12:00,,,,,,")[0]


def test_defaults_severity_notes_and_several_services() -> None:
    table = read_table(
        HEADER + '1,x,huge,"shop, api;shop",2026-03-04,,,,,P2,it was the disk\n2,y,,,2026-03-04,,,,,blue,'
    )
    reading = Reading(
        columns=guessed_columns(table.header), zone=dt.UTC, default_class="impactless", default_service="wiki"
    )

    first, second = read_rows(table, reading)

    assert (first.payload["services"], first.payload["class"], first.severity, first.note) == (
        ["shop", "api"], "impactless", "sev2", "it was the disk",
    )  # fmt: skip
    assert (second.payload["services"], second.severity) == (["wiki"], "")


def test_a_row_twice_is_one_incident_and_has_the_same_name_each_time() -> None:
    one = "x,downtime,shop,2026-03-04\n"

    first, second = rows("title,class,service,start\n" + one + one)

    assert second == ("a row above has the same number, or is the same",)
    assert first["id"] == rows("title,class,service,start\n" + one)[0]["id"]


@given(
    st.text(max_size=200), st.lists(st.sampled_from(["", *KEYS]), max_size=5), st.sampled_from(["iso", "day", "month"])
)
def test_no_text_breaks_it(text: str, columns: list[str], dates: str) -> None:
    try:
        table = read_table(text)
    except NotATable:
        return
    guessed_columns(table.header)
    for row in read_rows(table, Reading(tuple(columns), dt.UTC, dates)):
        assert bool(row.payload) is not bool(row.problems)


def test_the_limit_is_that_of_the_message() -> None:
    assert f"{incident_table.MOST_ROWS:,}" == "5,000"
