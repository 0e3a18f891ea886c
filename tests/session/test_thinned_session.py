"""A session that is bounded tells the same as one that keeps everything, with fewer points."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Column, Event, History, Metrics, Position, Progress, Sample
from floydtop.plot.columns import Column as Drawn
from floydtop.plot.columns import ColumnCache
from floydtop.session.digest import FEW
from floydtop.session.series import LEAST_KEPT, Series, SystemSeries
from floydtop.session.session import Session
from floydtop.session.thin import Points, thinned, to_column

numbers = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
lines = st.lists(
    st.builds(
        Metrics,
        values=st.dictionaries(st.sampled_from(["loss", "acc", "lr"]), numbers, min_size=1, max_size=3),
        t=st.none() | st.floats(0, 100),
        step=st.none() | st.integers(0, 50),
        epoch=st.none() | st.integers(0, 9).map(float),
        line=st.integers(0, 99),
        group=st.sampled_from(["training", "timing"]),
    ),
    min_size=FEW,
    max_size=FEW + 30,
)


def columns(session: Session) -> object:
    """All points, and what sums them up."""
    return {
        name: repr(
            (
                (s.group, s.times, s.steps, s.epochs, s.lines, s.values, s.means, s.weights),
                (s.minimum, s.maximum, round(s.mean, 6), s.count, s.not_finite),
                (s.step_low, s.step_high, s.restarts, s.in_epochs, s.has_times, s.has_steps),
            )
        )
        for name, s in session.metrics.items()
    }


@given(lines)
@settings(max_examples=60, deadline=None)
def test_many_metrics_at_once_add_up_as_one_by_one(events: list[Metrics]) -> None:
    at_once, one_by_one = Session(), Session()
    at_once.apply_all(list[Event](events))
    for event in events:
        one_by_one.apply(event)
    assert columns(at_once) == columns(one_by_one)
    assert at_once.metric_lines == one_by_one.metric_lines
    assert (at_once.now, at_once.earliest) == (one_by_one.now, one_by_one.earliest)
    assert at_once.applied == one_by_one.applied


def test_progress_is_the_same_when_metrics_come_at_once() -> None:
    events: list[Event] = []
    for step in range(600):
        events.append(Metrics(values={"loss": 1.0}, t=step / 2, step=step))
        if step % 50 == 0:
            events.append(Progress(epoch=step // 100, epochs=6, t=step / 2))
    at_once, one_by_one = Session(), Session()
    at_once.apply_all(events)
    for event in events:
        one_by_one.apply(event)
    assert at_once.progress.steps_per_second == pytest.approx(2.0)
    assert columns(at_once) == columns(one_by_one)
    assert at_once.progress.eta_seconds(300) == one_by_one.progress.eta_seconds(300)


@pytest.mark.parametrize("loaded", [1.0, 0.1])
def test_a_bounded_session_keeps_few_points_and_all_sums(loaded: float) -> None:
    noise = random.Random(1)
    events: list[Event] = [
        Metrics(values={"loss": noise.gauss(0, 1), "lr": 0.1}, t=step / 10, step=step, line=step + 1)
        for step in range(30_000)
    ]
    bounded, whole = Session(most_points=2_000), Session()
    bounded.share_loaded = loaded
    for start in range(0, len(events), 700):
        bounded.apply_all(events[start : start + 700])
        assert sum(map(len, bounded.metrics.values())) <= 2_000
    whole.apply_all(events)
    for name, series in whole.metrics.items():
        few = bounded.metrics[name]
        assert len(few) > 50
        assert (few.count, few.not_finite) == (series.count, series.not_finite)
        assert (few.minimum, few.maximum) == (series.minimum, series.maximum)
        assert few.mean == pytest.approx(series.mean)
        assert few.values[-1] == series.values[-1]
        assert few.edition > 0
    assert set(bounded.metrics["lr"].values) == {0.1}


def test_a_long_metric_takes_the_room_that_short_ones_leave() -> None:
    session = Session(most_points=10_000)
    session.apply_all([Metrics(values={f"short{n}": 1.0}, t=0.0) for n in range(100)])
    session.apply_all([Metrics(values={"long": float(n)}, step=n) for n in range(9_000)])
    assert len(session.metrics["long"]) == 9_000


def test_each_of_a_thousand_metrics_keeps_some_points() -> None:
    session = Session(most_points=100)
    for step in range(200):
        session.apply_all([Metrics(values={f"m{n}": float(step) for n in range(100)}, step=step)])
    assert all(20 < len(series) <= LEAST_KEPT for series in session.metrics.values())
    assert all(series.count == 200 for series in session.metrics.values())


def test_one_spike_in_a_million_points_is_drawn_at_80_columns() -> None:
    session = Session(most_points=50_000)
    spike = 654_321
    for start in range(0, 1_000_000, 10_000):
        session.apply_all(
            [
                Metrics(values={"loss": 100.0 if step == spike else 1.0}, step=step)
                for step in range(start, start + 10_000)
            ]
        )
    series = session.metrics["loss"]
    drawn = ColumnCache().columns(series.steps, series.values, 0, 999_999, 2 * 72)
    place = int(spike / 999_999 * 144)
    column = drawn[place]
    assert isinstance(column, Drawn)
    assert column.high == 100.0
    assert all(one is not None and one.high == 1.0 for at, one in enumerate(drawn) if at != place)


def test_ticks_are_bounded_and_keep_their_extremes() -> None:
    series = SystemSeries("cpu.percent")
    for tick in range(5_000):
        low = -7.0 if tick == 1234 else 0.0
        series.append(float(tick), tick % 10, low, 100.0)
        series.thin(500)
    assert len(series) <= 500
    assert min(series.lows) == -7.0
    assert series.times[-1] == 4_999.0
    assert series.count == 5_000
    assert series.mean == pytest.approx(4.5)
    assert list(series.times) == sorted(series.times)


# -- the past of a log ----------------------------------------------------------------------------------


def stretch(first: int, last: int, *, group: float = 1, sampled: bool = False) -> History:
    """Lines of 10 bytes each, one metric in every line, another in every third."""
    points = {"loss": Points(), "acc": Points()}
    for place in range(first, last):
        points["loss"].append(place / 10 - 200, place, math.sin(place), line=place - 1000)
        if place % 3 == 0:
            points["acc"].append(None, None, place / 1000, epoch=place // 100, line=place - 1000)
    return History(
        start=first * 10,
        stop=last * 10,
        columns={name: to_column(thinned(one, group), approximate=True) for name, one in points.items()},
        lines=last - first,
        sampled=sampled,
    )


def forwards(first: int, last: int) -> list[Event]:
    events: list[Event] = []
    for place in range(first, last):
        events.append(
            Metrics(
                values={"loss": math.sin(place)},
                t=place / 10 - 200,
                approximate=True,
                step=place,
                line=place - 1000,
            )
        )
        if place % 3 == 0:
            events.append(Metrics(values={"acc": place / 1000}, epoch=place // 100, line=place - 1000))
    return events


@given(st.lists(st.integers(1, 999), unique=True, max_size=6), st.integers(0, 300))
@settings(max_examples=30, deadline=None)
def test_a_past_read_backwards_adds_up_to_what_it_is_forwards(cuts: list[int], live: int) -> None:
    whole = Session()
    whole.apply_all(forwards(0, 1000 + live))
    ends = [1000, *sorted(cuts, reverse=True), 0]
    session = Session()
    news = forwards(1000, 1000 + live)
    session.apply(Position(t=0.0, offset=1000, begun=1000, back=1000))
    session.apply_all(news[: live // 2])
    for stop, start in pairwise(ends):
        assert session.past.lines_before is None
        assert session.number_of(1) is None
        session.apply(stretch(start, stop))
    session.apply_all(news[live // 2 :])
    assert columns(session) == columns(whole)
    assert session.past.lines_before == 1000
    assert [session.number_of(line) for line in (-1000, -1, 1)] == [1, 1000, 1001]


def test_samples_stand_until_the_points_are_there() -> None:
    session = Session()
    session.apply_all(forwards(1000, 1010))
    for start in (0, 250, 500, 750):
        session.apply(stretch(start, start + 5, sampled=True))
    session.apply(Position(t=0.0, offset=10_100, begun=10_000, back=10_000))
    loss = session.metrics["loss"]
    assert session.past.sampled
    assert (len(loss), loss.count) == (30, 10)
    assert loss.step_low == 0
    assert session.past.share_read(session.position) == pytest.approx(100 / 10_100)
    session.apply(stretch(600, 1000))
    assert list(loss.steps) == [*range(5), *range(250, 255), *range(500, 505), *range(600, 1010)]
    assert loss.count == 410
    session.apply(stretch(0, 600))
    assert list(loss.steps) == list(range(1010))
    assert not session.past.sampled
    assert session.past.share_read(session.position) is None
    assert loss.count == 1010


def test_a_stretch_that_is_there_already_counts_once() -> None:
    session = Session()
    session.apply_all([stretch(500, 1000), stretch(500, 1000), stretch(400, 405, sampled=True)])
    session.apply(stretch(700, 705, sampled=True))
    assert session.metrics["loss"].count == 500
    assert len(session.metrics["loss"]) == 505


def test_a_thinned_past_counts_all_its_points_and_is_bounded_with_the_rest() -> None:
    session = Session(most_points=300)
    for stop in range(1000, 0, -100):
        session.apply_all([stretch(stop - 100, stop, group=8)])
        session.apply_all(forwards(2000 - stop, 2000 - stop + 50))
        assert sum(map(len, session.metrics.values())) <= 300
    loss = session.metrics["loss"]
    assert loss.count == 1500
    assert loss.mean == pytest.approx(
        sum(map(math.sin, [*range(1000), *(p + q for p in range(1000, 2000, 100) for q in range(50))]))
        / 1500,
        abs=1e-9,
    )
    assert list(loss.steps) == sorted(loss.steps)


def test_a_history_full_of_nonsense_breaks_nothing() -> None:
    session = Session(most_points=100)
    column = Column(values=[1.0, None], times=[1.0], weights=[-1.0, 5.0], odd={7: "x", 1: "y"})
    session.apply_all(
        [
            History(start=5, stop=9, columns={"a": column, "b": Column(values=[])}),
            History(start=-5, stop=5, columns={"a": column}, sampled=True),
            History(start=0, stop=5, columns={"a": column}, lines=3),
            Sample(t=1.0, values={}),
        ]
    )
    assert session.metrics["a"].count == 4
    assert session.metrics["a"].not_finite == 2


def test_appends_keep_the_edition_and_all_else_changes_it() -> None:
    series = Series("loss")
    series.append(0.0, 1, 1.0)
    assert series.edition == 0
    points = Points()
    points.append(-1.0, 0, 2.0)
    series.put_before(points, estimated=True)
    assert series.edition == 1
    series.put_before(points, estimated=True, sampled=True)
    series.drop_samples(1)
    assert (series.edition, list(series.values)) == (3, [2.0, 1.0])
