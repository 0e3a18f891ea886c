"""Boxes of `| name | value |` rows: Stable-Baselines3 and others; Lightning's table of test results."""

from __future__ import annotations

import re

from floydtop.parse.names import is_config, is_strong_metric
from floydtop.parse.reading import NEVER, Format, Found, State, as_int, number

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
        if not _RULE.fullmatch(text):
            return None
        if not box.seen:
            return None
        state.hesitant = True
        found = _close(box)
        return found if found or box.last == state.number - 1 else None
    if box.last != state.number - 1 and box.values:
        box.values, box.step, box.epoch, box.section = {}, None, None, ""
    box.last = state.number
    if not box.seen:
        box.seen = True
        state.expectations += 1
    name, value = row["name"], row["value"].strip()
    label = name.strip()
    if not value and label.endswith("/"):
        box.section = label
        return []
    point = number(value)
    if point is None or not label or label.lower() in _HEADERS:
        return []
    full = f"{box.section}{label}" if box.section and name.startswith("   ") else label
    last = label.lower().rpartition("/")[2]
    if last in _STEPS:
        box.step = point
    if last == "epoch":
        box.epoch = point
    elif not is_config(label):
        box.values[full] = point
    return []


def _close(box: _Box) -> list[Found]:
    values, step, epoch = box.values, as_int(box.step), box.epoch
    box.values, box.step, box.epoch, box.section = {}, None, None, ""
    told = step is not None or epoch is not None or any(map(is_strong_metric, values))
    return [Found(values, step, epoch)] if values and told else []


FORMAT = Format(
    name="boxes",
    about="Stable-Baselines3 and Lightning boxes: '|    ep_rew_mean | 22.3 |'",
    read=read,
    needles=("|", "---", "│", "┃", "━", "──", "==="),
    order=30,
)
