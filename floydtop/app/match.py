"""What a person typed, as a question to a text: does it match?"""

from __future__ import annotations

import re
import time
from functools import lru_cache

from floydtop.alarm import within

BUDGET = 0.1
"""Seconds that an expression may take for one text."""

PATIENCE = 0.2
"""Seconds beyond `USUAL` that it may take for all texts together."""

USUAL = 50e-6
"""Seconds a text: ten times what an expression takes that does not go back over what it read."""


class Matcher:
    """A regular expression where the pattern is one, else plain text; case does not count.

    An expression like `(a+)+$` doubles its time with each character and would hold up the screen for ever:
    one that is too slow is read as plain text from then on.

    Attributes:
        too_slow: whether that happened.
    """

    def __init__(self, pattern: str) -> None:
        self._plain = pattern.lower()
        self._spent = 0.0
        self.too_slow = False
        try:
            self._expression: re.Pattern[str] | None = re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError):
            self._expression = None

    def __call__(self, text: str) -> bool:
        """Whether the text matches, anywhere in it."""
        if self._expression is None:
            return self._plain in text.lower()
        start = time.perf_counter()
        try:
            with within(BUDGET):
                found = self._expression.search(text) is not None
        except TimeoutError:
            found = self._plain in text.lower()
            self._give_up()
        self._spent += max(0.0, time.perf_counter() - start - USUAL)
        if self._spent > PATIENCE:
            self._give_up()
        return found

    def _give_up(self) -> None:
        self.too_slow = True
        self._expression = None


@lru_cache(maxsize=16)
def matcher(pattern: str) -> Matcher:
    """The matcher of a pattern; the same one again, so that it is too slow only once."""
    return Matcher(pattern)
