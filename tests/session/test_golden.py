"""Sessions that released versions wrote are read for ever: their files stay in tests/data/sessions/."""

from __future__ import annotations

import math
from pathlib import Path

from floydtop.events import Event, Exit
from floydtop.session.format import Reader, encode, is_session
from floydtop.session.player import Player
from floydtop.session.session import Session

GOLDEN = Path(__file__).parent.parent / "data" / "sessions" / "golden-v1-floydtop-0.1.jsonl"
"""One event of every kind and every key, as floydtop 0.1 writes them; never to be written anew."""


def read() -> list[Event]:
    reader = Reader()
    events = reader.feed(GOLDEN.read_bytes())
    assert (reader.damaged, reader.strange, reader.torn) == (0, 0, False)
    return events


def test_the_session_of_version_0_1_has_every_kind_of_event_that_there_was() -> None:
    kinds = {str(type(event).__struct_config__.tag) for event in read()}
    assert kinds == {"h", "m", "bad", "l", "s", "i", "j", "a", "c", "gap", "end"}


def test_the_session_of_version_0_1_adds_up_to_what_it_did() -> None:
    session = Session()
    session.apply_all(read())
    assert session.name == "python -u train.py --lr 0.1"
    assert session.state == "exited"
    assert session.exit == Exit(code=137, signal="SIGKILL", oom=True, how="told by the kernel (pidfd)")
    assert {name: list(series.times) for name, series in session.metrics.items() if name != "val_loss"} == {
        "loss": [-15.0, 4.0, 6.5],
        "acc": [4.0],
        "epoch_seconds": [6.0],
    }
    loss = session.metrics["loss"]
    assert (list(loss.steps), loss.minimum, loss.maximum, loss.not_finite) == ([1, 2, 3], 1.0, 2.0, 1)
    assert [repr(value) for value in session.metrics["val_loss"].values] == ["inf", "-inf"]
    assert math.isnan(session.metrics["val_loss"].times[0])
    assert session.metrics["epoch_seconds"].group == "timing"
    assert (session.metrics["epoch_seconds"].in_epochs, session.metrics["epoch_seconds"].steps[0]) == (
        True,
        2.5,
    )
    assert list(session.system["gpu.0.utilization"].highs) == [99.0]
    assert session.unknown == {"disk.percent": "the file system does not answer"}
    assert session.facts is not None
    assert [gpu.of_job for gpu in session.facts.gpus] == [True, False]
    assert [line.text for line in session.lines] == ["naïve \x1b[31m[red] ", "x" * 8]
    assert session.lines[-1].cut == 4096
    assert session.malformed_count == 1
    assert (session.gaps[0].lost, session.gaps[0].since) == (526, 6.5)
    assert [note.level for note in session.notes] == ["info", "warning", "error"]
    assert session.segments == 2
    assert session.end is not None
    assert (session.end.why, session.end.offset) == ("the job ended", 8812)


def test_the_session_of_version_0_1_is_written_again_byte_for_byte() -> None:
    lines = GOLDEN.read_bytes().splitlines(keepends=True)
    assert [encode(event) for event in read()] == lines


def test_the_session_of_version_0_1_can_be_replayed() -> None:
    assert is_session(GOLDEN.read_bytes()[:65536])
    assert Player(GOLDEN).end == 10.0
