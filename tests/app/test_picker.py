"""The picker: what can be watched or replayed, with a preview."""

from __future__ import annotations

import re

import pytest

from floydtop.app.picker import Choice, PickerApp
from floydtop.app.widgets.status import short_command
from tests.app.stage import MEDIUM, SMALL, running


def choices(count: int = 3) -> list[Choice]:
    return [
        Choice(
            "recordings that go on" if number < 1 else "past sessions",
            f"train_{number}.py",
            f"{number} minutes ago",
            f"value-{number}",
            lambda number=number: [f"line {line} of {number}" for line in range(100)],  # type: ignore[misc]
        )
        for number in range(count)
    ]


async def test_it_lists_groups_and_previews_the_end_of_the_selected() -> None:
    async with running(PickerApp(choices(), "what do you want to see?"), MEDIUM) as stage:
        text = await stage.see("what do you want to see?", "recordings that go on", "past sessions")
        assert "▶ train_0.py" in text
        assert "line 99 of 0" in text
        text = await stage.press("down")
        assert "▶ train_1.py" in text
        assert "line 99 of 1" in text


async def test_enter_returns_what_is_selected() -> None:
    app = PickerApp(choices(), "heading")
    async with running(app) as stage:
        await stage.press("j", "j", "k")
        await stage.pilot.press("enter")
        await stage.pilot.pause()
    assert app.return_value == "value-1"


async def test_q_escape_and_ctrl_c_return_nothing() -> None:
    for key in ("q", "escape", "ctrl+c"):
        app = PickerApp(choices(), "heading")
        async with running(app, SMALL) as stage:
            await stage.pilot.press(key)
            await stage.pilot.pause()
        assert app.return_value is None
        assert app._exit


async def test_the_filter_narrows_and_escape_restores() -> None:
    async with running(PickerApp(choices(30), "heading")) as stage:
        await stage.press("slash")
        text = await stage.type("_7")
        assert "train_7.py" in text
        assert "train_1.py" not in text
        assert "train_1.py" in await stage.press("escape")
        await stage.press("slash")
        assert "Nothing matches." in await stage.type("zz")
        await stage.press("enter", "enter")
        assert stage.app.return_value is None


async def test_a_long_list_scrolls_with_the_selection() -> None:
    async with running(PickerApp(choices(100), "heading"), SMALL) as stage:
        text = await stage.press(*["pagedown"] * 5)
        assert re.search(r"▶ train_50\.py", text)
        await stage.press(*["pagedown"] * 9)
        assert "▶ train_99.py" in stage.text()
        assert "▶ train_89.py" in await stage.press("pageup")


async def test_choices_of_one_title_are_told_apart_on_a_small_terminal() -> None:
    title = "train.py --config configs/large.yaml --lr 0.1"
    two = [Choice("past", title, f"Nov {day} 17:20, 3m23s, exited 0", str(day), list) for day in (23, 24)]
    async with running(PickerApp(two, "heading"), SMALL) as stage:
        assert re.search(r"train\.py --config.*…  Nov 23 17:20 .*\n.*…  Nov 24 17:20 ", stage.text())


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("/opt/venv/bin/python3 -P -m demo.train --seconds 60", "demo.train --seconds 60"),
        ("../venv/bin/python train.py", "train.py"),
        ("./train --lr 1", "train --lr 1"),
        ("/home/ada/train.log", "train.log"),
        ("python -c print(1)", "python -c print(1)"),
    ],
)
def test_a_command_is_named_by_what_it_runs(command: str, title: str) -> None:
    assert short_command(command) == title
