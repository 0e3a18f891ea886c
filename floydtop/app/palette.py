"""The colours that widgets draw with, taken from the theme."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

DARK_SERIES = ("#5fd7ff", "#ffaf5f", "#87d787", "#ff87af", "#af87ff", "#ffd75f", "#5fd7af", "#d7875f")
LIGHT_SERIES = ("#005f87", "#af5f00", "#00702a", "#af005f", "#5f00af", "#875f00", "#00605a", "#87300f")

SAFE_SERIES = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#0072b2", "#d55e00", "#bbbbbb")
"""Okabe and Ito's colours, told apart by colour-blind people (https://jfly.uni-koeln.de/color/)."""


GREYS = (1.0, 0.5, 0.75, 0.35, 0.9, 0.6, 0.42, 0.82)
"""What tells curves apart where there are no colours: shares of the text's, the rest being background."""


def _theme(name: str, *, dark: bool, primary: str, accent: str, series: tuple[str, ...]) -> Theme:
    paper, ink = ("#10131a", "#d0d4dc") if dark else ("#fafafa", "#24292f")
    return Theme(
        name=name,
        primary=primary,
        secondary=series[4],
        accent=accent,
        foreground=ink,
        background=paper,
        surface=mixed(ink, paper, 0.04),
        panel=mixed(ink, paper, 0.08),
        success=series[2],
        warning=series[5] if dark else accent,
        error="#ff6b6b" if dark else "#c01c28",
        dark=dark,
        variables={"border": mixed(ink, paper, 0.22)},
    )


def mixed(color: str, background: str, share: float) -> str:
    """`color` mixed into `background`: share 1 is the colour itself."""
    front, back = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (color, background))
    return "#" + "".join(
        f"{round(f * share + b * (1 - share)):02x}" for f, b in zip(front, back, strict=True)
    )


THEMES = (
    _theme("floydtop", dark=True, primary="#5fd7ff", accent="#ffaf5f", series=DARK_SERIES),
    _theme("floydtop-light", dark=False, primary="#005f87", accent="#af5f00", series=LIGHT_SERIES),
    _theme("floydtop-safe", dark=True, primary="#56b4e9", accent="#e69f00", series=SAFE_SERIES),
)
"""Dark, light, and one for colour-blind people; Textual's ansi themes use the terminal's own colours."""


@dataclass(frozen=True)
class Palette:
    """Rich styles for everything that is drawn cell by cell."""

    text: Style
    strong: Style
    dim: Style
    faint: Style
    good: Style
    warning: Style
    bad: Style
    accent: Style
    track: Style
    """The empty part of a bar."""
    series: tuple[Style, ...]
    faded: tuple[Style, ...]
    """The series' colours, half way to the background: bands, running values."""

    def curve(self, index: int) -> Style:
        """The style of the index-th series of a panel; colours repeat."""
        return self.series[index % len(self.series)]


def palette_of(theme: Theme, *, grey: bool = False) -> Palette:
    """The palette of a theme, by its name; a theme of the terminal's own colours gets the terminal's.

    Args:
        grey: there will be no colours (NO_COLOR), so curves are to differ in how bright they are.
    """
    known = theme.name, grey
    if known not in _palettes:
        _palettes[known] = _palette_of(theme, grey)
    return _palettes[known]


_palettes: dict[tuple[str, bool], Palette] = {}


def _palette_of(theme: Theme, grey: bool) -> Palette:
    ink = theme.foreground or ("#d0d4dc" if theme.dark else "#202020")
    paper = theme.background or ("#10131a" if theme.dark else "#ffffff")
    if not (ink.startswith("#") and paper.startswith("#") and len(ink) == len(paper) == 7):
        return _ansi_palette(grey)
    series: tuple[str, ...] = DARK_SERIES if theme.dark else LIGHT_SERIES
    if theme.name == "floydtop-safe":
        series = SAFE_SERIES
    if grey:
        series = tuple(mixed(ink, paper, share) for share in GREYS)
    return Palette(
        text=Style(color=ink),
        strong=Style(color=ink, bold=True),
        dim=Style(color=mixed(ink, paper, 0.68)),
        faint=Style(color=mixed(ink, paper, 0.48)),
        good=Style(color=_hex(theme.success, series[2])),
        warning=Style(color=_hex(theme.warning, series[5])),
        bad=Style(color=_hex(theme.error, "#ff6b6b"), bold=True),
        accent=Style(color=_hex(theme.primary, series[0])),
        track=Style(color=mixed(ink, paper, 0.25)),
        series=tuple(Style(color=color) for color in series),
        faded=tuple(Style(color=mixed(color, paper, 0.45)) for color in series),
    )


def _hex(color: str | None, otherwise: str) -> str:
    return color if color is not None and color.startswith("#") else otherwise


def _ansi_palette(grey: bool) -> Palette:
    names = (
        "bright_cyan",
        "yellow",
        "bright_green",
        "bright_magenta",
        "bright_blue",
        "bright_yellow",
        "cyan",
        "red",
    )
    series = tuple(
        Style(dim=True) if grey and place % 2 else Style(color=name) for place, name in enumerate(names)
    )
    return Palette(
        text=Style(),
        strong=Style(bold=True),
        dim=Style(dim=True),
        faint=Style(dim=True),
        good=Style(color="green"),
        warning=Style(color="yellow"),
        bad=Style(color="red", bold=True),
        accent=Style(color="bright_cyan"),
        track=Style(color="bright_black"),
        series=series,
        faded=tuple(style + Style(dim=True) for style in series),
    )
