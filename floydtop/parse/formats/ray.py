"""Ray Tune and Ray Train: a box of `│ loss    0.32258 │` rows under `│ Trial train_00000 result │`."""

from __future__ import annotations

import re

from floydtop.parse.names import is_config
from floydtop.parse.reading import Format, Found, State, as_int, number
from floydtop.parse.scan import OTHER, Point, Scan, found, series

_TITLE = re.compile(r"\s{0,4}│ (?:Training|Trial (?P<trial>\S{1,80})) result\s{0,200}│")
_ROW = re.compile(r"\s{0,4}│ (?P<name>[\w/.@-]{1,80})\s{2,200}(?P<value>\S{1,40}) │")


class _Box:
    """The result that is being told, if one is."""

    def __init__(self) -> None:
        self.open = False
        self.ever = False
        self.prefix = ""
        self.values: dict[str, float] = {}


def scan(text: str) -> Scan | None:
    """The title of a box, a row of it, or its frame."""
    title = _TITLE.match(text)
    if title:
        prefix = f"{title['trial']}/" if title["trial"] else ""
        return Scan(_begin, prefix, (), (), fixed=(title.span("trial"),) if prefix else ())
    row = _ROW.fullmatch(text)
    if row:
        value = number(row["value"])
        if value is None or is_config(row["name"]):
            return Scan(_pass, None, (), ())
        return Scan(_note, row["name"], (value,), (row.start("value"),), fixed=(row.span("name"),))
    start = text.lstrip()[:1]
    if start == "╰":
        return Scan(_end, None, (), ())
    return Scan(_pass, None, (), ()) if start in ("├", "│") else None


def _begin(state: State, prefix: str, numbers: tuple[float, ...]) -> Point | None:
    box = state.of(_Box)
    if not box.ever:
        return OTHER
    box.open, box.prefix, box.values = True, prefix, {}
    return None


def _pass(state: State, look: None, numbers: tuple[float, ...]) -> Point | None:
    return None if state.of(_Box).open else OTHER


def _note(state: State, name: str, numbers: tuple[float, ...]) -> Point | None:
    box = state.of(_Box)
    if not box.open:
        return OTHER
    box.values[name] = numbers[0]
    return None


def _end(state: State, look: None, numbers: tuple[float, ...]) -> Point | None:
    """A box is one point at its training_iteration; each trial has series of its own."""
    box = state.of(_Box)
    if not box.open:
        return OTHER
    box.open = False
    step = as_int(box.values.pop("training_iteration", None))
    if not box.values or step is None:
        return None
    return series(tuple(box.prefix + name for name in box.values)), tuple(box.values.values()), step, None


def _is_open(state: State) -> bool:
    return state.of(_Box).open


def read(text: str, state: State) -> list[Found] | None:
    """The result that a box tells, when it closes."""
    one = scan(text)
    if one is None:
        return None
    box = state.of(_Box)
    if one.take is _begin and not box.ever:
        box.ever = True
        state.expectations += 1
    if not box.ever:
        return None
    state.waits(_is_open)
    point = one.point(state)
    return None if point is OTHER else found(point)


FORMAT = Format(
    name="ray",
    about="Ray Tune and Train: boxes '│ loss   0.32258 │' under '│ Trial train_00000 result │'",
    read=read,
    scan=scan,
    needles=("│", "╰", "├"),
    order=29,
)
