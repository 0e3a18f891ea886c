"""Lightning's table of results on several data loaders, a column for each of them."""

from __future__ import annotations

import re

from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State, number

_HEADER = re.compile(
    r"[┃│|]\s{1,60}\w{1,24} metric\s{1,60}(?P<loaders>(?:[┃│|]\s{1,60}DataLoader \d{1,4}\s{1,60}){2,40})[┃│|]"
)
_ROW = re.compile(
    r"[│|]\s{1,80}+(?P<name>[\w/.-]{1,80}+)\s{1,80}+"
    rf"(?P<cells>(?:[│|]\s{{1,80}}+(?:{NUMBER}\s{{1,60}}+)?){{2,40}}+)[│|]"
)
_RULE = re.compile(r"[┡├╇┼━─-]{1,2}[┡╇┼━─┩┤-]{1,400}")


class _Memory:
    """The data loaders of the open table."""

    def __init__(self) -> None:
        self.loaders: list[str] = []
        self.line = NEVER


def read(text: str, state: State) -> list[Found] | None:
    """A value for each loader, named as Lightning itself names them."""
    memory = state.of(_Memory)
    text = text.strip()
    header = _HEADER.fullmatch(text)
    if header:
        before, memory.loaders = memory.loaders, re.findall(r"\d+", header["loaders"])
        memory.line = state.number
        state.expectations += memory.loaders != before
        return []
    if state.number - memory.line != 1:
        state.hesitant = state.hesitant or bool(memory.loaders and _ROW.fullmatch(text))
        return None
    if _RULE.fullmatch(text):
        memory.line = state.number
        return []
    row = _ROW.fullmatch(text)
    cells = re.split(r"[│|]", row["cells"])[1:] if row else []
    if row is None or len(cells) != len(memory.loaders):
        return None
    memory.line = state.number
    values = {
        f"{row['name']}/dataloader_idx_{loader}": value
        for loader, value in zip(memory.loaders, map(number, cells), strict=True)
        if value is not None
    }
    return [Found(values)] if values else []


FORMAT = Format(
    name="dataloaders",
    about="Lightning's results on several loaders: '│  test_acc  │  0.65  │  0.62  │'",
    read=read,
    needles=("┃", "│", "┡"),
    order=29,
)
