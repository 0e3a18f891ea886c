"""A session of two recorders, as this version writes it, is read for ever."""

from __future__ import annotations

from pathlib import Path

from floydtop.events import Event
from floydtop.recorder.past import read_past
from floydtop.session.format import Reader, encode
from floydtop.session.session import Session

GOLDEN = Path(__file__).parent.parent / "data" / "sessions" / "golden-v1-two-segments.jsonl"
"""A killed recorder, its successor, positions, uptimes and progress; never to be written anew."""


def read() -> list[Event]:
    reader = Reader()
    events = reader.feed(GOLDEN.read_bytes())
    assert (reader.damaged, reader.strange, reader.torn) == (0, 0, False)
    return events


def test_it_adds_up_to_what_it_did() -> None:
    session = Session()
    session.apply_all(read())
    assert (session.segments, session.state) == (2, "exited")
    assert list(session.metrics["loss"].values) == [2.0, 1.5, 1.25]
    assert (session.gaps[0].lost, session.gaps[0].since) == (7, 6.0)
    assert session.position is not None
    assert (session.position.offset, session.position.line, session.position.segment) == (176, 5, 1)
    assert session.header is not None
    assert session.header.job is not None
    assert session.header.job.environment == {"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_ID": "77"}


def test_it_is_written_again_byte_for_byte() -> None:
    assert [encode(event) for event in read()] == GOLDEN.read_bytes().splitlines(keepends=True)


def test_a_third_recorder_knows_where_to_go_on() -> None:
    past = read_past(GOLDEN)
    assert past is not None
    assert (past.segment, past.t, past.closed, past.line) == (1, 30.5, True, 0)
    assert past.clock is not None
    assert (past.clock.t, past.clock.uptime) == (20.0, 5020.125)
