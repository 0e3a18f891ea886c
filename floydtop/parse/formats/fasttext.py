"""fastText: `Progress:  50.1% words/sec/thread:   50000 lr:  0.049900 avg.loss:  10.012345 ETA: ...`."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State
from floydtop.parse.scan import Point, Scan, found, series

_PROGRESS = re.compile(
    rf"\s{{0,4}}Progress:(?P<a>\s{{1,4}})(?P<percent>[\d.]{{1,6}})%\s{{1,4}}words/sec/thread:(?P<b>\s{{1,12}})(?P<speed>\d{{1,12}})"
    rf"\s{{1,4}}lr:(?P<c>\s{{1,4}})(?P<rate>{NUMBER})\s{{1,4}}(?:avg\.)?loss:(?P<d>\s{{1,4}})(?P<loss>{NUMBER})\s"
)
_GAPS = (("a", rb"\s{1,4}+"), ("b", rb"\s{1,12}+"), ("c", rb"\s{1,4}+"), ("d", rb"\s{1,4}+"))
_NUMBERS = ("percent", "loss", "speed", "rate")
_SERIES = series(("avg.loss", "words/sec/thread", "lr"))


def scan(text: str) -> Scan | None:
    """The percentage, the loss, the speed and the learning rate."""
    progress = _PROGRESS.match(text)
    if progress is None:
        return None
    loose = [(*progress.span(name), what) for name, what in _GAPS]
    return Scan(
        _take,
        None,
        tuple(float(progress[name]) for name in _NUMBERS),
        tuple(progress.start(name) for name in _NUMBERS),
        (*loose, (progress.end(), len(text), rb".*")),
    )


def _take(state: State, look: None, numbers: tuple[float, ...]) -> Point | None:
    """Only the end of the progress is a result: fastText tells no step, only a percentage."""
    if numbers[0] < 100 and not state.live:
        state.why = "the progress goes on"
        return None
    return _SERIES, numbers[1:], None, None


def read(text: str, state: State) -> list[Found] | None:
    """The loss at the end of the progress."""
    one = scan(text)
    return None if one is None else found(one.point(state))


FORMAT = Format(
    name="fasttext",
    about="fastText: 'Progress: 100.0% words/sec/thread: 50000 lr: 0.0499 avg.loss: 10.01 ETA: ...'",
    read=read,
    scan=scan,
    needles=("words/sec/thread",),
    order=39,
)
