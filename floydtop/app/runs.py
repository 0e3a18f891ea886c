"""Several runs as one session: each of their series under its own name and the run's letter."""

from __future__ import annotations

import copy
import string
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from floydtop.app.panels import PanelSpec, importance, system_panels
from floydtop.app.source import Source
from floydtop.events import Present
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session

AnySeries = TypeVar("AnySeries", Series, SystemSeries)

LETTERS = string.ascii_uppercase


@dataclass
class Run:
    """One of the runs that are compared."""

    letter: str
    name: str
    source: Source
    shown: bool = True

    @property
    def session(self) -> Session:
        """The run's own session."""
        return self.source.session


class Comparison:
    """A source over several: time counts from each run's own start.

    Attributes:
        highlighted: the place of the run that stands out, None for all alike.
    """

    def __init__(self, runs: Sequence[tuple[str, Source]]) -> None:
        self.runs = [Run(LETTERS[index % 26], name, source) for index, (name, source) in enumerate(runs)]
        self.highlighted: int | None = None
        self.trace: Sequence[Present] = ()
        self.session = Session()
        self._merged: dict[str, tuple[Series | SystemSeries, int, float, int]] = {}
        """Of each series that was taken in: which, in which edition, from which start, how many points."""
        self._merge()

    @property
    def live(self) -> bool:
        """Whether more may come of any run."""
        return any(run.source.live for run in self.runs)

    @property
    def behind(self) -> bool:
        """Whether more can be had at once."""
        return any(run.source.behind for run in self.runs)

    @property
    def grows(self) -> bool:
        """Whether it is worth asking again."""
        return any(run.source.grows for run in self.runs)

    def poll(self) -> bool:
        """Take in what is new of all runs."""
        changed = [run.source.poll() for run in self.runs]
        if any(changed):
            self._merge()
        return any(changed)

    def _merge(self) -> None:
        merged = self.session
        for run in self.runs:
            session = run.session
            self._take(session.metrics, merged.metrics, run.letter, session.origin)
            self._take(session.system, merged.system, run.letter, session.origin)
        merged.applied = sum(run.session.applied for run in self.runs)
        self._fit_time()
        first = self.runs[0].session
        merged.header, merged.state = first.header, first.state
        if all(run.session.finished for run in self.runs):
            merged.end = first.end

    def _take(
        self, series: dict[str, AnySeries], merged: dict[str, AnySeries], run: str, origin: float
    ) -> None:
        """Take in what is new of a run's series."""
        for name, one in series.items():
            key = f"{name} {run}"
            # What was made of it shares its columns, so it cannot tell how many points it had then.
            state = (one, one.edition, origin, len(one))
            before = self._merged.get(key)
            if before == state:
                continue
            grew = before is not None and before[:3] == state[:3]
            merged[key] = _of_run(one, run, origin, merged[key].times if grew else array("d"))
            self._merged[key] = state

    def toggle(self, place: int) -> None:
        """Hide a run, or show it again; the time axis is as long as those need that are shown."""
        if place < len(self.runs):
            self.runs[place].shown = not self.runs[place].shown
            self._fit_time()

    def _fit_time(self) -> None:
        shown = [run.session for run in self.runs if run.shown] or [run.session for run in self.runs]
        starts = [one.earliest - one.origin for one in shown if one.earliest is not None]
        self.session.earliest = min(starts, default=None)
        self.session.now = max(one.now - one.origin for one in shown)

    def panels(self) -> tuple[list[PanelSpec], list[PanelSpec]]:
        """A panel for each metric that any run has, and for each system metric."""
        names = {name: series.group for run in self.runs for name, series in run.session.metrics.items()}
        training = [
            self._spec(PanelSpec(name, name, (name,), "timing" if group == "timing" else "training"))
            for name, group in names.items()
        ]
        system = {
            spec.key: self._spec(replace(spec, names=spec.names[:1]))
            for run in self.runs
            for spec in system_panels(run.session)
        }
        return sorted(filter(_drawn, training), key=importance), list(filter(_drawn, system.values()))

    def _spec(self, spec: PanelSpec) -> PanelSpec:
        """A panel of one metric as one of all runs that have it and are shown."""
        name = spec.names[0]
        found = [
            (place, run)
            for place, run in enumerate(self.runs)
            if run.shown and (name in run.session.metrics or name in run.session.system)
        ]
        others = {i for i, (place, _) in enumerate(found) if self.highlighted not in (None, place)}
        return replace(
            spec,
            names=tuple(f"{name} {run.letter}" for _, run in found),
            marks=tuple(run.letter for _, run in found),
            colors=tuple(place for place, _ in found),
            dimmed=frozenset(others),
        )


def _drawn(spec: PanelSpec) -> bool:
    return bool(spec.names)


def _of_run(series: AnySeries, run: str, origin: float, times: array[float]) -> AnySeries:
    """A series under its run's name, its time from the run's start on; `times` are those known so far."""
    own = copy.copy(series)
    own.name, own.run = f"{series.name} {run}", run
    if origin:
        times.extend(t - origin for t in series.times[len(times) :])
        own.times = times
    return own


def differing_words(commands: Sequence[Sequence[str]]) -> list[list[str]]:
    """Of each command line, the words that not all of them have; options keep their values (--lr 0.1)."""
    pairs = [_options(command) for command in commands]
    common = set(pairs[0]).intersection(*pairs[1:]) if pairs else set()
    return [[" ".join(pair).strip() for pair in own if pair not in common] for own in pairs]


def _options(command: Sequence[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    words = list(command)
    while words:
        word = words.pop(0)
        takes_value = word.startswith("-") and "=" not in word and words and not words[0].startswith("--")
        found.append((word, words.pop(0) if takes_value else ""))
    return found
