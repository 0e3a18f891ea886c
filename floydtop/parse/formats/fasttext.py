"""fastText: `Progress:  50.1% words/sec/thread:   50000 lr:  0.049900 avg.loss:  10.012345 ETA: ...`."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State

_PROGRESS = re.compile(
    rf"\s{{0,4}}Progress:\s{{1,4}}(?P<percent>[\d.]{{1,6}})%\s{{1,4}}words/sec/thread:\s{{1,12}}(?P<speed>\d{{1,12}})\s{{1,4}}"
    rf"lr:\s{{1,4}}(?P<rate>{NUMBER})\s{{1,4}}(?:avg\.)?loss:\s{{1,4}}(?P<loss>{NUMBER})\s"
)


def read(text: str, state: State) -> list[Found] | None:
    """Only the end of the progress is a result: fastText tells no step, only a percentage."""
    progress = _PROGRESS.match(text)
    if progress is None:
        return None
    if float(progress["percent"]) < 100 and not state.live:
        state.why = "the progress goes on"
        return []
    timing = {"words/sec/thread": float(progress["speed"]), "lr": float(progress["rate"])}
    return [Found({"avg.loss": float(progress["loss"])} | timing)]


FORMAT = Format(
    name="fasttext",
    about="fastText: 'Progress: 100.0% words/sec/thread: 50000 lr: 0.0499 avg.loss: 10.01 ETA: ...'",
    read=read,
    needles=("words/sec/thread",),
    order=39,
)
