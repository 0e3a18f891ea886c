"""Lines of a job's output -> the metrics in them. Pure: no files, no clock."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from floydtop.events import Malformed, Metrics, Progress
from floydtop.parse import jsonl
from floydtop.parse.custom import Pattern
from floydtop.parse.essence import essence, has_frames
from floydtop.parse.formats import formats
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.reading import Bad, Format, Found, State
from floydtop.parse.recipes import Recipes, shape_of
from floydtop.parse.shapes import DIGITS, LONGEST, MOST, PROOFS, Entry, Plan, filled, learn, variants
from floydtop.parse.telling import grouped, metrics, telling

_OBJECT = re.compile(rb'\{\s{0,8}"')
# Two ranks may write into one line.
RANKS = re.compile(r"(?<=\S)(?=\[(?:rank|default)\d{1,5}\])")
"""Where what another rank wrote begins."""

OBJECT = b'{"metric"'
"""How the seed's metric lines begin."""

Event = Metrics | Malformed

__all__ = ["Line", "LineSplitter", "Parser"]


class Parser:
    """Reads the lines of one stream in their order."""

    def __init__(self, patterns: Sequence[Pattern] = (), *, learn: bool = True) -> None:
        """Make a parser of one stream.

        Args:
            patterns: the user's own expressions, asked before every format.
            learn: use the shapes of lines to be fast; without it each line goes the long way (for `explain`).
        """
        self._state = State()
        self._patterns = tuple(patterns)
        self._learn = learn
        self._formats: tuple[Format, ...] = formats()
        self.read_by = ""
        """Name of the format that read the last line that went the long way, or an empty string."""
        self._dull: set[bytes] = set()
        """Shapes of lines that no format reads."""
        self._once: set[bytes] = set()
        """Shapes of lines that no format read, seen once."""
        self._shapes: dict[bytes, Entry] = {}
        self._known: dict[bytes, list[Plan]] = {}
        """Plans that were proven."""
        self.recipes = Recipes()
        """How frames of bars and texts are read that formats scan."""
        self._reader: Format | None = None
        """The format that has read the last text or frame."""
        self.expectations = 0
        """Changes when lines that were dull may mean something from now on: a table's header came."""
        self._unread = True
        """No format took the line that was read last."""

    @property
    def why(self) -> str:
        """Why the line that was read last gave nothing."""
        return self._state.why

    @property
    def progress(self) -> Progress | None:
        """How far the job says it is, by the latest 'Epoch 3/10' or '120/500'."""
        return self._state.progress()

    def read(self, line: Line, t: float | None = None, approximate: bool = False) -> list[Event]:
        """The metrics of one finished line, at most one event for each group and x-value.

        Args:
            line: a whole line, with all frames of the bars drawn in it.
            t: session time when it was printed; None when that is not known.
            approximate: `t` is an estimate.
        """
        if self._patterns:
            own = self._own(line)
            if own is not None:
                return list(metrics([own], line.number, t, approximate))
        raw = essence(line.raw)
        if not self._learn or len(raw) > LONGEST or b"\r" in raw or b"\x08" in raw:
            return self._slow(line, raw, None, t, approximate)
        if raw.startswith(OBJECT):
            one = jsonl.quick(raw)
            if one is not None:
                return list(metrics([one], line.number, t, approximate))
        shape = raw.translate(None, DIGITS)
        if shape in self._dull:
            return []
        for plan in self._known.get(shape, ()):
            events = self._planned(plan, line, raw, t, approximate)
            if events is not None:
                return events
        return self._slow(line, raw, shape, t, approximate)

    def resemble(self, other: Parser) -> None:
        """Know of a stream what one knows that has read its beginning: how bars are drawn."""
        self._state.late = other._state.late

    @property
    def learns(self) -> bool:
        """Whether a line whose shape is in `dull` need not be read."""
        return self._learn and not self._patterns

    def complaints(self) -> list[str]:
        """What was not told yet: a sentence for each pattern that took too long and is put aside."""
        stopped = [pattern.stopped for pattern in self._patterns if pattern.stopped]
        if stopped:
            self._patterns = tuple(pattern for pattern in self._patterns if not pattern.stopped)
        return stopped

    @property
    def dull(self) -> set[bytes]:
        """Shapes (lines without their digits) that no format reads; grows while lines are read."""
        return self._dull

    @property
    def known(self) -> dict[bytes, list[Plan]]:
        """Shapes whose lines can be read without a format, and how; changes while lines are read."""
        return self._known

    @property
    def state(self) -> State:
        """What the lines so far have told."""
        return self._state

    def read_frames(self, line: Line, t: float | None, approximate: bool = False) -> list[Event]:
        """The points of all frames but the last of a bar that goes on, see `LineSplitter.take_frames`."""
        state = self._state
        if state.muted == line.number:
            return []
        self._begin()
        state.number, state.sole = line.number, False
        found: list[Found] = []
        bad: list[Bad] = []
        self._frames(line, found, bad)
        self._expects()
        events: list[Event] = list(metrics(found, line.number, t, approximate))
        return events + [Malformed(text=one.text, why=one.why, line=line.number, t=t) for one in bad]

    def peek(self, line: Line) -> list[Metrics]:
        """The running values of an unfinished line; what the parser knows does not change."""
        own = self._own(line)
        if own is not None:
            return metrics([own], line.number, None, False)
        kept = self._state
        self._state = copy.deepcopy(kept)
        self._state.live = True
        try:
            found, _ = self._line(line)
        finally:
            seen, self._state = self._state, kept
        kept.step, kept.steps = seen.step, seen.steps
        return metrics(found, line.number, None, False)

    def _own(self, line: Line) -> Found | None:
        """The point of a line that one of the user's expressions matches."""
        for pattern in self._patterns:
            own = pattern.read(line.text)
            if own is not None:
                self.read_by = pattern.name
                return own
        return None

    def _planned(
        self, plan: Plan, line: Line, raw: bytes, t: float | None, approximate: bool
    ) -> list[Event] | None:
        applied = plan.apply(raw)
        if applied is None:
            return None
        state = self._state
        state.number = line.number
        if state.muted == line.number:
            return []
        groups, told = applied
        place = told.place(state, told) if told.place else (told.step, told.epoch)
        if place is None:
            return None
        step, epoch = place
        return [Metrics(values, t, approximate, step, epoch, line.number, group) for group, values in groups]

    def _slow(
        self, line: Line, raw: bytes, shape: bytes | None, t: float | None, approximate: bool
    ) -> list[Event]:
        self._begin()
        found, bad = self._line(line)
        if not self._expects() and shape is not None and not bad:
            self._remember(line.text, raw, shape, found)
        events: list[Event] = list(metrics(found, line.number, t, approximate))
        events += [Malformed(text=one.text, why=one.why, line=line.number, t=t) for one in bad]
        return events

    def text(self, text: str, raw: bytes) -> list[Found]:
        """What a part of a line says, read as a line of its own; `raw` is the same as bytes.

        Of what it teaches the next lines profit too.
        """
        self._begin()
        found = self._text(text)
        if not self._expects() and len(raw) <= LONGEST:
            self._remember(text, raw, raw.translate(None, DIGITS), found)
        return found

    def frame(self, text: str, raw: bytes, shape: bytes) -> list[Found]:
        """What a frame says that another one follows; `raw` is the same as bytes, `shape` its loose shape."""
        self._begin()
        found = self._frame(text)
        if self._expects():
            return found
        self.recipes.make_room()
        if self._reader is not None:
            if self._reader.scan is not None:
                self.recipes.frames.learn(shape, text, raw, self._reader.scan)
        elif not self._state.hesitant:
            self._note_dull(text, raw)
        return found

    def _note_dull(self, text: str, raw: bytes) -> None:
        """Learn that frames like this one mean nothing, if that does not hang on their digits."""
        kept, self._state = self._state, State()
        self._frame(filled(text))
        hesitant = self._state.hesitant or self._reader is not None
        self._state = kept
        if not hesitant:
            self.recipes.note_dull(raw.translate(None, DIGITS))

    def _begin(self) -> None:
        state = self._state
        state.told, state.hesitant, state.why = None, False, ""
        state.conditions.clear()
        self._unread, self._reader, self.read_by = True, None, ""

    def _expects(self) -> bool:
        """Whether other lines may mean something now, as the line read last says; then all is forgotten."""
        if self._state.expectations == self.expectations:
            return False
        self.expectations = self._state.expectations
        self._forget()
        return True

    def _remember(self, text: str, raw: bytes, shape: bytes, found: list[Found]) -> None:
        """Learn what the next line of this shape means."""
        if len(self._dull) + len(self._shapes) >= MOST:
            self._forget()
        if len(self._once) >= MOST:
            self._once.clear()
        told = self._state.told
        if not found and told is None and not self._state.hesitant and self._unread:
            conditions = tuple(dict.fromkeys(self._state.conditions))
            # A digit may be what kept a brace and a quotation mark from being the start of an object.
            if shape not in self._once:
                # Of prose no shape comes again: to look whether it is dull would take as long as to read it.
                self._once.add(shape)
            elif shape not in self.recipes.idle and not _OBJECT.search(shape):
                self.recipes.make_room()
                if self.recipes.is_lively(shape) or not self._never(text):
                    self.recipes.note_idle(shape, text, raw, conditions)
                elif conditions:
                    self.recipes.idle[shape] = conditions
                else:
                    self._dull.add(shape)
            return
        if told is None and self._reader is not None and self._reader.scan is not None:
            self.recipes.make_room()
            self.recipes.texts.learn(shape_of(raw), text, raw, self._reader.scan)
        if told is None or len(found) > 1 or self._state.muted == self._state.number:
            return
        values = found[0].values if found else {}
        entry = self._shapes.setdefault(shape, Entry())
        for plan in entry.plans:
            applied = plan.apply(raw) if plan.place is told.place else None
            if applied is None:
                continue
            groups, planned = applied
            merged = {name: value for _, values in groups for name, value in values.items()}
            if repr(merged) == repr(grouped(values)) and planned[:4] == told[:4]:
                plan.proofs += 1
                if plan.proofs == PROOFS:
                    self._known.setdefault(shape, []).append(plan)
            else:
                entry.plans.remove(plan)
                entry.attempts += 4
                if plan.proofs >= PROOFS:
                    self._known[shape].remove(plan)
                    if not self._known[shape]:
                        del self._known[shape]
            return
        entry.attempts += 1
        if entry.attempts <= 16:
            new = learn(raw, values, told)
            if new is not None:
                entry.plans.append(new)

    def _forget(self) -> None:
        """Know no shape any more."""
        self._dull.clear()
        self._shapes.clear()
        self._known.clear()
        self.recipes.forget()

    def _never(self, text: str) -> bool:
        """Whether a line is dull with other digits in its words, and a number in each empty place, too."""
        others = variants(text)
        if not others:
            return True
        kept, self._state = self._state, State()
        try:
            self._state.number = kept.number
            for other in others:
                if self._text(other) or not self._unread or self._state.hesitant:
                    return False
            return True
        finally:
            self._state = kept

    def _line(self, line: Line) -> tuple[list[Found], list[Bad]]:
        self._state.number = line.number
        self._state.sole = False
        found: list[Found] = []
        bad: list[Bad] = []
        raw = line.raw
        if self._state.muted == line.number and not raw.startswith(OBJECT):
            self._unread = False
            return found, bad
        if line.rewritten and has_frames(raw):
            text = line.segments[-1]
            self._frames(line, found, bad)
        else:
            text = line.text
        whole = True
        if "{" in text:
            inside, wrong, rest = jsonl.extract(text)
            found += inside
            bad += wrong
            self._unread = whole = rest == text
            text = rest
            if inside or wrong:
                self.read_by = "json"
        objects = len(found)
        parts = [] if not text or text.isspace() else RANKS.split(text) if "[" in text else [text]
        for part in parts:
            found += self._text(part)
        if objects or len(parts) > 1 or not whole:
            # What one part of it tells is not all that the line means.
            alone = objects == 1 and not parts and not bad
            self._state.told = jsonl.told(line.text, found[0]) if alone else None
            self._reader = None
        return found, bad

    def _frames(self, line: Line, found: list[Found], bad: list[Bad]) -> None:
        """Read all frames of a line but the last."""
        for segment in telling(line.segments, self._state):
            if "{" in segment:
                inside, wrong, segment = jsonl.extract(segment)
                found += inside
                bad += wrong
            found += self._frame(segment)

    def _frame(self, text: str) -> list[Found]:
        self._reader = None
        for one in self._formats:
            if one.frames and any(needle in text for needle in one.needles):
                found = one.read(text, self._state)
                if found is not None:
                    self.read_by = one.name
                    self._reader = one
                    self._state.rest = ""
                    return found
        return []

    def _text(self, text: str) -> list[Found]:
        state = self._state
        for one in self._formats:
            for needle in one.needles:
                if needle in text:
                    break
            else:
                if one.needles:
                    continue
            found = one.read(text, state)
            if found is not None:
                self._unread = False
                self._reader = one
                self.read_by = self.read_by or one.name
                rest, state.rest = state.rest, ""
                if not rest:
                    return found
                state.told = None
                found = found + self._text(rest)
                state.told, self._reader = None, one
                return found
        return []
