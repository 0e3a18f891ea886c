"""A session stays below its budget, loses the least important first, and counts what it loses."""

from __future__ import annotations

import math

from floydtop.events import Event, Gap, JobState, Metrics, OutputLine, Sample
from floydtop.session.budget import Budget
from floydtop.session.format import encode

SIZE = 200_000


def fill(lines: int, budget: Budget) -> tuple[list[Event], int]:
    """What is written of so many lines with text and metric."""
    written, kept = 0, []
    for number in range(lines):
        value = math.nan if number % 1_000 == 999 else float(number)
        events = [
            OutputLine(text="x" * 40, line=number),
            Metrics(values={"loss": value}, line=number, step=number),
            Metrics(values={"seconds": 0.1}, line=number, step=number, group="timing"),
        ]
        for event in budget.admit(events, written, float(number)):
            written += len(encode(event))
            kept.append(event)
    return kept, written


def test_a_small_session_keeps_everything() -> None:
    kept, written = fill(100, Budget(SIZE))
    assert len(kept) == 300
    assert written < SIZE / 2


def test_the_budget_is_not_exceeded_however_much_comes() -> None:
    _, written = fill(100_000, Budget(SIZE))
    assert SIZE / 2 < written < SIZE


def test_every_event_is_kept_or_counted() -> None:
    budget = Budget(SIZE)
    kept, _ = fill(20_000, budget)
    kept += budget.rest(20_000.0)
    gaps = [event for event in kept if isinstance(event, Gap)]
    assert len(kept) - len(gaps) + sum(gap.lost for gap in gaps) == 60_000
    assert all("MiB" in gap.why for gap in gaps)


def test_text_goes_first_and_metrics_get_sparse_by_and_by() -> None:
    kept, _ = fill(20_000, Budget(SIZE))
    last_text = max(event.line for event in kept if isinstance(event, OutputLine))
    steps = [event.step or 0 for event in kept if isinstance(event, Metrics) and event.group == "training"]
    assert last_text < 2_000
    assert steps[:last_text] == list(range(last_text))
    early = [step for step in steps if last_text < step < 2 * last_text]
    late = [step for step in steps if step >= 18_000]
    assert len(early) / last_text > 2 * len(late) / 2_000
    assert late


def test_a_line_is_kept_or_left_out_as_a_whole() -> None:
    kept, _ = fill(20_000, Budget(SIZE))
    lines = {"training": set(), "timing": set()}
    for event in kept:
        if isinstance(event, Metrics) and event.line % 1_000 != 999:
            lines[event.group].add(event.line)
    assert lines["training"] == lines["timing"]


def test_news_is_never_left_out() -> None:
    kept, _ = fill(20_000, Budget(SIZE))
    nans = [
        event.line for event in kept if isinstance(event, Metrics) and math.isnan(event.values.get("loss", 0))
    ]
    assert nans == list(range(999, 20_000, 1_000))
    state = JobState(t=1.0, state="stopped")
    assert Budget(SIZE).admit([state], SIZE - 1, 1.0)[0] == state


def test_samples_get_sparse_too() -> None:
    budget = Budget(SIZE)
    kept = [
        event
        for number in range(1_000)
        for event in budget.admit([Sample(t=float(number), values={})], SIZE - SIZE // 10, float(number))
        if isinstance(event, Sample)
    ]
    assert 0 < len(kept) <= 1_000 // 8
