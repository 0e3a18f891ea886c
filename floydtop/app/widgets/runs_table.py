"""The table below compared runs: final and best values, and what differs between their command lines."""

from __future__ import annotations

import os

from floydtop.app.axis_labels import number
from floydtop.app.panels import QUALITY, PanelSpec
from floydtop.app.runs import Comparison, differing_words
from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Row, Run
from floydtop.app.widgets.log_view import LogView
from floydtop.app.words import job_state
from floydtop.session.series import Series

CELL = 22
NAME = 26


class RunsTable(LogView):
    """Stands where the output of a single job stands."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(id="log")
        self._comparison = comparison

    def draw(self, view: View, *, hurried: bool = False) -> None:
        """A row for each run; as many metrics as fit, the most important first."""
        palette = self.palette
        self.entitle("runs   1-9 hide and show   h highlights")
        runs = self._comparison.runs
        training, _ = self._comparison.panels()
        columns = max(0, (self.size.width - NAME - 24) // CELL)
        specs = training[:columns]
        heading: Row = [Run(f"  {'':<{NAME}}{'':<20}", palette.dim)]
        heading += [Run(f"{clean(spec.title)[: CELL - 2]:>{CELL}}", palette.dim) for spec in specs]
        rows = [heading]
        commands = [
            run.session.header.job.command if run.session.header and run.session.header.job else []
            for run in runs
        ]
        for place, (run, words) in enumerate(zip(runs, differing_words(commands), strict=True)):
            style = palette.curve(place) if run.shown else palette.faint
            strong = palette.strong if self._comparison.highlighted in (None, place) else palette.dim
            sign, state, _ = job_state(run.session, run.source.live)
            row: Row = [
                Run(f"{run.letter} ", style),
                Run(f"{clean(run.name)[: NAME - 1]:<{NAME}}", strong if run.shown else palette.faint),
                Run(f"{sign} {state}"[:19].ljust(20), palette.dim),
            ]
            row += [Run(f"{self._values(view, spec, run.letter):>{CELL}}", palette.text) for spec in specs]
            rows.append(row)
            if words:
                rows.append([Run(f"    {clean('  '.join(map(_without_folders, words)))}", palette.dim)])
        self.show(rows[: self.size.height])

    def _values(self, view: View, spec: PanelSpec, letter: str) -> str:
        """`0.123 best 0.101`: the last value, and the smallest or largest, whichever is better."""
        series = view.session.metrics.get(f"{spec.title} {letter}")
        if not isinstance(series, Series) or series.minimum > series.maximum:
            return "-"
        best = series.maximum if _more_is_better(spec.title) else series.minimum
        return f"{number(spec, series.last)} best {number(spec, best)}"


def _without_folders(words: str) -> str:
    return " ".join(os.path.basename(word) if word.startswith("/") else word for word in words.split(" "))


def _more_is_better(metric: str) -> bool:
    return QUALITY.search(metric) is not None or "per_second" in metric
