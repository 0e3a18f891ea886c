"""FloydHub's contract to the letter, and JSON rows of any shape."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.events import Malformed, Metrics
from floydtop.parse import Parser, jsonl
from floydtop.parse.lines import Line
from tests.parse.reading import events, points


def test_a_metric_line_with_a_step_is_a_point() -> None:
    assert points('{"metric": "loss", "value": 0.5, "step": 3}\n') == [("loss", 0.5, 3, None)]


def test_an_epoch_is_kept_as_an_epoch() -> None:
    assert points('{"metric": "F1Score", "value": 1, "epoch": 2}\n') == [("F1Score", 1.0, None, 2.0)]


def test_a_metric_without_a_step_gets_none_invented() -> None:
    assert points('{"metric": "loss", "value": 0.5}\n') == [("loss", 0.5, None, None)]


@pytest.mark.parametrize(
    "line",
    [
        'INFO:root:{"metric": "loss", "value": 0.25, "step": 18}',
        '2026-11-23 13:14:32,078 - x - {"metric": "loss", "value": 0.25, "step": 18}',
        ' 5/10 [==>..] - ETA: 0s - loss: 0.6381{"metric": "loss", "value": 0.25, "step": 18}',
        '\r 5/10 [=>..] - loss: 0.6{"metric": "loss", "value": 0.25, "step": 18}\r 6/10 [==>.] - ETA: 0s',
        '{"metric":"loss","value":0.25,"step":18}   ',
    ],
)
def test_a_metric_object_is_found_anywhere_in_a_line(line: str) -> None:
    assert points(line + "\n") == [("loss", 0.25, 18, None)]


def test_two_objects_in_a_line_are_two_metrics() -> None:
    line = '{"metric": "loss", "value": 1e-05, "step": 17}{"metric": "acc", "value": 0.5, "step": 17}\n'
    assert points(line) == [("loss", 1e-05, 17, None), ("acc", 0.5, 17, None)]


def test_nan_and_infinity_are_values() -> None:
    (nan,) = points('{"metric": "loss", "value": NaN, "step": 1}\n')
    assert math.isnan(nan[1])
    assert points('{"metric": "loss", "value": -Infinity, "step": 1}\n')[0][1] == -math.inf


@pytest.mark.parametrize("value", ["true", "null", '"0.5"', "[1]", "{}", "1" * 5000])
def test_what_is_no_number_is_counted_as_malformed(value: str) -> None:
    (event,) = events('{"metric": "loss", "value": ' + value + ', "step": 1}\n')
    assert isinstance(event, Malformed)
    assert event.why
    assert event.line == 1


@pytest.mark.parametrize(
    "line",
    [
        '{"metric": "loss", "value": 0.2',
        '{"metric": "loss"}',
        '{"metric": 5, "value": 1}',
        '{"metric": "a",}',
    ],
)
def test_a_broken_metric_line_is_never_silently_dropped(line: str) -> None:
    (event,) = events(line + "\n")
    assert isinstance(event, Malformed)
    assert event.text.startswith('{"metric"')


def test_a_broken_object_does_not_hide_the_next_one() -> None:
    good = events('{"metric": "a", "value": {"metric": "b", "value": 2, "step": 1}\n')
    assert [type(event).__name__ for event in good] == ["Metrics", "Malformed"]


def test_a_wide_row_is_read_by_its_names() -> None:
    row = {
        "epoch": 10,
        "step": 1000,
        "train_loss": 0.5,
        "test": {"acc1": 81.2},
        "n_parameters": 22050664,
        "time": "0:01",
    }
    assert points(json.dumps(row) + "\n") == [
        ("train_loss", 0.5, 1000, 10.0),
        ("test/acc1", 81.2, 1000, 10.0),
    ]


def test_a_row_without_a_step_or_a_metric_word_is_no_metric() -> None:
    assert events('{"event": "checkpoint", "path": "a.pt", "bytes": 1024}\n') == []


def test_deep_nesting_and_lone_surrogates_stop_nothing() -> None:
    deep = '{"a":' * 3000 + "1" + "}" * 3000
    assert events(deep + "\n") == []
    assert points('{"metric": "l\\ud800", "value": 1}\n')[0][1] == 1.0


def test_the_careful_and_the_quick_way_agree() -> None:
    line = '{"metric": "loss", "value": 123456789012345678901, "step": 7}'
    assert points(line + "\n") == points("x " + line + "\n")


NAMES = st.sampled_from(['"loss"', '"NaN"', r'"\"value\": NaN,"', r'"a\\"', "NaN", '"1.797693134862311e308"'])
ODD = st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "nan", "+Infinity", "1.797693134862311e308", '"NaN"', "5"]
)
OBJECTS = st.builds(
    lambda name, space, value, end: f'{{"metric": {name}, "value":{space}{value}{end}',
    NAMES,
    st.sampled_from(["", " ", "  ", "\t", " " * 12]),
    ODD,
    st.sampled_from(["}", ', "step": 3}', ' , "step": 3}', ', "value": 2}', ', "epoch": NaN}', "", "} "]),
)


@given(st.lists(OBJECTS, min_size=1, max_size=6))
def test_odd_values_mean_the_same_together_and_one_by_one(lines: list[str]) -> None:
    quick, careful = Parser(), Parser(learn=False)
    numbered = [Line(number, 0, text.encode()) for number, text in enumerate(lines)]
    decoded = jsonl.quick_lines([line.raw for line in numbered])
    for line, one in zip(numbered, decoded, strict=True):
        events = careful.read(line)
        assert repr(quick.read(line)) == repr(events)
        if one is not None:
            found = [(event.values, event.step) for event in events if isinstance(event, Metrics)]
            assert repr(found) == repr([({one.metric: one.value}, one.step)])


def test_a_loss_that_stays_nan_is_read_as_fast_as_one_that_does_not() -> None:
    lines = [b'{"metric": "loss", "value": NaN, "step": %d}' % n for n in range(50)]
    assert None not in jsonl.quick_lines(lines)


@given(st.floats(allow_nan=False))
def test_a_printed_float_comes_back_exactly(value: float) -> None:
    line = json.dumps({"metric": "loss", "value": value, "step": 1})
    assert [point[1] for point in points(line + "\n")] == [value]


def test_text_before_a_row_tells_its_place() -> None:
    assert points('Epoch 3: {"loss": 0.5, "acc": 0.25}\n') == [
        ("loss", 0.5, None, 3.0),
        ("acc", 0.25, None, 3.0),
    ]


def test_the_message_in_an_object_of_a_logger_is_read_as_text() -> None:
    line = '{"level": "INFO", "message": "step 5 loss 0.5", "asctime": "2024-05-01 12:00:00"}\n'
    assert points(line) == [("loss", 0.5, 5, None)]


def test_many_messages_of_a_logger_are_each_read_with_their_own_numbers() -> None:
    text = "".join(f'{{"message": "step {n} loss 0.{n}5", "took": {n}}}\n' for n in range(1, 9))
    assert points(text) == [("loss", float(f"0.{n}5"), n, None) for n in range(1, 9)]
