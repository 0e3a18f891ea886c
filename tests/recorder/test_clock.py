"""Session time never goes back, whatever the machine's clocks do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Clock
from floydtop.recorder.clock import SessionClock, uptime
from floydtop.session.owner import boot_id

HOUR = 3600.0


class Clocks:
    """The two clocks of a machine, set by hand."""

    def __init__(self, wall: float = 1_800_000_000.0, up: float = 5_000.0) -> None:
        self.wall, self.up = wall, up

    def pass_time(self, seconds: float, jump: float = 0.0) -> None:
        self.up += seconds
        self.wall += seconds + jump

    def start(self) -> SessionClock:
        return SessionClock(uptime=lambda: self.up, wall=lambda: self.wall)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 1e9, -1e9])
def test_a_jump_of_the_wall_clock_does_not_move_session_time(jump: float) -> None:
    clocks = Clocks()
    clock = clocks.start()
    clocks.pass_time(10.0, jump)
    assert clock.now() == 10.0
    anchor = clock.anchor()
    assert anchor.wall - anchor.t == pytest.approx(clock.wall_start + jump)


def test_suspend_counts() -> None:
    clocks = Clocks()
    clock = clocks.start()
    clocks.pass_time(8 * HOUR)  # CLOCK_BOOTTIME goes on while the machine sleeps
    assert clock.now() == 8 * HOUR


@pytest.mark.parametrize("jump", [0.0, HOUR, -HOUR, -2 * HOUR])
def test_a_pause_within_one_boot_is_as_long_as_it_was_whatever_the_wall_clock_says(jump: float) -> None:
    clocks = Clocks()
    first = clocks.start()
    clocks.pass_time(100.0)
    anchor = first.anchor()
    clocks.pass_time(20.0)
    clocks.pass_time(600.0, jump)
    second = clocks.start()
    second.continue_from(115.0, anchor, boot_id(), first.wall_start)
    assert second.now() == 720.0
    assert second.wall_start == first.wall_start


def test_a_pause_over_a_restart_of_the_machine_is_told_by_the_wall_clock() -> None:
    clocks = Clocks()
    first = clocks.start()
    clocks.pass_time(100.0)
    anchor = first.anchor()
    clocks.pass_time(HOUR)
    clocks.up = 30.0
    second = clocks.start()
    second.continue_from(100.0, anchor, "another boot", first.wall_start)
    assert second.now() == pytest.approx(100.0 + HOUR)


def test_a_clock_that_was_set_back_over_a_restart_makes_no_pause_rather_than_a_negative_one() -> None:
    clocks = Clocks()
    first = clocks.start()
    clocks.pass_time(100.0)
    anchor = first.anchor()
    clocks.wall, clocks.up = 0.0, 3.0  # a board without a battery
    second = clocks.start()
    second.continue_from(115.0, anchor, "another boot", first.wall_start)
    assert second.now() == 115.0
    clocks.pass_time(1.0)
    assert second.now() == 116.0


def test_without_an_anchor_the_first_header_must_do() -> None:
    clocks = Clocks()
    clock = clocks.start()
    clock.continue_from(10.0, None, boot_id(), clocks.wall - 50.0)
    assert clock.now() == 50.0


def test_the_anchor_of_an_older_floydtop_has_no_uptime() -> None:
    clocks = Clocks()
    clock = clocks.start()
    clock.continue_from(10.0, Clock(t=5.0, wall=clocks.wall - 60.0), boot_id(), 0.0)
    assert clock.now() == 65.0


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(-1e8, 1e8), st.sampled_from(["run", "killed", "rebooted"])),
        max_size=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_session_time_never_goes_back(steps: list[tuple[float, float, str]]) -> None:
    clocks = Clocks()
    clock, boot, latest = clocks.start(), boot_id(), 0.0
    t0 = clock.wall_start
    for seconds, jump, what in steps:
        anchor = clock.anchor()
        clocks.pass_time(seconds, jump)
        if what == "run":
            assert clock.now() >= latest
            latest = clock.now()
            continue
        if what == "rebooted":
            boot, clocks.up = "another boot", 1.0
        clock = clocks.start()
        clock.continue_from(latest, anchor, boot, t0)
        assert clock.now() >= latest - 1e-3
        latest = max(latest, clock.now())


def test_the_real_clock_runs() -> None:
    before = uptime()
    assert uptime() >= before > 0.0
