"""Small random histories of three weeks in March 2026, as facts in the words of the history format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from deploys.domain.instants import instant_text
from deploys.domain.records import Fact, identity_of

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTES = 3 * 7 * 24 * 60
SERVICES = ("shop", "api")
Payload = dict[str, Any]  # Any: JSON

moments = st.integers(0, MINUTES).map(lambda minute: START + timedelta(minutes=minute))
lengths = st.integers(1, 2000).map(lambda minute: timedelta(minutes=minute))
degradations = st.sampled_from([None, 0, 0.1, 0.3, 0.5, 1])
services = st.lists(st.sampled_from(SERVICES), min_size=1, max_size=2, unique=True)


@st.composite
def deploys(draw: st.DrawFn, name: str) -> Payload:
    """Rolled out within an hour, or failed, or never heard of again."""
    started_at = draw(moments)
    status = draw(st.sampled_from(["success", "success", "success", "failure", "in_progress"]))
    payload: Payload = {"id": name, "service": draw(st.sampled_from(SERVICES)), "started_at": instant_text(started_at)}
    payload |= {"status": status, "release": draw(st.sampled_from(["1", "2", "3", "4"]))}
    if status != "in_progress":
        payload["finished_at"] = instant_text(started_at + timedelta(minutes=draw(st.integers(0, 60))))
    elif draw(st.booleans()):
        payload["percent"] = 10
    if draw(st.integers(0, 9)) == 0:
        payload["kind"] = draw(st.sampled_from(["forward", "rollback", "redeploy", "hotfix"]))
    return payload


@st.composite
def causes(draw: st.DrawFn, deploy_ids: list[str]) -> list[Payload]:
    """Up to three links, some weighted, some only suggested."""
    kinds = ["external", "infrastructure", "capacity", "unknown", *(["deploy"] * 4 if deploy_ids else [])]
    links: list[Payload] = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=3)):
        link: Payload = {"kind": kind, "status": draw(st.sampled_from(["confirmed", "confirmed", "suggested"]))}
        if kind == "deploy":
            link["id"] = draw(st.sampled_from(deploy_ids))
        weight = draw(st.sampled_from([None, None, 0.2, 0.7, 1]))
        links.append(link if weight is None else link | {"weight": weight})
    return links


@st.composite
def incidents(draw: st.DrawFn, name: str, deploy_ids: list[str]) -> Payload:
    """Open or restored, of any class."""
    started_at = draw(moments)
    payload: Payload = {
        "id": name,
        "services": draw(services),
        "class": draw(st.sampled_from(["downtime", "downtime", "multi_user", "single_user", "impactless"])),
        "started_at": instant_text(started_at),
        "causes": draw(causes(deploy_ids)),
    }
    if draw(st.integers(0, 4)):
        payload["restored_at"] = instant_text(started_at + draw(lengths))
    degradation = draw(degradations)
    if degradation is not None:
        payload["degradation"] = degradation
    if deploy_ids and draw(st.booleans()):
        payload["remedies"] = [{"kind": "deploy", "id": draw(st.sampled_from(deploy_ids))}]
    return payload


@st.composite
def slots(draw: st.DrawFn, name: str) -> Payload:
    """A maintenance slot, announced or not."""
    starts_at = draw(moments)
    payload: Payload = {"id": name, "starts_at": instant_text(starts_at)}
    payload["ends_at"] = instant_text(starts_at + draw(lengths))
    if draw(st.booleans()):
        payload["announced_at"] = instant_text(starts_at - draw(st.sampled_from([timedelta(1), timedelta(hours=1)])))
    if draw(st.booleans()):
        payload["excused_by"] = "kim"
    if draw(st.booleans()):
        payload["services"] = draw(services)
    return payload


@st.composite
def gaps(draw: st.DrawFn, name: str) -> Payload:
    """A time in which nobody watched."""
    starts_at = draw(moments)
    return {"id": name, "starts_at": instant_text(starts_at), "ends_at": instant_text(starts_at + draw(lengths))}


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Facts, each received some time after the earliest instant."""
    deploy_ids = [f"d{index}" for index in range(draw(st.integers(0, 8)))]
    lines: list[tuple[str, Payload]] = [("service", {"service": name}) for name in SERVICES]
    lines += [("deploy", draw(deploys(name))) for name in deploy_ids]
    lines += [("incident", draw(incidents(f"i{index}", deploy_ids))) for index in range(draw(st.integers(0, 6)))]
    lines += [("maintenance", draw(slots(f"m{index}"))) for index in range(draw(st.integers(0, 2)))]
    lines += [("monitoring_gap", draw(gaps(f"g{index}"))) for index in range(draw(st.integers(0, 2)))]
    lines += [
        ("change", {"sha": f"c{index}", "committed_at": instant_text(draw(moments)), "deploys": [name]})
        for index, name in enumerate(deploy_ids)
    ]
    lines.append(("objective", {"id": "o", "target": 0.999, "calendar": "month"}))
    lines.append(("objective", {"id": "w", "service": "shop", "target": 0.95, "window_days": 7}))
    return [Fact(kind, identity_of(kind, payload) or "", payload, draw(st.none() | moments)) for kind, payload in lines]
