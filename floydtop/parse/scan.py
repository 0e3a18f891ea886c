"""A text read in two steps: its numbers, which hang on the text alone, and what is news in them.

Of a frame of a bar the second step hangs on the frames before. So the first one can be done for many
frames at once, by an expression that a `Recipe` makes of a frame that the format itself has scanned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from floydtop.events import MetricGroup
from floydtop.parse.names import is_timing
from floydtop.parse.reading import Found, State


class Series:
    """Names of values that are told together, those of one group beside each other."""

    __slots__ = ("arranged", "given", "groups", "names", "sorted")

    def __init__(self, given: tuple[str, ...]) -> None:
        self.given = given
        """The names in the order of the text."""
        kinds: dict[bool, list[int]] = {}
        for index, name in enumerate(given):
            kinds.setdefault(is_timing(name), []).append(index)
        order = [index for indexes in kinds.values() for index in indexes]
        self.sorted = order == list(range(len(given)))
        self.arranged: Callable[[Sequence[float]], tuple[float, ...]] = (
            tuple if self.sorted else itemgetter(*order)
        )
        """Puts values of the order `given` into that of `names`."""
        self.names = tuple(given[index] for index in order)
        self.groups: tuple[MetricGroup, ...] = tuple(
            "timing" if is_timing(name) else "training" for name in self.names
        )

    def holds(self, other: Series) -> bool:
        """Whether it has names of each group that the other one has."""
        return set(other.groups) <= set(self.groups)


@lru_cache(maxsize=4096)
def series(names: tuple[str, ...]) -> Series:
    """The one series of these names, which must differ from each other."""
    return Series(names)


Point = tuple[Series, Sequence[float], int | None, float | None]
"""Names, the values in the order of the text, step, epoch."""

OTHER: Point = (Series(()), (), None, None)
"""After what was read before, the text is none of this format."""

Take = Callable[[State, Any, Any], Point | None]
"""Takes note of a text's numbers, and gives those that are news."""


Many = Callable[[State, Any, Sequence[tuple[float, ...]]], "list[Point] | None"]
"""Like `Take`, for many at once; None: they are to be taken one by one, and nothing was noted."""


@dataclass(slots=True)
class Scan:
    """What a text says that hangs on no other text."""

    take: Take
    look: Any
    """What `take` has to know beside the numbers; equal for texts that differ in their numbers alone."""
    numbers: tuple[float, ...]
    """As they are printed."""
    starts: tuple[int, ...]
    """Where each of them stands in the text; -1: it is not printed as such."""
    loose: tuple[tuple[int, int, bytes], ...] = ()
    """Parts of the text that mean nothing: start, end and an expression for all that may stand there."""
    end: int = -1
    """Where text begins that another stream wrote behind it; -1: nowhere."""
    fixed: tuple[tuple[int, int], ...] = ()
    """Parts, from start to end, whose digits are no numbers: names."""
    many: Many | None = None
    """What `take` gives for numbers of several texts in turn, the first of which rises."""
    broken: tuple[int, ...] = ()
    """Numbers, by index, that are printed with a point, and might mean something else were they whole."""

    def point(self, state: State) -> Point | None:
        return self.take(state, self.look, self.numbers)


def found(point: Point | None) -> list[Found]:
    """A point as formats give it."""
    if point is None:
        return []
    names, values, step, epoch = point
    return [Found(dict(zip(names.given, values, strict=True)), step, epoch)]


# A number that the next text of its kind may have with other digits.
_NUMBER = re.compile(rb"([-+]?)(\d{0,12})(\.?)(\d{0,17})(?:([eE][-+]?)\d{1,3})?")
_DIGITS = re.compile(rb"\d+")
_IN_WORD = re.compile(rb"[A-Za-z_@#]")


