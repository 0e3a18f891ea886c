from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from floydtop.app.picture import save
from floydtop.events import OutputLine
from tests.app.stage import SMALL, Stage, opening, replaying, whole
from tests.hostile.payloads import PAYLOADS

SVG = (
    '<svg class="rich-terminal" viewBox="0 0 99 63" xmlns="http://www.w3.org/2000/svg">'
    "<style>.r1 { fill: #ffffff }</style></svg>"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the app was started in."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return here


@pytest.fixture
def without_cairo(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the optional CairoSVG is not installed."""
    monkeypatch.setitem(sys.modules, "cairosvg", None)


async def saved(stage: Stage, folder: Path) -> Path:
    """The picture that a key saves, once its place is told."""
    await stage.press("P")
    await stage.see("saved")
    (picture,) = folder.iterdir()
    return picture


@pytest.mark.skipif(
    importlib.util.find_spec("cairosvg") is None,
    reason="cairosvg (dependency group pictures) is not installed: PNG NOT tested",
)
async def test_a_key_saves_the_screen_as_png_where_the_app_was_started(tmp_path: Path, folder: Path) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        picture = await saved(stage, folder)
    assert picture.name.startswith("floydtop-train.py-")
    assert picture.read_bytes().startswith(b"\x89PNG")


async def test_without_the_converter_it_is_an_svg_and_says_so(
    tmp_path: Path, folder: Path, without_cairo: None
) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        picture = await saved(stage, folder)
        assert "CairoSVG" in stage.text()
        assert picture.suffix == ".svg"
        words = "".join(ElementTree.fromstring(picture.read_text()).itertext())
        assert "accuracy" in words
        assert "saved" not in words


async def test_the_large_chart_is_saved_by_the_same_key_and_by_the_palette(
    tmp_path: Path, folder: Path, without_cairo: None
) -> None:
    async with replaying(tmp_path, whole(), SMALL) as stage:
        await stage.press("enter")
        picture = await saved(stage, folder)
        assert "val_loss" in picture.read_text()
        await stage.press("ctrl+p")
        await stage.type("as a picture")
        await stage.see("Save the screen as a picture")
        await stage.press("enter")
        await stage.until(lambda _: len(list(folder.iterdir())) == 2)


async def test_hostile_text_is_text_in_the_picture(tmp_path: Path, folder: Path, without_cairo: None) -> None:
    sendable = [text for text in PAYLOADS.values() if text == text.encode(errors="replace").decode()]
    lines = [OutputLine(text=text, line=number, t=1.0) for number, text in enumerate(sendable, 1)]
    async with replaying(tmp_path, [*opening(), *lines], (130, len(lines) + 12)) as stage:
        await stage.press("l")
        picture = await saved(stage, folder)
    ElementTree.fromstring(picture.read_text())


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_stays_out_of_the_name(folder: Path, without_cairo: None, name: str) -> None:
    save(SVG, 10, f"../../{PAYLOADS[name]}/../x.py")
    save(SVG, 10, PAYLOADS[name])
    assert len(list(folder.iterdir())) == 2
    for picture in folder.iterdir():
        assert picture.name.isascii()
        assert picture.name.isprintable()


def test_no_file_is_written_over(folder: Path, without_cairo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda form: "20261123-120000")
    target = folder / "precious"
    target.write_text("kept")
    (folder / "floydtop-a-20261123-120000.svg").symlink_to(target)
    for _ in range(2):
        save(SVG, 10, "a")
    assert target.read_text() == "kept"
    assert len(list(folder.iterdir())) == 4


def test_where_the_folder_takes_none_it_goes_beside_the_sessions(
    tmp_path: Path, folder: Path, without_cairo: None
) -> None:
    folder.rmdir()
    said = save(SVG, 10, "train.py")
    (picture,) = (tmp_path / "state/floydtop/pictures").iterdir()
    assert str(picture.parent) in said


async def test_that_no_folder_takes_it_is_told(
    tmp_path: Path, folder: Path, without_cairo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    folder.rmdir()
    async with replaying(tmp_path, whole(), SMALL) as stage:
        await stage.press("P")
        await stage.see("The picture cannot be saved")
