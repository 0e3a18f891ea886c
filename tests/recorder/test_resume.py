"""A recording goes on where a killed recorder stopped: no metric is lost, none comes twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.events import End, Event, Gap, Header, JobState, Metrics, Note, OutputLine, Position
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.recorder.recording import Recording
from floydtop.session.format import Reader, encode
from floydtop.session.library import look_at
from floydtop.session.writer import SessionWriter, is_being_recorded
from tests.recorder.jobs import Job, events, job, until

KILLS = int(os.environ.get("FLOYDTOP_KILLS", "6"))
"""How often a recorder is killed; each takes about a second. 200 were tried by hand."""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "run.jsonl"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    lines = ["Epoch 1/3\n", '{"metric": "loss", "value": NaN, "step": 0}\n']
    for step in range(1, 40):
        if step == 20:
            lines.append("Epoch 2/3\n")
        lines.append(f'{{"metric": "loss", "value": {step / 7}, "step": {step}}}\n')
        lines.append(f"step {step} - loss: {step / 3:.4f} - acc: 0.{step}\n")
    path.write_text("".join(lines))
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "job.log") as running:
        yield running


def record(session: Path, log: Path) -> list[Event]:
    """Record a log that nobody writes to its end, or go on with that."""
    os.utime(log, (1e9, 1e9))
    asyncio.run(Recording(Assignment(session, None, str(log))).run())
    return readable(session)


def readable(session: Path) -> list[Event]:
    return Reader().feed(session.read_bytes())


def points(found: list[Event]) -> list[str]:
    """All metric values with what tells where they belong, but without their times; NaN equals itself."""
    return [repr((one.line, one.values, one.step, one.epoch)) for one in found if isinstance(one, Metrics)]


def texts(found: list[Event]) -> list[tuple[int, str, int]]:
    return [(one.line, one.text, one.offset) for one in found if isinstance(one, OutputLine)]


def test_whatever_byte_a_recorder_died_at_the_next_one_completes_the_session(
    session: Path, log: Path, tmp_path: Path
) -> None:
    whole = record(session, log)
    data = session.read_bytes()
    first = data.index(b"\n") + 1
    cuts = sorted(random.Random(7).sample(range(first, len(data)), 60))
    for cut in cuts:
        again = tmp_path / "again.jsonl"
        again.write_bytes(data[:cut])
        found = record(again, log)
        assert points(found) == points(whole), cut
        assert texts(found) == texts(whole), cut
        assert [one.segment for one in found if isinstance(one, Header)] == [0, 1], cut


def test_a_position_spares_the_next_recorder_what_came_before(session: Path, log: Path) -> None:
    whole = record(session, log)
    kept = [one for one in whole if not isinstance(one, End)]
    end = next(one for one in reversed(kept) if isinstance(one, Position))
    assert (end.offset, end.line) == (log.stat().st_size, log.read_text().count("\n") + 1)
    session.write_bytes(b"".join(map(encode, kept)))
    with log.open("a") as file:
        file.write('{"metric": "loss", "value": 99, "step": 99}\n')
    found = record(session, log)
    assert points(found)[:-1] == points(whole)
    last = [one for one in found if isinstance(one, Metrics)][-1]
    assert (last.values, last.line) == ({"loss": 99.0}, end.line)


def test_the_epoch_is_known_again(session: Path, log: Path) -> None:
    record(session, log)
    kept = [one for one in readable(session) if not isinstance(one, End)]
    session.write_bytes(b"".join(map(encode, kept)))
    with log.open("a") as file:
        file.write("step 41 - loss: 0.5 - acc: 0.9\n")
    before, after = [one for one in record(session, log) if isinstance(one, Metrics)][-2:]
    assert (before.epoch, after.epoch) == (2.0, 2.0) or before.epoch == after.epoch


def interrupted(session: Path, log: Path) -> list[Event]:
    record(session, log)
    kept = [one for one in readable(session) if not isinstance(one, End)]
    session.write_bytes(b"".join(map(encode, kept)))
    return kept


def test_the_rest_of_a_log_that_was_rotated_meanwhile_is_read_first(session: Path, log: Path) -> None:
    before = interrupted(session, log)
    with log.open("a") as file:
        file.write('{"metric": "loss", "value": 1, "step": 100}\n')
    log.rename(log.with_name("train.log.1"))
    log.write_text('{"metric": "loss", "value": 2, "step": 101}\n')
    found = record(session, log)
    assert [one.step for one in found if isinstance(one, Metrics)][len(points(before)) :] == [100, 101]
    assert any("rotated" in one.text for one in found if isinstance(one, Note))


def test_another_log_of_the_same_name_is_read_from_its_start_and_the_gap_told(
    session: Path, log: Path
) -> None:
    before = interrupted(session, log)
    log.unlink()
    log.write_text('{"metric": "loss", "value": 2, "step": 500}\n')
    found = record(session, log)
    assert [one.step for one in found if isinstance(one, Metrics)][len(points(before)) :] == [500]
    assert any("other content" in one.why for one in found if isinstance(one, Gap))


def test_a_session_of_an_older_floydtop_is_continued_too(session: Path, log: Path) -> None:
    whole = record(session, log)
    half = [one for one in whole if not isinstance(one, Position | End)][: len(whole) // 2]
    session.write_bytes(b"".join(map(encode, half)))
    assert points(record(session, log)) == points(whole)


def test_a_file_that_is_no_session_is_left_alone(session: Path, log: Path) -> None:
    session.parent.mkdir()
    session.write_text("precious\n")
    with pytest.raises(Exception, match="no session that could be continued"):
        record(session, log)
    assert session.read_text() == "precious\n"


@pytest.mark.timeout(60 + 5 * KILLS)
def test_no_metric_is_lost_or_doubled_however_often_the_recorder_is_killed(session: Path, child: Job) -> None:
    chance = random.Random(KILLS)
    text = '{"metric": "loss", "value": 1, "step": %d}'
    child.do(f"for n in range(10**9): print({text!r} % n, flush=True); time.sleep(0.002)")
    for _ in range(KILLS):
        Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
        asyncio.run(asyncio.sleep(chance.expovariate(2.5)))
        recording = look_at(session)
        assert recording is not None
        os.kill(recording.header.recorder, signal.SIGKILL)
        until(lambda: not is_being_recorded(session))
    Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
    child.process.kill()
    child.process.wait()
    until(lambda: not is_being_recorded(session))
    found = readable(session)
    steps = [one.step for one in found if isinstance(one, Metrics)]
    assert steps == list(range(child.log.read_text().count("\n")))
    assert len([one for one in found if isinstance(one, Gap)]) == KILLS
    assert [one.segment for one in found if isinstance(one, Header)] == list(range(KILLS + 1))
    latest = 0.0
    for one in found:
        # Within a segment a sample, which takes its time, may come after what happened meanwhile.
        assert not isinstance(one, Gap) or one.t >= latest
        latest = max(latest, getattr(one, "t", None) or 0.0)
    assert [one for one in found if isinstance(one, JobState)][-1].state == "exited"
    assert isinstance(found[-1], End)


async def test_a_second_recorder_is_refused_while_the_first_lives(session: Path, log: Path) -> None:
    writer = SessionWriter(session)
    with pytest.raises(Exception, match="Another recorder"):
        Recording(Assignment(session, None, str(log)))
    writer.close()


def test_the_gap_counts_the_samples_that_nobody_took(session: Path, child: Job) -> None:
    Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
    recording = look_at(session)
    assert recording is not None
    os.kill(recording.header.recorder, signal.SIGKILL)
    until(lambda: not is_being_recorded(session))
    asyncio.run(asyncio.sleep(1.2))
    Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
    (gap,) = [one for one in events(session) if isinstance(one, Gap)]
    assert gap.since is not None
    assert gap.lost == int(gap.t - gap.since) >= 1
    assert "killed" in gap.why
