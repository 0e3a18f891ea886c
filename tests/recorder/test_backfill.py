"""The end of a huge log first, then all of it backwards: the same points as if it had been read forward."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from floydtop.events import Event, Header, History, Malformed, Metrics, OutputLine, Position
from floydtop.parse import Parser
from floydtop.parse.lines import LineSplitter
from floydtop.parse.rules import Rules
from floydtop.recorder import backfill, behind, context, gathering
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording
from floydtop.session.thin import of_column
from tests.recorder.jobs import events, job, until

LOGS = sorted((Path(__file__).parents[1] / "data" / "logs").rglob("*.log"))

Point = tuple[str, str, float | None, float | None, int]
"""Name, value as text (NaN equals itself), step, epoch, line counted from the log's first."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "session.jsonl"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs of some kilobytes are huge."""
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch, seed: int = 0) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(behind, "HUGE", 4000)
    monkeypatch.setattr(behind, "TAIL", chance.randrange(500, 4000))
    monkeypatch.setattr(backfill, "STRETCH", chance.randrange(2000, 60_000))
    monkeypatch.setattr(backfill, "LEAST_STRETCH", 2000)
    monkeypatch.setattr(backfill, "READ", chance.randrange(1000, 30_000))
    monkeypatch.setattr(backfill, "MOST_AT_ONCE", chance.randrange(200, 20_000))
    monkeypatch.setattr(backfill, "LEAST_AT_ONCE", 100)
    monkeypatch.setattr(backfill, "BLOCK_POINTS", chance.randrange(10, 500))
    monkeypatch.setattr(backfill, "PROBES", 16)
    monkeypatch.setattr(backfill, "PROBE_BYTES", 500)
    monkeypatch.setattr(context, "BEFORE", 32 << 10)
    monkeypatch.setattr(context, "HEAD", 8 << 10)


def record(session: Path, log: Path, rules: Rules | None = None) -> list[Event]:
    """Record a log that nobody writes to its end, or go on with that."""
    os.utime(log, (1e9, 1e9))
    asyncio.run(Recording(Assignment(session, None, str(log), rules=rules or Rules())).run())
    return events(session)


def forward(text: bytes) -> list[Point]:
    parser, splitter = Parser(), LineSplitter()
    return [
        (name, repr(value), event.step, event.epoch, event.line)
        for line in [*splitter.feed(text), *splitter.finish()]
        for event in parser.read(line)
        if isinstance(event, Metrics)
        for name, value in event.values.items()
    ]


def recorded(found: Sequence[Event], *, sampled: bool = False) -> list[Point]:
    """All points, or the sampled ones."""
    before = newest(found).past_lines
    points: list[Point] = []
    for event in found:
        if isinstance(event, Metrics) and not sampled:
            for name, value in event.values.items():
                points.append((name, repr(value), event.step, event.epoch, event.line + before))
        elif isinstance(event, History) and event.sampled is sampled:
            for name, column in event.columns.items():
                kept = of_column(column)
                for place, value in enumerate(kept.values):
                    epoch = kept.epochs[place] if kept.epochs is not None else None
                    step, line = kept.steps[place], kept.lines[place] + before + 1
                    points.append((name, repr(value), known(step), known(epoch), line))
    return points


def known(number: float | None) -> float | None:
    return None if number is None or number != number else number


def newest(found: Sequence[Event]) -> Position:
    return [event for event in found if isinstance(event, Position)][-1]


def json_lines(first: int, stop: int) -> bytes:
    return b"".join(b'{"metric": "loss", "value": %d.5, "step": %d}\n' % (n, n) for n in range(first, stop))


