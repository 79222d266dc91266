"""A figure as a still picture: the JSON that the browser gives to Plotly, drawn here as SVG for the PDF of a report.

Only what our own figures use is known: bars and scatter traces, lines, rectangles and words over the plot, axes of dates,
categories and numbers. Every colour comes from the design tokens of light mode.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from deploys.charts.figures import Figure
from deploys.charts.palette import TOKENS, light_tokens

Part = Mapping[str, Any]  # Any: JSON as Plotly reads it
Point = tuple[float, float]

FONT: Final = 9.0
#: Margins were chosen for letters of 12 px.
MARGIN_SCALE: Final = FONT / 12
HEIGHTS: Final = {"strip": 235, "strip-low": 160, "normal": 150, "small": 120}
_DASHES: Final = {"dot": "1 2.5", "dash": "5 3"}
_ANCHORS: Final = {"left": "start", "center": "middle", "right": "end"}


def still(figure: Figure, *, width: int, height: int | None = None) -> str:
    """The picture, `width` × `height` CSS pixels; its sentence is its accessible name."""
    height = HEIGHTS.get(figure.size, HEIGHTS["normal"]) if height is None else height
    drawn = _Drawing(figure.json["data"], figure.json["layout"], width, height)
    body = "".join(drawn.parts())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="still" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-label={quoteattr(figure.sentence)} font-family="Noto Sans, Liberation Sans, DejaVu Sans, sans-serif" font-size="{FONT:g}">'
        f"{_DEFS}{body}</svg>"
    )


_INLINE: Final = re.compile(r'<svg class="(sign|spark|meter|swatch)"([^>]*)>')
_USE: Final = re.compile(r'<use href="[^"#]*#([a-z-]+)"/>')


def self_contained(html: str) -> str:
    """The small pictures of a page with their colours and signs inside: a typesetter styles no SVG and fetches nothing."""
    signs = _signs()

    def with_style(found: re.Match[str]) -> str:
        box = ' viewBox="0 0 12 12"' if found[1] == "sign" else ""
        return f'<svg xmlns="http://www.w3.org/2000/svg" class="{found[1]}"{box}{found[2]}>{_look(found[1], found[2])}'

    return _USE.sub(lambda found: signs.get(found[1], ""), _INLINE.sub(with_style, html))


@cache
def _signs() -> dict[str, str]:
    """What is drawn of each sign, in a box of 12 × 12."""
    text = (TOKENS.parents[1] / "img" / "signs.svg").read_text(encoding="utf-8")
    found = dict(re.findall(r'<symbol id="([a-z-]+)" viewBox="0 0 12 12">(.*?)</symbol>', text))
    colours = {name: light_tokens()["--accent" if name == "cause" else "--ink"] for name in found}
    return {name: drawn.replace("currentColor", colours[name]) for name, drawn in found.items()}


@cache
def _look(kind: str, attributes: str) -> str:
    """The part of components.css that such a picture needs, in plain colours."""
    ink, mark, mark_2, mark_3, accent = (
        light_tokens()[name] for name in ("--ink", "--mark", "--mark-2", "--mark-3", "--accent-fill")
    )
    if kind == "sign":
        return ""
    if kind == "spark":
        return (
            f"<style>polyline{{fill:none;stroke:{mark};stroke-width:1.2}}line{{stroke:{mark_2};stroke-width:.7;stroke-dasharray:2 2}}"
            f".dot{{fill:none;stroke:{mark};stroke-width:2.4;stroke-linecap:round}}.end{{fill:none;stroke:{ink};stroke-width:4.5;stroke-linecap:round}}</style>"
        )
    if kind == "meter":
        return f"<style>.track{{fill:{mark_3}}}.fill{{fill:{ink}}}</style>"
    token = attributes.partition('data-token="')[2].partition('"')[0]
    fills = {"accent": accent, "mark": mark, "mark-2": mark_2, "mark-3": mark_3, "band": light_tokens()["--band"]}
    dashes = {"dotted": "2 2", "dashed": "5 3"}
    return (
        f"<style>rect{{fill:{fills.get(token, 'none')}}}path{{fill:none;stroke:{mark_2 if token in {'hatch', 'dots', 'dotted'} else ink};"
        f"stroke-width:{1 if token in {'hatch', 'dots'} else 2}{';stroke-dasharray:' + dashes[token] if token in dashes else ''}}}</style>"
    )


def _colour(said: object, default: str = "none") -> str:
    """A token or literal as SVG reads it."""
    text = str(said) if said else ""
    if text.startswith("--"):
        return light_tokens()[text]
    return default if not text or text.startswith("rgba(0,0,0,0") else text


def _hatch() -> str:
    mark = light_tokens()["--mark-2"]
    return (
        f'<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse"><path d="M-1 1 1 -1M0 4 4 0M3 5 5 3" stroke="{mark}"'
        f' stroke-width=".8" fill="none"/></pattern><pattern id="dots" width="4" height="4" patternUnits="userSpaceOnUse">'
        f'<circle cx="2" cy="2" r=".7" fill="{mark}"/></pattern></defs>'
    )


_DEFS: Final = _hatch()


@dataclass(slots=True)
class _Axis:
    """One axis: what its values are, and where they lie between `near` and `far` in pixels."""

    part: Part
    values: Sequence[Any]
    near: float
    far: float
    is_zero_shown: bool = False
    categories: list[str] = field(default_factory=list)
    low: float = 0
    high: float = 1

    def __post_init__(self) -> None:
        kind = self.part.get("type")
        if kind == "category":
            self.categories = list(self.part.get("categoryarray") or dict.fromkeys(map(str, self.values)))
        said = self.part.get("range")
        if said is not None:
            self.low, self.high = self.number(said[0]), self.number(said[1])
        elif self.categories:
            self.low, self.high = -0.5, len(self.categories) - 0.5
        else:
            known = [self.number(value) for value in self.values if value is not None]
            self.low, self.high = (min(known), max(known)) if known else (0, 1)
            if self.part.get("rangemode") == "tozero" or self.is_zero_shown:
                self.low, self.high = min(0, self.low), max(0, self.high) * 1.05
        if self.high == self.low:
            self.high = self.low + 1

    def number(self, value: str | float) -> float:
        """A value on the scale: milliseconds of an instant, the place of a category, or the number."""
        if self.categories and isinstance(value, str):
            return self.categories.index(value) if value in self.categories else math.nan
        if isinstance(value, str):
            return dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC).timestamp() * 1_000.0
        return float(value)

    def at(self, value: str | float) -> float:
        """Where a value lies."""
        share = (self.number(value) - self.low) / (self.high - self.low)
        return self.near + share * (self.far - self.near)

    def within(self, value: str | float) -> bool:
        """Whether it lies in the range."""
        return min(self.low, self.high) <= self.number(value) <= max(self.low, self.high)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and words."""
        if self.part.get("tickvals") is not None:
            pairs = zip(self.part["tickvals"], self.part["ticktext"], strict=True)
            return [(self.at(value), str(words)) for value, words in pairs if self.within(value)]
        if self.categories:
            room = max(1, math.ceil(len(self.categories) * 28 / max(1.0, abs(self.far - self.near))))
            last = len(self.categories) - 1
            return [(self.at(name), name) for place, name in enumerate(self.categories) if (last - place) % room == 0]
        step = _step((self.high - self.low) / max(2, int(self.part.get("nticks") or 5)))
        first = math.ceil(round(self.low / step, 9))
        count = int((self.high - self.low) / step) + 2
        numbers = [step * (first + place) for place in range(count)]
        return [(self.at(number), self.said(number)) for number in numbers if number <= self.high + step * 1e-9]

    def said(self, number: float) -> str:
        """A number of the axis in words."""
        words = f"{number:,.0f}" if self.part.get("tickformat") == ",d" or abs(number) >= 1_000 else f"{number:g}"
        return words.replace("-", "−") + str(self.part.get("ticksuffix") or "")


