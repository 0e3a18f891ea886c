# ruff: noqa: E501 -- the table of seeds is easier to read in long lines
"""No input stops a parser, and none costs more than its length."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Metrics
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.formats import formats
from floydtop.parse.lines import Line, LineSplitter, clean
from floydtop.parse.reading import State
from tests.parse.reading import lines

SEEDS = [
    *("1", " ", "e", "-", "+", ".", ",", ":", "=", "|", "[", "]", "(", "\t", "{", "'", '"', "*", "#", "/", "%", "━"),
    *("1.", "1,", "1:", "1e", "a ", "a: ", "a=1 ", "1/1 ", "[1/1]", "(1)", " - ", " - a: 1", "loss ", "Epoch 1/1", "nan"),
    *("a: 1 - ", "{'a': 1", "'a': '1', ", '{"a":', "1 1 ", "a  ", "| a | 1 |", "0%|", "1/1 [00:00<00:00, ", ", a=1"),
    *("epoch ", "step=1 ", "\x1b[1m", "\x1b[", "\x1b]", "2026-11-23 ", "[INFO] ", "a.b:1 - ", "rank0: ", "1d 1h ", "1.1.1."),
]  # fmt: skip


def cost(text: str) -> float:
    best = 9.0
    for _ in range(3):
        state = State()
        start = time.process_time()
        cleaned = clean(text.encode())
        for one in formats():
            one.read(cleaned, state)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("head", ["", "step 1 loss", "Epoch [1/3]: [1/3]  1%|"])
def test_growing_hostile_input_costs_no_more_than_its_length(seed: str, head: str) -> None:
    # 8 times the input may cost 8 times as much; 30 leaves room for a noisy machine, squares would be 64.
    small, large = (head + seed * (size // len(seed)) for size in (1900, 15200))
    base = max(cost(small), 1e-4)
    assert cost(large) < 30 * base + 0.005


def test_a_name_of_four_hundred_digits_costs_little() -> None:
    start = time.process_time()
    Parser().read(Line(1, 0, b"step 5 loss" + b"9" * 400 + b"_: 1 acc@" + b"1_" * 200 + b"x: 2"))
    assert time.process_time() - start < 1


def test_a_line_of_opening_braces_costs_little() -> None:
    start = time.process_time()
    Parser().read(Line(1, 0, b'{"a":[' * 10000))
    Parser().read(Line(1, 0, b'{"metric":' * 6000))
    assert time.process_time() - start < 2


FRAGMENTS = st.sampled_from(
    [s.encode() for s in SEEDS]
    + [b"\n", b"\r", b"\b", b"\x00", b"\xff\xfe", b"\xff", b"inf", b"9" * 400, b"1e999", b"-"]
)
ANYTHING = st.lists(
    FRAGMENTS | st.binary(max_size=12) | st.text(max_size=6).map(str.encode), max_size=40
).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_no_input_stops_a_parser(data: bytes) -> None:
    parser = Parser()
    for line in lines(data):
        parser.peek(line)
        for event in parser.read(line):
            if isinstance(event, Metrics):
                assert event.values
                assert event.group in ("training", "timing")


@settings(max_examples=100, deadline=None)
@given(st.lists(ANYTHING, max_size=4), st.integers(1, 40))
def test_chunks_and_shapes_never_change_the_result(parts: list[bytes], size: int) -> None:
    data = b"".join(parts) * 3
    careful = Parser(learn=False)
    splitter = LineSplitter()
    expected = [e for line in splitter.feed(data) + splitter.finish() for e in careful.read(line)]
    bulk = Bulk()
    found = [e for start in range(0, len(data), size) for e in bulk.feed(data[start : start + size])]
    assert repr(found + bulk.finish()) == repr(expected)


def test_a_name_of_nothing_but_a_wide_space_stops_no_parser() -> None:
    assert Parser().read(Line(1, 0, "loss of a,\u00a05".encode())) == []
