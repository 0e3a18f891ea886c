"""What somebody sees who has just started floydtop on a job that has just begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.abscissa import Abscissa
from floydtop.app.panels import training_panels
from floydtop.app.view import View
from floydtop.app.widgets.key_bar import KeyBar
from floydtop.events import Event, Metrics, Present
from floydtop.session.session import Session
from tests.app.stage import MEDIUM, SMALL, Stage, ending, live, opening, replaying, running, training, whole


def session(*times: float, now: float) -> Session:
    """A session with points at these times."""
    made = Session()
    for t in times:
        made.apply(Metrics(values={"loss": 1.0}, t=t))
    made.now = now
    return made


def test_metrics_that_flow_get_a_short_axis_that_doubles() -> None:
    abscissa = Abscissa()
    spans = [abscissa.young_span(session(float(t), now=float(t)), float(t)) for t in (1, 14, 16, 45, 61, 400)]
    assert spans == [15.0, 15.0, 30.0, 60.0, 120.0, None]


def test_a_job_that_prints_seldom_gets_the_long_axis_once_and_for_all() -> None:
    abscissa = Abscissa()
    assert abscissa.young_span(session(1.0, now=2.0), 2.0) == 15.0
    assert abscissa.young_span(session(1.0, now=7.0), 7.0) == 120.0
    assert abscissa.young_span(session(1.0, 8.0, now=8.0), 8.0) == 120.0


def test_before_the_first_metric_nothing_is_settled() -> None:
    abscissa = Abscissa()
    assert abscissa.young_span(session(now=8.0), 8.0) == 120.0
    assert abscissa.young_span(session(9.0, now=9.0), 9.0) == 15.0


def test_a_slow_link_has_the_long_axis_from_the_start() -> None:
    abscissa = Abscissa()
    abscissa.thrifty = True
    assert abscissa.young_span(session(1.0, now=1.0), 1.0) == 120.0


def test_an_axis_begins_with_the_jobs_start_where_that_is_near() -> None:
    for first, begins in ((4.0, 0.0), (40.0, 40.0)):
        events: list[Event] = [Metrics(values={"loss": 1.0}, t=t) for t in (first, 100.0)]
        made = Session()
        made.apply_all([*opening(), *events])
        spec = training_panels(made)[0]
        assert View(made, [], False).whole_range(spec) == (begins, 100.0)


def keys(stage: Stage) -> str:
    return "".join(run.text for run in stage.app.screen.query_one(KeyBar)._shown[0])


async def test_the_footer_of_a_small_terminal_names_what_is_needed_most(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        for words in ("q Quit", "? Help", "Space Play", "Enter Open", "x/t Time/Step"):
            assert words in keys(stage)
    many = [Metrics(values={f"metric {n}": 1.0 for n in range(40)}, t=t, step=int(t)) for t in (1.0, 2.0)]
    with live(tmp_path, [*opening(), *many]) as (feed, _):
        async with running(FloydtopApp(feed), SMALL) as stage:
            for words in ("q Quit", "? Help", "Enter Open", "PgDn Page", "x/t Time/Step", "s Smooth"):
                assert words in keys(stage)


async def test_a_key_that_turns_pages_is_named_where_there_are_some(tmp_path: Path) -> None:
    with live(tmp_path, [*opening(), *training(3)]) as (feed, writer):
        async with running(FloydtopApp(feed), (200, 50)) as stage:
            assert "Page" not in keys(stage)
            writer.append([Metrics(values={f"metric {n}": 1.0 for n in range(40)}, t=4.0)], now=0.0)
            await stage.see("page 1/")
            assert "PgDn Page" in keys(stage)


async def test_extremes_say_whose_they_are_where_there_are_several_series(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), (200, 50)) as stage:
        text = stage.text()
        assert "● min 0.0333  max 2" in text
        assert "● min 0.5" not in text


@pytest.mark.parametrize("key", ["comma", "full_stop"])
async def test_the_cursor_appears_at_the_newest_point(tmp_path: Path, key: str) -> None:
    with live(tmp_path, [*opening(), *training(8)]) as (feed, _):
        async with running(FloydtopApp(feed), MEDIUM) as stage:
            await stage.see("─ loss ─")
            assert "s  ● 0.25  " in await stage.press(key)


async def test_an_axis_without_a_single_number_invents_none(tmp_path: Path) -> None:
    bad = [Metrics(values={"loss": float("nan")}, t=float(t)) for t in range(5)]
    async with replaying(tmp_path, [*opening(), *bad], MEDIUM) as stage:
        for text in (await stage.see("5 NaN/inf"), await stage.press("enter")):
            assert "0.5" not in text
            assert "1.0" not in text


async def test_a_recording_without_output_waits_for_none(tmp_path: Path) -> None:
    async with replaying(tmp_path, [*opening(), *ending()], MEDIUM) as stage:
        await stage.see("The recording holds no line of the output.")


async def test_a_logarithmic_axis_is_for_metrics_and_not_for_the_system(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), (200, 50)) as stage:
        text = await stage.press("y")
        assert "100%" in text
        assert "0%" in text
        assert "≤ 0" not in text


def test_a_value_that_is_recorded_is_not_running_any_more() -> None:
    """Python without buffers writes a line's end a moment after the line: it was seen between the two."""
    made = Session()
    made.apply(Metrics(values={"loss": 0.5}, t=3.0, step=3))
    spec = training_panels(made)[0]
    for step, shown in ((3, 0), (4, 1)):
        made.present = Present(t=3.0, metrics=[Metrics(values={"loss": 0.5}, step=step)])
        assert len(View(made, [], True).running(spec)) == shown
