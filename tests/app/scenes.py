"""The main screens as text, over one recorded session: `python -m tests.app.scenes [NAME ...]` writes anew
the snapshots that `test_snapshots.py` compares them with."""

from __future__ import annotations

import asyncio
import fcntl
import os
import string
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from rich.style import Style

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.picker import Choice, PickerApp
from floydtop.app.runs import Comparison
from floydtop.app.source import Still
from floydtop.events import Header, Metrics
from floydtop.session.format import Reader
from floydtop.session.player import Player
from floydtop.session.session import Session
from tests.app.stage import LARGE, MEDIUM, SMALL, running
from tests.pictures import SESSION
from tests.pictures.__main__ import settle_surroundings

SNAPSHOTS = Path(__file__).with_name("snapshots")

SIZES = (SMALL, MEDIUM, LARGE)

MOST_LOOKS = 100


@dataclass(frozen=True)
class Scene:
    """A screen, and the keys that lead to it."""

    name: str
    keys: tuple[str, ...] = ()
    kind: str = "replay"
    """What is shown: live, replay, compare, picker."""


SCENES = (
    Scene("monitor", kind="live"),
    Scene("replay", ("left",) * 10),
    Scene("step", ("x", "y", "s", "s", "comma", "comma")),
    Scene("focus", ("tab", "enter")),
    Scene("compare", ("h",), kind="compare"),
    Scene("help", ("question_mark",)),
    Scene("picker", ("j",), kind="picker"),
    Scene("log", ("l", "l")),
    Scene("filter", ("slash", "a", "c", "c")),
)


def path_of(scene: Scene, size: tuple[int, int]) -> Path:
    """The file of a snapshot."""
    return SNAPSHOTS / f"{scene.name}-{size[0]}x{size[1]}.txt"


async def drawn(scene: Scene, size: tuple[int, int], folder: Path) -> str:
    """The screen's rows; on the smallest screen the colours beneath, a letter for each, named in the end."""
    with _app(scene.kind, folder) as app:
        async with running(app, size) as stage:
            await stage.press(*scene.keys)
            before = ""
            for _ in range(MOST_LOOKS):
                await stage.pilot.pause(0.1)
                if (now := stage.text()) == before:
                    break
                before = now
            rows = [row.rstrip() for row in stage.rows()]
            return "\n".join([*rows, *(_colours(app) if size == SMALL else []), ""])


def _colours(app: FloydtopApp | PickerApp) -> list[str]:
    letters: dict[str, str] = {}
    rows = []
    for strip in app.screen._compositor.render_strips():
        row = ""
        for text, style, _ in strip:
            look = _look(style or Style.null(), blank=not text.strip())
            letter = letters.setdefault(look, string.ascii_letters[len(letters) % 52])
            row += letter * len(text)
        rows.append(row)
    return ["", *rows, "", *(f"{letter} {look}" for look, letter in letters.items())]


def _look(style: Style, *, blank: bool) -> str:
    """A style in words; of a blank cell only its background is seen."""
    front = "" if blank or style.color is None else style.color.name
    back = f"on {style.bgcolor.name}" if style.bgcolor is not None else ""
    marks = "" if blank else " ".join(name for name in ("bold", "dim", "reverse") if getattr(style, name))
    return " ".join(filter(None, (front, back, marks)))


@contextmanager
def _app(kind: str, folder: Path) -> Iterator[FloydtopApp | PickerApp]:
    if kind == "live":
        # A live session is a file that somebody holds locked.
        path = folder / "live.jsonl"
        recorded = SESSION.read_bytes()
        path.write_bytes(recorded[: recorded.index(b'\n{"k":"s"', int(len(recorded) * 0.9)) + 1])
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield FloydtopApp(Feed(path))
    elif kind == "compare":
        names = {"small": 1.0, "large": 0.8}
        yield FloydtopApp(Comparison([(name, Still(_run(name, part))) for name, part in names.items()]))
    elif kind == "picker":
        yield PickerApp(_choices(), "what do you want to see?")
    else:
        yield FloydtopApp(Player(SESSION))


def _run(name: str, part: float) -> Session:
    """The recorded session as another run: a part of each value, an option of its own."""
    session = Session()
    for event in Reader().feed(SESSION.read_bytes()):
        if isinstance(event, Metrics):
            event = replace(event, values={metric: value * part for metric, value in event.values.items()})
        if isinstance(event, Header) and event.job is not None:
            event = replace(event, job=replace(event.job, command=[*event.job.command, "--model", name]))
        session.apply(event)
    return session


def _choices() -> list[Choice]:
    def preview() -> list[str]:
        return [f"step {n}  loss: {1 / n:.4f}" for n in range(1, 80)]

    return [
        Choice("likely training jobs", "python train.py --lr 0.1", "pid 4711, uses a GPU", "4711", preview),
        Choice("past sessions", "python -m spirals", "Nov 23 17:20, 3m23s, exited 0", "a", preview),
        Choice("past sessions", "python finetune.py", "Nov 22 09:10, 11h, killed by SIGKILL", "b", preview),
    ]


async def _write(wanted: list[str]) -> None:
    SNAPSHOTS.mkdir(exist_ok=True)
    for scene in SCENES:
        for size in SIZES:
            if not wanted or scene.name in wanted:
                with tempfile.TemporaryDirectory() as folder:
                    # What is chosen in one scene is not remembered in the next.
                    os.environ["XDG_STATE_HOME"] = folder
                    path_of(scene, size).write_text(await drawn(scene, size, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    settle_surroundings()
    asyncio.run(_write(sys.argv[1:]))
