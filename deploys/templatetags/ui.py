"""Template tags and filters of the shared look: words for numbers, signs, badges, small bars.

The larger pieces are includes in `templates/ui/`; each names its parameters at its top, and `/ui/` shows them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deploys import clock
from deploys.charts import svg
from deploys.domain import web_addresses, wording

register = template.Library()

register.filter("may_be_followed", web_addresses.may_be_followed)
register.filter("duration", wording.duration)
register.filter("percent", wording.percent)
register.filter("target", wording.target)
register.filter("probability", wording.probability)
register.filter("factor", wording.factor)
register.filter("count", wording.count)
register.simple_tag(wording.counted, name="counted")
register.simple_tag(wording.rate, name="rate")
register.simple_tag(wording.percent_range, name="percent_range")
register.simple_tag(wording.percent_up, name="percent_up")

CLASSES = ("downtime", "multi-user", "single-user", "impactless")


def _number(value: float | str | None) -> float | None:
    """What an include was given; a parameter left out arrives as the empty string."""
    return None if isinstance(value, str) else value


@register.filter
def nbsp(text: object) -> str:
    """Spaces that must not break become no-break spaces."""
    return str(text).replace(" ", wording.GAP)


@register.filter
def class_key(impact_class: object) -> str:
    """The class as CSS writes it: `multi_user` becomes `multi-user`."""
    return str(impact_class or "").replace("_", "-")


def _utc(at: datetime) -> tuple[str, str]:
    exact = at.astimezone(UTC)
    return exact.strftime("%Y-%m-%dT%H:%M:%SZ"), exact.strftime("%Y-%m-%d %H:%M:%S UTC")


def _time(at: datetime, words: str) -> SafeString:
    machine, title = _utc(at)
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, title, words)


@register.simple_tag
def ago(at: datetime | None) -> SafeString | str:
    """Distance from now in one unit, the exact UTC in the title: `10 min ago`. Nothing known: `never`."""
    return "never" if at is None else _time(at, wording.ago(at, clock.now()))


def clock_words(at: datetime, now: datetime) -> str:
    """Wall clock in the active zone with seconds; the day before it when it is not today, the year when not this one."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    seconds = local.strftime("%H:%M:%S")
    distance = abs((today - local.date()).days)
    if distance == 0:
        return seconds
    if distance < 7:
        return f"{local:%a} {seconds}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {seconds}"


@register.simple_tag
def since(at: datetime) -> str:
    """How long ago, in words of at most two units: `7 min 12 s`."""
    return wording.duration(clock.now() - at)


@register.simple_tag(name="clock")
def clock_tag(at: datetime | None) -> SafeString | str:
    """Wall clock with seconds in the reader's zone: `14:31:08`, `Wed 14:31:08`, `2 Nov 14:31:08`."""
    return wording.UNKNOWN if at is None else _time(at, wording_nbsp(clock_words(at, clock.now())))


@register.simple_tag
def minute(at: datetime | None) -> SafeString | str:
    """As `clock`, without seconds, where order does not matter: `Wed 14:31`."""
    return wording.UNKNOWN if at is None else _time(at, wording_nbsp(clock_words(at, clock.now()).rpartition(":")[0]))


@register.simple_tag
def day(at: datetime | None) -> SafeString | str:
    """The date in the reader's zone: `19 November`, with the year when it is not this one."""
    if at is None:
        return wording.UNKNOWN
    local, today = timezone.localtime(at), timezone.localtime(clock.now())
    year = "" if local.year == today.year else f" {local.year}"
    return _time(at, wording_nbsp(f"{local.day} {local:%B}{year}"))


def wording_nbsp(text: str) -> str:
    return text.replace(" ", wording.GAP)


@register.simple_tag
def sign(name: str, *, cause: bool = False) -> SafeString:
    """A drawn sign of `static/img/signs.svg`, hidden from readers of text: a word must stand beside it."""
    mulberry = SafeString(" data-cause") if cause else ""
    return format_html(
        '<svg class="sign" aria-hidden="true"{}><use href="{}#{}"/></svg>', mulberry, static("img/signs.svg"), name
    )


@register.simple_tag
def badge(impact_class: str | None, *, filled: bool = False) -> SafeString:
    """The class of an incident: gauge and word in its colour. `filled` only in the incident's own head."""
    key = class_key(impact_class)
    if key not in CLASSES:
        return SafeString('<span class="state" data-is="off">no class yet</span>')
    return format_html(
        '<span class="badge" data-class="{}"{}>{}</span>', key, SafeString(" data-filled") if filled else "", key
    )


_STATE_SIGNS = {"ok": "check", "bad": "errors", "warn": "warn"}


