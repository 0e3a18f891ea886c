"""The shape of a line is the line without its digits: what one line of a shape means, all of them mean.

Training output repeats a few shapes a million times. A shape that no format reads is skipped for the price
of one `bytes.translate` and one look into a set (0.2 us a line); of a shape that is read, only the numbers
are taken out and put into the places where the first lines had them (4 us instead of 60).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from floydtop.events import MetricGroup
from floydtop.parse.names import is_timing
from floydtop.parse.reading import Breaks, Place, State, Told, scaled

DIGITS = b"0123456789"
MOST = 8192
"""Shapes that are remembered; then all are forgotten, which costs a log of pure prose nothing."""
PROOFS = 2
"""How often a plan has to give what its format gives before it is believed."""
LONGEST = 4096
LARGEST = 10**15
"""Whole numbers beyond this are no steps."""


class Kind:
    """A way to cut a line into tokens, which are numbers or look like them, and what is between them."""

    def __init__(self, pattern: bytes, once: bytes) -> None:
        """Make it.

        Args:
            pattern: a token.
            once: the same as part of a larger expression: what it has matched it does not give back.
        """
        compiled = re.compile(b"(" + pattern + b")")
        self.one = once
        self.split: Callable[[bytes], list[bytes]] = compiled.split
        self.finditer = compiled.finditer


# Runs of what numbers are made of; it begins with a set, which the engine looks for 3 times as fast.
RUN = Kind(rb"[-+.\d][\d.,eE+-]*", rb"[-+.\d][\d.,eE+-]*+")
# Where commas are between numbers.
CELL = Kind(rb"[-+.\d][\d.eE+-]*", rb"[-+.\d][\d.eE+-]*+")
_WORDS = re.compile(rb"(?i:nan|inf)")
# Where nan and inf are about. What is one token must follow from the shape alone, so commas always join.
_NUMBER = (
    rb"[-+]?\d+(?:,\d+)*(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+(?:[eE][-+]?\d+)?|[-+]?(?i:nan|infinity|inf)"
)
TOKEN = Kind(_NUMBER, b"(?>" + _NUMBER + b")")
# The comma or full stop behind a number is taken for a part of it.
_MARK = re.compile(rb"(?<=\d)[.,]{1,3}$")
_BEFORE_MARK = rb"[-+.\d](?:[\d.eE+-]*\d)?"
_WORD_DIGITS = re.compile(r"(?<=[A-Za-z_])\d+")
_IN_WORD = re.compile(rb"[A-Za-z_@#]")
# Where a number might stand that this line does not have: `loss: ` and `loss: 5` are of one shape.
_EMPTY = re.compile(r"(?<=[:=\[(/#])(?=\s|$|[,;:)\]%/])|(?<=[:=\w] )(?= |$)")


@dataclass
class Plan:
    """Where the numbers of a shape belong: names and indexes of the line's tokens."""

    between: list[bytes]
    """What stands before, between and behind the tokens."""
    literals: list[tuple[int, bytes]]
    """Tokens that are part of a word, such as the 1 of Acc@1: they must be the same."""
    groups: list[tuple[MetricGroup, list[tuple[str, int, float]]]]
    """Name, token and factor of each value; 1.0 where the number is taken as it is printed."""
    step: int | None
    steps: int | None
    epoch: int | None
    epochs: int | None
    place: Callable[[State, Told], Place | None] | None
    section: str
    kind: Kind
    valid: Callable[[bytes], bool] | None = None
    breaks: Breaks | None = None
    proofs: int = 0
    used: tuple[int, ...] = field(init=False)
    """The tokens whose numbers are wanted, in their order."""
    wholes: tuple[int, ...] = field(init=False)
    """Those of them that are whole numbers."""
    head: bytes = field(init=False, default=b"")
    """How lines of this plan begin, up to the first number, if others of its shape begin in another way."""
    met: int = 0
    """Lines of this plan that came together with others."""
    line: re.Pattern[bytes] | None = None
    """Matches a whole line of this shape; its groups are the tokens in `used`."""

    def __post_init__(self) -> None:
        places = (self.step, self.steps, self.epoch, self.epochs)
        tokens = {token for _, items in self.groups for _, token, _ in items}
        self.used = tuple(sorted(tokens.union(token for token in places if token is not None)))
        self.wholes = tuple(token for token in (self.step, self.steps, self.epochs) if token is not None)
        literals = dict(self.literals)
        at = 0
        while at in literals:
            self.head += self.between[at] + literals[at]
            at += 1

    def numbers(self, raw: bytes) -> dict[int, float] | None:
        """The number of each token in `used`, or None when the line does not fit."""
        parts = self.kind.split(raw)
        if parts[::2] != self.between or (self.valid is not None and not self.valid(raw)):
            return None
        tokens = parts[1::2]
        for index, text in self.literals:
            if tokens[index] != text:
                return None
        try:
            numbers = {index: as_float(tokens[index]) for index in self.used}
            for index in self.wholes:
                number = numbers[index]
                if number != int(number) or abs(number) > LARGEST:
                    return None
        except (ValueError, OverflowError):
            return None
        return numbers

    def apply(self, raw: bytes) -> tuple[list[tuple[MetricGroup, dict[str, float]]], Told] | None:
        """The values by group and the place of a line of this shape, or None when it does not fit."""
        numbers = self.numbers(raw)
        if numbers is None:
            return None
        groups = [
            (group, {name: scaled(numbers[index], factor) for name, index, factor in items})
            for group, items in self.groups
        ]
        told = Told(
            None if self.step is None else int(numbers[self.step]),
            None if self.steps is None else int(numbers[self.steps]),
            None if self.epoch is None else numbers[self.epoch],
            None if self.epochs is None else int(numbers[self.epochs]),
            self.place,
            self.section,
        )
        return groups, told

    def expression(self, raw: bytes) -> re.Pattern[bytes] | None:
        """What matches whole lines that differ from `raw` in their numbers only; None: that cannot be told.

        What stands between two tokens holds none, and the character behind a token is none of a token's:
        so a line that it matches has the very tokens that `kind` finds.
        """
        kind = self.kind
        literals = dict(self.literals)
        parts = [b"^"]
        end = 0
        for index, token in enumerate(kind.finditer(raw)):
            between = raw[end : token.start()]
            if between[-1:] in (b"-", b"+", b"."):
                # A sign or a point that is no part of this number may be one of another.
                return None
            parts.append(re.escape(between))
            mark = _MARK.search(token[0])
            if index in literals:
                parts.append(re.escape(literals[index]))
            elif index not in self.used:
                parts.append(kind.one)
            elif mark is not None and kind is not TOKEN:
                parts.append(b"(" + _BEFORE_MARK + b")" + re.escape(mark[0]))
            else:
                parts.append(b"(" + kind.one + b")")
            end = token.end()
        parts.append(re.escape(raw[end:]) + b"$")
        return re.compile(b"".join(parts), re.MULTILINE)


