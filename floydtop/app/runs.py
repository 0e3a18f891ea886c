"""Several runs as one session: each of their series under its own name and the run's letter."""

from __future__ import annotations

import copy
import string
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from floydtop.app.panels import PanelSpec, importance, system_panels
from floydtop.app.source import Source
from floydtop.events import Present
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session

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
            for name, series in session.metrics.items():
                key = f"{name} {run.letter}"
                known = merged.metrics.get(key)
                if known is None or _state(known) != _state(series):
                    merged.metrics[key] = _of_run(series, run.letter, session.origin)
            for name, system in session.system.items():
                key = f"{name} {run.letter}"
                ticks = merged.system.get(key)
                if ticks is None or _state(ticks) != _state(system):
                    merged.system[key] = _system_of_run(system, run.letter, session.origin)
        self._fit_time()
        first = self.runs[0].session
        merged.header, merged.state = first.header, first.state
        if all(run.session.finished for run in self.runs):
            merged.end = first.end

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


def _state(series: Series | SystemSeries) -> tuple[int, int]:
    """What is another whenever the series has changed."""
    return len(series), series.edition


def _since(times: array[float], origin: float) -> array[float]:
    return array("d", (t - origin for t in times)) if origin else times


def _of_run(series: Series, letter: str, origin: float) -> Series:
    own = copy.copy(series)
    own.name, own.run = f"{series.name} {letter}", letter
    own.times = _since(series.times, origin)
    return own


def _system_of_run(series: SystemSeries, letter: str, origin: float) -> SystemSeries:
    own = copy.copy(series)
    own.name, own.run = f"{series.name} {letter}", letter
    own.times = _since(series.times, origin)
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