@dataclass(slots=True)
class Recipe:
    """How to scan texts of a shape: an expression for the whole text, and what its numbers are."""

    take: Take
    look: Any
    expression: re.Pattern[bytes]
    """Its groups are the numbers in the order of the text, then what is left over."""
    order: tuple[int, ...]
    """Which of the groups each number of the scan is."""
    many: Many | None
    broken: tuple[int, ...]
    """Numbers that must not be whole."""
    proofs: int = 0
    """How often it gave what the format's own scan gives."""

    def numbers(self, raw: bytes, *, whole: bool = False) -> tuple[float, ...] | None:
        """The numbers of one text, None when it is of another kind or not `whole`: more is behind it."""
        match = self.expression.match(raw)
        if match is None or (whole and match[len(self.order) + 1].strip()):
            return None
        numbers = tuple(float(match[index + 1]) for index in self.order)
        return None if any(numbers[index].is_integer() for index in self.broken) else numbers


@dataclass
class Entry:
    """What is known about texts of one shape."""

    recipes: list[Recipe] = field(default_factory=list)
    attempts: int = 0


def recipe(text: str, scan: Scan) -> Recipe | None:
    """What reads texts that differ from a scanned one in their numbers and in what means nothing.

    All else must be as it is, the digits too: a clock's are counted by some formats.
    """
    raw = text.encode("utf-8", "replace")
    if len(raw) != len(text):
        at = {index: len(text[:index].encode("utf-8", "replace")) for index in _indexes(scan)}
    else:
        at = {index: index for index in _indexes(scan)}
    if -1 in at or not text.isprintable() or any(scan.numbers[one].is_integer() for one in scan.broken):
        return None
    pieces = [(at[start], at[end], what) for start, end, what in scan.loose]
    pieces += [(at[start], at[end], re.escape(raw[at[start] : at[end]])) for start, end in scan.fixed]
    order = sorted(range(len(scan.starts)), key=scan.starts.__getitem__)
    for index in order:
        start = at[scan.starts[index]]
        number = _NUMBER.match(raw, start)
        if number is None or b"," in number[0] or not _is(number[0], scan.numbers[index]):
            return None
        pieces.append((start, number.end(), _like(number)))
    pieces.sort()
    parts, end = [b"^"], 0
    for start, stop, what in pieces:
        if start < end:
            return None
        parts += [_exactly(raw, end, start), what]
        end = stop
    stop = len(raw) if scan.end < 0 else at[scan.end]
    if stop < end:
        return None
    parts += [_exactly(raw, end, stop), b"(.*)$"]
    places = tuple(order.index(index) for index in range(len(order)))
    try:
        return Recipe(
            scan.take, scan.look, re.compile(b"".join(parts), re.MULTILINE), places, scan.many, scan.broken
        )
    except (re.error, OverflowError):
        return None


def _indexes(scan: Scan) -> set[int]:
    parts = [*((start, end) for start, end, _ in scan.loose), *scan.fixed]
    ends = {index for part in parts for index in part}
    return ends.union(scan.starts) | ({scan.end} if scan.end >= 0 else set())


def _is(printed: bytes, number: float) -> bool:
    try:
        return float(printed) == number
    except ValueError:
        return False


def _like(number: re.Match[bytes]) -> bytes:
    """What matches numbers that are printed in the way of one."""
    sign, whole, point, fraction, exponent = number.groups()
    parts = [re.escape(sign), rb"\d{1,12}+" if whole else b""]
    if point:
        parts += [rb"\.", rb"\d{1,17}+" if fraction else b""]
    if exponent:
        parts += [re.escape(exponent), rb"\d{1,3}+"]
    return b"(" + b"".join(parts) + b")"


def _exactly(raw: bytes, start: int, end: int) -> bytes:
    """What matches a part of a text with other digits, but for those of words such as acc1 and Acc@5."""
    parts = []
    for digits in _DIGITS.finditer(raw, start, end):
        own = digits.start() > start and _IN_WORD.match(raw, digits.start() - 1)
        what = digits[0] if own else rb"\d{%d}" % len(digits[0])
        parts += [re.escape(raw[start : digits.start()]), what]
        start = digits.end()
    return b"".join([*parts, re.escape(raw[start:end])])
