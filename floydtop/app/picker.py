"""The picker: jobs that run here, recordings that go on, and past sessions, with a preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal

from floydtop.app.crash import Guarded
from floydtop.app.keys import PICKER, bindings
from floydtop.app.match import matcher
from floydtop.app.palette import THEMES
from floydtop.app.safe import clean, safe
from floydtop.app.widgets.canvas import Canvas, Row, Run
from floydtop.app.widgets.key_bar import KeyBar
from floydtop.app.widgets.prompt import Prompt
from floydtop.settings import Settings


@dataclass(frozen=True)
class Choice:
    """One thing that can be opened."""

    group: str
    """The heading it stands under."""
    title: str
    detail: str
    value: str
    """What is handed back when it is chosen."""
    preview: Callable[[], list[str]]
    """Lines about it; asked when it is looked at."""


MOST_TITLE = 44
"""Cells of a title in the list."""

LEAST_DETAIL = 24
"""Cells under which most of what is known of a choice stands in its preview alone."""

BRIEF = 12
"""Cells of what tells choices of one title apart: when a session began, a job's pid."""


def _fitted(text: str, width: int) -> str:
    """Clean text, cut with a sign that it is."""
    text = clean(text)
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"


class PickerApp(Guarded[str]):
    """Lists choices; returns the value of the one that was opened, None when none was."""

    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[Binding]] = bindings(PICKER)  # type: ignore[assignment]  # invariance
    KEYS = PICKER

    def __init__(self, choices: Sequence[Choice], heading: str, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings if settings is not None else Settings()
        self.glyphs = self.settings["glyphs"]
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.settings["theme"]
        self.theme = wanted if wanted in self.available_themes else THEMES[0].name
        self._all = list(choices)
        self._heading = heading
        self._filter = ""
        self._at = 0

    def compose(self) -> ComposeResult:
        yield Canvas(id="status")
        with Horizontal(id="picker"):
            yield Canvas(id="choices")
            yield Canvas(id="preview")
        yield KeyBar(PICKER)

    def on_mount(self) -> None:
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @property
    def choices(self) -> list[Choice]:
        """Those that the filter lets through."""
        if not self._filter:
            return self._all
        matches = matcher(self._filter)
        return [one for one in self._all if matches(one.title) or matches(one.detail)]

    def draw(self) -> None:
        """Draw the list and the preview of the selected choice."""
        heading, listed = self.query_one("#status", Canvas), self.query_one("#choices", Canvas)
        palette = heading.palette
        heading.show([[Run(" floydtop ", palette.accent), Run(f" {clean(self._heading)}", palette.text)]])
        choices = self.choices
        self._at = max(0, min(self._at, len(choices) - 1))
        rows, selected_row = self._rows(listed, choices)
        first = max(0, min(selected_row - listed.size.height // 2, len(rows) - listed.size.height))
        listed.show(rows[first : first + listed.size.height])
        preview = self.query_one("#preview", Canvas)
        lines = choices[self._at].preview() if choices else ["Nothing matches."]
        preview.border_title = safe(choices[self._at].title if choices else "")
        width, height = preview.size
        # The list may have no room for it.
        detail = choices[self._at].detail if choices else ""
        shown = lines[-max(0, height - 2) :] if height > 2 else []
        preview.show(
            [
                [Run(_fitted(detail, width), palette.dim)],
                [],
                *([Run(set_cell_size(clean(line), width), palette.text)] for line in shown),
            ]
        )

    def _rows(self, canvas: Canvas, choices: list[Choice]) -> tuple[list[Row], int]:
        palette, width = canvas.palette, canvas.size.width - 4
        longest = max((cell_len(clean(choice.title)) for choice in choices), default=0)
        brief = BRIEF + 2 if width >= 2 * BRIEF else 0
        title_width = max(0, min(width - brief, MOST_TITLE, longest))
        rows: list[Row] = []
        selected_row, group = 0, ""
        for index, choice in enumerate(choices):
            if choice.group != group:
                group = choice.group
                rows += (
                    [[], [Run(f" {group}", palette.accent)]] if rows else [[Run(f" {group}", palette.accent)]]
                )
            here = index == self._at
            if here:
                selected_row = len(rows)
            mark = Run(" ▶ " if here else "   ", palette.warning)
            title = set_cell_size(_fitted(choice.title, title_width), title_width)
            rest = width - title_width - 2
            known = choice.detail if rest >= LEAST_DETAIL else choice.detail.partition(",")[0]
            detail = f"  {_fitted(known, rest)}" if rest >= BRIEF else ""
            style = palette.strong if here else palette.text
            rows.append([mark, Run(title, style), Run(detail, palette.dim)])
        return rows, selected_row

    def action_move(self, by: int) -> None:
        self._at += by
        self.draw()

    def action_open(self) -> None:
        choices = self.choices
        if choices:
            self.exit(choices[self._at].value)

    def action_filter(self) -> None:
        if not self.query(Prompt):
            label = "filter: text or regular expression"
            self.screen.mount(Prompt(label, self._filter, self._set_filter), before="#keys")

    def _set_filter(self, text: str) -> None:
        self._filter = text
        self.draw()

    async def action_quit(self) -> None:
        self.exit(None)
