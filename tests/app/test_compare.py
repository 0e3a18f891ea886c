"""Several runs laid over each other."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.runs import Comparison
from floydtop.app.source import Still
from floydtop.app.widgets.runs_table import RunsTable
from floydtop.events import Event, Job, Metrics
from floydtop.session.session import Session
from tests.app.stage import LARGE, Stage, ending, live, opening, running, sample, training


def run(rate: float, steps: int = 20) -> Still:
    events: list[Event] = [
        *opening(job=Job(pid=1, start=1, command=["python", "train.py", "--lr", str(rate)], t=0.0)),
        *(
            Metrics(
                values={"loss": 1 / (1 + rate * step), "acc": 1 - 1 / (1 + rate * step)}, t=step, step=step
            )
            for step in range(1, steps + 1)
        ),
        sample(float(steps)),
        *ending(steps + 1.0),
    ]
    session = Session()
    session.apply_all(events)
    return Still(session)


@asynccontextmanager
async def comparing(*rates: float) -> AsyncIterator[Stage]:
    runs = Comparison([(f"run-{rate:g}", run(rate)) for rate in rates])
    async with running(FloydtopApp(runs), LARGE) as stage:
        yield stage


async def test_each_chart_holds_all_runs_by_letters() -> None:
    async with comparing(0.1, 0.5, 2.0) as stage:
        text = await stage.see("─ loss ─", "─ acc ─", "3 runs")
        assert re.search(r"A 0\.3333 +B 0\.0909 +C 0\.0244", text)


async def test_the_table_tells_final_and_best_values_and_what_differs() -> None:
    async with comparing(0.1, 2.0) as stage:
        await stage.see("run-0.1", "run-2")
        table = stage.words("RunsTable")
        assert "0.3333 best 0.3333" in table
        assert "--lr 0.1" in table
        assert "--lr 2.0" in table
        assert "train.py" not in table


async def test_digits_hide_and_show_runs() -> None:
    async with comparing(0.1, 0.5, 2.0) as stage:
        text = await stage.press("2")
        assert re.search(r"A 0\.3333 +C 0\.0244", text)
        assert "run-0.5" in text
        text = await stage.press("2")
        assert "B 0.0909" in text
        await stage.press("1", "2", "3")
        assert "─ loss ─" not in stage.text()
        await stage.press("9", "1")
        assert "A 0.3333" in stage.text()


async def test_h_lets_one_run_stand_out_after_another() -> None:
    async with comparing(0.1, 0.5) as stage:
        highlighted = []
        for _ in range(3):
            await stage.press("h")
            highlighted.append(stage.app.screen.comparison.highlighted)
        assert highlighted == [0, 1, None]


async def test_the_large_chart_names_all_runs() -> None:
    async with comparing(0.1, 0.5) as stage:
        text = await stage.press("enter")
        assert "loss A" in text
        assert "loss B" in text


async def test_the_table_goes_and_comes_back() -> None:
    async with comparing(0.1, 0.5) as stage:
        assert stage.app.screen.query_one(RunsTable).display
        await stage.press("l", "l")
        assert not stage.app.screen.query_one(RunsTable).display
        await stage.press("l")
        assert "run-0.5" in stage.text()


async def test_runs_are_compared_on_steps_too() -> None:
    async with comparing(0.1, 0.5) as stage:
        text = await stage.press("x")
        assert "x: step" in text
        assert "B 0.0909" in text


async def test_the_time_axis_is_as_long_as_the_runs_that_are_shown() -> None:
    runs = Comparison([("short", run(0.1, 60)), ("long", run(0.1, 3000))])
    async with running(FloydtopApp(runs)) as stage:
        assert re.search(r"\b(?:20|45)m\b", stage.text())
        assert not re.search(r"\b(?:20|45)m\b", await stage.press("2"))
        assert re.search(r"\b(?:20|45)m\b", await stage.press("2"))


def test_runs_whose_points_are_thinned_meanwhile_are_drawn_as_they_are_then() -> None:
    session = Session(most_points=200)
    comparison = Comparison([("a", Still(session)), ("b", Still(Session()))])
    for step in range(0, 2_000, 100):
        session.apply_all(
            [Metrics(values={"loss": float(n)}, step=n) for n in range(step, step + 100)],
        )
        comparison._merge()
        assert list(comparison.session.metrics["loss A"].values) == list(session.metrics["loss"].values)
        assert comparison.session.metrics["loss A"].count == step + 100


@pytest.mark.parametrize("start", [0.0, -5.0])
async def test_a_run_that_goes_on_goes_on_in_its_charts(tmp_path: Path, start: float) -> None:
    """Its points come on the screen as they come in, also where its clock began after the job."""
    job = Job(pid=1, start=1, command=["python", "train.py"], t=start)
    with live(tmp_path, [*opening(job=job), *training(10)]) as (feed, writer):
        runs = Comparison([("goes on", feed), ("done", run(0.5))])
        async with running(FloydtopApp(runs), LARGE) as stage:
            await stage.see("─ loss ─", "A 0.2")
            writer.append(training(40)[20:], now=0.0)
            await stage.see("A 0.05")
            for name, series in (runs.session.metrics | runs.session.system).items():
                assert len(series.times) == len(series), name
            # Largest at the first step: 1 s after the recording began.
            await stage.press("tab", "enter")
            await stage.see("6s" if start else "1s", " 0.05 ")
