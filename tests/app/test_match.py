from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.app.match import Matcher, matcher
from floydtop.events import Metrics
from tests.app.stage import opening, replaying

ENDLESS = {
    "nested": (r"(a+)+$", "a" * 4000 + "b"),
    "alternatives": (r"(a|a)*$", "a" * 4000 + "b"),
    "polynomial": (r".*.*.*.*.*=x", "=" * 4000),
}
"""Expressions that take for ever on a text: by their shape the first one alone could be told."""


def test_a_pattern_is_an_expression_where_it_can_be_one_and_case_does_not_count() -> None:
    assert matcher("^LOSS$|acc")("loss")
    assert not matcher("^LOSS$")("val_loss")
    assert matcher("loss(")("val_LOSS(x)")


@pytest.mark.parametrize("name", ENDLESS)
def test_an_expression_that_takes_for_ever_becomes_plain_text(name: str) -> None:
    pattern, text = ENDLESS[name]
    found = Matcher(pattern)
    start = time.monotonic()
    assert not found(text)
    assert found.too_slow
    assert found(f"the words {pattern.upper()}")
    assert time.monotonic() - start < 5


def test_many_slow_texts_are_as_bad_as_one() -> None:
    found = Matcher(r"(a+)+$")
    start = time.monotonic()
    for length in range(1000):
        found("a" * (12 + length % 8) + "b")
    assert found.too_slow
    assert time.monotonic() - start < 5


def test_an_alarm_of_somebody_else_still_rings() -> None:
    import signal

    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        Matcher("loss")("val_loss")
        assert rung.wait(5)
    finally:
        signal.signal(signal.SIGALRM, before)


@given(st.text(max_size=30), st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_pattern_raises(pattern: str, text: str) -> None:
    Matcher(pattern)(text)


async def test_a_filter_that_would_hang_is_told_and_keys_still_act(tmp_path: Path) -> None:
    point = Metrics(values={"a" * 60 + "b": 1.0, "loss": 0.5}, t=1.0, step=1)
    async with replaying(tmp_path, [*opening(), point]) as stage:
        await stage.press("slash")
        app = stage.app
        app.screen.query_one("#prompt").value = "(a+)+$"  # type: ignore[attr-defined]  # the Prompt
        await stage.see("too slow as a regular expression")
        await stage.press("escape")
        await stage.see("loss")
