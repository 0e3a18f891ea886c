"""tqdm bars with values behind the rate or in the description; also Lightning's, which are tqdm's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from operator import eq

from floydtop.parse.names import is_config, is_epoch, is_step
from floydtop.parse.pairs import Pairs, pairs
from floydtop.parse.passes import Bar, begin, news
from floydtop.parse.reading import NUMBER, Format, Found, State, as_int
from floydtop.parse.scan import Point, Scan, Series, found, series

_COUNT = r"(?P<n>\d[\d.]{0,15})(?P<scale>[kMGT]?)"
_KNOWN = re.compile(
    rf"(?:(?P<percent>\d{{1,3}})%)?\|[^|]{{0,400}}\|\s{{0,8}}{_COUNT}/(?P<total>\d[\d.]{{0,15}}|\?)(?P<scale2>[kMGT]?)"
    r"(?P<unit>[^\[\]\d]{0,24})\[(?P<clock>[\d:]{4,16}<(?:[\d:]{1,16}|\?))(?:,\s{0,12}(?P<rate>[^,\]]{1,48}))?(?P<post>[^\]]*+)(?P<end>\]?)"
)
_UNKNOWN = re.compile(
    rf"(?P<total>)(?P<scale2>){_COUNT}(?P<unit>[A-Za-z]{{1,16}}) \[(?P<clock>[\d:]{{4,16}}), "
    r"(?P<rate>[^,\]]{1,48})(?P<post>[^\]]*+)(?P<end>\]?)"
)
_ITEM = re.compile(rf"([^,=\s][^,=]{{0,80}})[=:] ?({NUMBER})(%?)")
# simpletransformers: `Epochs 0/1. Running Loss:    0.5123:  10%|#`
_EPOCHS = re.compile(r"\s{0,8}Epochs (\d{1,9})/\d{1,9}\b")
# `set_postfix_str(f"loss: {loss:.3f} ppl: {ppl:.2f}")` sets no commas, segmentation_models_pytorch no sign.
_LOOSE = re.compile(rf"{NUMBER}%?\s|\S {NUMBER}%?$")
_RATE = re.compile(rf"({NUMBER})\s?([A-Za-z]{{1,16}}/s|s/[A-Za-z]{{1,16}})")
_NOTHING: tuple[tuple[str, ...], tuple[float, ...]] = ((), ())
_POINT = re.compile(r"[-+]?\d*\.")
_CLOCK = rb"[\d:]{4,16}+(?:<(?:[\d:]{1,16}+|\?))?+"
_PERCENT = rb"\d{1,3}+%"
_DRAWING = rb"\|(?:[ -{}~]|\xe2\x96[\x80-\x9f]){0,400}+\| {0,8}+"
_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_SECTIONS = ("val", "test", "eval", "dev")
MOST_DIGITS = 15
"""A longer count is no step."""
MOST_SERIES = 64
UNDECIDED = 200
"""After so many frames without values it does not matter in which order values would come."""


class _Memory:
    def __init__(self) -> None:
        self.bars: dict[str, Bar] = {}
        self.frames = 0

    def order(self, bar: Bar, n: float, values: tuple[float, ...]) -> bool | None:
        """Whether the count comes before its values: a loop over the bar sets the first ones at 0 already."""
        self.frames += 1
        if values and (n == 0 or bar.blank):
            return n > 0
        bar.blank = not values
        return False if self.frames > UNDECIDED else None


@dataclass(frozen=True, slots=True)
class _Look:
    """What a frame says beside its numbers, and which of these is what."""

    name: str
    section: str
    names: tuple[str, ...]
    """Of the values, which are behind the `first` of the numbers."""
    first: int
    scale: float
    """What the count is multiplied by."""
    total: float
    """What the second number, the total, is multiplied by; 0 where there is none."""
    epoch: int
    """Index of the number that is the epoch; 0: none is."""
    step: int
    """Index of the number that is the step; 0 is the count."""
    rate: int
    """Index of the rate; 0: there is none."""
    unit: str
    described: int
    """How many of the values are told by the description."""
    endless: bool
    """The total is printed as unknown."""
    counts_epochs: bool
    """The bar itself goes over the epochs."""
    whole: bool
    """Count and total are printed as whole numbers."""
    series: dict[tuple[str, ...], Series | None] = field(default_factory=dict, compare=False)
    """The names that are given, by those of the values that are news; None where two are the same."""


# Frames alike share one: to make it takes a third of the time of a frame.
_look: Callable[..., _Look] = lru_cache(maxsize=256)(_Look)


@dataclass(slots=True)
class _Frame:
    """What a frame says, and where."""

    match: re.Match[str]
    label: int
    """Characters of the description."""
    look: _Look
    numbers: list[tuple[float, int]]
    """Each with its place."""
    spoken: set[int]
    """Places of those behind the rate that are found as in free text."""


def _frame(text: str) -> _Frame | None:
    """The count of a frame, what it counts to, the epoch, the rate and the values."""
    # Of data without a length Lightning draws `Epoch 0: |     | 16/? [00:00<00:00, 29.2it/s, loss=0.5]`.
    match = _KNOWN.search(text) if "%|" in text or "/? [" in text else _UNKNOWN.search(text)
    if match is None:
        return None
    label = text[: match.start()].rstrip(" :")
    name, section, epoch, described = _understood(label)
    postfix, spoken = _postfix(match["post"], match.start("post"), cut=not match["end"])
    values = dict(described) | postfix
    place = {one.lower(): values.pop(one) for one in list(values) if is_step(one) or is_epoch(one)}
    numbers = [(float(match["n"].rstrip(".")), match.start("n"))]
    total = match["total"] not in ("", "?")
    if total:
        numbers.append((float(match["total"]), match.start("total")))
    epoch = place.get("epoch") if epoch is None else epoch
    told = [one for one in (epoch, place.get("global_step")) if one is not None]
    at_epoch = len(numbers) if epoch is not None else 0
    at_step = len(numbers) + len(told) - 1 if "global_step" in place else 0
    numbers += told
    rate = _RATE.fullmatch((match["rate"] or "").strip())
    pace = len(numbers) if rate else 0
    if rate:
        numbers.append((float(rate[1]), match.start("rate") + match["rate"].index(rate[1])))
    first = len(numbers)
    numbers += values.values()
    look = _look(
        name,
        section,
        tuple(values),
        first,
        _SCALE[match["scale"]],
        _SCALE[match["scale2"]] if total else 0.0,
        at_epoch,
        at_step,
        pace,
        rate[2] if rate else "",
        sum(one in values for one, _ in described),
        match["total"] == "?",
        epoch is None and name.strip().lower().startswith("epoch"),
        max(len(match["n"]), len(match["total"])) <= MOST_DIGITS
        and "." not in match["n"] + match["total"]
        and not match["scale"]
        and not match["scale2"],
    )
    return _Frame(match, len(label), look, numbers, spoken)


def scan(text: str) -> Scan | None:
    """The numbers of a frame, and what of it may be another in the next one."""
    frame = _frame(text)
    if frame is None:
        return None
    match, numbers = frame.match, frame.numbers
    loose, rate = _loose(text, match), frame.look.rate
    if rate:
        after = match.end("clock") + (2 if match.re is _UNKNOWN else 1)
        loose.append((after, numbers[rate][1], rb" {0,12}+"))
    return Scan(
        take,
        frame.look,
        tuple(number for number, _ in numbers),
        tuple(at for _, at in numbers),
        tuple(loose),
        match.end() if match.end() < len(text) else -1,
        _names(match),
        take_many,
        tuple(
            index
            for index, (_, at) in enumerate(numbers)
            if (at < frame.label or at in frame.spoken) and _POINT.match(text, max(at, 0))
        ),
    )


def _names(match: re.Match[str]) -> tuple[tuple[int, int], ...]:
    """Where the names of the values behind the rate stand."""
    start, spans = match.start("post"), []
    for part in match["post"].split(","):
        name = part.partition("=")[0].partition(":")[0]
        spans.append((start, start + len(name)))
        start += len(part) + 1
    return tuple(spans)


def _loose(text: str, match: re.Match[str]) -> list[tuple[int, int, bytes]]:
    """The parts of a frame that mean nothing: spaces, the drawing, the clock."""
    loose = [(match.start("clock"), match.end("clock"), _CLOCK)]
    if match.re is _KNOWN:
        start, blank = match.start(), len(text[: match.start()].rstrip(" "))
        drawing = _DRAWING if match["percent"] is None else _PERCENT + _DRAWING
        loose += [(blank, start, rb" {0,8}+"), (start, match.start("n"), drawing)]
    return loose


def take(state: State, look: _Look, numbers: tuple[float, ...]) -> Point | None:
    """A point for each count of the bar that shows a value; the description may tell the epoch."""
    n = numbers[0]
    total = numbers[1] if look.total else None
    step: int | None
    if look.whole:
        step = int(n)
        steps = None if total is None else int(total)
    else:
        n, total = n * look.scale, None if total is None else total * look.total
        step, steps = as_int(n), as_int(total)
    epoch = numbers[look.epoch] if look.epoch else None
    names, values = look.names, numbers[look.first :]
    own, row = _NOTHING
    memory = state.of(_Memory)
    bar = memory.bars.get(look.name)
    late = state.late
    stale = same = first = False
    if bar is None or epoch != bar.epoch or n < bar.n:
        # A loop over epochs has described the first one when the bar still stands at 0.
        first = bar is None and n == 0 and epoch is not None and any(values[: look.described])
        bar = begin(memory.bars, look.name, epoch, n, names, values)
    elif values == bar.values and names == bar.names:
        same = n == bar.n == bar.given
        stale = bool(late) and not state.sole and n > bar.n
    bar.n, bar.names, bar.values = n, names, values
    if late is None:
        state.late = memory.order(bar, n, values)
    if look.counts_epochs:
        epoch, step = n, None
        state.epoch, state.epochs = n, steps
    else:
        if look.step:
            step = as_int(numbers[look.step])
        state.step, state.steps = step, steps
        if epoch is not None:
            state.epoch = epoch
    # Where it is not known which count is the last, each may be.
    last = n if look.endless else total
    if first:
        own, row = names[: look.described], values[: look.described]
        bar.told = dict(zip(own, row, strict=True))
    elif stale or n == 0 or not names or (same and not state.live):
        return None
    elif n > bar.given:
        split = bar.split
        if split is None or split.names != names:
            split = bar.splits(names)
        if split is not None and split.fits(names, values):
            bar.given = n
            own = split.told
            row = split.latest = values if split.pick is None else split.pick(values)
        elif bar.carries(names, values):
            bar.given = n
            return None
    elif n != last and not state.live:
        return None
    if not row:
        fresh = news(bar, dict(zip(names, values, strict=True)), n, last, state.live)
        if not fresh:
            return None
        own, row = tuple(fresh), tuple(fresh.values())
    try:
        given = look.series[own]
    except KeyError:
        given = _series(look, own)
    if given is None:
        return _merged(look, own, row, numbers, step, epoch)
    return given, (*row, numbers[look.rate]) if look.rate else row, step, epoch


def take_many(state: State, look: _Look, rows: Sequence[tuple[float, ...]]) -> list[Point] | None:
    """The points of one pass whose count rises with each frame, where it is known which values are news."""
    bar = state.of(_Memory).bars.get(look.name)
    first, last = rows[0], rows[-1]
    if bar is None or state.late is None or state.live or not look.whole or look.step:
        return None
    epoch, at = bar.epoch, look.epoch
    other = any(row[at] != epoch for row in rows) if at else epoch is not None
    if other or first[0] <= bar.given or first[0] < bar.n:
        return None
    if not look.names:
        take(state, look, last)
        return []
    start, split = look.first, bar.split
    values = [row[start:] for row in rows]
    if split is None or split.names != look.names:
        return None
    if split.rest is not None and not all(map(eq, map(split.rest, values), repeat(split.carried))):
        return None
    given = look.series[split.told] if split.told in look.series else _series(look, split.told)
    if given is None:
        return None
    news = values if split.pick is None else list(map(split.pick, values))
    counts = [row[0] for row in rows]
    steps: Iterable[int | None] = map(int, counts)
    epochs: Iterable[float | None] = repeat(epoch)
    # The last of them is noted as by itself, and so all that is left of the others.
    bar.n, bar.given, bar.names, bar.values = counts[-2], counts[-2], look.names, values[-2]
    take(state, look, last)
    if look.counts_epochs:
        steps, epochs = repeat(None), counts
    if look.rate:
        rate = look.rate
        news = [(*row, numbers[rate]) for row, numbers in zip(news, rows, strict=True)]
    return list(zip(repeat(given), news, steps, epochs))


def _series(look: _Look, names: tuple[str, ...]) -> Series | None:
    """The names under which values are given, the rate behind them."""
    if len(look.series) >= MOST_SERIES:
        look.series.clear()
    given = _given(look, names)
    return look.series.setdefault(names, series(given) if len(set(given)) == len(given) else None)


def _given(look: _Look, names: tuple[str, ...]) -> tuple[str, ...]:
    section = look.section
    given = tuple(name if section in name else f"{section}_{name}" for name in names)
    return (*given, look.unit) if look.rate else given


def _merged(
    look: _Look,
    names: tuple[str, ...],
    row: tuple[float, ...],
    numbers: tuple[float, ...],
    step: int | None,
    epoch: float | None,
) -> Point:
    """A point of values of which the later one counts where two have the same name."""
    row = (*row, numbers[look.rate]) if look.rate else row
    values = dict(zip(_given(look, names), row, strict=True))
    return series(tuple(values)), tuple(values.values()), step, epoch


def read(text: str, state: State) -> list[Found] | None:
    """What is news in a frame."""
    frame = _frame(text)
    if frame is None:
        return None
    state.rest = text[frame.match.end() :]
    return found(take(state, frame.look, tuple(number for number, _ in frame.numbers)))


@lru_cache(maxsize=1024)
def _understood(
    label: str,
) -> tuple[str, str, tuple[float, int] | None, tuple[tuple[str, tuple[float, int]], ...]]:
    """What a description says: the bar's name, the part of the data, the epoch, and values.

    Each number with where it stands. Most bars keep their description from frame to frame, and to read it
    takes half the time of a frame.
    """
    description = pairs(label) if label else Pairs()
    section = next((part for part in _SECTIONS if part in label.lower()), "")
    values = tuple((pair.name, (pair.value, pair.at)) for pair in description.pairs)
    epoch = None if description.epoch is None else (description.epoch, description.at.get("epoch", -1))
    epochs = _EPOCHS.match(label)
    if epochs and epoch is None:
        epoch = float(epochs[1]), epochs.start(1)
    return re.sub(r"[\d.]+", "", label), section, epoch, values


def _postfix(text: str, start: int, cut: bool) -> tuple[dict[str, tuple[float, int]], set[int]]:
    """The values behind the rate, where they stand, and the places of those found as in free text.

    Of a bar cut off at the terminal's edge the last one is not whole.
    """
    values: dict[str, tuple[float, int]] = {}
    spoken: set[int] = set()
    parts = text.split(",")
    for part in parts[:-1] if cut else parts:
        item = _ITEM.fullmatch(part.strip())
        if (item is None or ": " in item[1] or "= " in item[1]) and _LOOSE.search(part.strip()):
            for pair in pairs(part.replace(" - ", ": ")).pairs:
                at = -1 if pair.at < 0 or " - " in part else start + pair.at
                values[pair.name] = pair.value, at
                spoken.add(at)
        elif item and not is_config(item[1]) and item[1] != "v_num":
            blank = len(part) - len(part.lstrip())
            values[item[1]] = float(item[2]), start + blank + item.start(2)
        start += len(part) + 1
    return values, spoken


FORMAT = Format(
    name="tqdm",
    about="tqdm and Lightning bars: 'Epoch 1:  52%|###  | 26/50 [00:01<00:01, 22it/s, loss=0.81]'",
    read=read,
    scan=scan,
    needles=("%|", " ["),
    frames=True,
    order=12,
)
