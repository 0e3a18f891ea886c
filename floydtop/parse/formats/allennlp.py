"""AllenNLP's table after each epoch: `loss | 0.523 | 0.612` under `Training | Validation`."""

from __future__ import annotations

import re

from floydtop.parse.prefix import strip
from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State, number

_HEADER = re.compile(r"\s{1,80}Training\s{1,8}\|\s{1,8}Validation\s{0,8}")
_CELL = rf"\s{{1,16}}({NUMBER}|N/A)\s{{0,8}}"
_ROW = re.compile(rf"([\w@/.-]{{1,80}})\s{{0,80}}\|{_CELL}\|{_CELL}")


class _Memory:
    """Where the rows under a header have come to."""

    def __init__(self) -> None:
        self.line = NEVER
        self.seen = False


def read(text: str, state: State) -> list[Found] | None:
    """A row is two values, of training and of validation, at the epoch that a line above has told."""
    memory = state.of(_Memory)
    message = strip(text).text
    message = message.partition("console_logger - ")[2] or message
    if _HEADER.fullmatch(message):
        memory.line = state.number
        if not memory.seen:
            memory.seen = True
            state.expectations += 1
        return []
    row = _ROW.fullmatch(message) if memory.seen else None
    if row is None:
        return None
    state.hesitant = True
    if state.number - memory.line > 1:
        return None
    memory.line = state.number
    cells = {f"training_{row[1]}": number(row[2]), f"validation_{row[1]}": number(row[3])}
    values = {name: value for name, value in cells.items() if value is not None}
    return [Found(values, epoch=state.epoch)] if values else []


FORMAT = Format(
    name="allennlp",
    about="AllenNLP: 'loss  |  0.523  |  0.612' under 'Training |  Validation'",
    read=read,
    needles=(" |  ",),
    order=37,
)
