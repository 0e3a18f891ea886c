"""Points that come as whole columns or as rows are those that come as events."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Malformed, MetricGroup, Metrics, Row
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.sink import Sink
from tests.parse.golden import LOGS, logs
from tests.parse.reading import events

Point = tuple[int, str, str, str, int | None, float | None, float | None]


class Columns:
    """Keeps what a sink is given as points."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.last: dict[str, int] = {}

    def add(
        self,
        name: str,
        group: MetricGroup,
        values: list[float],
        steps: list[int | None] | None,
        epochs: list[float | None] | None,
        lines: list[int],
        times: list[float | None] | None = None,
        approximate: bool = False,
    ) -> None:
        nothing = [None] * len(values)
        columns = zip(lines, values, steps or nothing, epochs or nothing, times or nothing, strict=True)
        assert lines == sorted(lines)
        self.points += [
            (line, name, group, repr(value), step, epoch, t) for line, value, step, epoch, t in columns
        ]


def points_of(found: list[Metrics | Malformed]) -> list[Point]:
    return [
        (one.line, name, one.group, repr(value), one.step, one.epoch, one.t)
        for one in found
        if isinstance(one, Metrics)
        for name, value in one.values.items()
    ]


def points_of_rows(rows: list[Row]) -> list[Point]:
    return [(one.line, one.metric, one.group, repr(one.value), one.step, one.epoch, one.time) for one in rows]


def bulk_points(data: bytes, sink: Sink | list[Row], size: int) -> list[Point]:
    bulk = Bulk()
    found: list[Metrics | Malformed] = []
    for start in range(0, len(data), size):
        found += bulk.feed(data[start : start + size], sink=sink)
    return points_of(found + bulk.finish(sink=sink))


def by_line(points: list[Point]) -> list[Point]:
    return sorted(points, key=lambda point: point[0])


def assert_same(data: bytes, size: int) -> None:
    expected = by_line(points_of(events(data)))
    columns, rows = Columns(), list[Row]()
    assert by_line(bulk_points(data, rows, size) + points_of_rows(rows)) == expected
    assert sorted(map(repr, bulk_points(data, columns, size) + columns.points)) == sorted(map(repr, expected))


@pytest.mark.parametrize("log", logs(), ids=lambda log: str(log.relative_to(LOGS)))
def test_columns_of_a_real_log_hold_its_points(log: Path) -> None:
    data = (log.read_bytes().rstrip(b"\n") + b"\n") * 4
    assert_same(data, len(data))
    assert_same(data, 5000)


OBJECTS = st.sampled_from(
    [
        '{"metric": "loss", "value": 0.5, "step": 1}',
        '{"metric": "loss", "value": 0.25, "step": 2}',
        '{"metric": "lr", "value": 1e-5, "epoch": 1}',
        '{"metric": "acc", "value": 1}',
        '{"metric": "acc", "value": true}',
        '{"metric": "acc", "value": 1, "step": 10000000000000000000000}',
        '{"metric": "acc", "value": 1, "value": 2}',
        '{"metric": "acc", "value": 3, "x":',
        '{"metric": "acc", "value": 4}}',
        '{"metric": "acc", "value": 1} {"metric": "b", "value": 2}',
        '{"metric": "", "value": 1}',
        '{"metric": "acc", "value": 1, "line": 3, "group": 4}',
        '{"metric": "\\ud800", "value": 1}',
        '{"metric": "a{", "value": 1}',
        '{"metric": "acc", "value": NaN, "step": 3}',
        "Epoch 3/10",
        "step 5: loss 0.5",
        "nothing",
        "",
    ]
)


@settings(max_examples=150)
@given(st.lists(OBJECTS, max_size=40), st.sampled_from(["\n", "\r\n"]), st.integers(40, 400))
def test_odd_objects_among_others_change_nothing(lines: list[str], end: str, size: int) -> None:
    assert_same(end.join(lines).encode(), size)


def test_a_clock_is_asked_in_the_order_of_the_lines() -> None:
    asked: list[int] = []

    def when(line: Line) -> tuple[float | None, bool]:
        asked.append(line.number)
        assert data[line.offset :].startswith(line.raw)
        return float(line.number), line.number % 2 == 0

    data = (
        b'step 1: loss 0.5\n{"metric": "loss", "value": 1}\n'
        b'step 2: loss 0.25\n{"metric": "loss", "value": 2}\n' * 5
    )
    columns = Columns()
    found = Bulk().feed(data, when, columns)
    assert asked == sorted(asked)
    points = by_line(points_of(found) + columns.points)
    assert [(line, t) for line, *_, t in points] == [(n, float(n)) for n in range(1, 21)]


def test_chunks_that_end_in_mid_line_lose_nothing() -> None:
    data = b"".join(b'{"metric": "loss", "value": %d, "step": %d}\n' % (n, n) for n in range(200))
    columns = Columns()
    bulk_points(data, columns, 333)
    assert [point[4] for point in columns.points] != []
    assert len(LineSplitter().feed(data)) == 200
    assert_same(data, 333)
