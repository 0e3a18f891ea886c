"""Boxes of `| name | value |` rows: Stable-Baselines3 and others; Lightning's table of test results."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from floydtop.parse.names import is_config, is_strong_metric
from floydtop.parse.reading import NEVER, Format, Found, Place, State, Told, as_int, number
from floydtop.parse.scan import OTHER, Point, Scan, found, series

_RULE = re.compile(r"\s{0,8}[+┏┡├└┌╒╞╘|]?[-=─━═]{5,200}.{0,200}")
_ROW = re.compile(r"\s{0,8}[|│┃](?P<name>[^|│┃]{1,80})[|│┃](?P<value>[^|│┃]{0,80})[|│┃]\s{0,8}")
_STEPS = (
    "total_timesteps",
    "total timesteps",
    "step",
    "steps",
    "iteration",
    "num_timesteps",
    "env_steps",
    "totalenvinteracts",
)
_HEADERS = ("test metric", "validate metric", "metric", "runningstage.testing metrics", "name")


class _Box:
    """The rows of the open box: its step may stand in any of them."""

    def __init__(self) -> None:
        self.seen = False
        self.section = ""
        self.values: dict[str, float] = {}
        self.step: float | None = None
        self.epoch: float | None = None
        self.last = NEVER


def read(text: str, state: State) -> list[Found] | None:
    """A box is one point, given when it closes: `time/total_timesteps` is the step of all its rows."""
    row = _ROW.fullmatch(text)
    box = state.of(_Box)
    if row is None:
        if not _RULE.fullmatch(text) or not box.seen:
            return None
        state.waits(_is_open)
        closed = _close(state, None, ())
        return None if closed is OTHER else found(closed)
    _go_on(state, None, ())
    if not box.seen:
        box.seen = True
        state.expectations += 1
    name, value = row["name"], row["value"].strip()
    label = name.strip()
    point = number(value)
    if not value and label.endswith("/"):
        place = _section(label)
    elif point is None or not label or label.lower() in _HEADERS:
        return []
    else:
        place = _value(label, name.startswith("   "))
    # The digits of a name are part of the shape; the value is told as if it were an epoch.
    first, last = row.span("name")
    at = {f"!{start}": len(text) - start for start in range(first, last) if text[start].isdigit()}
    at["epoch"] = len(text) - row.start("value") - len(row["value"]) + len(row["value"].lstrip())
    state.told = Told(None, None, point if value else None, None, place, at=at)
    place(state, state.told)
    return []


@lru_cache(maxsize=1024)
def _section(label: str) -> Callable[[State, Told], Place | None]:
    """The place of a row that heads others: `| rollout/ | |`."""

    def place(state: State, told: Told) -> Place | None:
        box = state.of(_Box)
        if not _goes_on(box, state):
            return None
        box.section = label
        return None, None

    return place


@lru_cache(maxsize=1024)
def _value(label: str, inside: bool) -> Callable[[State, Told], Place | None]:
    """The place of a row with a value: noted until the box closes."""
    last = label.lower().rpartition("/")[2]
    is_step, is_place, is_setting = last in _STEPS, last == "epoch", is_config(label)

    def place(state: State, told: Told) -> Place | None:
        box, point = state.of(_Box), told.epoch
        if point is None or not _goes_on(box, state):
            return None
        if is_step:
            box.step = point
        if is_place:
            box.epoch = point
        elif not is_setting:
            box.values[f"{box.section}{label}" if box.section and inside else label] = point
        return None, None

    return place


def _goes_on(box: _Box, state: State) -> bool:
    """Take note of a row; False where a box begins whose predecessor was never closed."""
    if box.last not in (state.number - 1, state.number) and box.values:
        return False
    box.last = state.number
    return True


def scan(text: str) -> Scan | None:
    """A rule, or a row that tells no value; the others are told by their places."""
    row = _ROW.fullmatch(text)
    if row is None:
        return Scan(_close, None, (), ()) if _RULE.fullmatch(text) else None
    point, label = number(row["value"]), row["name"].strip()
    if (row["value"].strip() or not label.endswith("/")) and (
        point is None or not label or label.lower() in _HEADERS
    ):
        return Scan(_go_on, None, (), ())
    return None


def _go_on(state: State, look: None, numbers: tuple[float, ...]) -> None:
    """A row: what is told of a box that was never closed is forgotten."""
    box = state.of(_Box)
    if box.last != state.number - 1 and box.values:
        box.values, box.step, box.epoch, box.section = {}, None, None, ""
    box.last = state.number


def _is_open(state: State) -> bool:
    box = state.of(_Box)
    return bool(
        box.last == state.number - 1
        or box.values
        or box.section
        or box.step is not None
        or box.epoch is not None
    )


def _close(state: State, look: None, numbers: tuple[float, ...]) -> Point | None:
    """A rule closes the box above it."""
    if not _is_open(state):
        return OTHER
    box = state.of(_Box)
    values, step, epoch = box.values, as_int(box.step), box.epoch
    box.values, box.step, box.epoch, box.section = {}, None, None, ""
    if values and (step is not None or epoch is not None or any(map(is_strong_metric, values))):
        return series(tuple(values)), tuple(values.values()), step, epoch
    return None if box.last == state.number - 1 else OTHER


FORMAT = Format(
    name="boxes",
    about="Stable-Baselines3 and Lightning boxes: '|    ep_rew_mean | 22.3 |'",
    read=read,
    scan=scan,
    needles=("|", "---", "│", "┃", "━", "──", "==="),
    order=30,
)
