"""The user's own: expressions whose named groups become metrics, and the choice and names of metrics."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any

from floydtop.errors import FloydtopError
from floydtop.events import Malformed, Metrics
from floydtop.parse.reading import Found, number, record

LONGEST = 2000
"""Characters of a line that are shown to a user's expression."""

BUDGET = 0.1
"""Seconds that an expression may take for one line; a linear one takes 2 us."""

OVERRUNS = 3
"""So many lines over the budget, and the expression is put aside."""


class _TooSlowError(Exception):
    pass


class Pattern:
    """One expression of the user's: each named group is a metric; `step` and `epoch` are the x-values."""

    def __init__(self, expression: str, name: str | None = None) -> None:
        """Compile it.

        Raises:
            FloydtopError: it is no regular expression, names nothing, or can take for ever.
        """
        self.name = name or f"pattern {expression}"
        self.expression = expression
        self.stopped = ""
        """Why it is not asked any more, one sentence; empty while it is."""
        self._overruns = 0
        try:
            self._match = re.compile(expression)
        except (re.error, RecursionError, OverflowError) as error:
            raise FloydtopError(f"The pattern '{expression}' is no regular expression: {error}.") from None
        if not self._match.groupindex:
            raise FloydtopError(
                f"The pattern '{expression}' names no group; write (?P<loss>...) around what is a metric."
            )
        if _nested(expression):
            raise FloydtopError(
                f"The pattern '{expression}' repeats something that itself repeats, which can take for ever;"
                " take out the inner or the outer * or +."
            )

    def read(self, text: str) -> Found | None:
        """The point of a line that the expression matches, else None; never takes longer than the budget."""
        if self.stopped:
            return None
        start = time.perf_counter()
        try:
            with _alarm(BUDGET):
                match = self._match.search(text[:LONGEST])
        except _TooSlowError:
            match = None
        if time.perf_counter() - start > BUDGET:
            self._overruns += 1
            if self._overruns >= OVERRUNS:
                self.stopped = (
                    f"The pattern '{self.expression}' took more than {BUDGET:g} s for each of"
                    f" {OVERRUNS} lines and is not used any more."
                )
        if match is None:
            return None
        groups = ((name, number(value)) for name, value in match.groupdict().items() if value is not None)
        values = {name: value for name, value in groups if value is not None}
        point = record(values)
        if point is None:
            own = {name: value for name, value in values.items() if name not in ("step", "epoch")}
            return Found(own) if own else None
        return point


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Break off a match by a signal, which only the main thread can; elsewhere time is taken afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    start = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            # Somebody else's alarm goes on from where it was.
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 0.001), interval)


_ATOM = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P?<[^>]*>|\?[:=!>]|\?<[=!])?|\)|[*+]|\{\d*,?\d*\}|\?|.", re.S
)


def _nested(expression: str) -> bool:
    """Whether a group that is repeated without end holds something repeated without end, as in (a+)+."""
    open_groups = [False]
    closed = False
    for token in _ATOM.findall(expression):
        if token.startswith("(") and not token.startswith("(?#"):
            open_groups.append(False)
            closed = False
        elif token == ")" and len(open_groups) > 1:
            closed = open_groups.pop()
            open_groups[-1] = open_groups[-1] or closed
        elif token in ("*", "+") or (token.startswith("{") and token.endswith(",}")):
            if closed:
                return True
            open_groups[-1] = True
            closed = False
        else:
            closed = False
    return False


def patterns(expressions: Iterable[str | Mapping[str, Any]]) -> list[Pattern]:
    """The expressions of the command line (strings) and of the configuration's [[pattern]] tables.

    A table holds `match` (the expression) and may hold `name`.

    Raises:
        FloydtopError: one of them cannot be used.
    """
    found = []
    for one in expressions:
        if isinstance(one, str):
            found.append(Pattern(one))
            continue
        expression, name = one.get("match"), one.get("name")
        if not isinstance(expression, str) or not (name is None or isinstance(name, str)):
            raise FloydtopError('A [[pattern]] needs match = "..." with the expression, and may have a name.')
        found.append(Pattern(expression, name))
    return found


def choose(
    events: Iterable[Metrics | Malformed],
    only: Sequence[str] = (),
    ignore: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
) -> list[Metrics | Malformed]:
    """The events with the metrics that were asked for, under the names that were asked for.

    Args:
        only: names or shell patterns (`val_*`); empty: all.
        ignore: names or shell patterns to leave out; wins over `only`.
        rename: printed name -> name to use; applied last.
    """
    chosen: list[Metrics | Malformed] = []
    names = rename or {}
    for event in events:
        if isinstance(event, Malformed):
            chosen.append(event)
            continue
        values = {
            names.get(name, name): value
            for name, value in event.values.items()
            if (not only or _fits(name, only)) and not _fits(name, ignore)
        }
        if values:
            chosen.append(event if values == event.values else _with(event, values))
    return chosen


def _fits(name: str, wanted: Sequence[str]) -> bool:
    return any(fnmatchcase(name, one) for one in wanted)


def _with(event: Metrics, values: dict[str, float]) -> Metrics:
    return Metrics(
        values=values,
        t=event.t,
        approximate=event.approximate,
        step=event.step,
        epoch=event.epoch,
        line=event.line,
        group=event.group,
    )
