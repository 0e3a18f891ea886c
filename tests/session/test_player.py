"""A replay shows at each moment what was known at that moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.events import Event, Metrics, Note, OutputLine
from floydtop.session.player import DEFAULT_SPEED, SPEEDS, STEPS, Player
from floydtop.session.session import Session
from tests.session import samples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes(samples.run()))
    return path


def known(session: Session) -> object:
    """All that a screen could show of a session."""
    return (
        session.state,
        session.exit,
        {name: (repr(s.times), repr(s.values), repr(s.steps)) for name, s in session.metrics.items()},
        {name: (repr(s.times), repr(s.means)) for name, s in session.system.items()},
        list(session.lines),
        session.malformed_count,
        list(session.notes),
        session.gaps,
        session.finished,
        session.unknown,
    )


def until(events: list[Event], position: float) -> Session:
    """The events up to a moment, an event without a time belonging to the one before it."""
    session, latest = Session(), 0.0
    for event in events:
        latest = max(latest, getattr(event, "t", None) or 0.0)
        if latest > position:
            break
        session.apply(event)
    return session


def test_a_replay_opens_at_the_end_with_everything_known(path: Path) -> None:
    player = Player(path)
    assert player.position == player.end == 10.0
    assert known(player.session) == known(until(samples.run(), 10.0))


@given(st.lists(st.floats(-5.0, 15.0), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_state_after_any_seeks_is_that_of_the_events_so_far(path: Path, positions: list[float]) -> None:
    player = Player(path)
    for position in positions:
        player.seek(position)
        assert player.start <= player.position <= player.end
        assert known(player.session) == known(until(samples.run(), player.position))
        assert player.session.now == player.position


def test_seeking_goes_by_fiftieths_and_stops_at_the_ends(path: Path) -> None:
    player = Player(path)
    player.step(1)
    assert player.position == player.end
    player.step(-1)
    assert player.position == pytest.approx(player.end - (player.end - player.start) / STEPS)
    player.step(-STEPS)
    assert player.position == player.start


def test_playing_runs_at_its_speed_and_stops_at_the_end(path: Path) -> None:
    player = Player(path)
    assert not player.advance(1.0)
    player.toggle()
    assert player.position == player.start, "from the end it plays from the start"
    assert player.advance(0.25)
    assert player.position == pytest.approx(player.start + 0.25 * DEFAULT_SPEED)
    player.advance(100.0)
    assert player.position == player.end
    assert not player.playing


def test_the_speed_has_notches_with_two_ends(path: Path) -> None:
    player = Player(path)
    player.change_speed(1)
    assert player.speed == SPEEDS[SPEEDS.index(DEFAULT_SPEED) + 1]
    player.change_speed(99)
    assert player.speed == SPEEDS[-1]
    player.change_speed(-99)
    assert player.speed == SPEEDS[0]


def test_what_was_there_before_the_recording_belongs_to_its_start(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    history = [Metrics(values={"loss": 1.0}, t=-20.0, approximate=True), OutputLine(text="old", line=1)]
    path.write_bytes(samples.as_bytes([samples.header(), *history, Note(t=5.0, text="now")]))
    player = Player(path)
    player.seek(player.start)
    assert list(player.session.metrics) == ["loss"]
    assert list(player.session.lines) == [history[1]]
    assert not player.session.notes


def test_a_clock_that_goes_back_loses_no_event(tmp_path: Path) -> None:
    path = tmp_path / "back.jsonl"
    path.write_bytes(samples.as_bytes([samples.header(), *(Note(t=t, text="") for t in (1.0, 9.0, 3.0))]))
    player = Player(path)
    assert (player.end, len(player.session.notes)) == (9.0, 3)


def test_a_damaged_recording_plays_what_is_left_and_counts_the_rest(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8].replace(b'"k":"gap"', b'"k":gap"'))
    player = Player(path)
    assert player.damaged == 2
    assert player.session.state == "exited"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x7fELF\0\0", b'{"metric": "loss", "value": 1}\n'])
def test_a_file_without_events_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(FloydtopError, match=r"^There is no event in [^\n]*\.$"):
        Player(path)


def test_a_missing_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="No such file"):
        Player(tmp_path / "none.jsonl")
    with pytest.raises(FloydtopError, match="Is a directory"):
        Player(tmp_path)


def test_a_recording_of_one_moment_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_bytes(samples.as_bytes([samples.header()]))
    player = Player(path)
    player.toggle()
    player.advance(1.0)
    assert (player.position, player.playing) == (player.end, False)
