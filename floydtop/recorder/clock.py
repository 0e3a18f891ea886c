"""Session time: seconds since the recording began, which never go back, whatever happens to the clocks."""

from __future__ import annotations

import time
from collections.abc import Callable

from floydtop.events import Clock
from floydtop.session.owner import boot_id


def uptime() -> float:
    """Seconds since boot, suspend included (CLOCK_BOOTTIME); where there is no such clock, monotonic ones."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SessionClock:
    """Tells session time, and where the wall clock stands beside it.

    Args:
        uptime, wall: the two clocks; tests bring their own.

    Attributes:
        wall_start: Unix time of session time 0.
    """

    def __init__(
        self, *, uptime: Callable[[], float] = uptime, wall: Callable[[], float] = time.time
    ) -> None:
        self._uptime = uptime
        self.wall = wall
        self.wall_start = wall()
        self._zero = uptime()

    def continue_from(self, t: float, clock: Clock | None, boot: str, t0: float) -> None:
        """Go on with the time of an earlier recorder.

        Within one boot the time since boot tells how long the pause was. Over a restart of the machine
        only the wall clock does, and when it was set back the pause counts as none.

        Args:
            t: session time of the last event.
            clock: the last anchor, if there is one.
            boot: the boot in which the earlier recorder ran.
            t0: Unix time of session time 0.
        """
        if clock is not None and clock.uptime is not None and boot == boot_id():
            now = clock.t + self._uptime() - clock.uptime
        elif clock is not None:
            now = clock.t + self.wall() - clock.wall
        else:
            now = self.wall() - t0
        self.wall_start = t0
        self._zero = self._uptime() - max(t, now)

    def now(self) -> float:
        """Seconds of session time, to the millisecond."""
        return round(self._uptime() - self._zero, 3)

    def anchor(self) -> Clock:
        """Where the clocks stand now."""
        return Clock(t=self.now(), wall=self.wall(), uptime=round(self._uptime(), 3))