@register.simple_tag
def state(words: object, is_: str = "", sign_name: str | None = None) -> SafeString:
    """A state word. `is_`: ok (green check), bad (red, downtime now only), live (pulse), warn (drawn triangle), off.

    `sign_name` replaces the sign that belongs to the state; the empty string leaves it out.
    """
    drawn = _STATE_SIGNS.get(is_, "") if sign_name is None else sign_name
    return format_html('<span class="state" data-is="{}">{}{}</span>', is_, sign(drawn) if drawn else "", words)


@register.simple_tag
def meter(part: float, whole: float, gate: float | str | None = None) -> SafeString:
    """A bar filled to part ÷ whole; `gate` (0 to 1) is a notch. Say the numbers in words beside it."""
    at = _number(gate)
    notch = (
        ""
        if at is None
        else format_html('<rect class="gate" x="{}%" y="-25%" width="1.5" height="150%"/>', round(at * 100, 1))
    )
    return format_html(
        '<svg class="meter" aria-hidden="true"><rect class="track" width="100%" height="100%" rx="1"/>'
        '<rect class="fill" width="{}%" height="100%" rx="1"/>{}</svg>',
        svg.meter_share(part, whole),
        notch,
    )


@register.filter
def overspent(remaining: float) -> str:
    """How far a budget is overspent, in words; `remaining` is negative."""
    return wording.duration(-remaining)


@register.filter
def times(rate: float) -> str:
    """A burn rate in words: `240 times too fast`, `1.4 times too fast`."""
    return f"{rate:,.0f} times too fast" if rate >= 10 else f"{rate:.1f} times too fast"


@register.simple_tag
def budget_share(remaining: float, budget: float) -> str:
    """Whole percent of a budget that is left, rounded down; `gone` once nothing is."""
    if budget <= 0 or remaining < 0:
        return "–" if budget <= 0 else "gone"
    return wording.percent(remaining / budget, 0)


@register.simple_tag
def days(worst: Sequence[str | None], label: str) -> SafeString:
    """Worst class per day, oldest first ("" nothing happened, None not monitored). `label` says it in words."""
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>',
        (
            (bar.x, bar.y, bar.width, bar.height, class_key(bar.kind))
            for bar in svg.day_bars([None if w is None else class_key(w) for w in worst])
        ),
    )
    return format_html(
        '<svg class="days" viewBox="0 0 156 20" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        label,
        bars,
    )


@register.simple_tag
def spark(values: Sequence[float | None], target: float | str | None = None) -> SafeString:
    """A line of values, oldest first, the last one dotted; None breaks it. Hidden from readers of text."""
    drawn = svg.spark(values, _number(target))
    parts = format_html_join("", '<polyline points="{}"/>', ((points,) for points in drawn.lines))
    dots = format_html_join("", '<path class="dot" d="M{} {}h.01"/>', drawn.dots)
    line = "" if drawn.target is None else format_html('<line x1="0" x2="90" y1="{0}" y2="{0}"/>', drawn.target)
    end = "" if drawn.end is None else format_html('<path class="end" d="M{} {}h.01"/>', *drawn.end)
    return format_html(
        '<svg class="spark" viewBox="-2 0 94 24" preserveAspectRatio="none" aria-hidden="true">{}{}{}{}</svg>',
        line,
        parts,
        dots,
        end,
    )


@register.simple_tag
def ledger_bar(factor: float) -> SafeString:
    """The bar of one line of evidence on a log scale, with the axis at ×1."""
    bar = svg.ledger_bar(factor)
    return format_html(
        '<svg aria-hidden="true"><rect class="{}" x="{}%" y="{}" width="{}%" height="{}"/>'
        '<line class="axis" x1="26%" x2="26%" y1="-5" y2="14"/></svg>',
        bar.kind, bar.x, bar.y, bar.width, bar.height,
    )  # fmt: skip


@register.filter
def side(factor: float | None) -> str:
    """Which side a factor speaks for: `for`, `against`, or `even` when it says nothing."""
    if factor is None or 0.95 < factor < 1.05:
        return "even"
    return "for" if factor > 1 else "against"


@register.simple_block_tag
def section(content: str, title: str, *, fact: object = "", id_: str = "", small: bool = False) -> SafeString:
    """A ruled section: heading left, one fact or rule right. Its id is `id_`, else made from the title."""
    key = id_ or "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")
    told = format_html("<p>{}</p>", fact) if fact else ""
    return format_html(
        '<section class="section" aria-labelledby="{0}"{4}><header><h2 id="{0}">{1}</h2>{2}</header>{3}</section>',
        key, title, told, content, SafeString(" data-small") if small else "",
    )  # fmt: skip


@register.simple_block_tag
def scroll(content: str, label: str, *, wide: bool = False) -> SafeString:
    """A box that scrolls sideways and can be reached by keyboard, around a table. `wide`: never squeeze below 33 rem."""
    return format_html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{}"{}>{}</div>',
        label,
        SafeString(" data-wide") if wide else "",
        content,
    )
