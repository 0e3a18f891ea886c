"""Lines of a job's output -> the metrics in them. Pure: no files, no clock."""

from __future__ import annotations

import copy
import re

from floydtop.events import Malformed, MetricGroup, Metrics, Progress
from floydtop.parse import jsonl
from floydtop.parse.formats import formats
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.names import is_timing
from floydtop.parse.reading import Bad, Format, Found, State

# Two ranks may write into one line.
_RANKS = re.compile(r"(?<=\S)(?=\[(?:rank|default)\d{1,5}\])")

__all__ = ["Line", "LineSplitter", "Parser"]


class Parser:
    """Reads the lines of one stream in their order; the format that matched last is asked first."""

    def __init__(self) -> None:
        self._state = State()
        self._formats: list[Format] = list(formats())

    @property
    def progress(self) -> Progress | None:
        """How far the job says it is, by the latest 'Epoch 3/10' or '120/500'."""
        return self._state.progress()

    def read(
        self, line: Line, t: float | None = None, approximate: bool = False
    ) -> list[Metrics | Malformed]:
        """The metrics of one finished line, at most one event for each group and x-value.

        Args:
            line: a whole line, with all frames of the bars drawn in it.
            t: session time when it was printed; None when that is not known.
            approximate: `t` is an estimate.
        """
        found, bad = self._line(line)
        events: list[Metrics | Malformed] = list(_metrics(found, line.number, t, approximate))
        events += [Malformed(text=one.text, why=one.why, line=line.number, t=t) for one in bad]
        return events

    def peek(self, line: Line) -> list[Metrics]:
        """The running values of an unfinished line; what the parser knows does not change."""
        kept = self._state
        self._state = copy.deepcopy(kept)
        self._state.live = True
        try:
            found, _ = self._line(line)
        finally:
            progress, self._state = self._state, kept
        kept.step, kept.steps = progress.step, progress.steps
        return _metrics(found, line.number, None, False)

    def _line(self, line: Line) -> tuple[list[Found], list[Bad]]:
        self._state.number = line.number
        found: list[Found] = []
        bad: list[Bad] = []
        raw = line.raw
        if line.rewritten and (b"{" in raw or b"%|" in raw or b"s/" in raw or b" [" in raw):
            *earlier, text = line.segments
            for segment in earlier:
                if "{" in segment:
                    inside, wrong, segment = jsonl.extract(segment)
                    found += inside
                    bad += wrong
                found += self._frame(segment)
        else:
            text = line.text
        if "{" in text:
            inside, wrong, text = jsonl.extract(text)
            found += inside
            bad += wrong
        if text and not text.isspace():
            for part in _RANKS.split(text):
                found += self._text(part)
        return found, bad

    def _frame(self, text: str) -> list[Found]:
        for one in self._formats:
            if one.frames and any(needle in text for needle in one.needles):
                found = one.read(text, self._state)
                if found is not None:
                    self._state.rest = ""
                    return found
        return []

    def _text(self, text: str) -> list[Found]:
        state = self._state
        for one in self._formats:
            if one.needles and not any(needle in text for needle in one.needles):
                continue
            found = one.read(text, state)
            if found is not None:
                rest, state.rest = state.rest, ""
                return found + self._text(rest) if rest else found
        return []


def _metrics(found: list[Found], line: int, t: float | None, approximate: bool) -> list[Metrics]:
    """Points -> events: one for each group and x-value."""
    merged: dict[tuple[MetricGroup, int | None, float | None], dict[str, float]] = {}
    for one in found:
        for name, value in one.values.items():
            group: MetricGroup = "timing" if is_timing(name) else "training"
            merged.setdefault((group, one.step, one.epoch), {})[name] = value
    return [
        Metrics(values=values, t=t, approximate=approximate, step=step, epoch=epoch, line=line, group=group)
        for (group, step, epoch), values in merged.items()
    ]
