"""Ray Tune and Ray Train: a box of `│ loss    0.32258 │` rows under `│ Trial train_00000 result │`."""

from __future__ import annotations

import re

from floydtop.parse.names import is_config
from floydtop.parse.reading import Format, Found, State, as_int, number

_TITLE = re.compile(r"\s{0,4}│ (?:Training|Trial (?P<trial>\S{1,80})) result\s{0,200}│")
_ROW = re.compile(r"\s{0,4}│ (?P<name>[\w/.@-]{1,80})\s{2,200}(?P<value>\S{1,40}) │")


class _Box:
    """The result that is being told, if one is."""

    def __init__(self) -> None:
        self.open = False
        self.ever = False
        self.prefix = ""
        self.values: dict[str, float] = {}


def read(text: str, state: State) -> list[Found] | None:
    """A box is one point at its training_iteration; each trial has series of its own."""
    box = state.of(_Box)
    title = _TITLE.match(text)
    if title:
        state.expectations += not box.ever
        box.open = box.ever = True
        box.prefix = f"{title['trial']}/" if title["trial"] else ""
        box.values = {}
        return []
    if not box.ever:
        return None
    state.hesitant = True
    if not box.open:
        return None
    row = _ROW.fullmatch(text)
    if row:
        value = number(row["value"])
        if value is not None and not is_config(row["name"]):
            box.values[row["name"]] = value
        return []
    if not text.lstrip().startswith("╰"):
        return [] if text.lstrip().startswith(("├", "│")) else None
    box.open = False
    step = as_int(box.values.pop("training_iteration", None))
    values = {f"{box.prefix}{name}": value for name, value in box.values.items()}
    return [Found(values, step=step)] if values and step is not None else []


FORMAT = Format(
    name="ray",
    about="Ray Tune and Train: boxes '│ loss   0.32258 │' under '│ Trial train_00000 result │'",
    read=read,
    needles=("│", "╰", "├"),
    order=29,
)
