"""The job's output: its last lines, metric lines marked, what could not be read in red."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice

from rich.cells import set_cell_size

from floydtop.app.match import Matcher, matcher
from floydtop.app.safe import clean, safe
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run
from floydtop.events import Malformed, OutputLine
from floydtop.session.session import Session

GUTTER = 8

FAST_FRAME = 4.0
"""Seconds: ten new rows are 2 KB, a third of what a dashboard of twelve charts sends in a second."""

SLOW_FRAME = 20.0
"""The same on a slow link."""

READABLE = 2.0
"""Lines a second that somebody can still read as they come."""


class LogView(Canvas):
    """Follows the newest line, unless it was scrolled back.

    Attributes:
        only_malformed: show nothing but the metric lines that could not be read.
    """

    only_malformed = False
    marked: int | None = None
    """The line that a search or a jump went to."""
    _match: Matcher | None = None
    _title_shown = ""
    _drawn_at = 0.0
    _back = 0
    """Lines between the newest and the last one shown."""
    _seen = 0

    def draw(self, view: View, *, hurried: bool = False) -> None:
        """Show the lines; scrolled back, the same lines stay in place while new ones come.

        Lines that come faster than anyone reads are shown every few seconds when `hurried`.
        """
        session = view.session
        now = time.monotonic()
        waited = now - self._drawn_at
        flood = session.lines_seen - self._seen > READABLE * max(1.0, waited)
        slow = self.app.settings["slow_link"]  # type: ignore[attr-defined]  # our app has some
        if hurried and flood and waited < (SLOW_FRAME if slow else FAST_FRAME):
            return
        self._drawn_at = now
        self.entitle(self._title(session))
        lines: Sequence[OutputLine | Malformed] = session.malformed if self.only_malformed else session.lines
        count = session.malformed_count if self.only_malformed else session.lines_seen
        if self._back:
            self._back += count - self._seen
        self._seen = count
        noted = self._notes(session)
        height = self.size.height - len(noted)
        self._back = max(0, min(self._back, len(lines) - height))
        end = len(lines) - self._back
        shown = list(islice(lines, max(0, end - height), end))
        if not shown:
            self.show([*noted, [Run(self._why_empty(session), self.palette.faint)]])
            return
        why = {bad.line: bad.why for bad in session.malformed}
        self.show([*noted, *(self._row(line, session, why) for line in shown)])

    def _notes(self, session: Session) -> list[Row]:
        """The newest of what the recorder has to say, in a row of its own above the output."""
        if not session.notes or self.size.height < 3:
            return []
        note = session.notes[-1]
        style = {"error": self.palette.bad, "warning": self.palette.warning}.get(note.level, self.palette.dim)
        earlier = f" (and {len(session.notes) - 1} earlier)" if len(session.notes) > 1 else ""
        text = set_cell_size(f"! {clean(note.text)}{earlier}", self.size.width)
        return [[Run(text, style)]]

    def scroll_lines(self, lines: int) -> None:
        """Scroll by lines, negative for back."""
        self._back = max(0, self._back - lines)

    def toggle_malformed(self) -> None:
        """Show only what could not be read, or everything again."""
        self.only_malformed = not self.only_malformed
        self._back = self._seen = 0

    def entitle(self, title: str) -> None:
        """Set the title; Textual draws the whole widget again for it, so only when it changed."""
        if title != self._title_shown:
            self._title_shown = title
            self.border_title = safe(title)

    def search(self, pattern: str, session: Session) -> None:
        """Highlight the lines that match, and go to the newest of them."""
        self._match = matcher(pattern) if pattern else None
        self.marked = None
        self.search_on(session)

    def search_on(self, session: Session) -> bool:
        """Go to the next older line that matches; False when there is none."""
        if self._match is None:
            return False
        for line in reversed(session.lines):
            if (self.marked is None or line.line < self.marked) and self._match(clean(line.text)):
                return self.go_to(line.line, session)
        return False

    def go_to(self, number: int, session: Session) -> bool:
        """Bring a line into the middle of the pane and mark it; False when its text is not kept."""
        place = next((i for i, line in enumerate(session.lines) if line.line == number), None)
        if place is None:
            return False
        self.only_malformed = False
        self.marked = number
        self._seen = session.lines_seen
        self._back = max(0, len(session.lines) - place - 1 - self.size.height // 2)
        return True

    def _title(self, session: Session) -> str:
        log = session.header.log if session.header else None
        title = f"output  {log.path if log else ''}"
        if session.malformed_count:
            title += f"  {session.malformed_count} unreadable metric lines (m)"
        if session.damaged:
            title += f"  {session.damaged} damaged lines of the recording left out"
        if self._back:
            title += f"  {self._back} lines back"
        return title

    def _why_empty(self, session: Session) -> str:
        if self.only_malformed:
            return "Every metric line could be read."
        if session.header is not None and session.header.log is None:
            reasons = [note.text for note in session.notes]
            return reasons[0] if reasons else "This job's output is not followed: name it with --log FILE."
        if session.finished:
            return "The recording holds no line of the output."
        return "Waiting for the first line to end."

    def _row(self, line: OutputLine | Malformed, session: Session, why: dict[int, str]) -> Row:
        palette = self.palette
        width = self.size.width
        number = f"{session.number_of(line.line) or '':>{GUTTER - 2}}"
        gutter = Run(number, palette.faint)
        text = clean(line.text)
        reason = line.why if isinstance(line, Malformed) else why.get(line.line)
        if reason:
            mark, style = Run(" ✗", palette.bad), palette.bad
            text = f"{text}   ← {reason}"
        elif line.line in session.metric_lines:
            mark, style = Run(" ▎", palette.accent), palette.text
        else:
            mark, style = Run("  ", palette.faint), palette.dim
        if line.line == self.marked:
            mark, style = Run(" ▶", palette.warning), palette.strong
        elif self._match is not None and self._match(text):
            style = palette.warning
        return [gutter, mark, Run(set_cell_size(text, max(0, width - len(number) - 2)), style)]
