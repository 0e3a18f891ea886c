"""Python dicts of the Hugging Face Trainer, TRL and others: `{'loss': '3.03', 'epoch': '0.4'}`."""

from __future__ import annotations

import re

from floydtop.parse.names import is_metric
from floydtop.parse.prefix import strip
from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State, Told, record

_DICT = re.compile(r"\{'[^{}]{1,16000}\}")
_ITEM = re.compile(rf"'([^']{{1,120}})': '?({NUMBER})'?(?=[,}}]|\s)")
_SUMMARY = re.compile(r"\s{0,8}\*{3,8} (\w{1,32}) metrics \*{3,8}")
_SUMMARY_ROW = re.compile(
    rf"\s{{1,8}}([\w@/-]{{1,80}})\s{{0,80}}=\s{{0,80}}({NUMBER})?\S{{0,80}}(?: \w{{1,8}})?"
)


class _Memory:
    """Whether the rows of a `***** eval metrics *****` summary are going on, of what and which epoch."""

    def __init__(self) -> None:
        self.line = NEVER
        self.kind = ""
        self.epoch: float | None = None


def read(text: str, state: State) -> list[Found] | None:
    """Each dict is a point at its epoch; the closing summary of the training repeats what dicts have told."""
    memory = state.of(_Memory)
    summary = _SUMMARY.match(text)
    if summary:
        memory.line, memory.kind, memory.epoch = state.number, summary[1], None
        state.expectations += 1
        return []
    row = _SUMMARY_ROW.fullmatch(text) if memory.line == state.number - 1 else None
    if row:
        memory.line = state.number
        return _summary(row[1], row[2], memory)
    found: list[Found] = []
    at: dict[str, int] = {}
    for match in _DICT.finditer(text):
        items = list(_ITEM.finditer(text, match.start(), match.end()))
        point = record({item[1]: float(item[2]) for item in items})
        at = {f"={item[1]}": len(text) - item.start(2) for item in items}
        at |= {item[1]: len(text) - item.start(2) for item in items if item[1] in ("step", "epoch")}
        if point is None or (point.step is None and point.epoch is None and _is_setting(text, match)):
            continue
        rank = strip(text).rank
        if rank:
            at = {}
            point.values = {f"rank{rank}/{name}": value for name, value in point.values.items()}
        found.append(point)
    if len(found) == 1 and at:
        state.told = Told(found[0].step, None, found[0].epoch, None, at=at)
    return found or None


def _summary(name: str, value: str | None, memory: _Memory) -> list[Found]:
    if value is None:
        return []
    if name == "epoch":
        memory.epoch = float(value)
        return []
    if memory.kind == "train" or not is_metric(name):
        return []
    return [Found({name: float(value)}, epoch=memory.epoch)]


def _is_setting(text: str, match: re.Match[str]) -> bool:
    """A dict inside other text without a step or epoch is most likely the configuration."""
    before = text[: match.start()].rstrip()
    return before.endswith((":", "=", "(", "{")) or match.end() < len(text.rstrip())


FORMAT = Format(
    name="dict",
    about="Hugging Face Trainer, TRL: {'loss': '3.03', 'grad_norm': '0.9', 'epoch': '0.4'}",
    read=read,
    needles=("{'", "*****", " = "),
    order=20,
)