@dataclass
class Entry:
    """What is known about one shape."""

    plans: list[Plan] = field(default_factory=list)
    attempts: int = 0


def as_float(token: bytes) -> float:
    """A printed number; commas between thousands are allowed, and a comma or full stop behind it."""
    try:
        return float(token)
    except ValueError:
        return float(token.replace(b",", b"").rstrip(b"."))


def filled(text: str) -> str:
    """The text with a digit wherever a number may be missing."""
    return _EMPTY.sub("7", text)


def variants(text: str) -> set[str]:
    """Texts of its shape that may mean something where this one does not: top0 is no metric, top1 is."""
    words = {_WORD_DIGITS.sub(digit, text) for digit in "125"}
    return (words | {filled(text)}) - {text}


def learn(raw: bytes, values: dict[str, float], told: Told) -> Plan | None:
    """Find each number of a result among the tokens of its line; None when one is not there or not alone."""
    plan = _learn(raw, values, told, TOKEN if _WORDS.search(raw) else RUN)
    if plan is None and told.at and b"," in raw:
        plan = _learn(raw, values, told, CELL)
    # `0.118+0.012` is one run and two numbers.
    return _learn(raw, values, told, TOKEN) if plan is None and told.at else plan


def _learn(raw: bytes, values: dict[str, float], told: Told, kind: Kind) -> Plan | None:
    tokens = list(kind.finditer(raw))
    by_value: dict[str, list[int]] = {}
    by_place: dict[int, int] = {}
    for index, token in enumerate(tokens):
        by_place.update(dict.fromkeys(range(len(raw) - token.start(), len(raw) - token.end(), -1), index))
        with suppress(ValueError):
            by_value.setdefault(repr(as_float(token[0])), []).append(index)
    places = _places_in_bytes(raw, told.at or {})
    if "rank" in (told.at or {}) and "rank" not in places:
        return None
    factors = told.factors or {}

    def index_of(value: float | None, name: str, factor: float = 1.0) -> int:
        if factor != 1.0:
            here = [
                index
                for number, indexes in by_value.items()
                if scaled(float(number), factor) == value
                for index in indexes
            ]
        else:
            here = by_value.get(repr(float(value or 0)), [])
        if name in places:
            at = by_place.get(places[name], -1)
            here = [at] if at in here else []
        if len(here) != 1:
            raise LookupError
        return here[0]

    groups: dict[MetricGroup, list[tuple[str, int, float]]] = {}
    try:
        for name, value in values.items():
            group: MetricGroup = "timing" if is_timing(name) else "training"
            factor = factors.get(name, 1.0)
            groups.setdefault(group, []).append((name, index_of(value, "=" + name, factor), factor))
        step, steps, epoch, epochs = (
            None if value is None else index_of(value, name)
            for name, value in zip(("step", "steps", "epoch", "epochs"), told[:4], strict=True)
        )
    except LookupError:
        return None
    # The 1 of Acc@1 and the rank must be the same in every line of the plan.
    fixed = {by_place.get(places[name], -1) for name in places if name == "rank" or name.startswith("!")}
    literals = [
        (index, token[0])
        for index, token in enumerate(tokens)
        if index in fixed or _IN_WORD.match(raw, max(0, token.start() - 1))
    ]
    return Plan(
        kind.split(raw)[::2],
        literals,
        list(groups.items()),
        step,
        steps,
        epoch,
        epochs,
        told.place,
        told.section,
        kind,
        told.valid,
        told.breaks,
    )


def _places_in_bytes(raw: bytes, at: dict[str, int]) -> dict[str, int]:
    """Places in characters from the end of a line's text, as bytes from the end of the line.

    Those are left out behind which something stands that the text does not have: escape sequences, say.
    """
    if raw.isascii() and raw.decode("ascii").isprintable():
        return at
    text = raw.decode("utf-8", "replace")
    places: dict[str, int] = {}
    for name, place in at.items():
        tail = text[-place:] if place > 0 else ""
        encoded = tail.encode("utf-8", "replace")
        if tail.replace("\t", " ").isprintable() and raw.endswith(encoded):
            places[name] = len(encoded) if place > 0 else place
    return places
