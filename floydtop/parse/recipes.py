"""What was learned about frames of bars and about texts that formats scan: recipes by shape."""

from __future__ import annotations

from collections.abc import Callable

from floydtop.parse.reading import State
from floydtop.parse.scan import OTHER, Entry, Point, Recipe, Scan, recipe
from floydtop.parse.shapes import DIGITS, MOST, PROOFS

# The drawing of a bar is of spaces, of # and of the block elements U+2580 to U+259F; what else has these
# bytes is told apart by the expression of a recipe.
_DRAWING = DIGITS + b" #\xe2\x96" + bytes(range(0x80, 0xA0))
BAR = b"%|"

MOST_RECIPES = 12
"""For one shape: spaces are no part of it, and the digits of a clock are counted."""


def loose_shapes(joined: bytes) -> bytes:
    """Segments without digits and drawings: what is left of all frames of a bar is the same."""
    return joined.translate(None, _DRAWING)


def shape_of(raw: bytes) -> bytes:
    """The key under which a text is known that is no frame, or the last one of its line."""
    return raw.translate(None, _DRAWING if BAR in raw else DIGITS)


Conditions = tuple[Callable[[State], bool], ...]


def _pass(state: State, conditions: Conditions, numbers: tuple[float, ...]) -> Point | None:
    """Of a text that no format reads while none of these conditions holds."""
    return OTHER if conditions and any(holds(state) for holds in conditions) else None


class Table:
    """Recipes by the shapes of the texts that they read."""

    def __init__(self) -> None:
        self.known: dict[bytes, list[Recipe]] = {}
        """Those that were proven."""
        self._entries: dict[bytes, Entry] = {}

    def learn(self, shape: bytes, text: str, raw: bytes, scanner: Callable[[str], Scan | None]) -> None:
        """Take note of a text that a format has read."""
        entry = self._entries.setdefault(shape, Entry())
        scan = scanner(text) if entry.attempts < MOST_RECIPES else None
        if scan is None:
            return
        for known in entry.recipes:
            numbers = known.numbers(raw)
            if numbers is None:
                continue
            if numbers == scan.numbers and known.look == scan.look and known.take is scan.take:
                known.proofs += 1
                if known.proofs == PROOFS:
                    self.known.setdefault(shape, []).append(known)
            else:
                entry.recipes.remove(known)
                entry.attempts += 4
                if known in self.known.get(shape, ()):
                    self.known[shape].remove(known)
            return
        entry.attempts += 1
        new = recipe(text, scan)
        if new is not None and new.numbers(raw) == scan.numbers:
            entry.recipes.append(new)

    def __len__(self) -> int:
        return len(self._entries)

    def forget(self) -> None:
        self.known.clear()
        self._entries.clear()


class Recipes:
    """All that is known of a stream's frames and scanned texts."""

    def __init__(self) -> None:
        self.frames = Table()
        """Of frames that another one follows, by `loose_shapes`."""
        self.texts = Table()
        """Of the text that a line finally shows, by `shape_of`."""
        self.dull: set[bytes] = set()
        """Frames that no format reads, without their digits."""
        self.idle: dict[bytes, Conditions] = {}
        """Texts without their digits that no format reads while none of these conditions holds."""
        self._lively: set[bytes] = set()
        """Texts without their digits of which some are read."""
        self._once: set[bytes] = set()

    def note_dull(self, shape: bytes) -> None:
        """A frame was read by no format; one of prose never comes again."""
        if shape in self._once:
            self.dull.add(shape)
        else:
            if len(self._once) >= MOST:
                self._once.clear()
            self._once.add(shape)

    def note_idle(self, shape: bytes, text: str, raw: bytes, conditions: Conditions) -> None:
        """A text was read by no format, but others of its shape may be: only those just like it never are."""
        self._lively.add(shape)
        self.texts.learn(shape_of(raw), text, raw, lambda _: Scan(_pass, conditions, (), ()))

    def is_lively(self, shape: bytes) -> bool:
        """Whether some texts of this shape may be read."""
        return shape in self._lively

    def forget(self) -> None:
        """Know nothing any more."""
        self._lively.clear()
        self.frames.forget()
        self.texts.forget()
        self.dull.clear()
        self.idle.clear()

    def make_room(self) -> None:
        """Forget all when more is known than there is room for."""
        known = len(self.frames) + len(self.texts) + len(self.dull) + len(self.idle) + len(self._lively)
        if known >= MOST:
            self.forget()
