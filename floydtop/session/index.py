"""Open a large session fast: its newest part at once, and the second time all of it from a disposable index.

The index of a session is what its events add up to, kept in the user's cache directory with the place up to
which the file had been read. It is made again whenever it does not fit the file or this version.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from floydtop import __version__
from floydtop.errors import FloydtopError
from floydtop.events import Header
from floydtop.session.files import blocks, open_session
from floydtop.session.format import Reader
from floydtop.session.session import Session

WORTH = 32 << 20
"""Bytes of a session from which on an index is kept: less is read in about a second."""

NEWEST = 1 << 20
"""Bytes of the newest part: 14,000 events, 30 ms."""

MOST_BYTES = 2 << 30
"""Bytes of all indexes together; the oldest go first."""

_CHECKED = 4096


@dataclass(frozen=True)
class Loaded:
    """A session as far as its file was read."""

    session: Session
    offset: int
    """Bytes of the file that are in it; from here a reader goes on."""


def newest(path: Path) -> Session:
    """What the head and the last part of a plain session file tell, to be shown while all of it loads.

    Raises:
        FloydtopError: it cannot be read or is of a newer version.
    """
    session = Session()
    with open_session(path) as file:
        session.apply_all(
            event for event in Reader().feed(file.readline(1 << 20)) if isinstance(event, Header)
        )
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - NEWEST)
        file.seek(start)
        tail = file.read(NEWEST)
    events = Reader().feed(tail.partition(b"\n")[2] if start else tail)
    session.apply_all(event for event in events if start or not isinstance(event, Header))
    return session


def load(path: Path, progress: Callable[[int, int], None] | None = None) -> Loaded:
    """All of a plain session file, from its index as far as that goes; a large one gets a new index.

    Args:
        progress: told after each mebibyte how many bytes were read, of how many.

    Raises:
        FloydtopError: it cannot be read or is of a newer version.
    """
    known = _read_index(path)
    loaded = known or Loaded(Session(), 0)
    session, offset = loaded.session, loaded.offset
    reader = Reader()
    with open_session(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(offset)
        for block in blocks(file):
            session.apply_all(reader.feed(block))
            offset += len(block)
            if progress is not None:
                progress(min(offset, size), size)
    # The reader keeps the beginning of a line that is not finished: whoever goes on reads it again.
    offset -= reader.pending
    session.damaged += reader.damaged
    session.strange += reader.strange
    if session.header is None:
        raise FloydtopError(f"There is no event in {path} that could be read.")
    if offset - loaded.offset > WORTH or (known is None and offset > WORTH):
        with contextlib.suppress(OSError):
            _write_index(path, Loaded(session, offset))
    return Loaded(session, offset)


def index_dir() -> Path:
    """Where indexes are: nothing is lost with them."""
    from platformdirs import user_cache_path

    return user_cache_path("floydtop") / "sessions"


def _index_path(path: Path) -> Path:
    return index_dir() / (hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32] + ".idx")


def _mark(path: Path, offset: int) -> tuple[str, int, int, int]:
    """What must be the same for an index to hold: version, file, place, and the bytes before that place."""
    with open(path, "rb") as file:
        start = max(0, offset - _CHECKED)
        file.seek(start)
        before = file.read(offset - start)
        return __version__, os.fstat(file.fileno()).st_ino, offset, zlib.crc32(before)


def _write_index(path: Path, loaded: Loaded) -> None:
    target = _index_path(path)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_suffix(".idx~")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(draft, flags, 0o600), "wb") as file:
        pickle.dump(_mark(path, loaded.offset), file, protocol=5)
        pickle.dump(loaded.session, file, protocol=5)
    os.replace(draft, target)
    indexes = sorted(target.parent.glob("*.idx"), key=lambda one: one.stat().st_mtime)
    total = sum(one.stat().st_size for one in indexes)
    for oldest in indexes[:-1]:
        if total <= MOST_BYTES:
            break
        total -= oldest.stat().st_size
        oldest.unlink()


def _read_index(path: Path) -> Loaded | None:
    try:
        with open(os.open(_index_path(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            mark = _Unpickler(file).load()
            if mark != _mark(path, mark[2]):
                return None
            session = _Unpickler(file).load()
    except Exception:
        # A broken index is no index: whatever is wrong with it, the session itself is read.
        return None
    return Loaded(session, mark[2]) if isinstance(session, Session) else None


class _Unpickler(pickle.Unpickler):
    """Makes nothing but the records of a session: an index could otherwise run anything."""

    _OTHERS = frozenset(
        {
            ("array", "_array_reconstructor"),
            ("array", "array"),
            ("collections", "deque"),
            ("builtins", "set"),
        }
    )

    def __init__(self, file: io.BufferedReader) -> None:
        super().__init__(file)

    def find_class(self, module: str, name: str) -> type:
        """Classes of the session's rooms, and the containers they use."""
        found = super().find_class(module, name)
        ours = module == "floydtop.events" or module.startswith("floydtop.session.")
        if (module, name) in self._OTHERS or (
            ours and isinstance(found, type) and found.__module__ == module
        ):
            return found  # type: ignore[no-any-return]  # what pickle is to call
        raise pickle.UnpicklingError(f"{module}.{name} has no place in an index")
