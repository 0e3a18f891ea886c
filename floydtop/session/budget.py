"""The most bytes that one session takes, and what is left out, and counted, so that it takes no more."""

from __future__ import annotations

import math
from collections.abc import Sequence

from floydtop.events import Event, Gap, Malformed, Metrics, OutputLine, Sample

SESSION_BYTES = 1 << 30
"""A day of 150 metric lines a second, or 80 years of one GPU sampled each minute."""

TELL_EVERY = 1000
"""Events left out between two lines that count them, times the stride."""


_RESERVE = 0.02
"""Part of the budget for what always stays."""


class Budget:
    """Lets fewer and fewer events through as a session fills up.

    First, at half of the budget, the text of the output goes: the log has it. From there on one metric line
    in 4, 16, 64, ... stays, and one sample likewise: each time that half of the rest is used the stride gets
    four times as long, so that n lines leave a rest of the order of 1/n, and the budget is not reached.
    Values that are not finite stay as long as there is room, the state of the job, notes and gaps always.

    Attributes:
        stride: one metric line in so many is kept now.
    """

    def __init__(self, size: int = SESSION_BYTES) -> None:
        self.size = size
        self.stride = 1
        self._lines = 0
        self._line = -1
        self._line_stays = True
        self._samples = 0
        self._left_out = 0
        self._since: float | None = None

    def admit(self, events: Sequence[Event], written: int, now: float) -> list[Event]:
        """The events that are to be written to a session of `written` bytes, and a count of the others."""
        half = self.size / 2
        if written < half and not self._left_out:
            return list(events)
        share = max(1e-9, (self.size - _RESERVE * self.size - written) / half)
        self.stride = 4 ** math.ceil(-math.log2(share)) if share < 1 else 1
        kept = [
            event for event in events if self._stays(event, text=written < half, news=written < self.size)
        ]
        if len(kept) < len(events):
            self._left_out += len(events) - len(kept)
            self._since = now if self._since is None else self._since
            if self._left_out >= TELL_EVERY * self.stride:
                kept += self.rest(now)
        return kept

    def rest(self, now: float) -> list[Event]:
        """The count of what was left out since the last one, if anything was."""
        if not self._left_out:
            return []
        why = f"the session is to stay below {self.size >> 20} MiB: no text, one metric line in {self.stride}"
        gap = Gap(t=now, lost=self._left_out, why=why, since=self._since)
        self._left_out, self._since = 0, None
        return [gap]

    def _stays(self, event: Event, *, text: bool, news: bool) -> bool:
        match event:
            case OutputLine():
                return text
            case Metrics() | Malformed():
                if event.line != self._line:
                    self._line, self._lines = event.line, self._lines + 1
                    self._line_stays = self._lines % self.stride == 0
                if news and isinstance(event, Metrics) and not all(map(math.isfinite, event.values.values())):
                    return True
                return self._line_stays
            case Sample():
                self._samples += 1
                return self._samples % self.stride == 0
        return True
