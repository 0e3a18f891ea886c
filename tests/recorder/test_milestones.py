"""Of a bar that moves all the time, as much is written as a replay needs."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from floydtop.events import Progress
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.main import record
from floydtop.recorder.milestones import Milestones
from floydtop.session.player import Player
from tests.recorder.jobs import events


def written(milestones: Milestones, said: list[tuple[float, Progress]]) -> list[Progress]:
    lines = []
    for now, progress in said:
        milestones.stamp(progress, now)
        lines += milestones.due(now)
    return lines


def test_a_week_of_a_bar_is_some_thousand_lines() -> None:
    week = 7 * 86_400
    said = [(float(t), Progress(step=t, steps=week)) for t in range(week)]
    lines = written(Milestones(), said)
    assert 5_000 < len(lines) < 10_000
    assert lines[:2] == [Progress(t=0.0, step=0, steps=week), Progress(t=2.0, step=2, steps=week)]


def test_the_last_word_is_never_lost() -> None:
    milestones = Milestones()
    written(milestones, [(0.1, Progress(step=1, steps=9)), (0.2, Progress(step=9, steps=9))])
    assert milestones.rest() == [Progress(t=0.2, step=9, steps=9)]
    assert milestones.rest() == []


def test_what_did_not_change_keeps_its_time_and_is_written_once() -> None:
    milestones = Milestones()
    said = [(float(t), Progress(epoch=3, epochs=9)) for t in range(60)]
    assert written(milestones, said) == [Progress(t=0.0, epoch=3, epochs=9)]
    assert milestones.stamp(Progress(epoch=3, epochs=9), 99.0) == Progress(t=0.0, epoch=3, epochs=9)


def test_a_job_that_tells_nothing_writes_nothing() -> None:
    milestones = Milestones()
    assert milestones.stamp(None, 1.0) is None
    assert milestones.due(1.0) == milestones.rest() == []


def test_a_recording_keeps_the_progress_for_its_replay(tmp_path: Path) -> None:
    log, session = tmp_path / "train.log", tmp_path / "session.jsonl"
    log.write_text("Epoch 3/10\n20/40 [=====>.....] - ETA: 1s - loss: 0.5\n")
    os.utime(log, (1e9, 1e9))
    record(Assignment(session=session, pid=None, log=str(log)))
    told = [event for event in events(session) if isinstance(event, Progress)]
    assert [msgspec.structs.replace(one, t=None) for one in told] == [
        Progress(epoch=3, epochs=10, step=20, steps=40)
    ]
    player = Player(session)
    assert player.session.progress.share == 0.25
