"""Lightning's bars drawn by Rich: `Epoch 1/2 ━━━━ 8/16 0:00:00 • 0:00:01 188.62it/s loss: 0.454`."""

from __future__ import annotations

import re

from floydtop.parse.names import is_config
from floydtop.parse.passes import Bar, advance, news
from floydtop.parse.reading import NEVER, NUMBER, Format, Found, State

_BAR = re.compile(
    r"(?P<label>[A-Za-z][^━]{0,60}?)(?: (?P<epoch>\d{1,9})(?:/(?P<epochs>\d{1,9}|-2))?)?\s{1,8}[━╸╺]{3,200}"
    r"\s{1,8}(?P<n>\d{1,12})/(?P<total>\d{1,12}|--)\s{1,8}[\d:-]{4,16} • [\d:-]{4,16}\s{1,8}"
    rf"(?P<rate>{NUMBER})it/s"
)
_ITEM = re.compile(rf"\s{{0,400}}([\w/.-]{{1,80}}): ({NUMBER})(?=\s|$)\s{{0,400}}")
_ASIDE = " " * 20
# Of a column as narrow as in a pipe each row ends in the name of the next row's value.
_CUT = re.compile(rf"(?:.{{0,200}}…|{NUMBER})")
_PENDING = re.compile(r"[\w/.-]{1,80}:$")


class _Memory:
    """The bar that was drawn last: where it stands, and the rows into which its values are broken."""

    def __init__(self) -> None:
        self.line = NEVER
        self.row = 0
        self.pending = ""
        """A name at the end of the row before, whose value begins this one."""
        self.n = 0.0
        self.total: float | None = None
        self.epoch: float | None = None
        self.end: tuple[int | None, float | None] = (None, None)
        """Step and epoch at which the epoch before ended."""
        self.bars: dict[str, Bar] = {}


def read(text: str, state: State) -> list[Found] | None:
    """A point for each count; what a row shows at its start is left from the epoch before, and no news."""
    memory = state.of(_Memory)
    bar = _BAR.match(text) if "━" in text else None
    if bar:
        state.expectations += memory.line == NEVER
        if bar["epoch"] is None:
            # Validation has a bar of its own, without values.
            memory.line = state.number - 2
            return []
        if memory.epoch != float(bar["epoch"]):
            memory.end = (int(memory.n), memory.epoch)
        memory.line, memory.row, memory.n = state.number, 0, float(bar["n"])
        memory.total = float(bar["total"]) if bar["total"] != "--" else None
        memory.epoch = state.epoch = float(bar["epoch"])
        state.step, state.steps = int(bar["n"]), int(memory.total) if memory.total else None
        memory.pending = ""
        values = _values(text[bar.end() :], memory)
        return _given(values or {}, memory, state, {"it/s": float(bar["rate"])})
    if memory.line == NEVER or not text.startswith(_ASIDE):
        return None
    state.hesitant = True
    if state.number > memory.line + 1:
        return None
    values = _values(text, memory)
    if values is None:
        return None
    memory.line, memory.row = state.number, memory.row + 1
    return _given(values, memory, state, {})


def _values(text: str, memory: _Memory) -> dict[str, float] | None:
    """All the values of a row, None when there is anything else in it."""
    text = f"{memory.pending} {text.strip()}".strip()
    pending = _PENDING.search(text)
    memory.pending = pending[0] if pending else ""
    text = text[: len(text) - len(memory.pending)].strip()
    items = list(_ITEM.finditer(text))
    if sum(item.end() - item.start() for item in items) != len(text):
        return {} if _CUT.fullmatch(text) else None
    return {item[1]: float(item[2]) for item in items if not is_config(item[1])}


def _given(values: dict[str, float], memory: _Memory, state: State, timing: dict[str, float]) -> list[Found]:
    row = str(memory.row)
    before = memory.bars.get(row)
    bar = advance(memory.bars, row, memory.epoch, memory.n, values)
    if memory.n == 0 and memory.end[1] is not None and (before is None or before.epoch != memory.epoch):
        # What is new at the start of an epoch came at the end of the one before, after its last frame.
        shown = before.shown if before else {}
        late = {name: value for name, value in values.items() if shown.get(name) != value}
        return [Found(late, *memory.end)] if late else []
    fresh = news(bar, values, memory.n, memory.total, state.live)
    return [Found(fresh | timing, step=int(memory.n), epoch=memory.epoch)] if fresh else []


FORMAT = Format(
    name="rich",
    about="Lightning's Rich bars: 'Epoch 1/2 ━━━━ 8/16 0:00:00 • 0:00:01 188.62it/s loss: 0.454'",
    read=read,
    needles=("━", _ASIDE),
    frames=True,
    order=13,
)
