"""Rich's log handler: a message in a column of its own, broken at its width, the source at the right."""

from __future__ import annotations

import re

from floydtop.parse.formats import keyvalue
from floydtop.parse.reading import NEVER, Format, Found, State

_HEAD = re.compile(
    r"(?P<lead>(?:\[[\d/:., -]{5,30}(?: [AP]M)?\]|\s{5,32}) (?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\s{1,8})"
    r"(?P<message>\S(?:.{0,400}?\S)??)\s{1,400}+[\w<>-]{1,80}+\.py:\d{1,6}\s{0,8}"
)
_BLANK = " " * 14
LONGEST = 2000
"""Characters of a message that are kept for its next row."""


class _Memory:
    """The message that was read last, and where its next row would begin."""

    def __init__(self) -> None:
        self.line = NEVER
        self.column = -1
        self.message = ""


def read(text: str, state: State) -> list[Found] | None:
    """A row is read with those above it: a name may end one of them and its value begin the next."""
    memory = state.of(_Memory)
    head = _HEAD.fullmatch(text)
    if head:
        if memory.column < 0:
            state.expectations += 1
        memory.line, memory.column, memory.message = state.number, head.end("lead"), head["message"]
        state.rest = head["message"]
        return []
    if memory.column < 0 or not text.startswith(_BLANK):
        return None
    state.hesitant = True
    if state.number - memory.line != 1 or len(text) - len(text.lstrip()) != memory.column:
        return None
    before, memory.line = memory.message, state.number
    memory.message = f"{before} {text.strip()}"[:LONGEST]
    told = {name for one in keyvalue.read(before, state) or [] for name in one.values}
    found = keyvalue.read(memory.message, state) or []
    state.told = None
    for one in found:
        one.values = {name: value for name, value in one.values.items() if name not in told}
    return [one for one in found if one.values]


FORMAT = Format(
    name="richlog",
    about="Rich's log handler: '[00:04:21] INFO     epoch 3 loss 0.5      train.py:12', its rows joined",
    read=read,
    needles=(" INFO  ", " DEBUG  ", " WARNING  ", " ERROR  ", " CRITICAL  ", _BLANK),
    order=8,
)
