"""The user's own expressions, and the choice of metrics."""

from __future__ import annotations

import threading
import time

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Metrics
from floydtop.parse import Parser
from floydtop.parse.custom import Pattern, choose, patterns
from tests.parse.reading import events, flat

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


def test_patterns_come_from_the_command_line_and_the_configuration() -> None:
    one, two = patterns([ISSUE, {"name": "mine", "match": r"(?P<x>\d+)!"}])
    assert (one.expression, two.name) == (ISSUE, "mine")
    with pytest.raises(FloydtopError):
        patterns([{"name": "nothing"}])


def test_metrics_are_chosen_by_name_and_renamed() -> None:
    found = events("epoch 1: train_loss=0.5 val_loss=0.6 val_acc=0.7\n")
    chosen = choose(found, only=["val_*"], ignore=["*_acc"], rename={"val_loss": "validation"})
    assert flat(event for event in chosen if isinstance(event, Metrics)) == [("validation", 0.6, None, 1.0)]
