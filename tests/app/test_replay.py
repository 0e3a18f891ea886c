"""Replay: the same dashboard, its clock in the hands of the person."""

from __future__ import annotations

from pathlib import Path

from floydtop.app.screens.replay import ReplayScreen
from floydtop.session.player import Player
from tests.app.stage import Stage, replaying, whole


def player(stage: Stage) -> Player:
    screen = stage.app.screen
    assert isinstance(screen, ReplayScreen)
    return screen.player


async def test_home_shows_the_start_and_end_the_whole_again(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        assert "✓ exited 0" in stage.text()
        text = await stage.press("home")
        assert "● running" in text
        assert "─ loss ─" not in text
        assert "●──" in stage.words("#transport")
        text = await stage.press("end")
        assert "✓ exited 0" in text
        assert "● 0.0333" in text
        assert "━● " in stage.words("#transport")


async def test_arrows_seek_by_a_fiftieth(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press(*["left"] * 25)
        assert abs(player(stage).position - 31) < 0.1
        text = stage.text()
        assert "step 30 " in text
        assert "step 32 " not in text
        await stage.press(*["right"] * 5)
        assert abs(player(stage).position - 37.2) < 0.1
        assert "step 37 " in stage.text()


async def test_plus_and_minus_change_the_speed(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        assert " 10x " in stage.text()
        assert " 20x " in await stage.press("plus")
        assert " 50x " in await stage.press("equals_sign")
        assert " 10x " in await stage.press("minus", "minus")
        assert " 1x " in await stage.press(*["minus"] * 9)
        assert " 1000x " in await stage.press(*["plus"] * 20)


async def test_space_plays_from_the_start_and_stops_at_the_end(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        # A minute at 20x: long enough to be seen playing on a busy machine.
        await stage.press("plus")
        text = await stage.press("space")
        assert " ▶ " in text
        assert player(stage).position < player(stage).end
        await stage.until(lambda _: player(stage).position >= player(stage).end)
        await stage.see("✓ exited 0")
        await stage.until(lambda _: " ‖ " in stage.words("#transport"))


async def test_space_pauses_what_plays(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("home", "space")
        await stage.until(lambda _: player(stage).position > 1)
        await stage.press("space")
        position = player(stage).position
        await stage.pilot.pause(0.4)
        assert player(stage).position == position < player(stage).end


async def test_a_replay_at_rest_does_nothing(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        screen = stage.app.screen

        def ticking(_: str) -> bool:
            return any(timer._task is not None and timer._active.is_set() for timer in screen._timers)

        await stage.until(lambda text: not ticking(text))


async def test_the_large_chart_follows_the_replay(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("home", "right", "right", "enter")
        before = stage.words("#table")
        below = stage.app.screen_stack[-2]
        assert isinstance(below, ReplayScreen)
        below.action_seek(30)
        await stage.settle()
        assert stage.words("#table") != before
