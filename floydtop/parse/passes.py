"""Passes of a bar over its data: which of the values that it shows are news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, itemgetter

MOST_BARS = 64
_VALIDATION = frozenset(["val", "valid", "validation", "test", "eval", "dev"])

WORTH = 3
"""Frames of a pass after which it is worth to find out what the next ones will have to tell."""


class Bar:
    """One pass of a bar: what it showed at its start is left from the pass before and no news."""

    __slots__ = (
        "_carried",
        "blank",
        "carried_names",
        "carried_values",
        "epoch",
        "given",
        "n",
        "names",
        "split",
        "told",
        "turns",
        "values",
    )

    def __init__(self, epoch: float | None, names: tuple[str, ...], values: tuple[float, ...]) -> None:
        """Begin a pass; names and values are what is left from the one before."""
        self.epoch = epoch
        self.carried_names = names
        self.carried_values = values
        self._carried: dict[str, float] | None = None
        self.n = self.given = 0.0
        self.blank = False
        """It was shown without values."""
        self.names: tuple[str, ...] = ()
        self.values: tuple[float, ...] = ()
        """What it shows by those names."""
        self.told: dict[str, float] = {}
        """What was news of this pass."""
        self.turns = 0
        """How often it was asked for news."""
        self.split: _Split | None = None
        """Which of the values are news when they come again as they did the last time."""

    @property
    def carried(self) -> dict[str, float]:
        if self._carried is None:
            self._carried = dict(zip(self.carried_names, self.carried_values, strict=True))
        return self._carried

    @property
    def shown(self) -> dict[str, float]:
        return dict(zip(self.names, self.values, strict=True))

    def carries(self, names: tuple[str, ...], values: tuple[float, ...]) -> bool:
        """Whether values are still those of the pass before, and nothing was told of this one."""
        return (
            not self.told
            and values == self.carried_values
            and names == self.carried_names
            and all(map(eq, values, values))
        )

    def splits(self, names: tuple[str, ...]) -> _Split | None:
        """What is known of values before they come, which is worth finding out for a long pass."""
        if self.turns < WORTH or not self.told:
            return None
        self.settle()
        self.split = _split(self, names)
        return self.split

    def settle(self) -> None:
        if self.split is not None:
            self.told |= zip(self.split.told, self.split.latest, strict=True)
            self.split = None


@dataclass(slots=True)
class _Split:
    """Values of a bar by what is known of their names: told of this pass, or still as they were before it."""

    names: tuple[str, ...]
    told: tuple[str, ...]
    latest: tuple[float, ...]
    """The values that were told last."""
    pick: Callable[[tuple[float, ...]], tuple[float, ...]] | None
    """Takes those of `told` out of the values of `names`; None: they are all."""
    rest: Callable[[tuple[float, ...]], tuple[float, ...]] | None
    carried: tuple[float | None, ...]
    """What the rest shows since the pass before."""

    def fits(self, names: tuple[str, ...], values: tuple[float, ...]) -> bool:
        """Whether just the values of `told` are news."""
        return self.names == names and (self.rest is None or self.rest(values) == self.carried)


def advance(bars: dict[str, Bar], name: str, epoch: float | None, n: float, values: dict[str, float]) -> Bar:
    """The bar of a name, as far as it has come now."""
    bar = bars.get(name)
    names, row = tuple(values), tuple(values.values())
    if bar is None or epoch != bar.epoch or n < bar.n:
        bar = begin(bars, name, epoch, n, names, row)
    bar.n, bar.names, bar.values = n, names, row
    return bar


def begin(
    bars: dict[str, Bar],
    name: str,
    epoch: float | None,
    n: float,
    names: tuple[str, ...],
    values: tuple[float, ...],
) -> Bar:
    """A new pass of a bar."""
    bar = bars.get(name)
    if len(bars) >= MOST_BARS:
        bars.clear()
    if n != 0:
        names, values = (bar.names, bar.values) if bar else ((), ())
    bar = bars[name] = Bar(epoch, names, values)
    return bar


def news(bar: Bar, values: dict[str, float], n: float, total: float | None, live: bool) -> dict[str, float]:
    """The values of this pass that count: Lightning shows the last epoch's until it has new ones."""
    if n == 0:
        return {}
    bar.settle()
    bar.turns += 1
    told, carried = bar.told, bar.carried
    own = {
        name: value
        for name, value in values.items()
        if name in told or carried.get(name) != value or value != value
    }
    if n <= bar.given and not live:
        if n != total:
            return {}
        own = {name: value for name, value in own.items() if told.get(name) != value}
        own |= _confirmed(bar, values, own)
    elif carried:
        validated = {name: value for name, value in own.items() if _part(name) in _VALIDATION}
        own |= _confirmed(bar, values, validated) if validated else {}
    bar.given = n if values else bar.given
    told |= own
    return own


def _split(bar: Bar, names: tuple[str, ...]) -> _Split | None:
    """What there is to know of a bar's values before they come again."""
    own = [index for index, name in enumerate(names) if name in bar.told]
    others = [index for index, name in enumerate(names) if name not in bar.told]
    if not own:
        return None
    pick = _picker(own)
    carried = (bar.carried.get(names[index]) for index in others)
    return _Split(
        names,
        tuple(names[index] for index in own),
        tuple(bar.told[names[index]] for index in own),
        pick if others else None,
        _picker(others) if others else None,
        # What is no number is always news.
        tuple(None if value != value else value for value in carried),
    )


def _picker(indexes: list[int]) -> Callable[[tuple[float, ...]], tuple[float, ...]]:
    if len(indexes) == 1:
        # A slice of one is a tuple, an item is not.
        return itemgetter(slice(indexes[0], indexes[0] + 1))
    return itemgetter(*indexes)


def _confirmed(bar: Bar, values: dict[str, float], own: dict[str, float]) -> dict[str, float]:
    """Values that are equal to the last epoch's and yet of this one.

    They come with others of the same part of the data (`val_loss` beside `val_acc`) that were the last
    epoch's until now: validation has just given both. A part that is measured while the bar goes on gives
    its values together only at the end.
    """
    parts = {_part(name) for name in own if name in bar.carried and name not in bar.told}
    return {name: value for name, value in values.items() if _part(name) in parts and name not in bar.told}


def _part(name: str) -> str:
    return name.replace("/", "_").partition("_")[0]
