"""A replay of a long session tells each moment from little: prefixes of series, a few events, pages."""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import (
    Clock,
    Event,
    Gap,
    Header,
    JobState,
    Malformed,
    Metrics,
    Note,
    OutputLine,
    Position,
    Progress,
    Sample,
)
from floydtop.session import files, index, pages, story
from floydtop.session.digest import digest
from floydtop.session.player import Player
from floydtop.session.session import Session
from tests.session import samples
from tests.session.test_player import known, until


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of ten lines, copies of the state every seven entries of which three are kept."""
    monkeypatch.setattr(files, "BLOCK", 1_000)
    monkeypatch.setattr(story, "TWIN_EVERY", 7)
    monkeypatch.setattr(story, "MOST_TWINS", 3)
    monkeypatch.setattr(pages, "MOST_PAGES", 10_000)


def long_run(seed: int) -> list[Event]:
    """A thousand events of all kinds as time goes by."""
    noise = random.Random(seed)
    found: list[Event] = [samples.header(), JobState(t=0.0, state="running")]
    t = 0.0
    for step in range(250):
        t += noise.random()
        found.append(OutputLine(text=f"step {step}", line=step + 1, t=t))
        values = {name: noise.random() for name in ("loss", "acc")[: noise.randint(1, 2)]}
        found.append(Metrics(values=values, t=t, step=step, line=step + 1))
        if step % 10 == 0:
            found.append(Progress(epoch=step // 50 + 1, epochs=5, step=step % 50, steps=50, t=t))
            found.append(Sample(t=t, values={"cpu.percent": (t, t, t)}, unknown={"gpu": f"{step // 50}"}))
        if step % 30 == 0:
            found += [Note(t=t, text=f"{step}"), Clock(t=t, wall=t + 1e9), Malformed("x", "y", step, t)]
        if step % 70 == 0:
            found += [Gap(t=t, lost=step, why="full"), Position(t=t, offset=step, line=step)]
        if step == 120:
            found += [
                samples.header(segment=1),
                JobState(t=t, state="stopped"),
                JobState(t=t, state="running"),
            ]
    return [*found, JobState(t=t, state="exited")]


def load_all_of(player: Player) -> None:
    """Wait until the thread has loaded the session."""
    deadline = time.monotonic() + 20
    while player.loading is not None:
        player.poll()
        assert time.monotonic() < deadline


def progress(session: Session) -> object:
    """What is known of the job's progress."""
    found = session.progress
    return (found.latest, found.share, found.eta_seconds(session.now), found.steps_per_second)


@pytest.mark.parametrize("packed", [False, True])
def test_any_moment_is_that_of_the_events_so_far(tmp_path: Path, packed: bool) -> None:
    events = long_run(1)
    path = tmp_path / ("run.jsonl.gz" if packed else "run.jsonl")
    data = samples.as_bytes(events)
    path.write_bytes(gzip.compress(data) if packed else data)
    player = Player(path)
    noise = random.Random(2)
    for position in [0.0, player.end, *(noise.uniform(0, player.end) for _ in range(40))]:
        player.seek(position)
        wanted = until(events, player.position)
        wanted.now = player.position
        assert known(player.session) == known(wanted)
        assert progress(player.session) == progress(wanted)
        assert player.session.segments == wanted.segments
        assert player.session.header == wanted.header
        assert player.session.clocks == wanted.clocks
        assert player.session.position == wanted.position
        assert list(player.session.malformed) == list(wanted.malformed)
        assert player.session.lines_seen == wanted.lines_seen
        assert {line.line for line in wanted.lines} & wanted.metric_lines <= player.session.metric_lines
        for name, series in wanted.metrics.items():
            shown = player.session.metrics[name]
            assert (shown.minimum, shown.maximum, shown.count) == (
                series.minimum,
                series.maximum,
                series.count,
            )
            assert shown.mean == pytest.approx(series.mean)
            assert (shown.has_times, shown.has_steps) == (series.has_times, series.has_steps)


def test_going_on_adds_points_and_going_back_is_another_edition(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes(long_run(1)))
    player = Player(path)
    player.seek(30.0)
    loss = player.session.metrics["loss"]
    edition, size = loss.edition, len(loss)
    player.seek(60.0)
    assert player.session.metrics["loss"] is loss
    assert (loss.edition, len(loss) > size) == (edition, True)
    player.seek(player.end)
    assert loss.edition == edition
    player.seek(10.0)
    assert loss.edition > edition


def test_a_large_session_shows_its_end_before_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "WORTH", 10_000)
    monkeypatch.setattr(index, "NEWEST", 3_000)
    events = long_run(1)
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes(events))
    player = Player(path)
    assert player.loading == 0.0
    assert 0 < len(player.session.metrics["loss"]) < 50
    assert player.session.share_loaded < 1
    player.step(-10)
    load_all_of(player)
    assert player.position == player.end
    assert known(player.session) == known(until(events, player.end))
    assert player.session.share_loaded == 1.0
    player.seek(40.0)
    assert known(player.session) == known(until(events, 40.0))


def test_the_second_time_a_large_session_plays_from_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "WORTH", 10_000)
    events = long_run(3)
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes(events))
    index.load(path)
    path_read = index.load(path).story
    path_read.pages.close()
    player = Player(path)
    load_all_of(player)
    for position in (55.0, 20.0, 100.0):
        player.seek(position)
        assert known(player.session) == known(until(events, position))


def test_a_session_that_turns_out_to_be_another_ones_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "WORTH", 1_000)
    monkeypatch.setattr(index, "NEWEST", 1_000)
    path = tmp_path / "run.jsonl"
    newer = samples.as_bytes([samples.header()]).replace(b'"v":1', b'"v":99')
    path.write_bytes(samples.as_bytes([samples.header(), *long_run(1)[:300]]) + newer + b"\n" * 3_000)
    player = Player(path)
    with pytest.raises(FloydtopError, match="upgrade floydtop"):
        load_all_of(player)


def test_text_that_can_be_read_only_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PACKED_BYTES", 5_000)
    noise = random.Random(1)
    kept = pages.Pages()
    for page in range(100):
        lines: list[Event] = [
            OutputLine(text=noise.randbytes(20).hex(), line=page * 10 + n, t=float(page)) for n in range(10)
        ]
        kept.add(pages.Page(0, 0, float(page), len(lines)), pages.text_of(lines, float(page)))
    newest, seen, _ = kept.until(99.0, 30, 10)
    assert [line.line for _, line in newest.lines] == list(range(970, 1000))
    assert seen == 1000
    oldest, seen, _ = kept.until(3.0, 30, 10)
    assert oldest.lines == []


def test_a_file_of_notes_alone_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "MOST_ENTRIES", 50)
    told = story.Story()
    told.take(digest([Header(**{f: getattr(samples.header(), f) for f in Header.__struct_fields__})]))
    told.take(digest([Note(t=float(n), text="x") for n in range(1_000)]))
    assert len(told.at(500.0).notes) < 50
    assert len(told.at(999.0).notes) == 200
