"""ESPnet 2: `2epoch:train:1-53batch: loss_ctc=120.1, acc=0.45`, `2epoch results: [train] loss=85.1, ...`."""

from __future__ import annotations

import re

from floydtop.parse.prefix import strip
from floydtop.parse.reading import NUMBER, Format, Found, State

_PLACE = re.compile(
    r"(?P<epoch>\d{1,9})epoch"
    r"(?::(?P<part>\w{1,16}):(?:\d{1,9}-)?(?P<batch>\d{1,9})batch:| (?P<results>results):)\s"
)
_PART = re.compile(r"\[(\w{1,16})\] ")
# A duration in words, `time=9 minutes and 10.1 seconds`, is no number.
_ITEM = re.compile(rf"([\w/.-]{{1,80}})=({NUMBER})(?=,|\s{{0,8}}$)")


def read(text: str, state: State) -> list[Found] | None:
    """Batches are points of the training; results of an epoch carry the name of their part of the data."""
    message = strip(text).text
    place = _PLACE.search(message)
    if place is None:
        return None
    state.epoch = float(place["epoch"])
    rest = message[place.end() :]
    if not place["results"]:
        values = _values(rest, "" if place["part"] == "train" else f"{place['part']}_")
        state.step = int(place["batch"])
        return [Found(values, state.step, state.epoch)] if values else []
    parts = _PART.split(rest)
    values = {}
    for name, items in zip(parts[1::2], parts[2::2], strict=True):
        values |= _values(items.rstrip(", "), f"{name}_")
    return [Found(values, epoch=state.epoch)] if values else []


def _values(text: str, prefix: str) -> dict[str, float]:
    items = (item for item in _ITEM.findall(text) if item[0] != "total_count")
    return {f"{prefix}{name}": float(value) for name, value in items}


FORMAT = Format(
    name="espnet",
    about="ESPnet: '2epoch:train:1-53batch: loss=92.1, acc=0.45', '2epoch results: [train] loss=85.1'",
    read=read,
    needles=("epoch:", "epoch results:"),
    order=37,
)
