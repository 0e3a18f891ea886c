"""The user's own expressions: their named groups become metrics, within a budget of time."""

from __future__ import annotations

import re
import time

from floydtop.alarm import within
from floydtop.errors import FloydtopError
from floydtop.parse.names import is_epoch, is_step
from floydtop.parse.reading import Found, as_int, number

LONGEST = 2000
"""Characters of a line that are shown to a user's expression."""

BUDGET = 0.1
"""Seconds that an expression may take for one line; a linear one takes 2 us."""

OVERRUNS = 3
"""So many lines over the budget, and the expression is put aside."""


class Pattern:
    """One expression of the user's: each named group is a metric; `step` and `epoch` are the x-values."""

    def __init__(self, expression: str, name: str | None = None) -> None:
        """Compile it.

        Raises:
            FloydtopError: it is no regular expression, names nothing, or can take for ever.
        """
        self.name = name or "pattern"
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
            with within(BUDGET):
                match = self._match.search(text[:LONGEST])
        except TimeoutError:
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
        step: float | None = None
        epoch: float | None = None
        values: dict[str, float] = {}
        for name, text in match.groupdict("").items():
            value = number(text)
            if value is None:
                continue
            if is_step(name):
                step = value
            elif is_epoch(name):
                epoch = value
            else:
                values[name] = value
        return Found(values, as_int(step), epoch) if values else None


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
