"""`floydtop export --format svg|png` draws the dashboard without a terminal."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commands.run import floydtop, refusal

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "tests" / "data" / "sessions" / "demo.jsonl"

needs_cairo = pytest.mark.skipif(
    importlib.util.find_spec("cairosvg") is None,
    reason="cairosvg (dependency group pictures) is not installed: PNG NOT tested",
)


def words(svg: str) -> str:
    """What the picture says."""
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())


def test_a_session_is_drawn_with_its_curves(tmp_path: Path) -> None:
    result = floydtop(
        "export", SESSION, "--format", "svg", "-o", tmp_path / "a.svg", env=os.environ | {"NO_COLOR": "1"}
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    svg = (tmp_path / "a.svg").read_text()
    assert all(word in words(svg) for word in ("accuracy", "loss", "exited 0"))
    assert svg.count("h.01") > 500
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_a_log_without_times_is_drawn_over_its_steps(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f'{{"loss": {1 / step}, "step": {step}}}\n' for step in range(1, 99)))
    result = floydtop("export", log, "--format", "svg", "--size", "160x40")
    assert result.returncode == 0, result.stderr
    assert "x: step" in words(result.stdout)
    assert result.stdout.count("h.01") > 50
    assert '98 {"loss": 0.01020408163265306, "step": 98}' in words(result.stdout)


def test_a_picture_of_what_is_piped_in_says_that_it_has_no_lines() -> None:
    lines = "".join(f'{{"loss": {1 / step}, "step": {step}}}\n' for step in range(1, 99))
    command = [sys.executable, "-m", "floydtop", "export", "-", "--format", "svg", "--size", "160x40"]
    result = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=True)
    assert "The recording holds no line of the output." in words(result.stdout)


@needs_cairo
def test_a_png_has_the_shape_of_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    assert floydtop("export", SESSION, "--format", "png", "--size", "100x30", "-o", file).returncode == 0
    png = file.read_bytes()
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 800


def test_a_png_without_its_library_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cairosvg.py").write_text("raise OSError('no library called cairo was found')\n")
    surroundings = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    result = floydtop("export", SESSION, "--format", "png", "--size", "80x24", env=surroundings)
    assert refusal(result) == "A PNG needs CairoSVG: pip install 'floydtop[png]', or save the picture as SVG."


def test_a_log_that_says_nothing_is_no_picture(tmp_path: Path) -> None:
    log = tmp_path / "empty.log"
    log.write_text("nothing here\n")
    assert refusal(floydtop("export", log, "--format", "svg")) == f"There are no metrics in {log} so far."


@pytest.mark.parametrize("size", ["80", "80x", "9x9", "80x24x3", "100000x100000"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    result = floydtop("export", SESSION, "--format", "svg", "--size", size)
    assert result.returncode == 2
    assert "must be COLUMNSxROWS" in result.stderr