@pytest.mark.parametrize("source", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_backwards_gives_the_points_that_forward_gives(
    source: Path, session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = source.read_bytes()
    text *= 80_000 // len(text) + 1
    log.write_bytes(text)
    shrink(monkeypatch, seed=len(text))
    found = record(session, log)
    assert newest(found).begun > 0
    assert Counter(recorded(found)) == Counter(forward(text))


def test_a_line_of_the_past_is_numbered_back_from_where_the_recording_began(session: Path, log: Path) -> None:
    log.write_bytes(json_lines(0, 1000))
    found = record(session, log)
    position = newest(found)
    begun = log.read_bytes()[: position.begun].count(b"\n")
    assert (position.back, position.past_lines) == (0, begun)
    first = next(event for event in found if isinstance(event, Metrics))
    assert (first.step, first.line) == (begun, 1)
    stretches = [event for event in found if isinstance(event, History) and not event.sampled]
    assert stretches[0].columns["loss"].lines[-1] == -1
    assert stretches[-1].columns["loss"].lines[0] == -begun
    assert [one.stop for one in stretches] == [position.begun, *(one.start for one in stretches[:-1])]
    assert stretches[-1].start == 0
    assert sum(one.lines for one in stretches) == begun


def test_the_newest_values_come_first_then_samples_of_the_whole(session: Path, log: Path) -> None:
    log.write_bytes(json_lines(0, 5000))
    found = record(session, log)
    kinds = [kind(event) for event in found if isinstance(event, History | Metrics)]
    assert [one for one, before in zip(kinds, ["", *kinds], strict=False) if one != before] == [
        "line",
        "sample",
        "stretch",
    ]
    samples = [event for event in found if isinstance(event, History) and event.sampled]
    steps = [step for one in samples for step in one.columns["loss"].steps if step is not None]
    assert len(samples) == 16
    assert steps == sorted(steps)
    assert steps[0] < 300
    assert steps[-1] > 4500


def kind(event: Event) -> str:
    if isinstance(event, History):
        return "sample" if event.sampled else "stretch"
    return "line"


KERAS_BAR = b"\r20/20 [====================] - 1s 5ms/step - loss: 0.%03d - acc: 0.5\n"


def keras(epochs: int, noise: int) -> bytes:
    """Epochs whose heading stands far above their result."""
    parts = []
    for epoch in range(1, epochs + 1):
        parts.append(b"Epoch %d/%d\n" % (epoch, epochs))
        parts += [b"warning: slow batch number %d\n" % n for n in range(noise)]
        parts.append(KERAS_BAR % epoch)
    return b"".join(parts)


def test_an_epoch_that_was_told_far_above_is_known(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "BEFORE", 1000)
    text = keras(epochs=12, noise=500)
    log.write_bytes(text)
    found = record(session, log)
    assert Counter(recorded(found)) == Counter(forward(text))
    assert {point[3] for point in recorded(found)} == set(map(float, range(1, 13)))


def test_a_sample_tells_no_epoch_that_it_does_not_know(session: Path, log: Path) -> None:
    text = keras(epochs=40, noise=20)
    log.write_bytes(text)
    right = {(name, value): epoch for name, value, _, epoch, _ in forward(text)}
    samples = recorded(record(session, log), sampled=True)
    assert len(samples) > 10
    assert all(epoch in (None, right[name, value]) for name, value, _, epoch, _ in samples if name == "loss")


def test_rows_far_below_their_header_are_read(session: Path, log: Path) -> None:
    text = b"epoch,loss,val_loss\n" + b"".join(b"%d,%d.5,%d.25\n" % (n, n, n) for n in range(6000))
    log.write_bytes(text)
    found = record(session, log)
    assert Counter(recorded(found)) == Counter(forward(text))
    assert all(
        epoch == float(value) - 0.5
        for name, value, _, epoch, _ in recorded(found, sampled=True)
        if name == "loss"
    )


def test_a_small_log_is_read_from_its_start(session: Path, log: Path) -> None:
    log.write_bytes(json_lines(0, 50))
    found = record(session, log)
    assert newest(found).begun == 0
    assert not any(isinstance(event, History) for event in found)
    assert recorded(found) == forward(log.read_bytes())


def test_the_users_rules_hold_for_the_past(session: Path, log: Path) -> None:
    lines = [
        b'{"metric": "loss", "value": 1, "step": %d}\n{"metric": "acc", "value": 2, "step": %d}\n' % (n, n)
        for n in range(500)
    ]
    log.write_bytes(b"".join(lines))
    found = record(session, log, Rules(ignore=("acc",), rename={"loss": "cost"}))
    assert Counter(point[0] for point in recorded(found)) == {"cost": 500}


def test_unreadable_metric_lines_are_counted_and_the_first_ones_told(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "MALFORMED_TOLD", 5)
    log.write_bytes(b'{"metric": "loss", "value": null}\n{"metric": "loss", "value": 1}\n' * 1000)
    found = record(session, log)
    told = [event.line for event in found if isinstance(event, Malformed)]
    counted = sum(event.malformed for event in found if isinstance(event, History) and not event.sampled)
    assert len([line for line in told if line < 0]) == 5
    assert len(told) + counted == 1000


def test_a_dense_past_is_thinned_and_keeps_its_extremes_and_its_count(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "WHOLE", 1000)
    monkeypatch.setattr(backfill, "STRETCH", 200_000)
    monkeypatch.setattr(backfill, "READ", 50_000)
    monkeypatch.setattr(backfill, "LEAST_AT_ONCE", 50_000)
    monkeypatch.setattr(backfill, "KEPT", 1000)
    values = [random.Random(1).random() for _ in range(20_000)]
    values[7000], values[9000] = 9.0, -9.0
    rare = b'{"metric": "rare", "value": %d, "step": %d}\n'
    lines = []
    for step, value in enumerate(values):
        lines.append(b'{"metric": "loss", "value": %f, "step": %d}\n' % (value, step))
        if step % 1000 == 999:
            lines.append(rare % (step, step))
    log.write_bytes(b"".join(lines))
    found = record(session, log)
    columns = [event.columns for event in found if isinstance(event, History) and not event.sampled]
    loss = [of_column(one["loss"]) for one in columns if "loss" in one]
    live = sum("loss" in event.values for event in found if isinstance(event, Metrics))
    assert 400 < sum(map(len, loss)) < 2500
    assert sum(points.count for points in loss) + live == pytest.approx(20_000)
    assert max(max(points.values) for points in loss) == 9.0
    assert min(min(points.values) for points in loss) == -9.0
    assert len([point for point in recorded(found) if point[0] == "rare"]) == 20


def test_a_hole_in_the_past_is_passed_over(session: Path, log: Path) -> None:
    with log.open("wb") as file:
        file.write(json_lines(0, 100))
        file.seek(1 << 22)
        file.write(json_lines(100, 400))
    found = record(session, log)
    assert sorted(point[2] or 0 for point in recorded(found)) == list(range(400))


def test_lines_that_come_while_the_past_is_read_come_once_and_none_is_cut(session: Path, log: Path) -> None:
    log.write_bytes(json_lines(0, 3000) + b'{"metric": "loss", "val')

    async def watch(pid: int, write: object) -> None:
        recording = Recording(Assignment(session, pid, str(log)))
        running = asyncio.create_task(recording.run())
        rest = b'ue": 3000.5, "step": 3000}\n' + json_lines(3001, 3600)
        with log.open("ab", buffering=0) as file:
            for first in range(0, len(rest), 700):
                file.write(rest[first : first + 700])
                await asyncio.sleep(0.001)
        while not is_complete(session, log):
            await asyncio.sleep(0.02)
        recording.stop("stopped")
        await running

    with job(log) as child:
        asyncio.run(watch(child.pid, None))
    assert Counter(recorded(events(session))) == Counter(forward(log.read_bytes()))


def is_complete(session: Path, log: Path) -> bool:
    found = events(session)
    ends = [event.line for event in found if isinstance(event, Metrics)]
    position = newest(found)
    return (
        position.back == 0 and bool(ends) and position.past_lines + max(ends) == log.read_bytes().count(b"\n")
    )


def test_all_text_of_a_deleted_log_is_kept_as_far_as_there_is_room(session: Path, log: Path) -> None:
    """The recording is the only copy when the job ends: `cp /proc/PID/fd/1 SAVED.log` is the whole one."""
    text = b"".join(b"line %d of some text that nobody else has\n" % number for number in range(20_000))

    async def watch(pid: int) -> None:
        recording = Recording(Assignment(session, pid, str(log), reopen=f"/proc/{pid}/fd/1"))
        running = asyncio.create_task(recording.run())
        while not any(isinstance(event, Metrics) for event in events(session)):
            await asyncio.sleep(0.02)
        recording.stop("stopped")
        await running

    with job(log) as child:
        log.write_bytes(text)
        child.do('print("loss: 1.5", flush=True)')
        log.unlink()
        saved = log.with_name("SAVED.log")
        until(lambda: Path(f"/proc/{child.pid}/fd/1").stat().st_size > len(text))
        subprocess.run(["cp", f"/proc/{child.pid}/fd/1", str(saved)], check=True)
        asyncio.run(watch(child.pid))
    assert saved.read_bytes() == text + b"loss: 1.5\n"
    kept = [event.text for event in events(session) if isinstance(event, OutputLine)]
    lines = saved.read_text().splitlines()
    assert kept == lines[-len(kept) :]
    assert len(kept) == newest(events(session)).line - 1


def test_the_past_is_dated_by_the_times_that_its_lines_tell(session: Path, log: Path) -> None:
    start = 1_700_000_000
    lines = []
    for second in range(3000):
        stamp = datetime.fromtimestamp(start + second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.append(f"{stamp} step {second}: loss {second / 7:.3f}\n")
    log.write_text("".join(lines))
    found = record(session, log)
    header = next(event for event in found if isinstance(event, Header))
    columns = [
        event.columns["loss"] for event in found if isinstance(event, History) and "loss" in event.columns
    ]
    assert any(columns)
    assert all(column.approximate for column in columns)
    for column in columns:
        for step, t in zip(column.steps, column.times, strict=True):
            assert t is not None
            assert step is not None
            assert abs(t - (start + step - header.t0)) < 60


def test_without_any_word_of_the_time_the_past_has_none(session: Path, log: Path) -> None:
    log.write_bytes(json_lines(0, 500))
    found = record(session, log)
    assert not any(event.columns["loss"].times for event in found if isinstance(event, History))
