"""How long recovery took, where instants fall on the edges of a window."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reliability.domain.test_asked import Payload, deploy, incident, printed

LIVE = "2026-03-03T09:30:00Z"
END = "2026-03-09T00:00:00Z"
BLAMED = [{"kind": "deploy", "id": "d"}]


def counted(part: Payload) -> tuple[int, int, int, float | None]:
    """Completed, open and unknown durations, and the median."""
    return part["completed_count"], part["open_count"], part["unknown_count"], part["median_seconds"]


@pytest.mark.parametrize(
    ("started_at", "restored_at", "live_at", "found"),
    [
        ("2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", None, (1, 0, 0, 5400)),
        (LIVE, LIVE, None, (1, 0, 0, 0)),
        ("2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", "2026-03-03T12:00:00Z", (0, 0, 1, None)),
        ("2026-03-08T23:30:00Z", END, None, (0, 1, 0, 484_200)),
        ("2026-03-08T23:30:00Z", "2026-03-10T00:00:00Z", None, (0, 1, 0, 484_200)),
        ("2026-03-08T23:30:00Z", None, None, (0, 1, 0, 484_200)),
        (END, "2026-03-10T00:00:00Z", None, (0, 0, 0, None)),
        (END, None, None, (0, 0, 0, None)),
    ],
)
def test_a_failed_deploy_recovers_with_its_incident(
    started_at: str, restored_at: str | None, live_at: str | None, found: tuple[int, int, int, float | None]
) -> None:
    blamed = incident(causes=BLAMED, started_at=started_at, restored_at=restored_at)

    part = printed(deploy(live_at=live_at), blamed)["total"]["failed_deployment_recovery"]

    assert counted(part) == found


def test_only_new_versions_of_the_service_recover() -> None:
    lines = [
        deploy("a", service="api"),
        deploy("b", service="api"),
        deploy("r", kind="redeploy"),
        deploy("d"),
        *(incident(f"i-{name}", causes=[{"kind": "deploy", "id": name}]) for name in ("a", "b", "r", "d")),
    ]

    report = printed(*lines)

    parts = [report["services"]["api"], report["services"]["shop"], report["total"]]
    assert [counted(part["failed_deployment_recovery"]) for part in parts] == [
        (2, 0, 0, 5400),
        (1, 0, 0, 5400),
        (3, 0, 0, 5400),
    ]


@pytest.mark.parametrize(
    ("started_at", "restored_at", "found"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", (0, 0, 0, None)),
        ("2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z", (1, 0, 0, 14 * 3600)),
        ("2026-03-08T23:00:00Z", END, (0, 1, 0, 3600)),
        ("2026-03-08T23:00:00Z", "2026-03-09T10:00:00Z", (0, 1, 0, 3600)),
        ("2026-03-08T23:00:00Z", None, (0, 1, 0, 3600)),
        (END, None, (0, 0, 0, None)),
        ("2026-03-09T10:00:00Z", "2026-03-09T11:00:00Z", (0, 0, 0, None)),
    ],
)
def test_what_is_restored_at_the_end_of_a_window_was_open_in_it(
    started_at: str, restored_at: str | None, found: tuple[int, int, int, float | None]
) -> None:
    part = printed(incident(started_at=started_at, restored_at=restored_at, **{"class": "single_user"}))

    restored = part["total"]["time_to_restore"]
    assert counted(restored["all"]) == found
    assert counted(restored["by_class"]["single_user"]) == found
    assert counted(restored["by_class"]["downtime"]) == (0, 0, 0, None)
    assert counted(restored["by_origin"]["unknown"]) == found


def clocks(name: str, *, detected: str, acknowledged: str, mitigated: str, **more: Any) -> tuple[str, Payload]:
    """An incident of 10:00 to 11:00; JSON may be anything."""
    stated = {"detected_at": detected, "acknowledged_at": acknowledged, "mitigated_at": mitigated}
    return incident(name, **{key: f"2026-03-03T{at}:00Z" for key, at in stated.items()}, **more)


def test_phases_lie_between_the_clocks() -> None:
    lines = [
        clocks("a", detected="10:05", acknowledged="10:07", mitigated="10:25"),
        clocks("b", detected="10:10", acknowledged="10:10", mitigated="10:09"),
        clocks("c", detected="10:20", acknowledged="10:19", mitigated="11:00", started_at=None),
        clocks("d", detected="10:00", acknowledged="10:00", mitigated="10:00", restored_at="2026-03-10T00:00:00Z"),
    ]

    phases = printed(*lines)["total"]["phases"]

    assert {name: tuple(part.values()) for name, part in phases.items()} == {
        "detection": (2, 1, 450, 570),
        "acknowledgement": (2, 1, 60, 108),
        "mitigation": (2, 1, 1800, 2280),
        "restoration": (3, 0, 2100, 2868),
    }
