"""Bytes to lines: what a terminal would show, whatever way the bytes arrive."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.parse.lines import LIMIT, Line, LineSplitter
from tests.parse.reading import lines


def texts(data: bytes) -> list[str]:
    return [line.text for line in lines(data)]


def test_carriage_returns_leave_the_last_frame() -> None:
    assert texts(b"10%\r20%\r30%\n") == ["30%"]


def test_a_windows_line_end_is_no_rewrite() -> None:
    assert texts(b"loss: 0.5\r\nacc: 0.9\r\n") == ["loss: 0.5", "acc: 0.9"]


def test_backspaces_are_a_carriage_return_in_disguise() -> None:
    assert texts(b"10/100 - loss: 0.5" + b"\b" * 18 + b"\r20/100 - loss: 0.4\n") == ["20/100 - loss: 0.4"]


def test_cursor_up_starts_the_row_afresh() -> None:
    assert lines(b"outer 1\x1b[Ainner 2\x1b[A\n")[0].segments == ["outer 1", "inner 2"]


def test_a_bar_erased_by_blanks_leaves_what_was_there_before() -> None:
    assert texts(b"loss=0.5\r          \r\n") == ["loss=0.5"]


def test_colours_titles_and_links_are_taken_out() -> None:
    raw = b"\x1b]0;title\x07\x1b[1;32mloss\x1b[0m: \x1b]8;;http://x\x1b\\0.5\x1b]8;;\x1b\\\x1b[K\n"
    assert texts(raw) == ["loss: 0.5"]


def test_broken_utf8_is_replaced_and_nuls_are_dropped() -> None:
    assert texts(b"\x00\x00loss: 0.5 \xa9\xa6\n") == ["loss: 0.5 \ufffd\ufffd"]


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
)
def test_utf16_with_a_byte_order_mark_is_read_and_offsets_count_its_bytes(mark: bytes, encoding: str) -> None:
    data = mark + "step 5 loss 0.5 ਊ\nnext\n".encode(encoding)
    for chunk in (None, 1, 3):
        found = lines(data, chunk)
        assert [line.text for line in found] == ["step 5 loss 0.5 ਊ", "next"]
        assert [line.offset for line in found] == [0, len(mark) + 2 * len("step 5 loss 0.5 ਊ\n")]


def test_numbers_and_offsets_go_on_where_an_earlier_reading_ended() -> None:
    splitter = LineSplitter(first_number=8, offset=700)
    assert [(line.number, line.offset) for line in splitter.feed(b"one\ntwo\n")] == [(8, 700), (9, 704)]


def test_the_unfinished_line_is_there_to_be_looked_at() -> None:
    splitter = LineSplitter()
    assert splitter.partial is None
    splitter.feed(b"done\n 5%\r 6%")
    assert splitter.partial is not None
    assert splitter.partial.text == " 6%"
    assert [line.text for line in splitter.feed(b"\r 7%\n")] == [" 7%"]
    assert splitter.partial is None


def test_the_end_of_the_stream_finishes_the_last_line() -> None:
    splitter = LineSplitter()
    splitter.feed(b"loss: 0.5")
    assert [line.text for line in splitter.finish()] == ["loss: 0.5"]
    assert splitter.finish() == []


def test_a_line_of_a_hundred_megabytes_keeps_its_beginning_and_little_memory() -> None:
    splitter = LineSplitter()
    chunk = b"word " * 200_000
    for _ in range(100):
        splitter.feed(chunk)
    (line,) = splitter.feed(b"\nnext")
    assert line.text.startswith("word word")
    assert len(line.raw) < 2 * LIMIT
    assert line.cut + len(line.raw) == 100 * len(chunk)


def test_a_long_bar_keeps_its_last_frame_its_shape_and_the_objects_in_it() -> None:
    frames = [
        b"%3d%%|####    | %d/20000 [00:01<00:09, 99.9it/s, loss=%.4f]" % (i // 200, i, 1 / i)
        for i in range(1, 20001)
    ]
    frames[300] += b'{"metric": "acc", "value": 0.5}'
    (line,) = lines(b"\r".join(frames) + b"\n")
    assert line.text.startswith("100%|####    | 20000/20000")
    assert len(line.raw) < 2 * LIMIT
    assert sum('"metric"' in segment for segment in line.segments) == 1
    counts = [int(segment.split("| ")[1].split("/")[0]) for segment in line.segments]
    assert counts == sorted(counts)
    assert counts[0] < 2000


def test_a_number_cut_by_the_limit_is_never_shown() -> None:
    frames = [b"loss: %.9f" % (i / 7) + b"%| [0" for i in range(1, 30000)]
    (line,) = lines(b"\r".join(frames) + b"\n")
    whole = {frame.decode() for frame in frames}
    assert all(segment in whole for segment in line.segments)


PIECES = st.sampled_from(
    [
        b"\n",
        b"\r",
        b"\r\n",
        b"\b\b\b",
        b"\x1b[A",
        b"\x1b[1m",
        b"a",
        b"{",
        b"%|",
        b"\xff",
        b"\x00",
        b"7" * 40000,
        b"frame 5 ",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=60), st.lists(st.integers(1, 50000), min_size=1, max_size=8))
def test_chunking_never_changes_the_lines(pieces: list[bytes], sizes: list[int]) -> None:
    data = b"".join(pieces)
    splitter = LineSplitter()
    found: list[Line] = []
    start = turn = 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(data[start : start + size])
        start, turn = start + size, turn + 1
    found += splitter.finish()
    assert [(x.number, x.offset, x.raw, x.cut) for x in found] == [
        (x.number, x.offset, x.raw, x.cut) for x in lines(data)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_every_byte_is_in_a_line_or_counted_as_cut(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    found = lines(data)
    assert sum(len(line.raw) + line.cut for line in found) + data.count(b"\n") == len(data)
    assert all(not set(line.text) & set("\r\n\x1b\x08\x00") for line in found)
