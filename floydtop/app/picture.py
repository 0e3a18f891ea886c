"""The screen as a file: PNG where it can be drawn, else SVG."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.session.session import Session

PIXELS_A_COLUMN = 8

MOST_NAMES = 100
"""Pictures of one second that are told apart."""


def save(svg: str, columns: int, subject: str) -> str:
    """Write Textual's SVG of a screen as a picture where the app was started; says in a sentence where.

    A picture never takes the place of a file. Where the current folder cannot be written, it goes to
    `pictures` beside the folder of sessions.

    Args:
        columns: of the terminal.
        subject: what the picture shows; the harmless characters of it become part of the file's name.

    Raises:
        FloydtopError: neither folder takes it.
    """
    from floydtop.plot.svg import portable, to_png

    picture = portable(svg)
    content, form, remark = picture.encode(), "svg", ""
    try:
        content, form = to_png(picture, PIXELS_A_COLUMN * columns), "png"
    except FloydtopError:
        remark = " (a PNG needs CairoSVG: pip install 'floydtop[png]')"
    path = _write(content, subject, form)
    return f"saved {path.name}{remark} in {path.parent}"


def _write(content: bytes, subject: str, form: str) -> Path:
    why = ""
    for folder in (Path.cwd, _own_folder):
        try:
            for path in _names(folder(), subject, form):
                try:
                    # `x`: neither an older picture nor a link that lies there is written over.
                    with path.open("xb") as file:
                        file.write(content)
                except FileExistsError:
                    continue
                return path
        except OSError as error:
            why = f"{error.filename or error.strerror}: {error.strerror}"
    raise FloydtopError(f"The picture cannot be saved: {why}.")


def _own_folder() -> Path:
    from floydtop.session.place import sessions_dir

    folder = sessions_dir().parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def subject_of(session: Session) -> str:
    """The job in a word: its script or module, else its program, else its log."""
    header = session.header
    if header is None or header.job is None or not header.job.command:
        return header.log.path if header is not None and header.log is not None else ""
    words = header.job.command
    module = next((words[i + 1] for i in range(len(words) - 1) if words[i] == "-m"), words[0])
    return next((word for word in words if word.endswith(".py")), module)


def _names(folder: Path, subject: str, form: str) -> Iterator[Path]:
    word = os.path.basename(subject).removeprefix("floydtop.")
    about = re.sub(r"[^A-Za-z0-9_.-]+", "-", word).strip("-.")[:40]
    stem = "-".join(filter(None, ("floydtop", about, time.strftime("%Y%m%d-%H%M%S"))))
    yield folder / f"{stem}.{form}"
    for number in range(2, MOST_NAMES):
        yield folder / f"{stem}-{number}.{form}"
