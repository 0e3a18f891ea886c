"""All keys, in one table: it makes the bindings, the footer and the help screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """One action and the keys that do it."""

    keys: str
    action: str
    label: str
    """One word for the footer."""
    help: str
    footer: bool = False
    priority: bool = False


APP = (
    Key("q,ctrl+c", "quit", "Quit", "Quit; a recording goes on", footer=True, priority=True),
    Key("question_mark", "help", "Help", "This page", footer=True),
)

MONITOR = (
    Key("x,t", "toggle_axis", "Time/Step", "x-axis of all charts: time or step", footer=True),
    Key("enter", "focus_chart", "Open", "Open the selected chart large", footer=True),
    Key("tab,right,down,j", "next_panel", "Next", "Select the next chart"),
    Key("shift+tab,left,up,k", "previous_panel", "Previous", "Select the chart before"),
    Key("pagedown,n", "next_page", "Page", "More charts, when they do not fit", footer=True),
    Key("pageup,p", "previous_page", "Back", "The charts before"),
    Key("l", "toggle_log", "Log", "Show more of the job's output, all of it, or none", footer=True),
    Key("m", "toggle_malformed", "Malformed", "Only the metric lines that could not be read"),
    Key("shift+up", "scroll_log(-1)", "Log up", "Scroll the output back"),
    Key("shift+down", "scroll_log(1)", "Log down", "Scroll the output on"),
    Key("space", "pause", "Pause", "Hold the view still; the recording goes on"),
)

REPLAY = (
    Key("x,t", "toggle_axis", "Time/Step", "x-axis of all charts: time or step", footer=True),
    Key("space", "play", "Play", "Play or pause the replay", footer=True),
    Key("left", "seek(-1)", "Seek", "Back by a fiftieth of the session", footer=True),
    Key("right", "seek(1)", "Forward", "On by a fiftieth of the session"),
    Key("plus,equals_sign", "faster", "Faster", "Play twice as fast"),
    Key("minus", "slower", "Slower", "Play half as fast"),
    Key("home", "seek_start", "Start", "To the start of the session"),
    Key("end", "seek_end", "End", "To the end of the session"),
    Key("enter", "focus_chart", "Open", "Open the selected chart large", footer=True),
    Key("tab,down,j", "next_panel", "Next", "Select the next chart"),
    Key("shift+tab,up,k", "previous_panel", "Previous", "Select the chart before"),
    Key("pagedown,n", "next_page", "Page", "More charts, when they do not fit", footer=True),
    Key("pageup,p", "previous_page", "Back", "The charts before"),
    Key("l", "toggle_log", "Log", "Show more of the job's output, all of it, or none", footer=True),
    Key("m", "toggle_malformed", "Malformed", "Only the metric lines that could not be read"),
    Key("shift+up", "scroll_log(-1)", "Log up", "Scroll the output back"),
    Key("shift+down", "scroll_log(1)", "Log down", "Scroll the output on"),
)

FOCUS = (
    Key("escape,enter", "close", "Back", "Back to all charts", footer=True),
    Key("x,t", "toggle_axis", "Time/Step", "x-axis: time or step", footer=True),
    Key("right,down,tab,n,j", "next_chart", "Next", "The next chart", footer=True),
    Key("left,up,shift+tab,p,k", "previous_chart", "Previous", "The chart before", footer=True),
)

HELP = (Key("escape,question_mark,enter", "close", "Back", "Back", footer=True),)

NAMES = {
    "question_mark": "?",
    "escape": "Esc",
    "enter": "Enter",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "space": "Space",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def key_name(key: str) -> str:
    """A key as people write it."""
    if key == "ctrl+c":
        return "^C"
    modifier, _, plain = key.rpartition("+")
    name = NAMES.get(plain, plain)
    return f"{modifier.capitalize()}-{name}" if modifier else name


def bindings(keys: tuple[Key, ...]) -> list[Binding]:
    """The bindings that a table of keys makes."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label,
            show=key.footer,
            key_display=key_name(key.keys.split(",")[0]),
            priority=key.priority,
        )
        for key in keys
    ]
