"""tqdm bars with values behind the rate or in the description; also Lightning's, which are tqdm's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from floydtop.parse.names import is_config, is_epoch, is_step
from floydtop.parse.pairs import Pairs, pairs
from floydtop.parse.reading import NUMBER, Format, Found, State, as_int

_COUNT = r"(?P<n>\d[\d.]{0,15})(?P<scale>[kMGT]?)"
_KNOWN = re.compile(
    rf"(?:(?P<percent>\d{{1,3}})%)?\|[^|]{{0,400}}\|\s{{0,8}}{_COUNT}/(?P<total>\d[\d.]{{0,15}}|\?)(?P<scale2>[kMGT]?)"
    r"(?P<unit>[^\[\]\d]{0,24})\[[\d:]{4,16}<(?:[\d:]{1,16}|\?)(?:,\s{0,12}(?P<rate>[^,\]]{1,48}))?(?P<post>[^\]]*+)(?P<end>\]?)"
)
_UNKNOWN = re.compile(
    rf"(?P<total>)(?P<scale2>){_COUNT}(?P<unit>[A-Za-z]{{1,16}}) \[[\d:]{{4,16}}, "
    r"(?P<rate>[^,\]]{1,48})(?P<post>[^\]]*+)(?P<end>\]?)"
)
_ITEM = re.compile(rf"([^,=\s][^,=]{{0,80}})[=:] ?({NUMBER})(%?)")
# simpletransformers: `Epochs 0/1. Running Loss:    0.5123:  10%|#`
_EPOCHS = re.compile(r"\s{0,8}Epochs (\d{1,9})/\d{1,9}\b")
# `set_postfix_str(f"loss: {loss:.3f} ppl: {ppl:.2f}")` sets no commas, segmentation_models_pytorch no sign.
_LOOSE = re.compile(rf"{NUMBER}%?\s|\S {NUMBER}%?$")
_RATE = re.compile(rf"({NUMBER})\s?([A-Za-z]{{1,16}}/s|s/[A-Za-z]{{1,16}})")
_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_SECTIONS = ("val", "test", "eval", "dev")
_VALIDATION = frozenset(["val", "valid", "validation", "test", "eval", "dev"])
MOST_BARS = 64
UNDECIDED = 200
"""After so many frames without values it does not matter in which order values would come."""


@dataclass
class Bar:
    """One pass of a bar: what it showed at its start is left from the pass before and no news."""

    epoch: float | None
    carried: dict[str, float]
    n: float = 0.0
    given: float = 0.0
    blank: bool = False
    """It was shown without values."""
    shown: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)


class _Memory:
    def __init__(self) -> None:
        self.bars: dict[str, Bar] = {}
        self.frames = 0

    def repeats(self, name: str, n: float, values: dict[str, float]) -> bool:
        """Whether a frame has moved on in its count only."""
        bar = self.bars.get(name)
        return bar is not None and n > bar.n and values == bar.shown

    def order(self, bar: Bar, n: float, values: dict[str, float]) -> bool | None:
        """Whether the count comes before its values: a loop over the bar sets the first ones at 0 already."""
        self.frames += 1
        if values and (n == 0 or bar.blank):
            return n > 0
        bar.blank = not values
        return False if self.frames > UNDECIDED else None


def read(text: str, state: State) -> list[Found] | None:
    """A point for each count of the bar that shows a value; the description may tell the epoch."""
    # Of data without a length Lightning draws `Epoch 0: |     | 16/? [00:00<00:00, 29.2it/s, loss=0.5]`.
    match = _KNOWN.search(text) if "%|" in text or "/? [" in text else _UNKNOWN.search(text)
    if match is None:
        return None
    state.rest = text[match.end() :]
    label = text[: match.start()].rstrip(" :")
    n = float(match["n"].rstrip(".")) * _SCALE[match["scale"]]
    total = float(match["total"]) * _SCALE[match["scale2"]] if match["total"] not in ("", "?") else None
    name, section, epoch, described = _understood(label)
    values = dict(described)
    values |= _postfix(match["post"], cut=not match["end"])
    place = {name.lower(): values.pop(name) for name in list(values) if is_step(name) or is_epoch(name)}
    epoch = place.get("epoch") if epoch is None else epoch
    memory = state.of(_Memory)
    stale = state.late and not state.sole and memory.repeats(name, n, values)
    # A loop over epochs has described the first one when the bar still stands at 0.
    first = n == 0 and name not in memory.bars and epoch is not None and any(dict(described).values())
    bar = advance(memory.bars, name, epoch, n, values)
    if state.late is None:
        state.late = memory.order(bar, n, values)
    # Where it is not known which count is the last, each may be.
    fresh = {} if stale else news(bar, values, n, n if match["total"] == "?" else total, state.live)
    if first:
        fresh = bar.told = dict(described)
    step = as_int(place.get("global_step", n))
    if epoch is None and name.strip().lower().startswith("epoch"):
        epoch, step = n, None
        state.epoch, state.epochs = n, as_int(total)
    else:
        state.step, state.steps = step, as_int(total)
        state.epoch = epoch if epoch is not None else state.epoch
    if not fresh:
        return []
    if section:
        fresh = {key if section in key else f"{section}_{key}": value for key, value in fresh.items()}
    rate = _RATE.fullmatch((match["rate"] or "").strip())
    if rate:
        fresh[rate[2]] = float(rate[1])
    return [Found(fresh, step, epoch)]


@lru_cache(maxsize=1024)
def _understood(label: str) -> tuple[str, str, float | None, tuple[tuple[str, float], ...]]:
    """What a description says: the bar's name, the part of the data, the epoch, and values.

    Most bars keep theirs from frame to frame, and to read it takes half the time of a frame.
    """
    description = pairs(label) if label else Pairs()
    section = next((part for part in _SECTIONS if part in label.lower()), "")
    values = tuple((pair.name, pair.value) for pair in description.pairs)
    epochs = _EPOCHS.match(label)
    epoch = float(epochs[1]) if epochs and description.epoch is None else description.epoch
    return re.sub(r"[\d.]+", "", label), section, epoch, values


def _postfix(text: str, cut: bool) -> dict[str, float]:
    """The values behind the rate; of a bar cut off at the terminal's edge the last one is not whole."""
    values: dict[str, float] = {}
    parts = text.split(",")
    for part in parts[:-1] if cut else parts:
        item = _ITEM.fullmatch(part.strip())
        if (item is None or ": " in item[1] or "= " in item[1]) and _LOOSE.search(part.strip()):
            values |= {pair.name: pair.value for pair in pairs(part.replace(" - ", ": ")).pairs}
        elif item and not is_config(item[1]) and item[1] != "v_num":
            values[item[1]] = float(item[2])
    return values