def _step(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below."""
    power: float = 10 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least * 0.999999), 10 * power)


class _Drawing:
    """A figure's traces and layout, laid out in a box."""

    def __init__(self, data: Sequence[Part], layout: Part, width: float, height: float) -> None:
        self.data, self.layout = data, layout
        margin = layout["margin"]
        self.left, self.right = margin["l"] * MARGIN_SCALE + 4, width - margin["r"] * MARGIN_SCALE - 4
        self.top, self.bottom = margin["t"] * MARGIN_SCALE + 2, height - margin["b"] * MARGIN_SCALE - 2
        self.is_stacked = layout.get("barmode") == "stack"
        bars = [trace for trace in data if trace["type"] == "bar"]
        self.x = _Axis(layout["xaxis"], self._values("x"), self.left, self.right)
        self.y = _Axis(layout["yaxis"], self._values("y"), self.bottom, self.top, is_zero_shown=bool(bars))

    def _values(self, name: str) -> list[Any]:
        """All values on an axis; stacked bars by their sums."""
        bars = [trace for trace in self.data if trace["type"] == "bar" and trace.get("orientation") != "h"]
        if name == "y" and self.is_stacked and bars:
            sums: dict[str, float] = {}
            for trace in bars:
                for x, y in zip(trace["x"], trace["y"], strict=True):
                    sums[x] = sums.get(x, 0) + y
            return list(sums.values())
        return [value for trace in self.data for value in trace.get(name) or () if value is not None]

    def parts(self) -> Iterable[str]:
        """Everything, from the ground up."""
        shapes = self.layout.get("shapes") or ()
        yield from (self._shape(each) for each in shapes if each.get("layer") == "below")
        yield from self._frame()
        stacked: dict[str, float] = {}
        for trace in self.data:
            draw: Callable[[Part], Iterable[str]] = self._scatter
            if trace["type"] == "bar":
                draw = self._lying if trace.get("orientation") == "h" else lambda each: self._standing(each, stacked)
            yield from draw(trace)
        yield from (self._shape(each) for each in shapes if each.get("layer") != "below")
        yield from (self._note(each) for each in self.layout.get("annotations") or ())

    def _frame(self) -> Iterable[str]:
        """Hairlines at the ticks of an axis that has a grid, and the words of both."""
        line, ink = light_tokens()["--line"], light_tokens()["--ink-2"]
        for x, words in self.x.ticks():
            if self.x.part.get("showgrid") is not False:
                yield f'<path d="M{x:.1f} {self.top:.1f}V{self.bottom:.1f}" stroke="{line}" stroke-width=".7" fill="none"/>'
            reach = len(words) * FONT * 0.28  # half of what the words take
            anchor = "end" if x + reach > self.right + 4 else "middle"
            yield _words(words, self.right + 4 if anchor == "end" else x, self.bottom + FONT + 2, anchor, ink)
        colour = _colour((self.y.part.get("tickfont") or {}).get("color"), ink)
        for y, words in self.y.ticks():
            if self.y.part.get("showgrid") is not False:
                yield f'<path d="M{self.left:.1f} {y:.1f}H{self.right:.1f}" stroke="{line}" stroke-width=".7" fill="none"/>'
            yield _words(words, self.left - 5, y + FONT * 0.35, "end", colour)

    def _standing(self, trace: Part, stacked: dict[str, float]) -> Iterable[str]:
        """Bars on a category, each on those before it where they are stacked."""
        pitch = abs(self.x.far - self.x.near) / (self.x.high - self.x.low)
        width = pitch * (trace.get("width") or 1 - float(self.layout.get("bargap") or 0.2))
        bases = trace.get("base") or [0.0] * len(trace["x"])
        texts = trace.get("text") if trace.get("textposition") == "outside" else None
        for place, (x, y, base) in enumerate(zip(trace["x"], trace["y"], bases, strict=True)):
            low = stacked.get(x, 0.0) if self.is_stacked else base
            if self.is_stacked:
                stacked[x] = low + y
            if y:
                begin, end = self.y.at(low), self.y.at(low + y)
                yield self._box(self.x.at(x) - width / 2, min(begin, end), width, abs(end - begin), trace["marker"])
            if texts and texts[place]:
                ink = light_tokens()["--ink-2"]
                yield _words(texts[place], self.x.at(x), self.y.at(low + y) - 3, "middle", ink)

    def _lying(self, trace: Part) -> Iterable[str]:
        """Bars along a time, those that ask for it at least a few pixels long; clipped to the plot."""
        floor = float((self.layout.get("meta") or {}).get("min_px") or 0) * 0.6 if trace.get("meta") == "floor" else 0.0
        height = float(trace.get("width") or 0.5) * abs(self.y.far - self.y.near) / (self.y.high - self.y.low)
        texts = trace.get("text") if trace.get("textposition") == "outside" else None
        colour = _colour((trace.get("textfont") or {}).get("color"), light_tokens()["--ink-2"])
        for place, (base, length, y) in enumerate(zip(trace["base"], trace["x"], trace["y"], strict=True)):
            begin, middle = self.x.at(base), self.y.at(y)
            end = min(max(self.x.at(self.x.number(base) + length), begin + floor), max(self.right, begin + floor))
            yield self._box(begin, middle - height / 2, end - begin, height, trace["marker"])
            if texts:
                yield _words(str(texts[place]).strip(), end + 2, middle + FONT * 0.3, "start", colour, FONT - 1)

    def _box(self, x: float, y: float, width: float, height: float, marker: Part) -> str:
        pattern, line = marker.get("pattern"), marker.get("line") or {}
        fill = f"url(#{'hatch' if pattern['shape'] == '/' else 'dots'})" if pattern else _colour(marker.get("color"))
        stroke = _colour(line.get("color")) if line.get("width") else "none"
        opacity = marker.get("opacity")
        faded = f' opacity="{opacity}"' if isinstance(opacity, int | float) else ""
        return (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" stroke="{stroke}"'
            f' stroke-width="{line.get("width") or 0}"{faded}/>'
        )

    def _scatter(self, trace: Part) -> Iterable[str]:
        points = list(zip(trace.get("x") or (), trace.get("y") or (), strict=True))
        runs = _runs([None if x is None or y is None else (self.x.at(x), self.y.at(y)) for x, y in points])
        line = trace.get("line") or {}
        if trace.get("fill") == "toself":
            for run in runs:
                yield f'<path d="{_path(run)}Z" fill="{_colour(trace.get("fillcolor"))}"/>'
        elif "lines" in trace["mode"]:
            for run in runs:
                yield (
                    f'<path d="{_path(_stepped(run) if line.get("shape") == "hv" else run)}" fill="none" stroke="{_colour(line.get("color"))}"'
                    f' stroke-width="{float(line.get("width") or 1) * 0.8:g}"{_dashed(line)}/>'
                )
        if "markers" in trace["mode"]:
            yield from self._marks(trace["marker"], points)

    def _marks(self, marker: Part, points: Sequence[tuple[Any, Any]]) -> Iterable[str]:
        sizes, colours, line = marker.get("size") or 6, marker.get("color"), marker.get("line") or {}
        for place, (x, y) in enumerate(points):
            if x is None or y is None or not self.x.within(x):
                continue
            size = float(sizes[place] if isinstance(sizes, list) else sizes) * 0.75
            fill = _colour(colours[place] if isinstance(colours, list) else colours)
            symbol = str(marker.get("symbol") or "circle")
            stroke, width = _colour(line.get("color")), float(line.get("width") or 0) * 0.75
            if symbol.endswith("-open"):
                fill = "none"
            shape = _SHAPES[symbol.removesuffix("-open")]
            yield shape(
                self.x.at(x), self.y.at(y), size / 2, f'fill="{fill}" stroke="{stroke}" stroke-width="{width:g}"'
            )

    def _place(self, axis: _Axis, value: Any, *, is_paper: bool) -> float:
        return axis.near + float(value) * (axis.far - axis.near) if is_paper else axis.at(value)

    def _shape(self, part: Part) -> str:
        x0, x1 = (self._place(self.x, part[name], is_paper=part.get("xref") == "paper") for name in ("x0", "x1"))
        y0, y1 = (self._place(self.y, part[name], is_paper=part.get("yref") == "paper") for name in ("y0", "y1"))
        x0, x1 = (min(max(x, self.left), self.right) for x in (x0, x1))
        if part["type"] == "rect":
            return (
                f'<rect x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}" width="{abs(x1 - x0):.1f}" height="{abs(y1 - y0):.1f}"'
                f' fill="{_colour(part.get("fillcolor"))}" opacity="{part.get("opacity") or 1}"/>'
            )
        line = part["line"]
        return (
            f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{_colour(line.get("color"))}" stroke-width="{float(line["width"]) * 0.8:g}"'
            f' fill="none"{_dashed(line)}/>'
        )

    def _note(self, part: Part) -> str:
        x = self._place(self.x, part["x"], is_paper=part.get("xref") == "paper") + float(part.get("xshift") or 0)
        y = self._place(self.y, part["y"], is_paper=part.get("yref") == "paper")
        lines, font = str(part["text"]).split("<br>"), part.get("font") or {}
        down = {"bottom": -3.0 - (len(lines) - 1) * FONT, "top": FONT + 2}.get(
            part.get("yanchor") or "", FONT * (0.85 - len(lines) / 2)
        )
        colour, anchor = (
            _colour(font.get("color"), light_tokens()["--ink-2"]),
            _ANCHORS[part.get("xanchor") or "center"],
        )
        return "".join(
            _words(line, x, y + down + place * (FONT + 1), anchor, colour) for place, line in enumerate(lines)
        )


def _dashed(line: Part) -> str:
    dash = _DASHES.get(line.get("dash") or "")
    return f' stroke-dasharray="{dash}"' if dash else ""


def _words(text: str, x: float, y: float, anchor: str, colour: str, size: float = FONT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size:g}">{escape(text)}</text>'


def _runs(points: Sequence[Point | None]) -> list[list[Point]]:
    """Unbroken stretches of a line; None breaks it."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _stepped(run: Sequence[Point]) -> list[Point]:
    """A line that keeps each value until the next point."""
    return [run[0], *(point for one, two in pairwise(run) for point in ((two[0], one[1]), two))]


def _path(run: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _polygon(*corners: Point) -> Callable[[float, float, float, str], str]:
    def drawn(x: float, y: float, half: float, look: str) -> str:
        return f'<path d="{_path([(x + half * right, y + half * down) for right, down in corners])}Z" {look}/>'

    return drawn


def _circle(x: float, y: float, half: float, look: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{half:.1f}" {look}/>'


_SHAPES: Final[Mapping[str, Callable[[float, float, float, str], str]]] = {
    "circle": _circle,
    "square": _polygon((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": _polygon((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "triangle-up": _polygon((0, -1.1), (1.15, 0.9), (-1.15, 0.9)),
    "triangle-down": _polygon((0, 1.1), (1.15, -0.9), (-1.15, -0.9)),
    "line-ew": _polygon((-1, 0), (1, 0)),
}
