"""PyTorch Ignite's bar: `Epoch [1/3]: [4/20]  20%|##   , loss=4.75 [00:00<00:00]`."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State
from floydtop.parse.scan import Point, Scan, Series, found, series

_BAR = re.compile(
    r"(?:\[(?P<epoch>\d{1,9})/(?P<epochs>\d{1,9})\]:?\s{1,4})?"
    r"\[(?P<n>\d{1,12})/(?P<total>\d{1,12})\]\s{1,8}\d{1,3}%\|"
)
_CLOCK = re.compile(r"\s?\[[\d:]{1,16}<[\d:?]{1,16}\]")
_ITEM = re.compile(rf"([^=\s][^=]{{0,80}})=({NUMBER})")


_PERCENT = rb" {1,8}+\d{1,3}+%\|(?:[ #\d]|\xe2\x96[\x80-\x9f]){0,400}+"
_TIME = rb"\[[\d:]{1,16}+<[\d:?]{1,16}+\]"


class _Memory:
    def __init__(self) -> None:
        self.given: tuple[float, int] = (-1.0, -1)
        self.last: tuple[tuple[str, ...], tuple[float, ...]] = ((), ())


def scan(text: str) -> Scan | None:
    """The count of a frame, what it counts to, epoch and epochs, and the values."""
    match = _BAR.search(text)
    clock = _CLOCK.search(text, match.end()) if match else None
    if match is None or clock is None:
        return None
    names = ["n", "total", "epoch", "epochs"] if match["epoch"] else ["n", "total"]
    numbers = [(float(match[name]), match.start(name)) for name in names]
    values: dict[str, tuple[float, int]] = {}
    fixed = []
    first, *parts = text[match.end() : clock.start()].split(",")
    drawn = start = match.end() + len(first)
    for part in parts:
        item = _ITEM.fullmatch(part.strip())
        if item:
            blank = len(part) - len(part.lstrip())
            at = start + 1 + blank
            values[item[1]] = float(item[2]), at + item.start(2)
            fixed.append((at, at + item.end(1)))
        start += len(part) + 1
    numbers += values.values()
    percent = match.end("total") + 1
    loose: tuple[tuple[int, int, bytes], ...]
    if parts:
        loose = ((percent, drawn, _PERCENT), (*clock.span(), b" ?" + _TIME))
    else:
        loose = ((percent, clock.end(), _PERCENT + _TIME),)
    return Scan(
        _take,
        (match["epoch"] is not None, series(tuple(values))),
        tuple(one for one, _ in numbers),
        tuple(at for _, at in numbers),
        loose,
        clock.end() if clock.end() < len(text) else -1,
        tuple(fixed),
    )


def _take(state: State, look: tuple[bool, Series], numbers: tuple[float, ...]) -> Point | None:
    """A point for each count; the last count is drawn twice, once before its own value is there."""
    told, names = look
    n, total, epoch = int(numbers[0]), int(numbers[1]), None
    state.step, state.steps = n, total
    if told:
        epoch = state.epoch = numbers[2]
        state.epochs = int(numbers[3])
    values = numbers[4 if told else 2 :]
    memory = state.of(_Memory)
    place = (epoch or 0, n)
    if not values:
        return None
    if place == memory.given and not state.live and (n != total or (names.given, values) == memory.last):
        return None
    memory.given, memory.last = place, (names.given, values)
    return names, values, n, epoch


def read(text: str, state: State) -> list[Found] | None:
    """What is news in a frame."""
    one = scan(text)
    if one is None:
        return None
    state.rest = text[one.end :] if one.end >= 0 else ""
    return found(one.point(state))


FORMAT = Format(
    name="ignite",
    about="PyTorch Ignite bars: 'Epoch [1/3]: [4/20]  20%|##   , loss=4.75 [00:00<00:00]'",
    read=read,
    scan=scan,
    needles=("%|",),
    frames=True,
    order=11,
)
