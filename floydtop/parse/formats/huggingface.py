"""Python dicts of the Hugging Face Trainer, TRL and others: `{'loss': '3.03', 'epoch': '0.4'}`."""

from __future__ import annotations

import re

from floydtop.parse.jsonl import WRAPPERS
from floydtop.parse.names import is_config, is_metric, is_strong_metric
from floydtop.parse.pairs import pairs
from floydtop.parse.prefix import strip
from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State, Told, as_int, record
from floydtop.parse.scan import OTHER, Point, Scan, Series, series
from floydtop.parse.scan import found as found_by

_DICT = re.compile(r"\{'[^{}]{1,16000}+(?:\{[^{}]{0,4000}+\}[^{}]{0,4000}+){0,16}+\}")
_INNER = re.compile(r"'([^']{1,120})': \{([^{}]{1,4000})\}")
# NumPy 2 prints np.float64(0.5), PyTorch tensor(0.5), JAX Array(0.5, dtype=float32).
_ITEM = re.compile(
    rf"'([^']{{1,120}})': (?:(?:np\.\w{{1,12}}|tensor|Array)\()?'?({NUMBER})(?:'?(?=[,}}]|\s)|\))"
)
_SUMMARY = re.compile(r"\s{0,8}\*{3,8} (\w{1,32}) metrics \*{3,8}")
_SUMMARY_ROW = re.compile(
    rf"\s{{1,8}}([\w@/-]{{1,80}})\s{{0,80}}=\s{{0,80}}({NUMBER})?\S{{0,80}}(?: \w{{1,8}})?"
)


_COUNT = re.compile(r"(\d{1,9}):? [A-Za-z]{1,16}")
LEAD = 60
"""Characters of text before a dict that may say where it belongs."""

_LOSSES = ("loss", "losses", "score", "scores")


class _Memory:
    """Whether the rows of a `***** eval metrics *****` summary are going on, of what and which epoch."""

    def __init__(self) -> None:
        self.line = NEVER
        self.seen = False
        self.kind = ""
        self.epoch: float | None = None


def read(text: str, state: State) -> list[Found] | None:
    """Each dict is a point at its epoch; the closing summary of the training repeats what dicts have told."""
    memory = state.of(_Memory)
    summary = _SUMMARY.match(text)
    if summary:
        memory.line, memory.kind, memory.epoch = state.number, summary[1], None
        if not memory.seen:
            memory.seen = True
            state.expectations += 1
        return []
    row = _SUMMARY_ROW.fullmatch(text) if memory.seen and " = " in text else None
    if row:
        state.waits(_goes_on)
        told = _tell(state, *_look(row))
        if told is not OTHER:
            return found_by(told)
    found: list[Found] = []
    at: dict[str, int] = {}
    for match in _DICT.finditer(text):
        items = list(_ITEM.finditer(text, match.start(), match.end()))
        outer = _outer(text, match) if text.count("{", *match.span()) > 1 else {}
        names = [outer.get(item.start(), "") + item[1] for item in items]
        point = record({name: float(item[2]) for name, item in zip(names, items, strict=True)})
        at = {f"={name}": len(text) - item.start(2) for name, item in zip(names, items, strict=True)}
        at |= {item[1]: len(text) - item.start(2) for item in items if item[1] in ("step", "epoch")}
        before = text[: match.start()]
        if point is None or (point.step is None and point.epoch is None):
            point, at = _led(before, items, state) or (None if _is_setting(text, match) else point), {}
        if point is None:
            continue
        rank = strip(text).rank
        if rank:
            at = {}
            point.values = {f"rank{rank}/{name}": value for name, value in point.values.items()}
        found.append(point)
    if len(found) == 1 and at:
        state.told = Told(found[0].step, None, found[0].epoch, None, at=at)
    return found or None


def _outer(text: str, match: re.Match[str]) -> dict[int, str]:
    """What the names in a dict within a dict begin with, by the place of each: `{'train': {'loss': 0.5}}`."""
    return {
        item.start(): f"{inner[1]}/"
        for inner in _INNER.finditer(text, match.start(), match.end())
        if inner[1] not in WRAPPERS
        for item in _ITEM.finditer(text, inner.start(2) - 1, inner.end(2) + 1)
    }


def _led(before: str, items: list[re.Match[str]], state: State) -> Found | None:
    """The point of a dict that text leads to: `Epoch 1/3 {'acc': 0.8}`, spaCy's `Losses {'ner': 12.1}`."""
    lead = strip(before).text.rstrip(" :=-")
    if not lead or len(lead) > LEAD:
        return None
    place = pairs(lead)
    count = _COUNT.fullmatch(lead)
    if count:
        # spaCy's examples: `print(i, "Losses", losses)`.
        place.step = float(count[1])
    word = lead.rpartition(" ")[2].lower()
    values = {item[1]: float(item[2]) for item in items if not is_config(item[1])}
    if not place.placed and word not in _LOSSES:
        return None
    if word in _LOSSES:
        values = {name if is_metric(name) else f"{word}/{name}": value for name, value in values.items()}
    elif not any(map(is_metric, values)):
        return None
    if place.epoch is not None:
        state.epoch = place.epoch
    return Found(values, as_int(place.step), place.epoch)


def scan(text: str) -> Scan | None:
    """The heading of a summary or a row of one; dicts are told by their places."""
    summary = _SUMMARY.match(text)
    if summary:
        return Scan(_head, summary[1], (), ())
    row = _SUMMARY_ROW.fullmatch(text) if " = " in text else None
    if row is None:
        return None
    return Scan(_tell, *_look(row), () if row[2] is None else (row.start(2),), fixed=(row.span(1),))


def _look(row: re.Match[str]) -> tuple[Series | None, tuple[float, ...]]:
    """What a row tells of: a metric, the epoch (as of no names), or nothing; and its number."""
    numbers = () if row[2] is None else (float(row[2]),)
    if not numbers or not (row[1] == "epoch" or is_metric(row[1])):
        return None, numbers
    return series(() if row[1] == "epoch" else (row[1],)), numbers


def _head(state: State, kind: str, numbers: tuple[float, ...]) -> Point | None:
    memory = state.of(_Memory)
    if not memory.seen:
        return OTHER
    memory.line, memory.kind, memory.epoch = state.number, kind, None
    return None


def _tell(state: State, look: Series | None, numbers: tuple[float, ...]) -> Point | None:
    memory = state.of(_Memory)
    if not _goes_on(state):
        return OTHER
    memory.line = state.number
    if look is None:
        return None
    if not look.names:
        memory.epoch = numbers[0]
        return None
    return None if memory.kind == "train" else (look, numbers, None, memory.epoch)


def _goes_on(state: State) -> bool:
    memory = state.of(_Memory)
    return memory.seen and memory.line == state.number - 1


def _is_setting(text: str, match: re.Match[str]) -> bool:
    """A dict inside other text without a step or epoch is most likely the configuration."""
    if all(map(is_strong_metric, (item[1] for item in _ITEM.finditer(match[0])))):
        return False
    before = text[: match.start()].rstrip()
    return before.endswith((":", "=", "(", "{")) or match.end() < len(text.rstrip())


FORMAT = Format(
    name="dict",
    about="Hugging Face Trainer, TRL: {'loss': '3.03', 'grad_norm': '0.9', 'epoch': '0.4'}",
    read=read,
    scan=scan,
    needles=("{'", "*****", " = "),
    order=20,
)
