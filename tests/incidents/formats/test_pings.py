from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.pings import NotAPing, Ping, read_artifact, read_ping

RID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("", "ok"),
        ("start", "in_progress"),
        ("fail", "error"),
        ("log", "log"),
        ("0", "ok"),
        ("3", "error"),
        ("255", "error"),
    ],
)
def test_the_last_part_says_what_happened(what: str, status: str) -> None:
    assert read_ping(what) == Ping(status)
    assert read_ping(what, RID) == Ping(status, RID.replace("-", ""))


@pytest.mark.parametrize(("what", "rid"), [("256", ""), ("-1", ""), ("stop", ""), ("٣", ""), ("", "nonsense")])
def test_what_is_no_ping_is_refused(what: str, rid: str) -> None:
    with pytest.raises(NotAPing):
        read_ping(what, rid)


def test_a_backup_tells_what_it_made() -> None:
    told = {
        "bytes": "1024", "checksum": " sha256:ab ", "location": "s3://b/1", "source_changed_at": "2026-03-04T10:00:00Z",
        "restored": "1", "rid": RID,
    }  # fmt: skip

    assert read_artifact(told) == {
        "bytes": 1024, "checksum": "sha256:ab", "location": "s3://b/1", "source_changed_at": "2026-03-04T10:00:00Z",
        "restored": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"bytes": "-1", "checksum": "\n", "location": 3, "source_changed_at": "soon", "restored": "perhaps"},
        {"bytes": True, "source_changed_at": True}, {"bytes": 2**61, "checksum": "a\x1bb", "source_changed_at": 1e12},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out(told: dict[str, Any]) -> None:
    assert read_artifact(told) == {}
    assert read_artifact({"restored": "no"}) == {"restored": False}


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3)


@given(st.dictionaries(st.sampled_from(["bytes", "checksum", "location", "source_changed_at", "restored"]), JSON))
def test_no_value_breaks_it(told: dict[str, Any]) -> None:
    assert set(read_artifact(told)) <= set(told)
