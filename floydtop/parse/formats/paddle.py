"""PaddlePaddle's `Model.fit`: `step  10/938 - loss: 2.1 - acc: 0.3 - 20ms/step`, with or without a bar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from floydtop.parse.reading import NUMBER, Format, Found, State
from floydtop.parse.scan import Point, Scan, Series, found, series

_STEP = re.compile(
    r"step\s{1,12}(?P<n>\d{1,12})(?:/(?P<total>\d{1,12}))?(?: \[(?P<bar>[=>.]{1,64})\])?"
    r" - (?P<items>.{1,4000}?)(?: - ETA: [\d:]{1,12}s?)? - (?P<time>\d{1,9})(?P<unit>us|ms|s)/step\s{0,80}"
)
_ITEM = re.compile(rf"(\w[^:]{{0,60}}): (?:({NUMBER})|\[.{{0,400}}\])")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class _Memory:
    """Whether the steps are those of an evaluation."""

    def __init__(self) -> None:
        self.evaluating = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What a step says beside its numbers: these are the step, the total, the time and the values."""

    total: bool
    unit: float
    """Seconds of one of the time's units."""
    series: Series
    evaluated: Series


def scan(text: str) -> Scan | None:
    """The numbers of a step, or that an evaluation begins or ends."""
    if text.startswith(("Eval begin", "Eval samples", "Predict begin")):
        return Scan(_turn, not text.startswith("Eval samples"), (), ())
    step = _STEP.fullmatch(text)
    if step is None:
        return None
    names = ["n", "total", "time"] if step["total"] else ["n", "time"]
    numbers = [(float(step[name]), step.start(name)) for name in names]
    values: dict[str, tuple[float, int]] = {}
    fixed = []
    start = step.start("items")
    for part in step["items"].split(" - "):
        item = _ITEM.fullmatch(part)
        if item is None:
            return None
        fixed.append((start, start + item.end(1)))
        if item[2]:
            values[item[1]] = float(item[2]), start + item.start(2)
        start += len(part) + 3
    values.pop("step_seconds", None)
    numbers += values.values()
    look = _Look(
        bool(step["total"]),
        _UNITS[step["unit"]],
        series((*values, "step_seconds")),
        series(tuple(f"eval_{name}" for name in values)),
    )
    loose = ((*step.span("bar"), rb"[=>.]{1,64}+"),) if step["bar"] else ()
    return Scan(
        _take,
        look,
        tuple(one for one, _ in numbers),
        tuple(at for _, at in numbers),
        loose,
        fixed=tuple(fixed),
    )


def _turn(state: State, evaluating: bool, numbers: tuple[float, ...]) -> None:
    state.of(_Memory).evaluating = evaluating


def _take(state: State, look: _Look, numbers: tuple[float, ...]) -> Point | None:
    """Steps are points; of an evaluation, which belongs to the epoch before it, only the last step counts."""
    n = int(numbers[0])
    total = int(numbers[1]) if look.total else 0
    seconds, values = (numbers[2], numbers[3:]) if look.total else (numbers[1], numbers[2:])
    if state.of(_Memory).evaluating:
        return (look.evaluated, values, None, state.epoch) if n == total and values else None
    state.step, state.steps = n, total or None
    return look.series, (*values, round(seconds * look.unit, 9)), n, state.epoch


def read(text: str, state: State) -> list[Found] | None:
    """The values of a step."""
    one = scan(text)
    return None if one is None else found(one.point(state))


FORMAT = Format(
    name="paddle",
    about="PaddlePaddle: 'step  10/938 - loss: 2.1 - acc: 0.3 - 20ms/step'",
    read=read,
    scan=scan,
    needles=("/step", "Eval ", "Predict "),
    order=38,
)
