"""Which frames of a line are read, and points -> events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from floydtop.events import MetricGroup, Metrics
from floydtop.parse.names import is_timing
from floydtop.parse.reading import Found, State


def telling(segments: list[str], state: State) -> Iterator[str]:
    """The frames but the last that have news: one of each count, the last if its values come late."""
    before = ""
    for segment, following in pairwise(segments):
        head = segment[: segment.rfind(" [")]
        if "100%" not in head and "{" not in segment:
            if state.late is False and head == before:
                continue
            if state.late and following.startswith(" [", len(head)) and following.startswith(head):
                continue
        before = head
        state.sole = state.late is True
        yield segment
    state.sole = state.late is True


def grouped(values: dict[str, float]) -> dict[str, float]:
    """The values in the order in which their groups first appear."""
    groups: dict[bool, dict[str, float]] = {}
    for name, value in values.items():
        groups.setdefault(is_timing(name), {})[name] = value
    return {name: value for group in groups.values() for name, value in group.items()}


def metrics(
    found: list[Found], line: int, t: float | None = None, approximate: bool = False
) -> list[Metrics]:
    """Points -> events: one for each group and x-value."""
    merged: dict[tuple[MetricGroup, int | None, float | None], dict[str, float]] = {}
    for one in found:
        for name, value in one.values.items():
            group: MetricGroup = "timing" if is_timing(name) else "training"
            merged.setdefault((group, one.step, one.epoch), {})[name] = value
    return [
        Metrics(values=values, t=t, approximate=approximate, step=step, epoch=epoch, line=line, group=group)
        for (group, step, epoch), values in merged.items()
    ]
