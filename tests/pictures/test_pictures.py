from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.plot.svg import portable, to_png
from tests.pictures import SESSION
from tests.pictures.__main__ import settle_surroundings
from tests.pictures.record import anonymous
from tests.pictures.scenes import Scene, photograph

SMALL = Scene("small", (80, 24), live=0.5)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("TZ", "COLORTERM", "LC_ALL", "NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.setenv(name, "")
    settle_surroundings()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_two_runs_draw_the_same_picture(tmp_path: Path) -> None:
    first, second = [portable(await photograph(SMALL, tmp_path)) for _ in range(2)]
    assert first == second


async def test_a_picture_needs_no_font_from_the_network(tmp_path: Path) -> None:
    svg = portable(await photograph(SMALL, tmp_path))
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search("[\u2800-\u28ff]", svg)


async def test_a_picture_shows_the_curves_of_the_recording(tmp_path: Path) -> None:
    svg = portable(await photograph(SMALL, tmp_path))
    assert "accuracy" in svg
    assert svg.count("h.01") > 100


@pytest.mark.skipif(
    importlib.util.find_spec("cairosvg") is None,
    reason="cairosvg (dependency group pictures) is not installed: PNG NOT tested",
)
async def test_a_png_is_as_wide_as_asked(tmp_path: Path) -> None:
    png = to_png(portable(await photograph(SMALL, tmp_path)), 800)
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 800


def test_the_recorded_session_is_small_and_names_no_machine() -> None:
    session = SESSION.read_bytes()
    assert len(session) < 300_000
    assert b'"host":"workstation"' in session
    assert set(re.findall(rb'"(/[a-z]+)/', session)) == {b"/home"}


def test_a_recording_made_anonymous_keeps_its_points() -> None:
    session = SESSION.read_bytes()
    assert anonymous(session, "/nowhere").count(b'"k":"m"') == session.count(b'"k":"m"')
