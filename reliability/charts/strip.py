"""The week strip: lanes of services, changes as signs, incidents as bars, and lines from a change to what it caused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from deploys.charts.figures import (
    ACCENT,
    CLEAR,
    INK,
    JSON,
    LINE,
    MARK,
    MARK_2,
    PAPER,
    Column,
    Figure,
    Key,
    Link,
    Row,
    axis,
    ground,
    label,
    layout,
    plain,
    stamp,
    upright,
)
from deploys.domain.wording import GAP, UNKNOWN, counted, duration, listed

SYMBOLS = {"deploy": "triangle-up", "hotfix": "triangle-up-open", "rollback": "triangle-down", "redeploy": "triangle-up", "flag": "diamond", "configuration": "square"}  # fmt: skip
SIZES = {"flag": 9, "configuration": 7}
KIND_WORDS = {"flag": "flag change"}
#: Height of a bar in its lane: the gauge of the class, as in the badge.
GAUGE = {"downtime": 0.44, "multi-user": 0.29, "single-user": 0.16, "impactless": 0.05}
CROWD = dt.timedelta(minutes=80)
SIGN_LEVEL, STEP_DOWN, BASE, STEPS = 0.29, 0.18, -0.42, 3
LEAST_PIXELS = 7


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """A change in a lane. `kind` is a key of SYMBOLS; `key` identifies it for the lines from `IncidentBar.caused_by`."""

    key: str
    lane: str
    at: dt.datetime
    kind: str
    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class IncidentBar:
    """An incident in a lane; `ended_at` None while it is open. `caused_by` are keys of confirmed changes only."""

    label: str
    lane: str
    impact_class: str
    began_at: dt.datetime
    ended_at: dt.datetime | None
    title: str
    caused_by: Sequence[str] = field(default_factory=tuple)
    cause_words: str = ""
    url: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """A time in a lane (None: in all) that does not count: `maintenance` (announced) or `unknown` (not monitored)."""

    kind: str
    from_at: dt.datetime
    to_at: dt.datetime
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """What the strip shows: local days from `from_at` to `to_at`, both midnights of `zone`; `now` if it lies inside."""

    from_at: dt.datetime
    to_at: dt.datetime
    zone: ZoneInfo
    lanes: Sequence[str]
    changes: Sequence[ChangeMark] = field(default_factory=tuple)
    incidents: Sequence[IncidentBar] = field(default_factory=tuple)
    grounds: Sequence[Ground] = field(default_factory=tuple)
    now: dt.datetime | None = None


def _heights(strip: Strip) -> dict[str, float]:
    """The y of each change: at the top of its lane, a row lower when it follows another within CROWD."""
    base = {lane: len(strip.lanes) - 1 - place for place, lane in enumerate(strip.lanes)}
    heights: dict[str, float] = {}
    last: dict[str, tuple[dt.datetime, int]] = {}
    for mark in sorted(strip.changes, key=lambda each: each.at):
        before = last.get(mark.lane)
        row = (before[1] + 1) % STEPS if before and mark.at - before[0] < CROWD else 0
        last[mark.lane] = (mark.at, row)
        heights[mark.key] = base[mark.lane] + SIGN_LEVEL - row * STEP_DOWN
    return heights


def week_strip(strip: Strip, *, figure_id: str = "strip", title: str = "This week") -> Figure:
    """The figure. Marks in lanes that are not listed are left out: the caller lists every lane it wants."""
    lanes = set(strip.lanes)
    strip = Strip(
        strip.from_at, strip.to_at, strip.zone, strip.lanes,
        [each for each in strip.changes if each.lane in lanes], [each for each in strip.incidents if each.lane in lanes],
        [each for each in strip.grounds if each.lane is None or each.lane in lanes], strip.now,
    )  # fmt: skip
    heights = _heights(strip)
    days = _days(strip)
    shapes, notes = _frame(strip, days)
    narrow_end = min(strip.to_at, _midnight_after(strip.now, strip.zone)) if strip.now else None
    narrow = (
        {"narrow_range": [stamp(max(strip.from_at, narrow_end - dt.timedelta(days=3))), stamp(narrow_end)]}
        if narrow_end
        else {"narrow_ticks": {"ticktext": [f"{day.astimezone(strip.zone):%a}" for day in days]}}
    )
    drawn = go.Figure(
        data=[*_grounds(strip), *_lines(strip, heights), *_bars(strip), *_marks(strip, heights)],
        layout=layout(
            left=min(150, 22 + 7 * max((len(lane) for lane in strip.lanes), default=0)),
            xaxis=axis(type="date", range=[stamp(strip.from_at), stamp(strip.to_at)], showgrid=False,
                       tickvals=[stamp(_noon(day, strip.zone)) for day in days],
                       ticktext=[f"{day.astimezone(strip.zone):%a} {day.astimezone(strip.zone).day}" for day in days]),
            yaxis=axis(range=[-0.5, max(len(strip.lanes), 1) - 0.5], showgrid=False, tickfont={"size": 13, "color": INK},
                       tickvals=list(range(len(strip.lanes) - 1, -1, -1)), ticktext=[_short(lane) for lane in strip.lanes]),
            barmode="overlay", bargap=0, shapes=shapes, annotations=notes, meta={"min_px": LEAST_PIXELS, **narrow},
        ),
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        sentence=_sentence(strip),
        json=plain(drawn),
        columns=(Column("Incident"), Column("Service"), Column("Class"), Column("Began"), Column("Lasted", is_number=True), Column("Cause")),
        table=[_row(bar, strip) for bar in sorted(strip.incidents, key=lambda each: each.began_at, reverse=True)],
        key=_key(strip),
        size="strip" if len(strip.lanes) > 3 else "strip-low",
    )  # fmt: skip


def _days(strip: Strip) -> list[dt.datetime]:
    """The local midnights that begin the days shown."""
    days, day = [], strip.from_at
    while day < strip.to_at:
        days.append(day)
        day = _midnight_after(day, strip.zone)
    return days


def _midnight_after(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    local = at.astimezone(zone)
    return dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), tzinfo=zone).astimezone(dt.UTC)


def _noon(day: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day.astimezone(zone).date(), dt.time(12), tzinfo=zone)


def _short(lane: str) -> str:
    return lane if len(lane) <= 18 else f"{lane[:17]}…"


def _frame(strip: Strip, days: Sequence[dt.datetime]) -> tuple[list[JSON], list[JSON]]:
    """Hairlines between lanes and days, the ground of what is ahead, the line that says now."""
    hair = {"color": LINE, "width": 1}
    shapes: list[JSON] = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": level - 0.5,
            "y1": level - 0.5,
            "line": hair,
            "layer": "below",
        }
        for level in range(len(strip.lanes) + 1)
    ]
    shapes += [
        {
            "type": "line",
            "x0": stamp(day),
            "x1": stamp(day),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": hair,
            "layer": "below",
        }
        for day in days
    ]
    notes: list[JSON] = []
    if strip.now and strip.from_at < strip.now < strip.to_at:
        shapes += [ground(strip.now, strip.to_at), upright(strip.now)]
        near_end = (strip.to_at - strip.now) / (strip.to_at - strip.from_at) < 0.05
        notes.append(
            label(strip.now, f"now {strip.now.astimezone(strip.zone):%H:%M}", anchor="right" if near_end else "center")
        )
    return shapes, notes


def _grounds(strip: Strip) -> list[go.Bar]:
    """Hatched slots of announced maintenance and dotted times in which nobody watched."""
    bars = []
    for kind, shape, words in (("maintenance", "/", "announced maintenance"), ("unknown", ".", "not monitored")):
        spans = [
            (lane, max(each.from_at, strip.from_at), min(each.to_at, strip.to_at))
            for each in strip.grounds if each.kind == kind
            for lane in ([each.lane] if each.lane is not None else strip.lanes)
        ]  # fmt: skip
        spans = [span for span in spans if span[2] > span[1]]
        if not spans:
            continue
        bars.append(go.Bar(
            orientation="h", base=[stamp(begin) for _, begin, _ in spans], x=[_ms(end - begin) for _, begin, end in spans],
            y=[_level(strip, lane) for lane, _, _ in spans], width=0.94, textposition="none",
            marker={"color": CLEAR, "line": {"width": 0}, "pattern": {"shape": shape, "fgcolor": MARK_2, "bgcolor": CLEAR, "size": 5, "solidity": 0.28}},
            text=[f"{lane} · {words}, {duration(end - begin)}, not counted" for lane, begin, end in spans], hovertemplate="%{text}<extra></extra>",
        ))  # fmt: skip
    return bars


def _ms(length: dt.timedelta) -> float:
    return length.total_seconds() * 1_000


def _level(strip: Strip, lane: str) -> int:
    return len(strip.lanes) - 1 - list(strip.lanes).index(lane)


def _lines(strip: Strip, heights: dict[str, float]) -> list[go.Scatter]:
    """Mulberry lines from confirmed causes to their incidents; a cause before the window has no line."""
    marks = {mark.key: mark for mark in strip.changes}
    xs: list[str | None] = []
    ys: list[float | None] = []
    for bar in strip.incidents:
        for key in bar.caused_by:
            if key in marks:
                xs += [stamp(marks[key].at), stamp(max(bar.began_at, strip.from_at)), None]
                ys += [heights[key], _level(strip, bar.lane) + BASE + GAUGE[bar.impact_class], None]
    return [go.Scatter(x=xs, y=ys, mode="lines", line={"color": ACCENT, "width": 2}, hoverinfo="skip")] if xs else []


def _lasted(bar: IncidentBar, strip: Strip) -> dt.timedelta:
    return (bar.ended_at or strip.now or strip.to_at) - bar.began_at


def _bars(strip: Strip) -> list[go.Bar]:
    """Incidents of each class as bars of true length (the browser widens what would be too narrow to see)."""
    drawn = []
    for name, height in GAUGE.items():
        bars = [bar for bar in strip.incidents if bar.impact_class == name]
        if not bars:
            continue
        colour = f"var(--{name})"
        begins = [max(bar.began_at, strip.from_at) for bar in bars]
        ends = [min(bar.began_at + _lasted(bar, strip), strip.to_at) for bar in bars]
        drawn.append(go.Bar(
            orientation="h", meta="floor", base=[stamp(begin) for begin in begins],
            x=[max(0.0, _ms(end - begin)) for begin, end in zip(begins, ends, strict=True)],
            y=[_level(strip, bar.lane) + BASE + height / 2 for bar in bars], width=height, marker={"color": colour, "line": {"width": 0}},
            text=[f"{GAP}{bar.label.rpartition('-')[2]}" for bar in bars], textposition="outside", cliponaxis=False, constraintext="none", textangle=0,
            textfont={"size": 11, "color": colour},
            customdata=[f"{bar.label} · {name} · {duration(_lasted(bar, strip))}{'' if bar.ended_at else ' so far'}<br>{bar.title}" for bar in bars],
            hovertemplate="%{customdata}<extra></extra>",
        ))  # fmt: skip
    return drawn


def _marks(strip: Strip, heights: dict[str, float]) -> list[go.Scatter]:
    """Changes as signs in ink; one that caused an incident larger and in mulberry, above the others."""
    caused: dict[str, list[str]] = {}
    for bar in strip.incidents:
        for key in bar.caused_by:
            caused.setdefault(key, []).append(bar.label)
    drawn = []
    for guilty in (False, True):
        for kind, symbol in SYMBOLS.items():
            marks = [mark for mark in strip.changes if mark.kind == kind and (mark.key in caused) == guilty]
            if not marks:
                continue
            colour = ACCENT if guilty else MARK
            is_open = symbol.endswith("-open")
            drawn.append(go.Scatter(
                x=[stamp(mark.at) for mark in marks], y=[heights[mark.key] for mark in marks], mode="markers",
                marker={"symbol": symbol, "size": SIZES.get(kind, 10) + (3 if guilty else 0), "color": colour,
                        "line": {"width": 1.4 if is_open else 1, "color": colour if is_open else PAPER}},
                text=[_said(mark, caused.get(mark.key, ()), strip.zone) for mark in marks], hovertemplate="%{text}<extra></extra>",
            ))  # fmt: skip
    return drawn


def _said(mark: ChangeMark, caused: Sequence[str], zone: ZoneInfo) -> str:
    tail = f" · caused {listed(list(caused))}" if caused else ""
    return (
        f"{mark.lane} · {KIND_WORDS.get(mark.kind, mark.kind)} {mark.name}<br>{mark.at.astimezone(zone):%a %H:%M}{tail}"
    )


def _row(bar: IncidentBar, strip: Strip) -> Row:
    began = f"{bar.began_at.astimezone(strip.zone):%a %H:%M:%S}".replace(" ", GAP)
    lasted = duration(_lasted(bar, strip)) + ("" if bar.ended_at else " so far")
    return (
        Link(bar.label, bar.url) if bar.url else bar.label,
        bar.lane,
        bar.impact_class,
        began,
        lasted,
        bar.cause_words or UNKNOWN,
    )


def _sentence(strip: Strip) -> str:
    """The strip in words: how much it shows, and every confirmed cause."""
    names = {mark.key: f"{mark.lane} {mark.name}" for mark in strip.changes}
    links = [
        f"{names[key]} caused {bar.label} on {bar.lane}"
        for bar in strip.incidents
        for key in bar.caused_by
        if key in names
    ]
    head = f"{counted(len(strip.changes), 'change')} and {counted(len(strip.incidents), 'incident')} on {counted(len(strip.lanes), 'service')}."
    return f"{head} {listed(links, limit=6)}." if links else head


def _key(strip: Strip) -> list[Key]:
    """Only what the strip really shows."""
    kinds = {mark.kind for mark in strip.changes}
    words = {
        "deploy": "deploy",
        "hotfix": "hotfix",
        "rollback": "rollback",
        "flag": "flag change",
        "configuration": "configuration",
    }
    key = [
        Key("sign", kind, said)
        for kind, said in words.items()
        if kind in kinds or (kind == "deploy" and "redeploy" in kinds)
    ]
    classes = {bar.impact_class for bar in strip.incidents}
    key += [Key("class", name) for name in GAUGE if name in classes]
    if any(bar.caused_by for bar in strip.incidents):
        key.append(Key("cause", "cause", "caused it"))
    grounds = {each.kind for each in strip.grounds}
    key += [Key("swatch", "hatch", "announced maintenance")] if "maintenance" in grounds else []
    key += [Key("swatch", "dots", "not monitored")] if "unknown" in grounds else []
    return [
        *key,
        *(
            [Key("words", "", f"short bars are drawn wider than true, at least {LEAST_PIXELS}{GAP}px")]
            if classes
            else []
        ),
    ]
