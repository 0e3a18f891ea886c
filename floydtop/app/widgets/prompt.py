"""The line at the bottom in which a filter or a search is typed."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input

from floydtop.app.match import matcher
from floydtop.app.safe import clean
from floydtop.app.widgets.key_bar import KeyBar


class Prompt(Input):
    """Calls back at each change; Enter keeps what was typed, Esc brings back what was before."""

    def __init__(self, label: str, before: str, changed: Callable[[str], None]) -> None:
        super().__init__(before, placeholder=label, id="prompt", compact=True)
        self._before = before
        self._on_change = changed
        self._warned_of = ""

    def on_mount(self) -> None:
        self.focus()
        self._explain(self.placeholder if isinstance(self.placeholder, str) else "")

    def _explain(self, asked: str) -> None:
        """What is typed leaves no room for saying what it is."""
        for bar in self.screen.query(KeyBar):
            bar.explain(asked)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._on_change(self.value)
        if self.value and matcher(self.value).too_slow and self.value != self._warned_of:
            self._warned_of = self.value
            self.app.notify("too slow as a regular expression: taken as plain text", severity="warning")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close(self.value)

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted may come from a job's output, and is shown as it is."""
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(clean(event.text.partition("\n")[0].rstrip("\r")))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self._close(self._before)

    def _close(self, value: str) -> None:
        self._explain("")
        self.remove()
        self.screen.set_focus(None)
        self._on_change(value)
