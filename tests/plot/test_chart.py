from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.plot.chart import Curve, framed_chart
from floydtop.plot.columns import Column, ColumnCache
from floydtop.plot.scale import nice_ticks
from floydtop.plot.units import format_ticks

BLUE, ORANGE = (120, 170, 255), (255, 170, 90)


def chart(curves, width=40, height=12, *, x_range=(0, 9), y_range=(0, 1), **options):
    options = {"x_ticks": [], "y_ticks": [], "color": False} | options
    return framed_chart(curves, width, height, x_range=x_range, y_range=y_range, **options)


def curve(name, ys, color=BLUE, letter=""):
    return Curve(name, ColumnCache().columns(range(len(ys)), ys, 0, max(len(ys) - 1, 1), 80), color, letter)


def braille(text):
    return sum(chr(0x2800) < character <= chr(0x28FF) for character in text)


def test_chart_has_exactly_the_size_asked_for():
    lines = chart([curve("loss", [1, 0.5, 0.2])], 60, 15, title="loss", x_label="step").split("\n")
    assert len(lines) == 15
    assert {len(line) for line in lines} == {60}


def test_chart_is_larger_than_the_terminal_where_asked_to_be():
    assert len(chart([curve("loss", [1, 0])], 200, 60).split("\n")[0]) == 200


def test_ticks_and_legend_are_ours():
    ticks = nice_ticks(0, 1, 3)
    text = chart(
        [curve("loss", [1, 0.2], letter="A"), curve("val_loss", [1, 0.4], ORANGE, letter="B")],
        title="loss",
        y_ticks=list(zip(ticks, format_ticks(ticks), strict=True)),
        x_ticks=[(0, "0"), (9, "1h20m")],
    )
    assert text.startswith(" loss  ━━ loss A  ━━ val_loss B")
    assert all(label in text for label in ("0.5┤", "1.0┤", "1h20m"))
    assert text.count("A") == text.count("B") == 2


def test_colours_are_those_of_the_curves():
    text = chart([curve("loss", [1, 0]), curve("val", [0, 1], ORANGE)], color=True)
    assert "38;2;120;170;255" in text
    assert "38;2;255;170;90" in text


def test_chart_without_colour_has_no_escape_sequences():
    assert "\x1b" not in chart([curve("loss", [1, math.nan, 0])], color=False)


def test_ascii_chart_is_ascii():
    text = chart([curve("loss", [1, math.nan, 0]), curve("val", [0, 1])], glyphs="ascii", y_ticks=[(0, "0")])
    assert text.isascii()
    assert "oo val" in text


def test_nan_breaks_the_line_and_leaves_a_mark():
    whole, broken = (chart([curve("loss", [1, 1, value, 1, 1])]) for value in (1, math.nan))
    assert broken.count("×") == 1
    assert whole.count("×") == 0
    assert braille(broken) < braille(whole)


@pytest.mark.parametrize("ys", [[], [math.nan], [5.0], [1e300, -1e300], [1e-300, 5e-324], [math.inf, 1]])
def test_awkward_data_are_drawn(ys):
    low, high = min(ys, default=0), max(ys, default=1)
    lines = chart([curve("loss", ys)], y_range=(low, high), y_ticks=[(low, "low"), (high, "high")]).split(
        "\n"
    )
    assert len(lines) == 12


def test_largest_numbers_are_not_an_empty_chart():
    assert braille(chart([curve("loss", [1e300, -1e300])], y_range=(-1e300, 1e300))) > 5


def test_values_beyond_the_range_are_drawn_at_its_edge():
    assert braille(chart([curve("loss", [99] * 9)])) > 20


def test_names_from_the_job_cannot_draw_on_the_terminal():
    text = chart([curve("\x1b[2Jlo\nss\x07", [1, 0])], title="\x1b]0;title\x07", color=True)
    assert len(text.split("\n")) == 12
    assert re.sub(r"\x1b\[[0-9;]*m", "", text).isprintable() is False  # line ends
    assert "\x1b[2J" not in text
    assert "\x07" not in text


def test_long_and_wide_names_do_not_widen_the_chart():
    header = chart([curve("損失" * 40, [1, 0])], 41).split("\n")[0]
    assert sum(2 if character in "損失" else 1 for character in header) == 41


def test_charts_leave_nothing_behind_for_the_next():
    first = chart([curve("loss", [1, 0])])
    chart([curve("other", [0, 1, math.nan], ORANGE)], y_range=(-5, 700), title="other", x_label="step")
    assert chart([curve("loss", [1, 0])]) == first


numbers = st.floats()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(numbers, max_size=12),
    st.tuples(numbers, numbers),
    st.sampled_from(["braille", "block", "ascii"]),
    st.integers(1, 50),
    st.integers(2, 15),
)
def test_no_input_raises(ys, y_range, glyphs, width, height):
    ticks = [(value, "tick") for value in y_range]
    assert chart([curve("loss", ys)], width, height, y_range=y_range, y_ticks=ticks, glyphs=glyphs)


def test_plotext_is_loaded_by_the_first_chart_and_not_before():
    code = "import floydtop.plot.chart, sys; sys.exit('plotext' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_column_without_points_is_bridged():
    line = [Column(1, 1, 1, 1, 0), *[None] * 78, Column(1, 1, 1, 1, 0)]
    assert braille(chart([Curve("loss", line, BLUE)])) > 30
