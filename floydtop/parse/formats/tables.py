"""Columns under a header: scikit-learn, fastai, spaCy, CSV and TSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from floydtop.parse.names import is_metric, is_timing
from floydtop.parse.reading import NEVER, Format, Found, Place, State, Told, as_int, number

REACH = 40
"""Lines between a header and a row, or between two rows: bars and warnings may stand there."""

_X = re.compile(
    r"(?:^|[\s,;|\"])(?:epoch|iter|iteration|step|round|global_step|E\s{1,8}#|#)(?=$|[\s,;|\"])", re.I
)
_WIDE = re.compile(r"\s{2,}|\s*\|\s*|\t")
# Rich draws its columns with these.
_BARS = str.maketrans("│┃║", "|||")
_UNITS = re.compile(r" \((?:s|sec|secs|seconds|ms|min|%)\)")
_RULE = re.compile(r"[\s\-=+|─━]{3,400}")
_TIME = re.compile(r"\d+:\d\d(?::\d\d)?|[\d.]+(?:s|ms|m|h)")
_WORD = re.compile(r"[^\s|]+")
# `epoch 1/10 - train_loss 2.4 - val_loss 4.8` is a row already.
_ROW_NUMBER = re.compile(r"(?<![^\s(])[-+]?\d{1,20}(?:\.\d|/\d)")
_SPLIT = {mark: re.compile(rf"(?<![^{mark}])[^{mark}]*") for mark in ",;\t"}
_EMPTY = frozenset(["", "-", "None", "NA", "N/A", "No log"])
_STEP_COLUMNS = frozenset(["iter", "iteration", "step", "#", "round", "global_step", "steps"])
_EPOCH_COLUMNS = frozenset(["epoch", "e", "epochs"])


class _Table:
    """The columns of the header that was seen last."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.separator: str | None = None
        self.open = False
        """Every column counts: CSV and tables that begin with the epoch; else what sounds like a metric."""
        self.line = NEVER
        self.mark: int | None = None
        """A column that is empty in some rows: skorch's `+` where a checkpoint was written."""


def read(text: str, state: State) -> list[Found] | None:
    """A row is as wide as its header and all numbers; one column is the step or epoch."""
    table = state.of(_Table)
    if "│" in text or "┃" in text or "║" in text:
        text = text.translate(_BARS)
    if table.names and state.number - table.line <= REACH:
        found = _row(text, table, state)
        if found is not None:
            return found
        if _RULE.fullmatch(text):
            return []
    elif table.names and len(list(_cells(text, table.separator))) == len(table.names):
        # It would be a row under another header like the last one.
        state.hesitant = True
    if not _X.search(text):
        return None
    return _header(text, table, state)


def _header(text: str, table: _Table, state: State) -> list[Found] | None:
    separator = next((mark for mark in (",", ";", "\t") if text.count(mark) >= 1), None)
    names = [
        name.strip(' "|') for name in (text.split(separator) if separator else _WIDE.split(text.strip()))
    ]
    names = [name for name in names if name] if separator is None else names
    if (
        len(names) < 2
        or len(names) > 200
        or any(len(name) > 60 or number(name) is not None for name in names)
    ):
        return None
    lower = [name.lower() for name in names]
    if not any(name in _STEP_COLUMNS or name in _EPOCH_COLUMNS for name in lower):
        return None
    if (
        not any(is_metric(name) for name in names)
        or any(mark in _UNITS.sub("", text) for mark in ":=()[]{}")
        or _ROW_NUMBER.search(text)
        or len(set(lower)) < len(lower)
    ):
        return None
    if (names, separator) != (table.names, table.separator):
        state.expectations += 1
        table.mark = None
    table.names, table.separator, table.line = names, separator, state.number
    table.open = separator is not None or lower[0] in _EPOCH_COLUMNS
    return []


def _row(text: str, table: _Table, state: State) -> list[Found] | None:
    cells = list(_cells(text, table.separator))
    if table.mark is not None and len(cells) == len(table.names) - 1:
        cells.insert(table.mark, (0, ""))
    if table.separator is None and len(cells) == len(table.names) + 1 and cells[0][1].isdigit():
        # pandas numbers its rows.
        del cells[0]
    if len(cells) != len(table.names):
        return None
    step: float | None = None
    epoch: float | None = None
    values: dict[str, float] = {}
    at: dict[str, int] = {}
    for column, (name, (start, cell)) in enumerate(zip(table.names, cells, strict=True)):
        cell = cell.strip().strip('"')
        if cell == "+":
            if table.mark != column:
                table.mark = column
                state.expectations += 1
            continue
        value = number(cell)
        if value is None:
            if cell in _EMPTY or _TIME.fullmatch(cell):
                continue
            return None
        lower = name.lower()
        if lower in _STEP_COLUMNS:
            step = value
            at["step"] = start
        elif lower in _EPOCH_COLUMNS:
            epoch = value
            at["epoch"] = start
        elif not name:
            # A data frame's own count of its rows.
            continue
        elif table.open or is_metric(name) or is_timing(name):
            values[name] = value
            at[f"={name}"] = start
    if (step is None and epoch is None) or not values:
        return None
    table.line = state.number
    found = Found(values, as_int(step), epoch)
    state.told = Told(found.step, None, epoch, None, _place, at=at, breaks=_gaps)
    return [found]


def _cells(text: str, separator: str | None) -> Iterator[tuple[int, str]]:
    """The cells of a row, each with the place of its first sign from the row's end."""
    for cell in (_SPLIT[separator] if separator else _WORD).finditer(text):
        blank = len(cell[0]) - len(cell[0].lstrip(' "'))
        yield len(text) - cell.start() - blank, cell[0]


def _place(state: State, told: Told) -> Place | None:
    table = state.of(_Table)
    if state.number - table.line > REACH:
        return None
    table.line = state.number
    return told.step, told.epoch


def _gaps(steps: Sequence[float], numbers: Sequence[int]) -> list[int]:
    """Rows that are too far below the row before, or below the last one that was asked for its place."""
    breaks: list[int] = []
    first = numbers[0] if numbers else 0
    for at, line in enumerate(numbers):
        if line - first > REACH:
            breaks.append(at)
            first = line
    return breaks


FORMAT = Format(
    name="table",
    about="columns under a header: scikit-learn, fastai, spaCy, CSV, TSV with a step or epoch column",
    read=read,
    order=40,
)
