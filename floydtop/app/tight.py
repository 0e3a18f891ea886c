"""Fewer bytes to the terminal: only the cells that changed, and a style only where it differs."""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip


class TightUpdate(ChopsUpdate):
    """A partial update whose spans are cropped on both sides and share their styles.

    Textual 8.2 crops a changed span on its right side only (its `ChopsUpdate` says so itself), and sets
    and resets the style of each segment, 40 bytes with two 24-bit colours. On a live dashboard curves grow
    at their right ends, cell by cell in few colours on one background: the two together were five sixths of
    all bytes.
    """

    @classmethod
    def of(cls, update: ChopsUpdate) -> TightUpdate:
        """The same update, to be rendered tightly."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences, with no style set at its end."""
        pen = _Pen(console)
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                first, last = max(x, x1), min(end, x2)
                pen.move(first, y)
                for text, style, _ in strip.crop(first - x, last - x):
                    pen.write(text, style)
        return pen.finish()


class TightFrame(LayoutUpdate):
    """A whole screen that shares its styles: a dashboard of 200x50 is 20 KB instead of 48."""

    @classmethod
    def of(cls, frame: LayoutUpdate) -> TightFrame:
        """The same screen, to be rendered tightly."""
        return cls(frame.strips, frame.region)

    def render_segments(self, console: Console) -> str:
        """The screen as terminal sequences, with no style set at its end."""
        pen = _Pen(console)
        for y, line in enumerate(self.strips, self.region.y):
            pen.move(self.region.x, y)
            for strip in line:
                for text, style, _ in strip:
                    pen.write(text, style)
        return pen.finish()


def tight(renderable: RenderableType | None) -> RenderableType | None:
    """What Textual wants to send, in fewer bytes where that is known how."""
    if type(renderable) is ChopsUpdate:
        return TightUpdate.of(renderable)
    return TightFrame.of(renderable) if type(renderable) is LayoutUpdate else renderable


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""What takes an attribute away without the colours (ECMA-48, 8.3.117)."""


@lru_cache(maxsize=4096)
def _codes(style: Style, color_system: ColorSystem) -> tuple[frozenset[str], str, str]:
    """A style's attributes, foreground and background as SGR codes (ECMA-48, 8.3.117)."""
    plain = Style.combine([style, Style(color="default", bgcolor="default")])
    attributes = Strip.render_ansi(plain, color_system).removesuffix("39;49").rstrip(";")
    colors = [
        ";".join(color.downgrade(color_system).get_ansi_codes(foreground)) if color is not None else default
        for color, foreground, default in ((style.color, True, "39"), (style.bgcolor, False, "49"))
    ]
    return frozenset(filter(None, attributes.split(";"))), colors[0], colors[1]


class _Pen:
    """Writes text, and of its style only what is not in force already."""

    def __init__(self, console: Console) -> None:
        self._color_system = console._color_system or ColorSystem.TRUECOLOR
        self._sequences: list[str] = []
        self._style: Style | None = None
        self._attributes: frozenset[str] = frozenset()
        self._colors = ("39", "49")

    def move(self, x: int, y: int) -> None:
        self._sequences.append(Control.move_to(x, y).segment.text)

    def write(self, text: str, style: Style | None) -> None:
        if style != self._style:
            self._style = style
            self._set(*_codes(style or Style.null(), self._color_system))
        self._sequences.append(text)

    def _set(self, attributes: frozenset[str], foreground: str, background: str) -> None:
        codes: list[str] = []
        removed = self._attributes - attributes
        if not removed <= _OFF.keys():
            codes.append("0")
            self._attributes, self._colors = frozenset(), ("39", "49")
        else:
            off = {_OFF[attribute] for attribute in removed}
            codes += sorted(off)
            # Bold and dim go together.
            self._attributes = frozenset(one for one in self._attributes if _OFF.get(one) not in off)
        codes += sorted(attributes - self._attributes)
        codes += [new for new, old in zip((foreground, background), self._colors, strict=True) if new != old]
        self._attributes, self._colors = attributes, (foreground, background)
        if codes:
            self._sequences.append(f"\x1b[{';'.join(codes)}m")

    def finish(self) -> str:
        self.write("", None)
        return "".join(self._sequences)
