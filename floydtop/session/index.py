"""Open a large session fast: its newest part at once, and the second time all of it from a disposable index.

The index of a session is what its events add up to, thinned to what a screen keeps (20 MB), in the user's
cache directory with the place up to which the file had been read. It is made again whenever it does not fit
the file or this version.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from floydtop import __version__
from floydtop.errors import FloydtopError
from floydtop.events import Header
from floydtop.session.digest import digest
from floydtop.session.files import blocks, is_packed, open_session, read_events
from floydtop.session.format import Reader
from floydtop.session.helped import digests
from floydtop.session.pages import text_of
from floydtop.session.session import POINTS_SHOWN, Session
from floydtop.session.story import Story

WORTH = 32 << 20
"""Bytes of a session from which on an index is kept: less is read in about a second."""

PACKING = 8
"""How much smaller sessions become when they are packed, as sessions go."""

NEWEST = 1 << 20
"""Bytes of the newest part: 14,000 events, 30 ms."""

MOST_BYTES = 2 << 30
"""Bytes of all indexes together; the oldest go first."""

_CHECKED = 4096

_SHAPE = 4
"""Counts the changes of what an index holds within one version."""


@dataclass(frozen=True)
class Loaded:
    """A session as far as its file was read."""

    story: Story
    offset: int
    """Bytes of the file that are in it; from here a reader goes on."""
    torn: bool = False
    """The file ends in a line that is not finished."""

    @property
    def session(self) -> Session:
        """The state that it adds up to."""
        return self.story.session


class Loading:
    """A session file that is loaded in a thread, so that the screen answers meanwhile.

    The thread begins with the first `poll`, when the newest part is on the screen: beside the imports of the
    screen it would delay them. It lets others run every 5 ms or so (`sys.getswitchinterval`).

    Attributes:
        share: how much of the file has been read, 0 to 1; never quite 1 before `poll` gives the session.
    """

    def __init__(self, path: Path) -> None:
        self.share = 0.0
        self._path = path
        self._thread: threading.Thread | None = None
        self._loaded: Loaded | None = None
        self._error: FloydtopError | None = None

    def poll(self) -> Loaded | None:
        """The session once it is there.

        Raises:
            FloydtopError: it cannot be read or is of a newer version.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="floydtop-load", daemon=True)
            self._thread.start()
        if self._error is not None:
            raise self._error
        return self._loaded

    def _load(self) -> None:
        try:
            self._loaded = load(self._path, self._tell, helped=True)
        except FloydtopError as error:
            self._error = error
        except Exception as error:
            # Whatever it is: the screen is to say so instead of waiting for ever.
            self._error = FloydtopError(f"Cannot load the session {self._path}: {error}.")

    def _tell(self, done: int, size: int) -> None:
        self.share = min(0.98, done / max(1, size))


def is_large(path: Path) -> bool:
    """Whether loading takes so long that the newest part is to be shown first."""
    try:
        size = os.stat(path).st_size if str(path) != "-" else 0
    except OSError:
        return False
    return size > (WORTH // PACKING if is_packed(path) else WORTH)


def newest(path: Path) -> Session:
    """What the head and the last part of a session file tell, to be shown while all of it loads.

    Of a packed file it is the first part: the last one cannot be had without all that comes before.

    Raises:
        FloydtopError: it cannot be read or is of a newer version.
    """
    session = Session(POINTS_SHOWN)
    session.share_loaded = 0.0
    with open_session(path) as file:
        if is_packed(path):
            session.apply_all(Reader().feed(next(blocks(file), b"")))
            return session
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


def load(path: Path, progress: Callable[[int, int], None] | None = None, *, helped: bool = False) -> Loaded:
    """All of a session file, `-` for standard input.

    A plain file is read from its index as far as that goes, and a large one gets a new index.

    Args:
        progress: told after each half mebibyte how many bytes were read, of how many.
        helped: somebody waits for it: a large plain file may take a second core.

    Raises:
        FloydtopError: it cannot be read or is of a newer version.
    """
    loaded = _load_once(path, progress) if is_packed(path) else _load_plain(path, progress, helped=helped)
    loaded.session.share_loaded = 1.0
    if loaded.story.start is None:
        raise FloydtopError(f"There is no event in {path} that could be read.")
    return loaded


def prepare(path: Path) -> None:
    """Make the index of a session that has just ended, if it is large: the first look at it is then fast."""
    if is_large(path) and not is_packed(path):
        with contextlib.suppress(FloydtopError, OSError):
            load(path)


def _load_once(path: Path, progress: Callable[[int, int], None] | None) -> Loaded:
    """What can be read only from front to back: a packed file, or a pipe."""
    story, reader = Story(), Reader()

    def tell(done: int, size: int) -> None:
        story.session.share_loaded = done / size if size else 1.0
        if progress is not None:
            progress(done, size)

    for events in read_events(path, reader, tell):
        told = digest(events)
        has_text = told.lines or told.malformed
        story.take(told, text=text_of(events, story.session.now) if has_text else None)
    story.session.damaged, story.session.strange = reader.damaged, reader.strange
    return Loaded(story, 0, reader.torn)


def _load_plain(path: Path, progress: Callable[[int, int], None] | None, *, helped: bool) -> Loaded:
    known = _read_index(path)
    loaded = known or Loaded(Story(), 0)
    story, offset = loaded.story, loaded.offset
    with open_session(path) as file:
        size = os.fstat(file.fileno()).st_size
        pieces = digests(file.fileno(), offset, size, helped=helped and size - offset > WORTH)
        try:
            for start, stop, told in pieces:
                story.session.share_loaded = min(1.0, stop / size)
                story.take(told, start, stop - start)
                offset = stop
                if progress is not None:
                    progress(stop, size)
        except OSError as error:
            raise FloydtopError(f"Cannot read the session {path}: {error.strerror}.") from None
        story.pages.read_from(os.dup(file.fileno()))
    if story.start is not None and (offset - loaded.offset > WORTH or (known is None and offset > WORTH)):
        with contextlib.suppress(OSError):
            _write_index(path, Loaded(story, offset))
    # Whoever goes on begins with the line that is not finished.
    return Loaded(story, offset, torn=offset < size)


def index_dir() -> Path:
    """Where indexes are: nothing is lost with them."""
    from platformdirs import user_cache_path

    return user_cache_path("floydtop") / "sessions"


def _index_path(path: Path) -> Path:
    # 3.4 MB of OpenSSL, which most sessions are too small to need.
    import hashlib

    return index_dir() / (hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32] + ".idx")


def _mark(path: Path, offset: int) -> tuple[str, int, int, int]:
    """What must be the same for an index to hold: version, file, place, and the bytes before that place.

    How many points are kept, and the shape of what is kept, count as part of the version.
    """
    with open(path, "rb") as file:
        start = max(0, offset - _CHECKED)
        file.seek(start)
        before = file.read(offset - start)
        return (
            f"{__version__}/{_SHAPE}/{POINTS_SHOWN}",
            os.fstat(file.fileno()).st_ino,
            offset,
            zlib.crc32(before),
        )


def _write_index(path: Path, loaded: Loaded) -> None:
    target = _index_path(path)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_suffix(".idx~")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(draft, flags, 0o600), "wb") as file:
        pickle.dump(_mark(path, loaded.offset), file, protocol=5)
        pickle.dump(loaded.story, file, protocol=5)
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
            story = _Unpickler(file).load()
    except Exception:
        # A broken index is no index: whatever is wrong with it, the session itself is read.
        return None
    return Loaded(story, mark[2]) if isinstance(story, Story) else None


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
