"""Keras 1, 2, 3 and tf.keras: progress bars (verbose=1) and one line an epoch (verbose=2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from floydtop.parse.reading import NEVER, NUMBER, Format, Found, Place, State, Told, never, scaled

_EPOCH = re.compile(r"\s{0,8}Epoch (\d{1,9})/(\d{1,9})\s{0,8}")
_COUNT = re.compile(r"\s{0,40}(\d{1,12})/(\d{1,12}|Unknown)\b(?:\s{0,8}(?:\[[=>.]{0,64}\]|[━─]{1,64}))?")
_TIME = re.compile(
    r"\s{0,8}(?:ETA:?\s{0,4}[\d:]{1,12}s?|(?P<seconds>\d{1,9})s)?"
    r"(?:\s{0,4}(?P<rate>\d{1,9})(?P<unit>us|ms|s)/(?P<per>step|sample|epoch))?\s{0,80}"
)
_PAIR = re.compile(rf"([^\s:][^:]{{0,80}}): ({NUMBER})\s{{0,200}}")
# The last value of a frame behind which another stream wrote: Keras prints four decimals.
_GLUED = re.compile(r"([^\s:][^:]{0,80}): ([-+]?\d{1,12}\.\d{4}(?:e[-+]\d\d)?)(?=\D)")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class _Memory:
    """Which epoch has its result already: a bar without a new heading is evaluate() or predict()."""

    def __init__(self) -> None:
        self.done: float | None = None
        self.whole = True
        """The result held all there is; False: the bar may be drawn again with validation."""
        self.steps: int | None = None
        self.names: frozenset[str] = frozenset()
        """What the result without validation told."""
        self.headed = False


@dataclass
class _Bar:
    """What one frame shows, and where."""

    values: dict[str, float] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    step: int | None = None
    steps: int | None = None
    timed: bool = False


def read(text: str, state: State) -> list[Found] | None:
    """The epoch is the step of Keras metrics; a frame counts only when it is the bar's last one."""
    heading = _EPOCH.fullmatch(text)
    if heading:
        at = {"epoch": len(text) - heading.start(1), "epochs": len(text) - heading.start(2)}
        state.told = Told(None, None, float(heading[1]), int(heading[2]), _announce, at=at, breaks=never)
        _announce(state, state.told)
        return []
    if " - " not in text and "/step" not in text:
        return None
    count = _COUNT.match(text)
    bar = _Bar()
    position = count.end() if count else 0
    parts = text[position:].split(" - ")
    for part in parts:
        time = _TIME.fullmatch(part)
        pair = None if time else _PAIR.fullmatch(part)
        if pair is None and not time and count and bar.timed and part is parts[-1]:
            pair = _GLUED.match(part)
            state.rest = part[pair.end() :] if pair else ""
        if time:
            bar.timed = bar.timed or bool(part.strip())
            _timing(time, bar, len(text) - position)
        elif pair:
            bar.values[pair[1]] = float(pair[2])
            bar.at[f"={pair[1]}"] = len(text) - position - pair.start(2)
        else:
            return None
        position += len(part) + 3
    if not bar.timed or not (count or bar.values):
        return None
    if count:
        bar.at["step"] = len(text) - count.start(1)
        bar.step = int(count[1])
        if count[2] != "Unknown":
            bar.at["steps"] = len(text) - count.start(2)
            bar.steps = int(count[2])
    return _result(bar, "ETA" in text, state)


def _timing(time: re.Match[str], bar: _Bar, end: int) -> None:
    if time["seconds"]:
        bar.timing["epoch_seconds"] = float(time["seconds"])
        bar.at["=epoch_seconds"] = end - time.start("seconds")
    if time["rate"]:
        name, unit = f"{time['per']}_seconds", _UNITS[time["unit"]]
        bar.timing[name] = scaled(float(time["rate"]), unit)
        bar.at[f"={name}"] = end - time.start("rate")
        bar.factors[name] = unit