def advance(bars: dict[str, Bar], name: str, epoch: float | None, n: float, values: dict[str, float]) -> Bar:
    bar = bars.get(name)
    if bar is None or epoch != bar.epoch or n < bar.n:
        if len(bars) >= MOST_BARS:
            bars.clear()
        bar = bars[name] = Bar(epoch, values if n == 0 else bar.shown if bar else {})
    bar.n = n
    bar.shown = values
    return bar


def news(bar: Bar, values: dict[str, float], n: float, total: float | None, live: bool) -> dict[str, float]:
    """The values of this pass that count: Lightning shows the last epoch's until it has new ones."""
    if n == 0:
        return {}
    own = {
        name: value
        for name, value in values.items()
        if name in bar.told or bar.carried.get(name) != value or value != value
    }
    if n <= bar.given and not live:
        if n != total:
            return {}
        own = {name: value for name, value in own.items() if bar.told.get(name) != value}
        own |= _confirmed(bar, values, own)
    elif bar.carried:
        validated = {name: value for name, value in own.items() if _part(name) in _VALIDATION}
        own |= _confirmed(bar, values, validated) if validated else {}
    bar.given = n if values else bar.given
    bar.told |= own
    return own


def _confirmed(bar: Bar, values: dict[str, float], own: dict[str, float]) -> dict[str, float]:
    """Values that are equal to the last epoch's and yet of this one.

    They come with others of the same part of the data (`val_loss` beside `val_acc`) that were the last
    epoch's until now: validation has just given both. A part that is measured while the bar goes on gives
    its values together only at the end.
    """
    parts = {_part(name) for name in own if name in bar.carried and name not in bar.told}
    return {name: value for name, value in values.items() if _part(name) in parts and name not in bar.told}


def _part(name: str) -> str:
    return name.replace("/", "_").partition("_")[0]


FORMAT = Format(
    name="tqdm",
    about="tqdm and Lightning bars: 'Epoch 1:  52%|###  | 26/50 [00:01<00:01, 22it/s, loss=0.81]'",
    read=read,
    needles=("%|", " ["),
    frames=True,
    order=12,
)
