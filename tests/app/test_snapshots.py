from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.scenes import SCENES, SIZES, SNAPSHOTS, Scene, drawn, path_of

UPDATE = "python -m tests.app.scenes"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One time zone, and nobody's choices."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_the_screen_looks_as_it_did(scene: Scene, size: tuple[int, int], tmp_path: Path) -> None:
    path = path_of(scene, size)
    assert path.exists(), f"there is no {path.name} yet: {UPDATE} {scene.name}"
    before, now = path.read_text(encoding="utf-8"), await drawn(scene, size, tmp_path)
    if now != before:
        changes = difflib.unified_diff(
            before.split("\n"), now.split("\n"), path.name, "now", lineterm="", n=1
        )
        pytest.fail(
            "\n".join([*changes, f"if that is how it shall look: {UPDATE} {scene.name}"]), pytrace=False
        )


def test_there_is_no_snapshot_without_a_scene() -> None:
    assert {path.name for path in SNAPSHOTS.iterdir()} == {
        path_of(scene, size).name for scene in SCENES for size in SIZES
    }
