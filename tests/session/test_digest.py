"""Taken apart into columns, events add up to the same state as one by one."""

from __future__ import annotations

import math
import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import (
    Clock,
    End,
    Event,
    Gap,
    JobState,
    Malformed,
    Metrics,
    Note,
    OutputLine,
    Progress,
    Sample,
)
from floydtop.session.digest import FEW, digest
from floydtop.session.format import Reader
from floydtop.session.helper import pack, unpack
from floydtop.session.session import METRIC_NAMES_KEPT, Session
from tests.session import samples

NAMES = ["loss", "acc", "lr", "it/s"]
VALUES = [0.0, -1.5, 2.0, 1e6, math.nan, math.inf, -math.inf]


def steady(noise: random.Random, first: int) -> list[Event]:
    """What most jobs print: metrics again and again, each on a line or all on one, with times that rise."""
    told = noise.sample(NAMES, noise.randint(1, 4))
    seconds, restart, together = (
        noise.choice([0.01, 0.5, 3.0]),
        noise.choice([40, 1000]),
        noise.random() < 0.5,
    )
    return [
        Metrics(
            values=dict.fromkeys(some, noise.gauss(0, 1)), t=step * seconds, step=step % restart, line=step
        )
        for step in range(first, first + noise.randint(FEW, 150))
        for some in ([told] if together else [[name] for name in told])
    ]


def anything(noise: random.Random) -> list[Event]:
    """Lines that tell anything or nothing."""
    return [
        Metrics(
            values={name: noise.choice(VALUES) for name in noise.sample(NAMES, noise.randint(0, 3))},
            t=noise.choice([None, noise.uniform(0, 100)]),
            approximate=noise.random() < 0.2,
            step=noise.choice([None, noise.randint(0, 50)]),
            epoch=noise.choice([None, float(noise.randint(0, 9))]),
            line=noise.randint(0, 99),
            group=noise.choice(["training", "timing"]),
        )
        for _ in range(noise.randint(FEW, 150))
    ]


def other(noise: random.Random) -> Event:
    """What is no metric."""
    t = noise.uniform(0, 100)
    return noise.choice(
        [
            Progress(epoch=noise.randint(0, 9), epochs=9, t=noise.choice([None, t])),
            Progress(step=noise.randint(0, 90), steps=90, t=t),
            JobState(t=t, state=noise.choice(["running", "stopped", "exited"])),
            Sample(t=t, values={"cpu.percent": (1.0, 0.0, 2.0)}),
            OutputLine(text="x", line=noise.randint(1, 99), t=t),
            Malformed(text="x", why="because"),
            Note(t=t, text="x"),
            Gap(t=t, lost=1, why="full"),
            Clock(t=t, wall=t),
            End(t=t, why="done"),
            samples.header(segment=noise.randint(0, 3)),
        ]
    )


def mixed(noise: random.Random) -> list[Event]:
    """Many metrics of either kind, with something else between some of them."""
    events = steady(noise, noise.choice([0, 90])) if noise.random() < 0.6 else anything(noise)
    for _ in range(noise.randint(0, 5)):
        events.insert(noise.randint(0, len(events)), other(noise))
    return events


def state(session: Session) -> str:
    """All that is known."""
    known = dict(vars(session)) | {"_lines_told": session.metric_lines}
    progress = dict(vars(known.pop("progress")))
    for derived in ("_metrics", "_derived"):
        progress[derived] = sorted(progress[derived])
    progress["_bars"] = vars(progress["_bars"])
    # Of metrics the journal notes what they tell of the progress.
    journal = [
        (entry.t, entry.step, entry.epoch, entry.line, next(iter(entry.values), None))
        if isinstance(entry, Metrics)
        else entry
        for entry in known.pop("journal")
    ]
    series = sorted((name, vars(one)) for name, one in known.pop("metrics").items())
    system = {name: vars(one) for name, one in known.pop("system").items()}
    past = vars(known.pop("past"))
    return "\n".join(map(repr, [*known.items(), *progress.items(), *series, system, past, journal]))


def fresh(most_points: int | None = None) -> Session:
    session = Session(most_points)
    session.journal = []
    return session


@given(st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_columns_add_up_to_what_events_do_one_by_one(seed: int) -> None:
    noise = random.Random(seed)
    at_once, one_by_one = fresh(), fresh()
    for _ in range(3):
        events = mixed(noise)
        at_once.take(digest(events))
        for event in events:
            one_by_one.apply(event)
        assert state(at_once) == state(one_by_one)


@given(st.integers(0, 10**9))
@settings(max_examples=50, deadline=None)
def test_a_digest_from_another_process_is_the_same(seed: int) -> None:
    noise = random.Random(seed)
    here, there = fresh(300), fresh(300)
    for _ in range(4):
        data = samples.as_bytes(mixed(noise))
        here.take(digest(Reader().feed(data)))
        there.take(unpack(pack(digest(Reader().feed(data)))))
        assert state(here) == state(there)


@given(st.lists(samples.events, max_size=20))
@settings(deadline=None)
def test_any_event_goes_from_process_to_process(events: list[Event]) -> None:
    told = digest(Reader().feed(samples.as_bytes(events)))
    others = repr(told.others)
    assert repr(unpack(pack(told)).others) == others


def test_names_beyond_the_most_cost_no_time() -> None:
    """A hostile line an event: each with a name and an epoch of its own."""
    events: list[Event] = [Metrics(values={f"m{n}": 1.0}, epoch=float(n), t=-float(n)) for n in range(15_000)]
    session = fresh()
    started = time.process_time()
    session.take(digest(events))
    assert time.process_time() - started < 3.0
    assert len(session.metrics) == METRIC_NAMES_KEPT
