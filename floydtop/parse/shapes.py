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
from floydtop.parse.reading import Found, Place, State, Told

DIGITS = b"0123456789"
MOST = 8192
"""Shapes that are remembered; then all are forgotten, which costs a log of pure prose nothing."""
PROOFS = 2
"""How often a plan has to give what its format gives before it is believed."""
LONGEST = 4096

# Runs of what numbers are made of; it begins with a set, which the engine looks for 3 times as fast.
_RUN = re.compile(rb"[-+.\d][\d.,eE+-]*")
_WORDS = re.compile(rb"(?i:nan|inf)")
# Where nan and inf are about. What is one token must follow from the shape alone, so commas always join.
_TOKEN = re.compile(
    rb"[-+]?\d+(?:,\d+)*(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+(?:[eE][-+]?\d+)?|[-+]?(?i:nan|infinity|inf)"
)
_IN_WORD = re.compile(rb"[A-Za-z_@#]")
# Where a number might stand that this line does not have: `loss: ` and `loss: 5` are of one shape.
_EMPTY = re.compile(r"(?<=[:=\[(/#])(?=\s|$|[,;:)\]%/])|(?<=[:=\w] )(?= |$)")


@dataclass
class Plan:
    """Where the numbers of a shape belong: names and indexes of the line's tokens."""

    count: int
    literals: list[tuple[int, bytes]]
    """Tokens that are part of a word, such as the 1 of Acc@1: they must be the same."""
    groups: list[tuple[MetricGroup, list[tuple[str, int]]]]
    step: int | None
    steps: int | None
    epoch: int | None
    epochs: int | None
    place: Callable[[State, Told], Place | None] | None
    section: str
    tokens: Callable[[bytes], list[bytes]]
    proofs: int = 0

    def apply(self, raw: bytes) -> tuple[list[tuple[MetricGroup, dict[str, float]]], Told] | None:
        """The values by group and the place of a line of this shape, or None when it does not fit."""
        tokens = self.tokens(raw)
        if len(tokens) != self.count:
            return None
        for index, text in self.literals:
            if tokens[index] != text:
                return None
        try:
            groups = [
                (group, {name: _float(tokens[index]) for name, index in items})
                for group, items in self.groups
            ]
            told = Told(
                None if self.step is None else _whole(tokens[self.step]),
                None if self.steps is None else _whole(tokens[self.steps]),
                None if self.epoch is None else _float(tokens[self.epoch]),
                None if self.epochs is None else _whole(tokens[self.epochs]),
                self.place,
                self.section,
            )
        except (ValueError, OverflowError):
            return None
        return groups, told


@dataclass
class Entry:
    """What is known about one shape."""

    plans: list[Plan] = field(default_factory=list)
    attempts: int = 0


def _float(token: bytes) -> float:
    try:
        return float(token)
    except ValueError:
        return float(token.replace(b",", b"").rstrip(b"."))


def _whole(token: bytes) -> int:
    value = _float(token)
    if value != int(value) or abs(value) > 1e15:
        raise ValueError
    return int(value)


def filled(text: str) -> str:
    """The text with a digit wherever a number may be missing."""
    return _EMPTY.sub("7", text)


def learn(raw: bytes, found: Found, told: Told) -> Plan | None:
    """Find each number of a result among the tokens of its line; None when one is not there or not alone."""
    pattern = _TOKEN if _WORDS.search(raw) else _RUN
    tokens = list(pattern.finditer(raw))
    by_value: dict[str, list[int]] = {}
    by_place: dict[int, int] = {}
    for index, token in enumerate(tokens):
        by_place.update(dict.fromkeys(range(len(raw) - token.start(), len(raw) - token.end(), -1), index))
        with suppress(ValueError):
            by_value.setdefault(repr(_float(token[0])), []).append(index)
    if told.at is not None and "rank" in told.at and not raw.isascii():
        return None
    exact = told.at is not None and raw.isascii() and b"\x1b" not in raw

    def index_of(value: float | None, name: str) -> int | None:
        if value is None:
            return None
        here = by_value.get(repr(float(value)), [])
        if exact and told.at is not None and name in told.at:
            at = by_place.get(told.at[name], -1)
            here = [at] if at in here else []
        if len(here) != 1:
            raise LookupError
        return here[0]

    groups: dict[MetricGroup, list[tuple[str, int]]] = {}
    try:
        for name, value in found.values.items():
            group: MetricGroup = "timing" if is_timing(name) else "training"
            groups.setdefault(group, []).append((name, index_of(value, "=" + name) or 0))
        step, steps = index_of(told.step, "step"), index_of(told.steps, "steps")
        epoch, epochs = index_of(told.epoch, "epoch"), index_of(told.epochs, "epochs")
    except LookupError:
        return None
    # The 1 of Acc@1 and the rank must be the same in every line of the plan.
    rank = by_place.get((told.at or {}).get("rank", -1), -1)
    literals = [
        (index, token[0])
        for index, token in enumerate(tokens)
        if index == rank or _IN_WORD.match(raw, max(0, token.start() - 1))
    ]
    return Plan(
        len(tokens),
        literals,
        list(groups.items()),
        step,
        steps,
        epoch,
        epochs,
        told.place,
        told.section,
        pattern.findall,
    )
