"""Tags and filters as templates use them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone

from tests.conftest import NOON


def rendered(source, **context):
    return Template("{% load ui %}" + source).render(Context(context))


def test_badge_has_the_gauge_and_the_word():
    assert rendered('{% badge "multi_user" %}') == '<span class="badge" data-class="multi-user">multi-user</span>'
    assert (
        rendered('{% badge "downtime" filled=True %}')
        == '<span class="badge" data-class="downtime" data-filled>downtime</span>'
    )
    assert rendered("{% badge nothing %}") == '<span class="state" data-is="off">no class yet</span>'


def test_text_from_outside_is_escaped():
    hostile = '<img src=x onerror="a()">'

    html = rendered(
        '{% state words "ok" %}{% section words fact=words %}{% endsection %}{% days days words %}',
        words=hostile,
        days=[""],
    )

    assert "<img" not in html


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "13:00:00"), (60, "12:00:00"), (24 * 60, "Tue\u00a013:00:00"), (10 * 1440, "22\u00a0Feb\u00a013:00:00"), (400 * 1440, "28\u00a0Jan\u00a02025\u00a013:00:00")],
)  # fmt: skip
def test_clock_is_in_the_readers_zone(noon, minutes, words):
    at = noon - dt.timedelta(minutes=minutes)

    with timezone.override(ZoneInfo("Europe/Copenhagen")):
        html = rendered("{% clock at %}", at=at)

    assert html == f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}" title="{at:%Y-%m-%d %H:%M:%S} UTC">{words}</time>'


def test_what_never_was_has_no_clock(noon):
    assert rendered("{% clock at %} {% minute at %} {% day at %} {% ago at %}", at=None) == "\u2013 \u2013 \u2013 never"


def test_ago_keeps_the_exact_instant(noon):
    html = rendered("{% ago at %}", at=NOON - dt.timedelta(minutes=10))

    assert html == '<time datetime="2026-03-04T11:50:00Z" title="2026-03-04 11:50:00 UTC">10\u00a0min ago</time>'


@pytest.mark.parametrize(("factor", "side"), [(12, "for"), (1.0, "even"), (0.3, "against"), (None, "even")])
def test_side_of_evidence(factor, side):
    assert rendered("{{ factor|side }}", factor=factor) == side


def test_meter_notches_the_gate():
    assert 'width="46.1%"' in rendered("{% meter 557 1209 0.2 %}")
    assert 'class="gate" x="20.0%"' in rendered("{% meter 557 1209 0.2 %}")
    assert "gate" not in rendered("{% meter 557 1209 %}")


def test_section_is_named_by_its_heading():
    html = rendered('{% section "Deploys running" fact="1 now" %}<p>x</p>{% endsection %}')

    assert html == (
        '<section class="section" aria-labelledby="deploys-running"><header><h2 id="deploys-running">Deploys running</h2>'
        "<p>1 now</p></header><p>x</p></section>"
    )


def test_no_piece_has_an_inline_style_or_script():
    html = rendered(
        '{% meter 1 2 0.5 %}{% days days "x" %}{% spark values %}{% ledger_bar 3 %}{% sign "flag" %}',
        days=["", None],
        values=[1, 2],
    )

    assert "style=" not in html
    assert "<script" not in html
