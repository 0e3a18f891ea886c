"""What each key does, on the dashboard and in the large chart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.keys import APP, COMPARE, MONITOR, REPLAY, Key, key_name
from floydtop.app.screens.focus import FocusScreen
from floydtop.app.screens.help import HelpScreen
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.widgets.panel import Panel
from floydtop.events import Metrics, OutputLine
from floydtop.session.player import Player
from tests.app.stage import (
    MEDIUM,
    SMALL,
    Stage,
    ending,
    opening,
    replaying,
    running,
    training,
    watching,
    whole,
    write,
)

BRAILLE = re.compile("[⠁-⣿]")


def monitor(stage: Stage) -> MonitorScreen:
    screen = stage.app.screen
    assert isinstance(screen, MonitorScreen)
    return screen


def chart(stage: Stage, title: str) -> str:
    """The rows of the chart with that title."""
    for panel in stage.app.screen.query(Panel):
        if panel.display and panel.spec is not None and panel.spec.title == title:
            return "\n".join("".join(run.text for run in row) for row in panel._shown)
    raise AssertionError(f"no chart {title} is shown")


async def test_x_toggles_time_and_step_for_all_charts(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        assert "30s" in chart(stage, "loss")
        for key in ("x", "t"):
            text = await stage.press(key)
            if key == "x":
                assert "x: step" in text
                assert re.search(r"\b20\b.*\b40\b.*\b60\b", chart(stage, "loss"))
                assert re.search(r"\b20\b.*\b40\b.*\b60\b", chart(stage, "accuracy"))
        assert "x: time" in text
        assert "30s" in chart(stage, "loss")


async def test_capital_x_goes_through_all_axes(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        seen = [re.search(r"x: (\w+)", await stage.press("X"))[1] for _ in range(4)]  # type: ignore[index]
        assert seen == ["clock", "step", "epoch", "time"]


async def test_enter_opens_a_chart_and_escape_closes_it(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        text = await stage.press("enter")
        assert isinstance(stage.app.screen, FocusScreen)
        assert "┌──" in text
        assert "val_loss" in text
        assert re.search(r"● loss +0\.0333 +0\.0333 ", text)
        text = await stage.press("escape")
        assert "┌──" not in text
        assert "─ accuracy ─" in text


async def test_the_large_chart_turns_to_the_next_and_back(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("enter")
        assert "accuracy" in await stage.press("n")
        assert "val_loss" in await stage.press("p")
        assert "accuracy" in await stage.press("right")
        assert "val_loss" in await stage.press("left")


async def test_the_large_chart_follows_the_keys_of_the_charts(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("enter")
        await stage.press("x")
        assert re.search(r" step +$", stage.words("#framed"), re.MULTILINE)
        assert "log scale" in await stage.press("y")
        assert "smoothed 0.6" in await stage.press("s")
        assert " at " in await stage.press("comma", "comma")


async def test_tab_selects_one_chart_after_another(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        titles = []
        for _ in range(3):
            await stage.press("tab")
            assert isinstance(stage.app.focused, Panel)
            assert stage.app.focused.spec is not None
            titles.append(stage.app.focused.spec.title)
        assert titles[:2] == ["loss", "accuracy"]
        await stage.press("shift+tab")
        assert stage.app.focused.spec.title == titles[1]


async def test_the_selected_chart_is_the_one_that_opens(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("tab", "tab")
        assert re.search(r"● accuracy +0\.9836", await stage.press("enter"))


async def test_l_shows_more_of_the_output_then_all_then_none(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        assert "─ output" not in stage.text()
        some = await stage.press("l")
        assert "─ output" in some
        assert "─ loss ─" in some
        all_of_it = await stage.press("l")
        assert all_of_it.count("accuracy:") > some.count("accuracy:")
        assert "─ loss ─" not in all_of_it
        assert "─ output" not in await stage.press("l")


async def test_m_shows_malformed_lines_with_their_reasons(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        text = await stage.press("m")
        assert '902 ✗{"metric": "loss", "value": "high"}   ← the value is no number' in text
        assert "901 ✗" in text
        assert "step 60" not in text
        assert "step 60" in await stage.press("m")


async def test_the_output_scrolls_back_and_stays_while_lines_come(tmp_path: Path) -> None:
    async with watching(tmp_path, [*opening(), *training()]) as (stage, writer):
        await stage.see("step 60 ")
        text = await stage.press("shift+up", "shift+up")
        assert "step 60 " not in text
        assert "lines back" in text
        writer.append([OutputLine(text="step 61 more", line=61, t=61.0)], now=61.0)
        await stage.until(lambda _: monitor(stage).source.session.lines_seen == 61)
        monitor(stage).redraw()
        await stage.settle()
        assert "step 61" not in stage.text()
        assert "step 61 more" in await stage.press(*["shift+down"] * 4)


@pytest.mark.parametrize("size", [SMALL, (200, 60)])
@pytest.mark.parametrize("keys", [MONITOR, REPLAY])
async def test_help_lists_every_key_of_the_table(
    tmp_path: Path, keys: tuple[Key, ...], size: tuple[int, int]
) -> None:
    events = [*opening(), *training(5)]
    path = write(tmp_path, events)
    app = FloydtopApp(Player(path) if keys is REPLAY else Feed(path))
    async with running(app, size) as stage:
        text = await stage.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        for _ in range(6):
            text += await stage.press("pagedown")
        for key in (*keys, *APP):
            names = " ".join(key_name(name) for name in key.keys.split(","))
            assert re.search(rf"{re.escape(names)} +{re.escape(key.help)}", text), key
        await stage.press("escape")
        assert not isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@pytest.mark.parametrize("before", [(), ("enter",), ("question_mark",), ("slash",)])
async def test_q_and_ctrl_c_quit_from_anywhere(tmp_path: Path, key: str, before: tuple[str, ...]) -> None:
    if key == "q" and before == ("slash",):
        return  # there it is a letter
    async with replaying(tmp_path, whole(), SMALL) as stage:
        await stage.press(*before)
        await stage.pilot.press(key)
        await stage.pilot.pause()
        assert stage.app._exit
        assert stage.app.return_code == 0


async def test_smoothing_keeps_the_raw_values_and_is_told(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        assert "smooth 0.6" in await stage.press("s")
        assert "smooth 0.8" in await stage.press("s")
        assert "smooth 0.6" in await stage.press("S")
        assert "smooth" not in (await stage.press("S")).splitlines()[0]


async def test_the_log_scale_counts_what_it_cannot_show(tmp_path: Path) -> None:
    low = [
        Metrics(values={"gain": value}, t=float(t), step=t)
        for t, value in enumerate((1.0, -1.0, 0.0, 10.0, 100.0))
    ]
    async with replaying(tmp_path, [*opening(), *low, *ending()]) as stage:
        text = await stage.press("y")
        assert "2 ≤ 0" in text
        assert "log" in text.splitlines()[0]
        assert "2 ≤ 0" not in await stage.press("y")


async def test_outliers_are_left_out_and_counted(tmp_path: Path) -> None:
    wild = [Metrics(values={"norm": 1e6 if t == 50 else 1 + t / 100}, t=float(t), step=t) for t in range(100)]
    async with replaying(tmp_path, [*opening(), *wild, *ending(100.0)]) as stage:
        text = await stage.press("o")
        assert "1 outliers" in text
        assert "no outliers" in text.splitlines()[0]


async def test_zoom_pan_and_reset_move_the_window(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        options = lambda: monitor(stage).options  # noqa: E731
        assert "zoomed" in await stage.press("z")
        assert options().window == (0.5, 1.0)
        await stage.press("left_square_bracket")
        assert options().window == (0.375, 0.875)
        await stage.press("right_square_bracket", "right_square_bracket")
        assert options().window == (0.5, 1.0)
        await stage.press("Z")
        assert options().window == (0.0, 1.0)
        await stage.press("z", "comma")
        assert "zoomed" not in (await stage.press("0")).splitlines()[0]
        assert options().cursor is None


async def test_the_cursor_moves_in_all_charts_and_shows_values(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("comma", *["less_than_sign"] * 8)
        for title in ("loss", "accuracy"):
            rows = chart(stage, title).splitlines()
            assert re.match(r"\d+s  ● 0\.\d+", rows[0])
            assert any("│" in row for row in rows)
        before = chart(stage, "loss").splitlines()[0]
        await stage.press("greater_than_sign")
        assert chart(stage, "loss").splitlines()[0] != before
        await stage.press("full_stop")
        await stage.press("0")
        assert "│" not in chart(stage, "loss")


async def test_one_scale_for_all_charts_and_back(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        own = chart(stage, "accuracy")
        assert "one scale" in await stage.press("e")
        assert chart(stage, "accuracy") != own
        await stage.press("e")


async def test_the_filter_follows_what_is_typed_and_escape_restores(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("slash")
        text = await stage.type("acc")
        assert "─ accuracy ─" in text
        assert "─ loss ─" not in text
        text = await stage.press("escape")
        assert "─ loss ─" in text
        await stage.press("slash")
        await stage.type("^loss$")
        text = await stage.press("enter")
        assert "─ loss ─" in text
        assert "─ accuracy ─" not in text
        await stage.press("slash")
        assert "^loss$" in stage.text()


async def test_a_filter_that_is_no_expression_is_plain_text(tmp_path: Path) -> None:
    odd = Metrics(values={"a(b": 1.0, "loss": 1.0}, t=1.0, step=1)
    async with replaying(tmp_path, [*opening(), odd, *ending()]) as stage:
        await stage.press("slash")
        text = await stage.press("a", "left_parenthesis")
        assert "─ a(b ─" in text
        assert "─ loss ─" not in text


async def test_find_marks_the_newest_match_and_capital_f_older_ones(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("f")
        await stage.type("val_loss")
        text = await stage.press("enter")
        assert re.search(r"60 ▶step 60 .*val_loss", text)
        text = await stage.press("F")
        assert re.search(r"55 ▶step 55 .*val_loss", text)
        await stage.press("f")
        await stage.type("nowhere")
        await stage.press("enter", "F")
        await stage.see("no older line matches")


async def test_g_goes_to_the_line_of_a_point_and_capital_g_back(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        text = await stage.press("g")
        assert "60 ▶step 60 " in text
        await stage.press("comma", *["less_than_sign"] * 6)
        text = await stage.press("g")
        marked = re.search(r"(\d+) ▶step (\d+) ", text)
        assert marked is not None
        assert marked[1] == marked[2]
        assert int(marked[1]) < 45
        await stage.press("0")
        await stage.press("G")
        cursor = monitor(stage).options.cursor
        assert cursor is not None
        assert 0.0 < cursor < 0.8


async def test_capital_y_copies_the_value_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FloydtopApp, "copy_to_clipboard", lambda _, text: copied.append(text))
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("x", "s", "y", "g", "m", "comma", "enter", "escape", "0", "S", "y", "x")
        assert copied == []
        await stage.press("Y")
        assert copied == [repr(2.0 / 60)]
        await stage.see("copied 0.0333")


async def test_space_holds_a_live_view_still(tmp_path: Path) -> None:
    async with watching(tmp_path, [*opening(), *training(10)]) as (stage, writer):
        await stage.see("● recording")
        assert "‖ paused" in await stage.press("space")
        writer.append([OutputLine(text="unseen", line=11, t=11.0)], now=11.0)
        await stage.until(lambda _: monitor(stage).source.session.lines_seen == 11)
        await stage.pilot.pause(0.3)
        assert "unseen" not in stage.text()
        assert "unseen" in await stage.press("space")


async def test_any_metric_can_be_the_x_axis(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        monitor(stage).use_metric_as_x("accuracy")
        await stage.settle()
        assert "x: accuracy" in stage.text()
        assert BRAILLE.search(chart(stage, "loss"))
        await stage.press("enter")
        assert re.search(r" accuracy +$", stage.words("#framed"), re.MULTILINE)


async def test_the_palette_offers_every_key_and_every_metric(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), MEDIUM) as stage:
        await stage.press("ctrl+p")
        await stage.type("x-axis: accu")
        await stage.see("x-axis: accuracy")
        await stage.press("enter")
        await stage.see("x: accuracy")
        await stage.press("ctrl+p")
        await stage.type("logarithmic")
        await stage.see("y-axis linear or logarithmic")
        await stage.press("enter")
        await stage.until(lambda _: monitor(stage).options.log)


async def test_the_palette_of_the_large_chart_offers_every_metric_too(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), MEDIUM) as stage:
        await stage.press("enter")
        await stage.press("ctrl+p")
        await stage.type("x-axis: accu")
        await stage.see("x-axis: accuracy")
        await stage.press("enter")
        await stage.until(lambda _: re.search(r" accuracy +$", stage.words("#framed"), re.MULTILINE))


def test_no_key_of_a_screen_has_two_meanings() -> None:
    for table in (MONITOR, REPLAY, COMPARE):
        names = [name for key in (*table, *APP) for name in key.keys.split(",")]
        assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
