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
    priority: bool = False


APP = (
    Key("q", "quit", "Quit", "Quit; a recording goes on"),
    Key("ctrl+c", "quit", "Quit", "Quit, from anywhere", priority=True),
    Key("question_mark", "help", "Help", "This page"),
    Key("ctrl+p", "command_palette", "Palette", "All commands, by name; themes; any metric as the x-axis"),
    Key("P", "picture", "Picture", "Save the screen as a picture, in the current folder"),
    Key("ctrl+z", "suspend_process", "Suspend", "Back to the shell; `fg` comes back"),
)

CHARTS = (
    Key("x,t", "toggle_axis", "Time/Step", "x-axis of all charts: time or step"),
    Key("X", "next_axis", "Axis", "x-axis in turn: time, wall clock, step, epoch"),
    Key("s", "smooth(1)", "Smooth", "Smooth more (moving average; raw values stay, faint)"),
    Key("S", "smooth(-1)", "Less", "Smooth less"),
    Key("y", "log_scale", "Log y", "y-axis linear or logarithmic"),
    Key("o", "outliers", "Outliers", "Leave outliers out of the y-axis"),
    Key("e", "shared_scale", "Equal", "One y-axis for all charts, or one each"),
    Key("c", "pauses", "Cut", "Cut pauses out of the time axis"),
    Key("z", "zoom(0.5)", "Zoom", "Zoom in on the newest points, or on the cursor"),
    Key("Z", "zoom(2.0)", "Out", "Zoom out"),
    Key("left_square_bracket", "pan(-0.25)", "Pan", "Earlier"),
    Key("right_square_bracket", "pan(0.25)", "Pan", "Later"),
    Key("comma", "cursor(-1)", "Cursor", "Cursor back, in all charts; shows each value there"),
    Key("full_stop", "cursor(1)", "Cursor", "Cursor on"),
    Key("less_than_sign", "cursor(-10)", "Cursor", "Cursor far back"),
    Key("greater_than_sign", "cursor(10)", "Cursor", "Cursor far on"),
    Key("0", "reset_zoom", "Reset", "All of the x-axis, no cursor"),
)

OUTPUT = (
    Key("slash", "filter", "Filter", "Show only the charts whose names match"),
    Key("l", "toggle_log", "Output", "Show more of the job's output, all of it, or none"),
    Key("m", "toggle_malformed", "Malformed", "Only the metric lines that could not be read"),
    Key("shift+up", "scroll_log(-1)", "Log up", "Scroll the output back"),
    Key("shift+down", "scroll_log(1)", "Log down", "Scroll the output on"),
    Key("f", "find", "Find", "Find in the output"),
    Key("F", "find_on", "Older", "The next older line that matches"),
    Key("g", "go_to_line", "Line", "From the selected chart's point to the line that told it"),
    Key("G", "go_to_point", "Point", "From the marked line back to its point"),
    Key("d", "toggle_system", "System", "Show or hide the system charts"),
    Key("u", "every_gpu", "GPUs", "Also the GPUs that the job does not use"),
    Key("Y", "copy", "Copy", "Copy the value under the cursor, or the newest one"),
)

MONITOR = (
    *CHARTS,
    Key("enter", "focus_chart", "Open", "Open the selected chart large"),
    Key("tab,right,down,j", "next_panel", "Next", "Select the next chart"),
    Key("shift+tab,left,up,k", "previous_panel", "Previous", "Select the chart before"),
    Key("pagedown,n", "next_page", "Page", "More charts, when they do not fit"),
    Key("pageup,p", "previous_page", "Back", "The charts before"),
    *OUTPUT,
    Key("r", "next_log", "Rank", "The next log, when several are watched: the next rank"),
    Key("space", "pause", "Pause", "Hold the view still; the recording goes on"),
)

REPLAY = (
    *CHARTS,
    Key("space", "play", "Play", "Play or pause the replay"),
    Key("left", "seek(-1)", "Seek", "Back by a fiftieth of the session"),
    Key("right", "seek(1)", "Forward", "On by a fiftieth of the session"),
    Key("plus,equals_sign", "faster", "Faster", "Play twice as fast"),
    Key("minus", "slower", "Slower", "Play half as fast"),
    Key("home", "seek_start", "Start", "To the start of the session"),
    Key("end", "seek_end", "End", "To the end of the session"),
    Key("enter", "focus_chart", "Open", "Open the selected chart large"),
    Key("tab,down,j", "next_panel", "Next", "Select the next chart"),
    Key("shift+tab,up,k", "previous_panel", "Previous", "Select the chart before"),
    Key("pagedown,n", "next_page", "Page", "More charts, when they do not fit"),
    Key("pageup,p", "previous_page", "Back", "The charts before"),
    *OUTPUT,
)

COMPARE = (
    *CHARTS,
    *(
        Key(str(place + 1), f"toggle_run({place})", "Run", f"Hide or show run {letter}")
        for place, letter in enumerate("ABCDEFGHI")
    ),
    Key("h", "highlight", "Highlight", "One run stands out, the others stand back"),
    Key("slash", "filter", "Filter", "Show only the charts whose names match"),
    Key("d", "toggle_system", "System", "Show or hide the system charts"),
    Key("l", "toggle_log", "Table", "Show the table of runs, all of it, or none"),
    Key("enter", "focus_chart", "Open", "Open the selected chart large"),
    Key("tab,right,down,j", "next_panel", "Next", "Select the next chart"),
    Key("shift+tab,left,up,k", "previous_panel", "Previous", "Select the chart before"),
    Key("pagedown,n", "next_page", "Page", "More charts, when they do not fit"),
    Key("pageup,p", "previous_page", "Back", "The charts before"),
)

FOCUS = (
    Key("escape,enter", "close", "Back", "Back to all charts"),
    *CHARTS,
    Key("right,down,tab,n,j", "next_chart", "Next", "The next chart"),
    Key("left,up,shift+tab,p,k", "previous_chart", "Previous", "The chart before"),
)

PICKER = (
    Key("enter", "open", "Open", "Open what is selected"),
    Key("down,j", "move(1)", "Down", "The next one"),
    Key("up,k", "move(-1)", "Up", "The one before"),
    Key("pagedown", "move(10)", "Page", "Ten further down"),
    Key("pageup", "move(-10)", "Page", "Ten further up"),
    Key("slash", "filter", "Filter", "Show only what matches"),
    Key("q,escape", "quit", "Quit", "Choose nothing"),
    Key("ctrl+c", "quit", "Quit", "Quit, from anywhere", priority=True),
)

HELP = (
    Key("escape,question_mark,enter", "close", "Back", "Back"),
    Key("down,j", "scroll(1)", "Down", "Further down"),
    Key("up,k", "scroll(-1)", "Up", "Back up"),
    Key("pagedown,n,space", "scroll(15)", "Page", "Further down by a page"),
    Key("pageup,p", "scroll(-15)", "Page", "Back up by a page"),
)

FOOTER = (
    "quit",
    "help",
    "close",
    "open",
    "play",
    "seek(-1)",
    "focus_chart",
    "next_chart",
    "previous_chart",
    "highlight",
    "next_page",
    "toggle_axis",
    "smooth(1)",
    "zoom(0.5)",
    "filter",
    "toggle_log",
    "log_scale",
    "cursor(-1)",
    "move(1)",
    "move(-1)",
)
"""What the footer shows, first what a person needs most: as many of these as fit."""

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
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "slash": "/",
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
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
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
            show=key.action in FOOTER,
            key_display=key_name(key.keys.split(",")[0]),
            priority=key.priority,
        )
        for key in keys
    ]
