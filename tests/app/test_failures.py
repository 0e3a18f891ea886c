"""What fails beside the screen is said and reported, and the screen goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.crash import report_path
from floydtop.app.picker import Choice, PickerApp
from floydtop.commands.pick import _choose
from floydtop.errors import FloydtopError
from tests.app.stage import live, opening, replaying, running, training, whole


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written to a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class FailingRecorder:
    """A recording inside the app that ends by an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def run(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        raise self._error

    def stop(self, why: str) -> None: ...


async def test_a_recording_that_fails_inside_the_app_is_told_and_the_exit_status_says_so(
    tmp_path: Path,
) -> None:
    with live(tmp_path, [*opening(), *training(5)]) as (feed, _):
        app = FloydtopApp(feed, recorder=FailingRecorder(ValueError("\x1b]0;title\x07")))
        async with running(app) as stage:
            await stage.see("The recording failed (ValueError)", "loss")
            await stage.press("q")
    assert app.return_code == 1
    assert "ValueError" in report_path().read_text()


async def test_a_recording_that_cannot_write_says_why(tmp_path: Path) -> None:
    with live(tmp_path, [*opening(), *training(5)]) as (feed, _):
        recorder = FailingRecorder(FloydtopError("Cannot write the session: No space left on device."))
        async with running(FloydtopApp(feed, recorder=recorder)) as stage:
            await stage.see("No space left on device")
    assert not report_path().exists()


async def test_a_picture_that_fails_is_told_and_the_screen_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("floydtop.app.picture.save", fail)
    async with replaying(tmp_path, whole()) as stage:
        await stage.press("P")
        await stage.see("The picture failed (ZeroDivisionError)")
        await stage.press("x")
        await stage.see("x: step")


def test_a_picker_that_fails_ends_floydtop_with_its_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def preview() -> list[str]:
        raise ZeroDivisionError

    run = PickerApp.run
    monkeypatch.setattr(PickerApp, "run", lambda app, **_: run(app, headless=True))
    with pytest.raises(SystemExit) as ended:
        _choose(PickerApp([Choice("past sessions", "one", "", "1", preview)], "which?"))
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "The screen failed (ZeroDivisionError)" in said
    assert str(report_path()) in said
