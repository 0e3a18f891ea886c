from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.braille import BLANK_STYLE, NAN_STYLE, Layer, dots, draw, sparkline
from floydtop.plot.columns import Column, ColumnCache
from floydtop.plot.glyphs import GLYPHS

glyph_sets = st.sampled_from(["braille", "block", "ascii"])
numbers = st.one_of(st.floats(), st.integers(-(10**400), 10**400))
finite = st.floats(allow_nan=False, allow_infinity=False)


def point(value, bad=0):
    return Column(value, value, value, value, bad)


BAD = Column(math.nan, math.nan, math.nan, math.nan, 1)


def texts(rows):
    return ["".join(text for text, _ in row) for row in rows]


def lit(rows, glyphs):
    """The dots of drawn rows: (dot column, level from the bottom)."""
    shape = GLYPHS[glyphs]
    codes = {character: code for code, character in reversed(list(enumerate(shape.table)))}
    found = set()
    for from_bottom, text in enumerate(reversed(texts(rows))):
        for cell, character in enumerate(text):
            code = codes.get(character, 0)
            for bit in range(shape.across * shape.down):
                if code >> bit & 1:
                    found.add(
                        (cell * shape.across + bit // shape.down, from_bottom * shape.down + bit % shape.down)
                    )
    return found


@st.composite
def columns(draw_from, count):
    made = []
    for _ in range(count):
        kind = draw_from(st.sampled_from(["none", "bad", "point", "extent"]))
        if kind == "none":
            made.append(None)
        elif kind == "bad":
            made.append(BAD)
        else:
            values = draw_from(st.lists(finite, min_size=1, max_size=1 if kind == "point" else 4))
            bad = draw_from(st.integers(0, 2))
            made.append(Column(values[0], values[-1], min(values), max(values), bad))
    return made


def test_rising_line_goes_from_corner_to_corner():
    rows = draw([Layer([point(value) for value in range(8)], 0)], 4, 2, 0, 7)
    assert texts(rows) == ["  ⡠⠊", "⡠⠊  "]


def test_blocks_and_ascii_draw_the_same_line():
    line = [point(value) for value in range(8)]
    assert texts(draw([Layer(line, 0)], 4, 4, 0, 7, glyphs="block")) == ["   ▞", "  ▞ ", " ▞  ", "▞   "]
    assert texts(draw([Layer(line[:6], 0)], 6, 2, 0, 5, glyphs="ascii")) == ["   .-'", ".-'   "]


def test_neighbours_are_joined_without_holes():
    drawn = lit(draw([Layer([point(0), point(1)], 0)], 1, 2, 0, 1), "braille")
    assert {level for _, level in drawn} == set(range(8))


def test_gap_between_two_points_is_bridged_by_a_straight_line():
    drawn = lit(draw([Layer([point(0), None, None, point(3)], 0)], 2, 1, 0, 3), "braille")
    assert drawn == {(0, 0), (1, 1), (2, 2), (3, 3)}


def test_nan_breaks_the_line_and_leaves_a_mark():
    line = [point(1), point(1), BAD, BAD, point(1), point(1)]
    rows = draw([Layer(line, 0)], 3, 2, 0, 1)
    assert rows == [[("⠉ ⠉", 0)], [(" ", BLANK_STYLE), ("×", NAN_STYLE), (" ", BLANK_STYLE)]]


def test_mark_moves_to_the_top_where_the_line_is_at_the_bottom():
    rows = draw([Layer([point(0), point(0, bad=1), point(0), point(0)], 0)], 2, 2, 0, 1)
    assert texts(rows) == ["× ", "⣀⣀"]


def test_nothing_but_nan_draws_only_marks():
    rows = draw([Layer([BAD, BAD, None, None], 0)], 2, 2, math.nan, math.nan)
    assert texts(rows) == ["  ", "× "]


def test_lone_point_is_larger_than_one_dot():
    drawn = lit(draw([Layer([None, None, point(0.5), None], 0)], 2, 1, 0, 1), "braille")
    assert len(drawn) == 4


def test_fill_reaches_the_bottom():
    rows = draw([Layer([point(1), point(1)], 0, filled=True)], 1, 3, 0, 1)
    assert texts(rows) == ["⣿", "⣿", "⣿"]


def test_values_beyond_the_range_are_drawn_at_its_edge():
    drawn = lit(draw([Layer([point(-9), None, None, point(99)], 0)], 2, 1, 0, 1), "braille")
    assert (0, 0) in drawn
    assert (3, 3) in drawn


def test_constant_range_is_drawn_in_the_middle():
    assert texts(draw([Layer([point(5), point(5)], 0)], 1, 3, 5, 5)) == [" ", "⠤", " "]


def test_later_layer_takes_the_cell_that_it_crosses():
    bar = [Column(0, 0, 0, 7, 0)] * 2
    level = [point(7)] * 2
    assert draw([Layer(bar, 0), Layer(level, 1)], 1, 2, 0, 7) == [[("⠉", 1)], [("⣿", 0)]]


def test_curves_that_coincide_show_the_dots_of_both_and_take_turns_with_the_colour():
    rows = draw([Layer([point(3)] * 12, 0), Layer([point(0)] * 12, 1)], 6, 1, 0, 3)
    assert rows == [[("⣉⣉⣉", 0), ("⣉⣉⣉", 1)]]


def test_none_of_many_coinciding_curves_disappears():
    rows = draw([Layer([point(0)] * 80, style) for style in range(4)], 40, 1, 0, 1)
    assert {style for _, style in rows[0]} == {0, 1, 2, 3}


def test_strokes_of_one_style_keep_all_their_dots():
    strokes = [Layer([Column(0, 0, 0, 7, 0)] * 2, 0), Layer([point(7)] * 2, 0)]
    assert texts(draw(strokes, 1, 2, 0, 7)) == ["⣿", "⣿"]


def test_raw_values_give_way_to_smoothed_ones():
    raw = Layer([Column(0, 0, 0, 3, 0)] * 2, 0, beneath=True)
    smooth = Layer([point(0)] * 2, 1)
    assert draw([raw, smooth], 1, 1, 0, 3) == draw([smooth, raw], 1, 1, 0, 3) == [[("⣀", 1)]]


def test_style_changes_are_few():
    rows = draw([Layer([point(0), None, None, None, None, BAD, point(0), None], 0)], 4, 1, 0, 1)
    assert sum(style == 0 for _, style in rows[0]) <= 2


def test_spike_in_a_million_points_is_visible_at_80x24():
    count = dots(70)
    ys = [1.0] * 1_000_000
    ys[654_321] = 100.0
    spike = ColumnCache().columns(range(1_000_000), ys, 0, 999_999, count)
    drawn = lit(draw([Layer(spike, 0)], 70, 4, 0, 100), "braille")
    assert {level for column, level in drawn if column == 654_321 * count // 1_000_000} == set(range(16))


@given(st.data(), st.sampled_from(["braille", "block"]), st.integers(1, 8), st.integers(1, 5))
def test_each_drawn_column_covers_min_and_max_of_its_points(data, glyphs, width, height):
    made = [column and column._replace(bad=0) for column in data.draw(columns(dots(width, glyphs)))]
    low, high = sorted(data.draw(st.tuples(finite, finite)))
    drawn = lit(draw([Layer(made, 0)], width, height, low, high, glyphs=glyphs), glyphs)
    top = height * GLYPHS[glyphs].down - 1
    for index, column in enumerate(made):
        if column is None or math.isnan(column.low):
            continue
        levels = {level for at, level in drawn if at == index}
        for value in (column.low, column.high):
            share = (min(max(value, low), high) / 4 - low / 4) / ((high / 4 - low / 4) or 1)
            if high / 4 - low / 4 > 0:
                assert any(abs(level - share * top) <= 0.51 for level in levels)
        if levels:
            assert levels >= set(range(min(levels), max(levels) + 1))


@given(st.data(), glyph_sets, st.integers(0, 8), st.integers(0, 5), numbers, numbers, st.booleans())
def test_no_input_raises_and_widths_always_sum(data, glyphs, width, height, low, high, filled):
    layers = [
        Layer(data.draw(columns(data.draw(st.integers(0, 20)))), style, filled, beneath)
        for style, beneath in ((0, True), (1, False), (2, False))
    ]
    rows = draw(layers, width, height, low, high, glyphs=glyphs)
    assert len(rows) == height
    for row in rows:
        assert sum(len(text) for text, _ in row) == width
        assert all(text for text, _ in row)
        assert all((style == BLANK_STYLE) <= (not text.strip()) for text, style in row)


@given(st.data(), glyph_sets)
def test_every_cell_with_nan_is_marked(data, glyphs):
    made = data.draw(columns(dots(6, glyphs)))
    rows = draw([Layer(made, 0)], 6, 3, 0, 1, glyphs=glyphs)
    cells = {index // GLYPHS[glyphs].across for index, column in enumerate(made) if column and column.bad}
    marks = sum(len(text.rstrip()) for row in rows for text, style in row if style == NAN_STYLE)
    assert marks == len(cells) or (marks > 0) == bool(cells)
    assert sum(text.count(GLYPHS[glyphs].mark) for row in rows for text, _ in row) == len(cells)


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
def test_glyphs_are_one_column_wide_and_ascii_is_ascii(glyphs):
    shape = GLYPHS[glyphs]
    characters = "".join(shape.table) + shape.mark + shape.levels
    assert all(unicodedata.east_asian_width(character) in "NANa" for character in characters)
    assert characters.isascii() == (glyphs == "ascii")


def test_sparkline_shows_the_newest_values_at_the_right():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, 0, 7) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 7, 7, 7], 2, 0, 7) == "██"
    assert sparkline([7], 3, 0, 7) == "  █"


def test_sparkline_tells_unknown_from_zero():
    assert sparkline([None, 0, None], 3, 0, 100) == " ▁ "


def test_sparkline_marks_nan():
    assert sparkline([math.nan, 100], 2, 0, 100) == "×█"


def test_braille_sparkline_has_two_values_a_cell():
    assert sparkline([0, 3, 3, None], 2, 0, 3, glyphs="braille") == "⣸⡇"


@given(
    st.lists(st.one_of(st.none(), numbers), max_size=30), st.integers(-1, 12), numbers, numbers, glyph_sets
)
def test_sparkline_never_raises_and_keeps_its_width(values, width, low, high, glyphs):
    assert len(sparkline(values, width, low, high, glyphs=glyphs)) == max(width, 0)


def test_curves_that_coincide_beneath_nothing_take_turns_too() -> None:
    """Raw values of two series, before their smoothed curves are drawn over them."""
    columns = [Column(1.0, 1.0, 1.0, 1.0, 0)] * 12
    rows = draw([Layer(columns, 0, beneath=True), Layer(columns, 1, beneath=True)], 6, 1, 0.0, 2.0)
    assert {style for _, style in rows[0]} == {0, 1}
