"""PyTorch Ignite's bar: `Epoch [1/3]: [4/20]  20%|##   , loss=4.75 [00:00<00:00]`."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State

_BAR = re.compile(
    r"(?:\[(?P<epoch>\d{1,9})/(?P<epochs>\d{1,9})\]:?\s{1,4})?"
    r"\[(?P<n>\d{1,12})/(?P<total>\d{1,12})\]\s{1,8}\d{1,3}%\|"
)
_CLOCK = re.compile(r"\s?\[[\d:]{1,16}<[\d:?]{1,16}\]")
_ITEM = re.compile(rf"([^=\s][^=]{{0,80}})=({NUMBER})")


class _Memory:
    def __init__(self) -> None:
        self.given: tuple[float, int] = (-1.0, -1)
        self.last: dict[str, float] = {}


def read(text: str, state: State) -> list[Found] | None:
    """A point for each count; the last count is drawn twice, once before its own value is there."""
    match = _BAR.search(text)
    clock = _CLOCK.search(text, match.end()) if match else None
    if match is None or clock is None:
        return None
    state.rest = text[clock.end() :]
    n, total = int(match["n"]), int(match["total"])
    epoch = float(match["epoch"]) if match["epoch"] else None
    state.step, state.steps = n, total
    if epoch is not None:
        state.epoch, state.epochs = epoch, int(match["epochs"])
    items = (_ITEM.fullmatch(part.strip()) for part in text[match.end() : clock.start()].split(",")[1:])
    values = {item[1]: float(item[2]) for item in items if item}
    memory = state.of(_Memory)
    place = (epoch or 0, n)
    if not values or (place == memory.given and (n != total or values == memory.last) and not state.live):
        return []
    memory.given, memory.last = place, values
    return [Found(values, n, epoch)]


FORMAT = Format(
    name="ignite",
    about="PyTorch Ignite bars: 'Epoch [1/3]: [4/20]  20%|##   , loss=4.75 [00:00<00:00]'",
    read=read,
    needles=("%|",),
    frames=True,
    order=11,
)
