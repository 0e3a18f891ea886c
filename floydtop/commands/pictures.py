"""The dashboard as a picture, drawn by the app itself on a screen that nobody sees."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from textual.pilot import Pilot

LEAST_REST = 0.3
MOST_LOOKS = 50

LINES = 200
"""Lines of a log that are shown beside its charts: more than any screen has."""


def picture(text: str, form: str, size: tuple[int, int]) -> bytes:
    """The dashboard of a log, a session or a job as SVG or PNG.

    Args:
        form: svg or png.
        size: columns and rows of the screen.

    Raises:
        FloydtopError: no such target, nothing in it, or no library that draws PNG.
    """
    from floydtop.settings import Settings

    # A picture has all colours and glyphs, wherever it is made; Textual looks at these when it is imported.
    os.environ["COLORTERM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    if Settings()["glyphs"] == "auto":
        os.environ["FLOYDTOP_GLYPHS"] = "braille"
    from floydtop.app.picture import PIXELS_A_COLUMN
    from floydtop.plot.svg import portable, to_png

    with tempfile.TemporaryDirectory(prefix="floydtop-picture-") as folder:
        svg = portable(asyncio.run(_photograph(_session_file(text, Path(folder)), size)))
    return svg.encode() if form == "svg" else to_png(svg, PIXELS_A_COLUMN * size[0])


def _session_file(text: str, folder: Path) -> Path:
    """The session of the target; of a log one that is made for the picture."""
    from floydtop.commands.report import events_of, source_of
    from floydtop.events import End, Header, JobState, Log, OutputLine
    from floydtop.recorder.reading import last_lines
    from floydtop.session.format import FORMAT, VERSION, encode

    path = folder / "session.jsonl"
    with path.open("wb") as file:
        for number, event in enumerate(events_of(text)):
            if number == 0 and not isinstance(event, Header):
                header = Header(
                    format=FORMAT,
                    v=VERSION,
                    id="",
                    t0=time.time(),
                    boot="",
                    host="",
                    interval=0.0,
                    by="floydtop export",
                    recorder=0,
                    log=Log(path=text, device=0, inode=0),
                )
                file.write(encode(header) + encode(JobState(t=0.0, state="no-process")))
            file.write(encode(event))
        if not file.tell():
            raise FloydtopError(f"There are no metrics in {text} so far.")
        session, log = (None, text) if text == "-" else source_of(text)
        if session is None:
            for line in last_lines(log, LINES) if log != "-" else ():
                file.write(encode(OutputLine(text=line.text, line=line.number, offset=line.offset)))
            file.write(encode(End(t=0.0, why="the log is read")))
    return path


async def _photograph(session: Path, size: tuple[int, int]) -> str:
    """Textual's SVG of the session's dashboard, at its end."""
    from floydtop.app import FloydtopApp
    from floydtop.session.player import Player

    app = FloydtopApp(Player(session))
    async with app.run_test(size=size) as pilot:
        await _at_rest(pilot)
        return app.export_screenshot(title="floydtop")


async def _at_rest(pilot: Pilot[None]) -> None:
    """Wait until the screen stays as it is."""
    before = ""
    for _ in range(MOST_LOOKS):
        await pilot.pause(LEAST_REST)
        now = pilot.app.export_screenshot()
        if now == before:
            return
        before = now
    raise FloydtopError("The screen never came to rest, so that there is no picture of it.")