def _result(bar: _Bar, eta: bool, state: State) -> list[Found]:
    values = bar.values
    told = Told(bar.step, bar.steps, None, None, at=bar.at, factors=bar.factors)
    if state.live:
        _count(state, told)
        return [Found(values, epoch=state.epoch)] if values and state.of(_Memory).done is None else []
    if eta or not values or bar.step != bar.steps:
        state.why = "a frame of a bar that goes on" if values else "a bar without metrics"
        frame = eta or not values
        state.told = told._replace(place=_frame if frame else _unfinished, breaks=never if frame else None)
        _count(state, told)
        return []
    validated = any(name.startswith("val_") for name in values)
    memory = state.of(_Memory)
    kinds: tuple[Callable[[State, Told], Place | None], ...] = (_end, _evaluated)
    if memory.done is not None and not memory.whole and memory.names < values.keys():
        kinds = (_redrawn,)
    elif validated:
        kinds = (_validated, _ended)
    for kind in kinds:
        place = kind(state, told)
        if place is not None:
            break
    if kind is _evaluated:
        values = {f"eval_{name}": value for name, value in values.items()}
        told = told._replace(at={name.replace("=", "=eval_"): at for name, at in bar.at.items()})
    elif kind is _redrawn:
        values = {name: value for name, value in values.items() if name not in memory.names}
    else:
        memory.names = frozenset(values)
        values |= bar.timing
    state.told = told._replace(place=_validated if kind is _ended else kind)
    return [Found(values, epoch=place[1] if place else None)]


def _announce(state: State, told: Told) -> Place:
    """A heading: the bars that follow are of this epoch."""
    state.heading(told.epoch, told.epochs)
    memory = state.of(_Memory)
    memory.done = None
    memory.headed = True
    return None, None


def _count(state: State, told: Told) -> None:
    if told.step is not None:
        state.step, state.steps = told.step, told.steps


def _frame(state: State, told: Told) -> Place:
    _count(state, told)
    return None, None


def _unfinished(state: State, told: Told) -> Place | None:
    return None if told.step == told.steps else _frame(state, told)


def _validated(state: State, told: Told) -> Place | None:
    """The last frame of a bar with values of validation, unless it may be that of `_redrawn`."""
    memory = state.of(_Memory)
    return None if memory.done is not None and not memory.whole else _ended(state, told)


def _ended(state: State, told: Told) -> Place | None:
    """The last frame of a bar: the result of the epoch."""
    if told.step != told.steps:
        return None
    memory = state.of(_Memory)
    _count(state, told)
    epoch = state.epoch if memory.done is None else None
    memory.done = state.epoch if memory.headed else None
    memory.whole, memory.steps = True, told.steps
    state.heading_line = NEVER
    return None, epoch


def _end(state: State, told: Told) -> Place | None:
    memory = state.of(_Memory)
    if memory.headed and memory.done is not None:
        return None
    place = _ended(state, told)
    memory.whole = False
    return place


def _redrawn(state: State, told: Told) -> Place | None:
    """The same bar once more with what validation and callbacks added, behind sentences of theirs."""
    memory = state.of(_Memory)
    if memory.done is None or memory.whole or not told.step == told.steps == memory.steps:
        return None
    _count(state, told)
    memory.whole = True
    return None, memory.done


def _evaluated(state: State, told: Told) -> Place | None:
    """The last frame of a bar that no heading announced."""
    memory = state.of(_Memory)
    if told.step != told.steps or not memory.headed or memory.done is None:
        return None
    _count(state, told)
    return None, None


FORMAT = Format(
    name="keras",
    about="Keras 1, 2, 3 and tf.keras: '20/20 [====] - 1s 39ms/step - loss: 0.5 - val_loss: 0.6'",
    read=read,
    needles=(" - ", "Epoch ", "/step"),
    order=10,
)
