"""The dashboard over recorded and live sessions, at the sizes of real terminals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.widgets.canvas import Canvas
from floydtop.app.widgets.panel import Panel
from floydtop.events import (
    Column,
    End,
    Exit,
    History,
    JobState,
    Metrics,
    OutputLine,
    Position,
    Present,
    Sample,
)
from floydtop.session.writer import write_present
from tests.app.stage import (
    LARGE,
    MEDIUM,
    SMALL,
    ending,
    header,
    malformed,
    opening,
    replaying,
    running,
    sample,
    training,
    watching,
    whole,
    write,
)

LOSSES = re.compile(r"● 0\.0333  ○ val 0\.0417")


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE])
async def test_loss_and_val_loss_share_one_panel_with_a_legend(tmp_path: Path, size: tuple[int, int]) -> None:
    async with replaying(tmp_path, whole(), size) as stage:
        text = await stage.see("─ loss ─", "─ accuracy ─", "0.9836")
        assert LOSSES.search(text)
        assert "─ val_loss" not in text
        assert "✓ exited 0" in text
        assert " train.py " in text
        assert "CPU █" in text
        assert "MEM █" in text
        assert "GPU0 █" in text
        assert ("25.0 GiB/80.0 GiB" if size != SMALL else "25.0 GiB") in text
        assert len(stage.rows()) == size[1]


@pytest.mark.parametrize(("size", "shown"), [(SMALL, False), (MEDIUM, True), (LARGE, True)])
async def test_the_output_is_shown_where_there_is_room(
    tmp_path: Path, size: tuple[int, int], shown: bool
) -> None:
    async with replaying(tmp_path, whole(), size) as stage:
        assert ("step 60 loss: 0.0333" in stage.text()) is shown


async def test_system_charts_stand_beside_the_others_where_there_is_room(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), LARGE) as stage:
        await stage.see("─ GPU 0 ─", "─ GPU 0 memory ─", "─ CPU ─", "─ memory ─")
        text = await stage.press("d")
        assert "─ GPU 0 ─" not in text
        assert "─ GPU 0 ─" in await stage.press("d")


async def test_a_live_session_shows_what_comes(tmp_path: Path) -> None:
    async with watching(tmp_path, opening()) as (stage, writer):
        await stage.see("● running", "● recording", "Waiting for the first line")
        writer.append(
            [
                OutputLine(text="step 1 loss: 0.625", line=1, t=1.0),
                Metrics(values={"loss": 0.625}, t=1.0, line=1),
            ],
            now=1.0,
        )
        await stage.see("─ loss ─", "● 0.625", "step 1 loss: 0.625")


async def test_the_present_reading_moves_the_gauges(tmp_path: Path) -> None:
    async with watching(tmp_path, opening()) as (stage, writer):
        await stage.see("● recording")
        write_present(writer.path, Present(t=3.0, values={"cpu.percent": 73.0, "cpu.cores": 2.9}))
        await stage.see("73% 2.9/4 cores")
        write_present(
            writer.path, Present(t=5.0, values={"cpu.percent": 12.0}, unknown={"memory.percent": "hidepid"})
        )
        await stage.see("12%", "MEM n/a hidepid")


@pytest.mark.parametrize(
    ("exit_", "words"),
    [
        (Exit(code=0), "✓ exited 0"),
        (Exit(code=3), "✗ exited 3"),
        (Exit(signal="SIGKILL"), "✗ killed by SIGKILL"),
        (Exit(signal="SIGKILL", oom=True), "✗ killed by SIGKILL: out of memory"),
        (Exit(how="its parent is not ours"), "■ ended, exit code unknown"),
        (None, "■ ended, exit code unknown"),
    ],
)
async def test_an_ending_is_told_and_an_unknown_one_is_no_success(
    tmp_path: Path, exit_: Exit | None, words: str
) -> None:
    async with watching(tmp_path, [*opening(), *training(10)]) as (stage, writer):
        await stage.see("● running")
        writer.append([JobState(t=11.0, state="exited", exit=exit_)], now=11.0)
        text = await stage.see(words)
        assert words.startswith("✓") or "✓" not in text


async def test_values_that_are_no_numbers_are_marked_and_counted(tmp_path: Path) -> None:
    bad = [
        Metrics(values={"loss": value}, t=20.0 + index, step=20 + index)
        for index, value in enumerate((float("nan"), float("inf"), float("-inf"), 0.5))
    ]
    async with replaying(tmp_path, [*opening(), *training(19), *bad, *ending(30.0)]) as stage:
        text = await stage.see("3 NaN/inf")
        assert "×" in text
        assert "● 0.5" in text
        assert "3 NaN/inf" in await stage.press("enter")


async def test_a_thousand_metrics_fill_pages(tmp_path: Path) -> None:
    many = Metrics(values={f"layer{n}/norm": float(n) for n in range(1000)}, t=1.0, step=1)
    async with replaying(tmp_path, [*opening(), many, *ending()], LARGE) as stage:
        await stage.see("norm")
        pages = re.search(r"page 1/(\d+)", stage.text())
        assert pages is not None
        assert int(pages[1]) > 50
        first = stage.text()
        await stage.press("n")
        second = await stage.see(f"page 2/{pages[1]}")
        assert set(re.findall(r"─ (layer\d+)", first)).isdisjoint(re.findall(r"─ (layer\d+)", second))
        await stage.press("p")
        await stage.see(f"page 1/{pages[1]}")


async def test_metrics_beyond_the_most_that_are_kept_are_told(tmp_path: Path) -> None:
    flood = [
        Metrics(values={f"m{n}": 1.0 for n in range(start, start + 1000)}, t=1.0, step=1)
        for start in range(0, 3000, 1000)
    ]
    async with replaying(tmp_path, [*opening(), *flood, *ending()], LARGE) as stage:
        assert len(stage.app.screen.source.session.metrics) <= 1010
        await stage.see("2000 further metrics not kept")


async def test_a_hundred_thousand_points_keep_one_spike_in_view(tmp_path: Path) -> None:
    points = [
        Metrics(values={"loss": 100.0 if n == 43_210 else 1.0}, t=n / 100, step=n) for n in range(100_000)
    ]
    async with replaying(tmp_path, [*opening(), *points, *ending(1001.0)], SMALL) as stage:
        text = await stage.see("min 1  max 100")
        highest = next(row for row in text.splitlines() if re.search(r"│ +\d+ .*[⠁-⣿]", row))
        assert "100 " in highest


async def test_a_session_of_system_metrics_alone_shows_them(tmp_path: Path) -> None:
    samples = [sample(float(t)) for t in range(0, 60, 10)]
    async with replaying(tmp_path, [*opening(log=None), *samples, *ending()]) as stage:
        await stage.see("─ GPU 0 ─", "─ CPU ─", "─ disk I/O ─")
        assert "x-axis" not in stage.text()
        for key in ("x", "X", "enter", "escape", "s", "y", "z", "0", "Y", "g", "G"):
            await stage.press(key)


async def test_an_empty_session_waits(tmp_path: Path) -> None:
    async with running(FloydtopApp(Feed(write(tmp_path, [header()])))) as stage:
        await stage.see("○ starting", "Waiting for the first line")
        for key in ("x", "X", "enter", "tab", "Y", "g", "G", "n", "p", "l", "l", "l", "s", "y", "comma", "z"):
            await stage.press(key)
        assert stage.app.is_running


async def test_a_session_without_a_header_is_shown_too(tmp_path: Path) -> None:
    async with replaying(tmp_path, training(5)) as stage:
        await stage.see("─ loss ─", "●")


async def test_a_log_that_tells_no_times_is_drawn_over_its_steps(tmp_path: Path) -> None:
    async with replaying(tmp_path, [*opening(), *training(timed=False), *ending()]) as stage:
        await stage.see("x: step", "─ loss ─")
        assert "the log tells no times: x for steps" in await stage.press("x")


async def test_malformed_lines_are_counted_in_the_title(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.see("2 unreadable metric lines (m)")


async def test_a_finished_session_stops_its_timers(tmp_path: Path) -> None:
    app = FloydtopApp(Feed(write(tmp_path, whole())))
    async with running(app) as stage:
        await stage.see("✓ exited 0")
        screen = app.screen

        def ticking(_: str) -> bool:
            return any(timer._task is not None and timer._active.is_set() for timer in screen._timers)

        await stage.until(lambda text: not ticking(text))


async def test_nothing_is_sent_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching(tmp_path, [*opening(), *training()]) as (stage, writer):
        await stage.see("─ loss ─", "step 60")
        await stage.pilot.pause(0.6)
        refreshed: list[Canvas] = []
        plain = Canvas.refresh
        monkeypatch.setattr(
            Canvas, "refresh", lambda self, *a, **k: (refreshed.append(self), plain(self, *a, **k))[1]
        )
        screen = stage.app.screen
        screen.redraw()
        for _ in range(3):
            screen.tick()
        assert refreshed == []
        writer.append([Metrics(values={"loss": 0.01}, t=61.0, step=61)], now=61.0)
        await stage.until(lambda _: any(isinstance(one, Panel) for one in refreshed))


async def test_only_the_cells_that_changed_are_refreshed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(tmp_path, [*opening(), *training()]) as (stage, writer):
        await stage.see("─ loss ─", "step 60")
        await stage.pilot.pause(0.6)
        cells: list[int] = []
        plain = Canvas.refresh

        def count(self: Canvas, *regions: object, **known: object) -> object:
            cells.append(sum(region.area for region in regions) if regions else self.size.area)
            return plain(self, *regions, **known)

        monkeypatch.setattr(Canvas, "refresh", count)
        writer.append([Metrics(values={"loss": 0.5}, t=60.5, step=61)], now=60.5)
        await stage.see("● 0.5 ")
        columns, rows = MEDIUM
        assert 0 < sum(cells) < columns * rows / 3


async def test_the_system_on_the_step_axis_says_why_where_there_are_no_steps(tmp_path: Path) -> None:
    async with replaying(tmp_path, [*opening(), *training(stepped=False), *ending()]) as stage:
        text = await stage.press("x")
        assert "printed without steps: x for time" in text
        assert "no step to set it against" in text
        assert "no step to set it against" not in await stage.press("x")


async def test_the_system_is_drawn_over_the_steps_of_the_job(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), LARGE) as stage:
        text = await stage.press("x")
        assert "x: step" in text
        assert "no step" not in text
        cpu = next(
            panel for panel in stage.app.screen.query(Panel) if panel.spec and panel.spec.title == "CPU"
        )
        assert re.search("[⠁-⣿]", "".join(run.text for row in cpu._shown for run in row))


async def test_a_gap_and_a_lost_recorder_do_not_stop_the_screen(tmp_path: Path) -> None:
    async with watching(tmp_path, [*opening(), *training(10)]) as (stage, writer):
        await stage.see("● recording")
        writer.close()
        await stage.see("recorder gone")
        writer.__init__(writer.path)
        writer.append([End(t=12.0, why="stopped")], now=12.0)
        await stage.see("recorded")


async def test_malformed_lines_alone_do_not_hide_the_output(tmp_path: Path) -> None:
    async with replaying(tmp_path, [*opening(), *malformed(), *ending()]) as stage:
        await stage.see("unreadable metric lines")


async def test_a_present_reading_that_is_not_finite_is_drawn(tmp_path: Path) -> None:
    low = Sample(t=1.0, values={"cpu.percent": (0.0, 0.0, 0.0), "memory.bytes": (0.0, 0.0, 0.0)})
    async with replaying(tmp_path, [*opening(), low, *ending()], LARGE) as stage:
        await stage.see("CPU ░", "0%")


async def test_all_of_eight_gpus_have_a_gauge_on_every_terminal(tmp_path: Path) -> None:
    busy = {f"gpu.{index}.utilization": 10.0 * index for index in range(8)}
    memory = {f"gpu.{index}.memory_bytes": 2.0**33 for index in range(8)}
    readings = {"cpu.percent": 50.0, "memory.percent": 20.0, "disk.percent": 90.0, **busy, **memory}
    tick = Sample(t=1.0, values={name: (value, value, value) for name, value in readings.items()})
    for size in (SMALL, MEDIUM, LARGE):
        async with replaying(tmp_path, [*opening(), *training(5), tick], size) as stage:
            gauges = stage.words("#gauges")
            for index in range(8):
                assert re.search(rf"GPU{index} [^G]*\b{10 * index}%", gauges)
            assert re.search(r"DISK .*90%", gauges)
            assert len(gauges.split("\n")) <= 2


async def test_small_values_are_told_with_four_digits(tmp_path: Path) -> None:
    rates = [Metrics(values={"lr": 3e-4 - step * 1e-6}, t=float(step), step=step) for step in range(1, 6)]
    async with replaying(tmp_path, [*opening(), *rates]) as stage:
        await stage.see("● 2.95e-4", "max 2.99e-4")


def stretch(first: int, *, sampled: bool) -> History:
    """A hundred points of a log from before the recording, a line of 10 bytes each."""
    values: list[float | None] = [1 / (first + place + 1) for place in range(100)]
    times: list[float | None] = [float(first + place - 200) for place in range(100)]
    lines = [first + place - 200 for place in range(100)]
    column = Column(values=values, times=times, lines=lines)
    start = first * 10
    return History(start=start, stop=start + 1000, columns={"loss": column}, lines=100, sampled=sampled)


async def test_points_that_are_samples_are_told_until_all_of_the_log_was_read(tmp_path: Path) -> None:
    begun = Position(t=0.0, offset=2000, begun=2000, back=2000)
    async with watching(tmp_path, [*opening(), begun, stretch(0, sampled=True), *training(5)], SMALL) as (
        stage,
        writer,
    ):
        await stage.see("0% of the log read", "sampled")
        await stage.press("enter")
        await stage.see("older points are samples")
        await stage.press("escape")
        writer.append([stretch(100, sampled=False), stretch(0, sampled=False)], now=6.0)
        await stage.until(lambda text: "sampled" not in text)
