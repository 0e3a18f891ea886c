"""PaddlePaddle's `Model.fit`: `step  10/938 - loss: 2.1 - acc: 0.3 - 20ms/step`, with or without a bar."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State

_STEP = re.compile(
    r"step\s{1,12}(?P<n>\d{1,12})(?:/(?P<total>\d{1,12}))?(?: \[[=>.]{1,64}\])? - (?P<items>.{1,4000}?)"
    r"(?: - ETA: [\d:]{1,12}s?)? - (?P<time>\d{1,9})(?P<unit>us|ms|s)/step\s{0,80}"
)
_ITEM = re.compile(rf"(\w[^:]{{0,60}}): (?:({NUMBER})|\[.{{0,400}}\])")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class _Memory:
    """Whether the steps are those of an evaluation."""

    def __init__(self) -> None:
        self.evaluating = False


def read(text: str, state: State) -> list[Found] | None:
    """Steps are points; of an evaluation, which belongs to the epoch before it, only the last step counts."""
    memory = state.of(_Memory)
    if text.startswith(("Eval begin", "Eval samples", "Predict begin")):
        memory.evaluating = not text.startswith("Eval samples")
        return []
    step = _STEP.fullmatch(text)
    if step is None:
        return None
    items = [_ITEM.fullmatch(part) for part in step["items"].split(" - ")]
    if None in items:
        return None
    values = {item[1]: float(item[2]) for item in items if item and item[2]}
    n, total = int(step["n"]), int(step["total"] or 0)
    if memory.evaluating:
        values = {f"eval_{name}": value for name, value in values.items()}
        return [Found(values, epoch=state.epoch)] if n == total and values else []
    state.step, state.steps = n, total or None
    seconds = round(float(step["time"]) * _UNITS[step["unit"]], 9)
    return [Found(values | {"step_seconds": seconds}, step=n, epoch=state.epoch)]


FORMAT = Format(
    name="paddle",
    about="PaddlePaddle: 'step  10/938 - loss: 2.1 - acc: 0.3 - 20ms/step'",
    read=read,
    needles=("/step", "Eval ", "Predict "),
    order=38,
)
