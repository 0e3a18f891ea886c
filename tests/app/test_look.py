"""How it looks: glyphs, themes, and terminals without colour."""

from __future__ import annotations

from pathlib import Path

import pytest

from floydtop.app.palette import THEMES
from floydtop.app.widgets.panel import Panel
from tests.app.stage import LARGE, MEDIUM, SMALL, replaying, whole, write
from tests.e2e.pseudo import StallingTerminal


async def test_ascii_glyphs_draw_nothing_but_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOYDTOP_GLYPHS", "ascii")
    async with replaying(tmp_path, whole(), MEDIUM) as stage:
        text = await stage.see("loss", "accuracy", "step 60 ")
        text += await stage.press("tab", "comma")
        text += await stage.press("enter")
        text += await stage.press("escape", "question_mark")
        text += await stage.press("escape", "slash")
        odd = {character for character in text if not character.isascii()}
        assert odd == set()


async def test_block_glyphs_draw_no_braille(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOYDTOP_GLYPHS", "block")
    async with replaying(tmp_path, whole(), MEDIUM) as stage:
        text = await stage.see("─ loss ─") + await stage.press("enter")
        assert not any("\u2801" <= character <= "\u28ff" for character in text)


async def test_without_colour_the_screen_is_grey_and_series_differ_by_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with replaying(tmp_path, whole(), SMALL) as stage:
        assert "● 0.0333  ○ val 0.0417" in stage.text()
        screen = stage.app.screen
        signs = {
            segment.text.strip(): sum(segment.style.color.triplet or ())
            for strip in screen._compositor.render_strips()
            for segment in strip
            if segment.text.strip() in ("●", "○") and segment.style is not None and segment.style.color
        }
        assert signs["●"] - signs["○"] > 200
        for strip in screen._compositor.render_strips():
            for segment in strip.apply_filter(stage.app._filters[0], stage.app.background_colors[0]):
                color = segment.style.color if segment.style is not None else None
                if color is not None and color.triplet is not None:
                    assert max(color.triplet) - min(color.triplet) <= 1


async def test_every_theme_draws_the_dashboard_and_the_large_chart(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        seen = set()
        for theme in (*(theme.name for theme in THEMES), "ansi-dark", "ansi-light", "nord", "textual-light"):
            stage.app.theme = theme
            await stage.settle()
            assert "● 0.0333" in await stage.press("0")
            seen.add(stage.app.screen.query(Panel).first().palette)
            assert "┌──" in await stage.press("enter")
            await stage.press("escape")
        assert len(seen) >= 5


def test_a_theme_of_ours_can_be_named_to_textual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its background is that theme's, too: dark words on a dark screen cannot be read."""
    monkeypatch.setenv("TEXTUAL_THEME", "floydtop-light")
    with StallingTerminal([str(write(tmp_path, whole()))], tmp_path) as terminal:
        shown = terminal.read_until(b"loss", quiet=10.0) + terminal.read(quiet=2.0)
    assert b"48;2;250;250;250" in shown
    assert b"48;2;18;18;18" not in shown


async def test_what_is_typed_is_named_while_it_is_typed(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        await stage.press("slash")
        await stage.type("acc")
        assert stage.words("KeyBar").startswith(" Enter Keep  Esc Undo  filter metrics")
        await stage.press("escape")
        assert stage.words("KeyBar").startswith(" q Quit")


async def test_the_palette_lists_commands_before_the_metrics(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole(), LARGE) as stage:
        await stage.press("ctrl+p")
        text = await stage.see("key 0")
        assert "x-axis: loss" not in text.partition("key 0")[0]
