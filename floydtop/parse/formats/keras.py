"""Keras 1, 2, 3 and tf.keras: progress bars (verbose=1) and one line an epoch (verbose=2)."""

from __future__ import annotations

import re

from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State

_EPOCH = re.compile(r"\s{0,8}Epoch (\d{1,9})/(\d{1,9})\s{0,8}")
_COUNT = re.compile(r"\s{0,40}(\d{1,12})/(\d{1,12}|Unknown)\b(?:\s{0,8}(?:\[[=>.]{0,64}\]|[━─]{1,64}))?")
_TIME = re.compile(
    r"\s{0,8}(?:ETA:?\s{0,4}[\d:]{1,12}s?|(?P<seconds>\d{1,9})s)?"
    r"(?:\s{0,4}(?P<rate>\d{1,9})(?P<unit>us|ms|s)/(?P<per>step|sample|epoch))?\s{0,80}"
)
_PAIR = re.compile(rf"([^\s:][^:]{{0,80}}): ({NUMBER})\s{{0,200}}")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class _Memory:
    """Which epoch has its result already: a bar without a new heading is evaluate() or predict()."""

    def __init__(self) -> None:
        self.done: float | None = None
        self.headings = 0


def read(text: str, state: State) -> list[Found] | None:
    """The epoch is the step of Keras metrics; a frame counts only when it is the bar's last one."""
    heading = _EPOCH.fullmatch(text)
    if heading:
        state.heading(int(heading[1]), int(heading[2]))
        memory = state.of(_Memory)
        memory.done = None
        memory.headings += 1
        return []
    if " - " not in text and "/step" not in text:
        return None
    count = _COUNT.match(text)
    parts = text[count.end() if count else 0 :].split(" - ")
    timing: dict[str, float] = {}
    values: dict[str, float] = {}
    timed = False
    for part in parts:
        time = _TIME.fullmatch(part)
        if time:
            timed = timed or bool(part.strip())
            _timing(time, timing)
            continue
        pair = _PAIR.fullmatch(part)
        if pair is None:
            return None
        values[pair[1]] = float(pair[2])
    if not timed or not (count or values):
        return None
    return _result(count, values, timing, "ETA" in text, state)


def _timing(time: re.Match[str], timing: dict[str, float]) -> None:
    if time["seconds"]:
        timing["epoch_seconds"] = float(time["seconds"])
    if time["rate"]:
        timing[f"{time['per']}_seconds"] = round(float(time["rate"]) * _UNITS[time["unit"]], 9)


def _result(
    count: re.Match[str] | None, values: dict[str, float], timing: dict[str, float], eta: bool, state: State
) -> list[Found]:
    memory = state.of(_Memory)
    if count:
        state.step = int(count[1])
        state.steps = None if count[2] == "Unknown" else int(count[2])
    if state.live:
        return [Found(values, epoch=state.epoch)] if values and memory.done is None else []
    if eta or not values or (count and count[1] != count[2]):
        state.why = "a frame of a bar that goes on" if values else "a bar without metrics"
        return []
    validated = any(name.startswith("val_") for name in values)
    if memory.headings and memory.done is not None and not validated:
        return [Found({f"eval_{name}": value for name, value in values.items()})]
    epoch = state.epoch if memory.done is None else None
    memory.done = state.epoch if memory.headings else None
    state.heading_line = NEVER
    return [Found(values | timing, epoch=epoch)]


FORMAT = Format(
    name="keras",
    about="Keras 1, 2, 3 and tf.keras: '20/20 [====] - 1s 39ms/step - loss: 0.5 - val_loss: 0.6'",
    read=read,
    needles=(" - ", "Epoch ", "/step"),
    order=10,
)
