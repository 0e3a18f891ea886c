"""What the pictures show: each scene is a session, a terminal size and the keys that were pressed."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.session.player import Player
from tests.pictures import SESSION


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    live: float | None = None
    """Shown as it looked while the job ran, at this part of the recording; None: as a replay, at its end."""

    @property
    def pixels_wide(self) -> int:
        """Width of the PNG."""
        return 1600 if self.size[0] > 100 else 960


WIDE, SMALL = (200, 50), (80, 24)

SCENES = (
    Scene("dashboard", WIDE, live=0.9),
    Scene("step", WIDE, keys=("x",)),
    Scene("focus", WIDE, keys=("tab", "enter")),
    Scene("replay", WIDE, keys=("left",) * 25),
    Scene("small", SMALL, live=0.9),
)


async def photograph(scene: Scene, folder: Path) -> str:
    """The SVG that Textual makes of the scene."""
    with _session(scene, folder) as source:
        app = FloydtopApp(source)
        async with _running(app, scene.size) as pilot:
            for key in scene.keys:
                await pilot.press(key)
                await pilot.pause()
            await _settled(pilot)
            return app.export_screenshot(title="floydtop")


@contextmanager
def _session(scene: Scene, folder: Path) -> Iterator[Feed | Player]:
    if scene.live is None:
        yield Player(SESSION)
        return
    # A live session is a file that somebody holds locked: ours is the recording up to a moment of it.
    recorded = SESSION.read_bytes()
    # Up to a sample: not between a line of output and the metrics that it carried.
    moment = recorded.index(b'\n{"k":"s"', int(len(recorded) * scene.live)) + 1
    path = folder / "live.jsonl"
    path.write_bytes(recorded[:moment])
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield Feed(path)


@asynccontextmanager
async def _running(app: FloydtopApp, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    async with app.run_test(size=size) as pilot:
        await _settled(pilot)
        yield pilot


async def _settled(pilot: Pilot[None]) -> None:
    """Wait until the screen stays as it is."""
    before = ""
    for _ in range(50):
        await pilot.pause(0.3)
        now = pilot.app.export_screenshot()
        if now == before:
            return
        before = now
    raise RuntimeError("The screen never came to rest.")
