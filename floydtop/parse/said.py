"""What one message says: its names with their numbers, and its place on the x-axes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Pair:
    """A name and its number as printed."""

    name: str
    value: float
    connected: bool
    """The name was bound to the number by a colon or an equals sign."""
    at: int = -1
    """Where in the message the number stands; -1 when it is not printed as such (a quotient)."""
    section: str = ""
    """train, val, test, eval, dev: which part of the data the text before the name speaks of."""


@dataclass
class Pairs:
    """All that one message says: its values and its place on the x-axes."""

    pairs: list[Pair] = field(default_factory=list)
    step: float | None = None
    steps: float | None = None
    epoch: float | None = None
    epochs: float | None = None
    at: dict[str, int] = field(default_factory=dict)
    """Where step, steps, epoch and epochs stand."""
    rank: int = 0
    section: str = ""
    loose: int = 0
    """Numbers that no name could be found for."""
    passing: bool = False
    """The step is that of a pass over data that is not trained on: mmengine's `Iter(val) [200/200]`."""
    leftover: str = ""
    """Text after the last number."""

    @property
    def placed(self) -> bool:
        return self.step is not None or self.epoch is not None
