"""The user's own expressions."""

from __future__ import annotations

import threading
import time

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Metrics
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.custom import OVERRUNS, Pattern
from tests.parse.reading import events, flat, lines

ISSUE = r"step (?P<step>\d+) .* loss (?P<loss>[\d.eE+-]+)"


def test_named_groups_become_metrics_and_step_is_their_place() -> None:
    found = events("step 12 of many, loss 2.5e-1\n", Parser([Pattern(ISSUE)]))
    assert flat(event for event in found if isinstance(event, Metrics)) == [("loss", 0.25, 12, None)]


def test_lines_that_the_pattern_does_not_match_are_read_as_ever() -> None:
    found = events("epoch 3: acc=0.5\n", Parser([Pattern(ISSUE)]))
    assert flat(event for event in found if isinstance(event, Metrics)) == [("acc", 0.5, None, 3.0)]


@pytest.mark.parametrize(
    "expression", ["(?P<loss>", r"loss (\d+)", r"(?P<loss>(a+)+)b", r"(?:(\d*)x?)*(?P<a>1)"]
)
def test_a_bad_expression_gets_one_clear_sentence(expression: str) -> None:
    with pytest.raises(FloydtopError) as error:
        Pattern(expression)
    assert expression in str(error.value)
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    "expression", [r"a\+(?P<l>\d+)", r"[(+]+(?P<x>\d)", r"(?P<a>\d+) (?P<b>\d+)", r"(?:ab)?(?P<l>\d+)"]
)
def test_an_innocent_expression_is_taken(expression: str) -> None:
    assert Pattern(expression).stopped == ""


SLOW = r"(?P<loss>x*x*x*x*x*x*x*x*)y"


def test_a_slow_expression_is_stopped_by_its_budget() -> None:
    slow = Pattern(SLOW)
    start = time.monotonic()
    for _ in range(5):
        assert slow.read("x" * 1500) is None
    assert time.monotonic() - start < 10
    assert slow.stopped.endswith(".")
    assert slow.expression in slow.stopped


def test_outside_the_main_thread_a_pattern_works_without_the_alarm() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(Pattern(ISSUE).read("step 3 : loss 0.5")))
    thread.start()
    thread.join()
    assert found[0] is not None
    assert found[0].values == {"loss": 0.5}


def test_any_name_of_a_group_is_a_metric_but_those_of_steps_and_epochs() -> None:
    found = Pattern(r"(?P<iteration>\d+): (?P<seed>\d+) (?P<share>\d+%)").read("7: 3 50%")
    assert found is not None
    assert (found.values, found.step) == ({"seed": 3.0, "share": 50.0}, 7)


def test_a_pattern_that_takes_too_long_is_told_once_and_asked_no_more() -> None:
    parser = Parser([Pattern(SLOW), Pattern(ISSUE)])
    for line in lines(("x" * 1500 + "\n") * OVERRUNS):
        parser.read(line)
    (told,) = parser.complaints()
    assert SLOW in told
    assert parser.complaints() == []
    assert flat(parser.peek(lines("step 3 : loss 0.5")[0])) == [("loss", 0.5, 3, None)]


def test_bulk_reading_asks_the_patterns_of_every_line() -> None:
    bulk = Bulk(Parser([Pattern(r"noise (?P<level>\d+)")]))
    found = bulk.feed(b"noise 3\nepoch 1: acc=0.5\n" * 3)
    assert [one.values for one in found if isinstance(one, Metrics)] == [{"level": 3.0}, {"acc": 0.5}] * 3
