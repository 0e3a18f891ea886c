"""Darknet: `9001: 0.211667, 0.607300 avg loss, 0.001000 rate, 3.868000 seconds, 576064 images`."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State

_ROW = re.compile(
    rf"\s{{0,4}}(?P<step>\d{{1,12}}): (?P<loss>{NUMBER}), (?P<average>{NUMBER}) avg(?: loss)?, "
    rf"(?P<rate>{NUMBER}) rate, (?P<seconds>{NUMBER}) seconds, \d{{1,15}} images"
)
_PRECISION = re.compile(
    rf"\s{{0,4}}mean[ _]average[ _]precision \((?P<name>mAP@[\d.]{{1,6}})\) = (?P<value>{NUMBER})"
)


def read(text: str, state: State) -> list[Found] | None:
    """A row is an iteration: its own loss, the smoothed one, the learning rate and how long it took."""
    row = _ROW.match(text)
    if row:
        state.step, state.steps = int(row["step"]), None
        values = {"loss": float(row["loss"]), "avg loss": float(row["average"])}
        timing = {"learning_rate": float(row["rate"]), "seconds": float(row["seconds"])}
        return [Found(values | timing, step=state.step)]
    precision = _PRECISION.match(text)
    if precision:
        return [Found({precision["name"]: float(precision["value"])}, step=state.step)]
    return None


FORMAT = Format(
    name="darknet",
    about="Darknet: '9001: 0.2116, 0.6073 avg loss, 0.001 rate, 3.868 seconds, 576064 images'",
    read=read,
    needles=(" rate, ", "(mAP@"),
    order=35,
)
