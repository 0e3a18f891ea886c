"""What a format gives back for a line, and what formats remember from line to line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, count
from operator import lt
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from floydtop.events import Progress
from floydtop.parse.names import PLURALS, is_config, is_epoch, is_step, is_strong_metric

if TYPE_CHECKING:
    from floydtop.parse.scan import Scan

Memory = TypeVar("Memory")

NEVER = -(1 << 62)
"""Number of a line before all others: who begins in the middle of a log may number back from there."""

NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?|(?i:nan|inf(?:inity)?)\b)"
"""A printed float; possessive, so that it is linear on any input."""

_WHOLE = re.compile(NUMBER)


class Found(msgspec.Struct):
    """Numbers that belong to one point: name -> value, and where on the x-axes they stand."""

    values: dict[str, float]
    step: int | None = None
    epoch: float | None = None


class Bad(msgspec.Struct):
    """Text that claims to be a metric and is not readable as one, and why."""

    text: str
    why: str


Place = tuple[int | None, float | None]
"""Step and epoch of a point."""

Breaks = Callable[[Sequence[float], Sequence[int]], list[int]]
"""Of the steps and the numbers of lines that follow each other: which do not go on from the line before."""


class Told(NamedTuple):
    """The place on the x-axes that a line itself tells, how the rest follows from earlier lines."""

    step: int | None
    steps: int | None
    epoch: float | None
    epochs: int | None
    place: Callable[[State, Told], Place | None] | None = None
    """Takes note of the place and gives that of the point; None: the line means nothing at this place."""
    section: str = ""
    at: dict[str, int] | None = None
    """Where in the line each number stands, counted from the line's end: name -> characters.

    A value's name has a = before it; what a name with a ! stands for is part of the shape.
    """
    factors: dict[str, float] | None = None
    """What the printed number is multiplied by: name -> factor, as where milliseconds become seconds."""
    valid: Callable[[bytes], bool] | None = None
    """Whether bytes of this shape, of one line or several, are what they seem, where their digits decide."""
    breaks: Breaks | None = None
    """Where lines of a shape go on from the line before, with none of another shape between them, `place`
    gives the step that they tell and the epoch of the first one: it need see the first and the last."""


class State:
    """What the lines so far have told; shared by all formats, one per stream."""

    def __init__(self) -> None:
        self.epoch: float | None = None
        """Epoch that a heading announced: what follows without an epoch of its own belongs to it."""
        self.epochs: int | None = None
        self.heading_line = NEVER
        """Line of that heading, as long as its epoch has no result."""
        self.heading_epoch: float | None = None
        """What it announced, whatever a bar has told since."""
        self.step: int | None = None
        self.steps: int | None = None
        self.live = False
        """The line is not finished: give its running values."""
        self.late: bool | None = None
        """A bar shows its count before the values of that count (`update(1); set_postfix(...)`)."""
        self.sole = False
        """No other frame with the count of this one follows."""
        self.number = 0
        """Number of the line being read."""
        self.rest = ""
        """Text that the format left over: what another stream wrote right behind a bar."""
        self.told: Told | None = None
        """Set by a format whose result depends on nothing but the line's numbers and the place in it."""
        self.hesitant = False
        """A format could have read the line at another place or with other numbers in it."""
        self.conditions: list[Callable[[State], bool]] = []
        """A format reads such a line as this one while one of them holds."""
        self.why = ""
        """Why the line gave nothing, for a person who asks."""
        self.muted = NEVER
        """Number of a line that repeats what was told and is not to be read."""
        self.expectations = 0
        """Raised whenever lines that meant nothing so far may mean something from now on."""
        self._memory: dict[type, Any] = {}

    def of(self, kind: type[Memory]) -> Memory:
        """A format's own memory, made empty at first use."""
        try:
            known: Memory = self._memory[kind]
            return known
        except KeyError:
            made = self._memory[kind] = kind()
            return made

    def waits(self, condition: Callable[[State], bool]) -> None:
        """A line like this one means something while the condition holds, whatever its numbers."""
        self.conditions.append(condition)

    def heading(self, epoch: float | None, epochs: int | None = None) -> None:
        """A line said which epoch comes now."""
        self.epoch = None if epoch is None else float(epoch)
        self.epochs = epochs or self.epochs
        self.heading_line, self.heading_epoch = self.number, self.epoch
        self.step = self.steps = None

    def progress(self) -> Progress | None:
        if self.epoch is None and self.step is None:
            return None
        epoch = int(self.epoch) if self.epoch is not None and math.isfinite(self.epoch) else None
        epoch, epochs, step, steps = map(_countable, (epoch, self.epochs, self.step, self.steps))
        return Progress(epoch=epoch, epochs=epochs, step=step, steps=steps)


def _countable(number: int | None) -> int | None:
    """A number that a job may count up to: a session holds 64 bits of it."""
    return number if number is not None and abs(number) < 2**63 else None


Reader = Callable[[str, State], "list[Found] | None"]


@dataclass(frozen=True)
class Format:
    """One family of output: its name, what it looks like, and the function that reads a line of it.

    `read` takes the text of one segment and returns None when the line is not of this format (then the
    next format is asked), else what it found, which may be nothing.
    """

    name: str
    about: str
    read: Reader
    needles: tuple[str, ...] = ()
    """Strings of which at least one is in each line of this format; none: always ask."""
    frames: bool = False
    """Every frame of a rewritten line is asked for, not only the last."""
    scan: Callable[[str], Scan | None] | None = None
    """What `read` does before it looks at what was read before; texts of a known shape are scanned faster."""
    order: int = 50
    """Formats of a low order are asked first; the generic ones are last."""


def number(text: str) -> float | None:
    """A printed number as a float, or None; a percent sign or a comma between thousands is allowed."""
    text = text.strip().rstrip("%")
    if not _WHOLE.fullmatch(text):
        text = text.replace(",", "")
        if not _WHOLE.fullmatch(text):
            return None
    return float(text)


def never(steps: Sequence[float], numbers: Sequence[int]) -> list[int]:
    """`Breaks` of lines whose places hang on no other line, that only take note of them."""
    return []


def falls(steps: Sequence[float], numbers: Sequence[int]) -> list[int]:
    """Lines whose step is below that of the line before: `Breaks` of what counts up."""
    fallen = list(map(lt, steps[1:], steps))
    return list(compress(count(1), fallen)) if True in fallen else []


def scaled(number: float, factor: float) -> float:
    """A value in its unit, such as seconds of a printed number of milliseconds."""
    return number if factor == 1.0 else round(number * factor, 9)


def as_int(value: float | None) -> int | None:
    """A step as an integer, None when it is none (HF prints fractional epochs, nobody fractional steps)."""
    if value is None or not math.isfinite(value) or value != int(value) or abs(value) > 1e15:
        return None
    return int(value)


def record(pairs: dict[str, float]) -> Found | None:
    """One row of names and numbers as a point, or None when nothing says that it is about training.

    The x-values are taken out by their names. Without any, at least one name must be a known metric.
    """
    step: float | None = None
    epoch: float | None = None
    values: dict[str, float] = {}
    for name, value in pairs.items():
        if is_epoch(name):
            epoch = value if epoch is None else epoch
        elif is_step(name):
            step = value if step is None or "global" in name or name == "num_updates" else step
        elif not is_config(name):
            values[name] = value
    # `epochs: 10` in a configuration says how many there will be.
    placed = any((is_step(name) or is_epoch(name)) and name.lower() not in PLURALS for name in pairs)
    if not values or not (placed or any(map(is_strong_metric, values))):
        return None
    return Found(values, as_int(step), epoch)
