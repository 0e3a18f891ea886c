"""Whole columns of points at once: for who keeps series of a log's past and wants no event for each line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, compress, repeat
from typing import Any, Protocol, TypeVar

from floydtop.events import MetricGroup, Metrics, Row
from floydtop.parse import Event
from floydtop.parse.columns import Batch
from floydtop.parse.jsonl import MetricLine
from floydtop.parse.names import is_timing
from floydtop.parse.scan import Point, Series

Kind = TypeVar("Kind")


class Sink(Protocol):
    """Takes points of one metric as columns that are equally long."""

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
        """Take points in the order of their lines, which rise; those of another call may lie between.

        Args:
            steps: None when no point has one, or with None where a point has none; so are `epochs`.
            lines: line numbers.
            times: session times, only where the reader was given a clock; `approximate` is about them all.
        """


UNKNOWN: tuple[float | None, bool] = (None, False)

Times = Sequence[tuple[float | None, bool]]
"""Session time of each line and whether that is an estimate."""


def add_objects(sink: Sink, found: Sequence[MetricLine], lines: Sequence[int], times: Times | None) -> None:
    """Hand metric objects on, each metric by itself: 0.2 us an object, where an event takes 0.6."""
    for name, positions in _by_name([one.metric for one in found]).items():
        own = _taken(found, positions)
        steps = [one.step for one in own]
        epochs = [one.epoch for one in own]
        add_column(
            sink,
            name,
            "timing" if is_timing(name) else "training",
            [one.value for one in own],
            steps if steps.count(None) < len(steps) else None,
            epochs if epochs.count(None) < len(epochs) else None,
            _taken(lines, positions),
            None if times is None else _taken(times, positions),
        )


def _by_name(names: list[str]) -> dict[str, range | list[int]]:
    """Where each name stands. Metrics that take turns, as most do, are found at a third of the price."""
    known = list(dict.fromkeys(names))
    size, period = len(names), len(known)
    if known * (size // period) + known[: size % period] == names:
        return {name: range(at, size, period) for at, name in enumerate(known)}
    places: dict[str, list[int]] = {name: [] for name in known}
    for at, name in enumerate(names):
        places[name].append(at)
    return dict(places)


def _taken(column: Sequence[Kind], places: range | list[int]) -> list[Kind]:
    if isinstance(places, range):
        return list(column[places.start :: places.step])
    return [column[at] for at in places]


def add_column(
    sink: Sink,
    name: str,
    group: MetricGroup,
    values: list[float],
    steps: list[int | None] | None,
    epochs: list[float | None] | None,
    lines: list[int],
    times: Times | None,
) -> None:
    """Hand one column on; points whose time is an estimate apart from others."""
    if times is None:
        sink.add(name, group, values, steps, epochs, lines)
        return
    seconds = [t for t, _ in times]
    guessed = [guess for _, guess in times]
    for approximate in sorted(set(guessed)):
        if guessed.count(approximate) == len(guessed):
            sink.add(name, group, values, steps, epochs, lines, seconds, approximate)
            continue
        own = [guess is approximate for guess in guessed]
        sink.add(
            name,
            group,
            list(compress(values, own)),
            None if steps is None else list(compress(steps, own)),
            None if epochs is None else list(compress(epochs, own)),
            list(compress(lines, own)),
            list(compress(seconds, own)),
            approximate,
        )


def rows_of_objects(found: Sequence[MetricLine], lines: Sequence[int], times: Times | None) -> list[Row]:
    """The rows of metric objects, one each."""
    groups = _groups(found)
    if times is None or not any(t is not None for t, _ in times):
        return [
            Row(one.metric, one.value, one.step, one.epoch, None, line, groups[one.metric])
            for one, line in zip(found, lines, strict=True)
        ]
    return [
        Row(one.metric, one.value, one.step, one.epoch, None if guess else t, line, groups[one.metric])
        for one, line, (t, guess) in zip(found, lines, times, strict=True)
    ]


def events_of_objects(
    found: Sequence[MetricLine], lines: Sequence[int], times: Times | None
) -> list[Metrics]:
    """An event for each metric object."""
    groups = _groups(found)
    return [
        Metrics({one.metric: one.value}, t, guess, one.step, one.epoch, line, groups[one.metric])
        for one, line, (t, guess) in zip(found, lines, times or repeat(UNKNOWN), strict=times is not None)
    ]


def _groups(found: Sequence[MetricLine]) -> dict[str, MetricGroup]:
    return {name: "timing" if is_timing(name) else "training" for name in {one.metric for one in found}}


def give_batch(
    sink: Sink | list[Row] | None, batch: Batch, first: int, times: Times | None, events: list[Event]
) -> None:
    """Hand the points of lines of one shape on in the way that is wanted.

    Args:
        first: number of the first line of the chunk.
        times: those of the batch's lines.
    """
    if not batch.indexes:
        return
    lines = [first + index for index in batch.indexes]
    steps, epochs = batch.steps, batch.epochs
    if sink is None:
        events += _events_of_batch(batch, lines, steps, epochs, times)
    elif isinstance(sink, list):
        moments = repeat(None) if times is None else [None if guess else t for t, guess in times]
        for group, name, values in batch.columns():
            sink += map(Row, repeat(name), values, steps, epochs, moments, lines, repeat(group))
    else:
        step_column = steps if steps.count(None) < len(steps) else None
        epoch_column = epochs if epochs.count(None) < len(epochs) else None
        for group, name, values in batch.columns():
            add_column(sink, name, group, values, step_column, epoch_column, lines, times)


def _events_of_batch(
    batch: Batch, lines: list[int], steps: list[int | None], epochs: list[float | None], times: Times | None
) -> Iterator[Metrics]:
    """An event for each line and group, those of one line in the order of the groups."""
    by_group: dict[MetricGroup, dict[str, list[float]]] = {}
    for group, name, values in batch.columns():
        by_group.setdefault(group, {})[name] = values
    for group, columns in by_group.items():
        names = tuple(columns)
        rows = zip(*columns.values(), strict=True)
        for row, line, step, epoch, (t, guess) in zip(
            rows, lines, steps, epochs, times or repeat(UNKNOWN), strict=False
        ):
            yield Metrics(dict(zip(names, row, strict=True)), t, guess, step, epoch, line, group)


def give_points(
    sink: Sink | list[Row] | None,
    points: Sequence[tuple[int, Point]],
    first: int,
    times: dict[int, tuple[float | None, bool]],
    events: list[Event],
) -> None:
    """Hand points of lines with frames on in the way that is wanted.

    Args:
        points: each with the index of its line.
        first: number of the first line of the chunk.
        times: those that are known, by index.
    """
    if isinstance(sink, list):
        sink += _rows_of_points(points, first, times)
    elif sink is None:
        events += _events_of_points(points, first, times)
    else:
        by_series: dict[Series, list[tuple[int, Point]]] = {}
        for one in points:
            by_series.setdefault(one[1][0], []).append(one)
        for series, own in by_series.items():
            _add_points(sink, series, own, first, times)


def _rows_of_points(
    points: Sequence[tuple[int, Point]], first: int, times: dict[int, tuple[float | None, bool]]
) -> Iterator[Row]:
    """The rows of points in their order: 0.2 us each, where one by one takes 0.5."""
    indexes, inner = zip(*points, strict=True)
    every, rows, steps, epochs = zip(*inner, strict=True)
    sizes = [len(series.names) for series in every]
    moments = [times.get(index, UNKNOWN) for index in indexes] if times else []

    def spread(column: Any) -> Iterator[Any]:
        return chain.from_iterable(map(repeat, column, sizes))

    return map(
        Row,
        chain.from_iterable([series.names for series in every]),
        chain.from_iterable(
            [row if series.sorted else series.arranged(row) for series, row in zip(every, rows, strict=True)]
        ),
        spread(steps),
        spread(epochs),
        spread([None if guess else t for t, guess in moments]) if times else repeat(None),
        spread([first + index for index in indexes]),
        chain.from_iterable([series.groups for series in every]),
    )


def _events_of_points(
    points: Sequence[tuple[int, Point]], first: int, times: dict[int, tuple[float | None, bool]]
) -> Iterator[Metrics]:
    for index, (series, row, step, epoch) in points:
        t, guess = times.get(index, UNKNOWN)
        by_group: dict[MetricGroup, dict[str, float]] = {}
        for name, group, value in zip(series.names, series.groups, series.arranged(row), strict=True):
            by_group.setdefault(group, {})[name] = value
        for group, values in by_group.items():
            yield Metrics(values, t, guess, step, epoch, first + index, group)


def _add_points(
    sink: Sink,
    series: Series,
    points: Sequence[tuple[int, Point]],
    first: int,
    times: dict[int, tuple[float | None, bool]],
) -> None:
    indexes, inner = zip(*points, strict=True)
    _, rows, step_column, epoch_column = zip(*inner, strict=True)
    columns = zip(*map(series.arranged, rows), strict=True)
    steps = list(step_column) if step_column.count(None) < len(step_column) else None
    epochs = list(epoch_column) if epoch_column.count(None) < len(epoch_column) else None
    lines = [first + index for index in indexes]
    moments = [times.get(index, UNKNOWN) for index in indexes] if times else None
    for name, group, column in zip(series.names, series.groups, columns, strict=True):
        add_column(sink, name, group, list(column), steps, epochs, lines, moments)
