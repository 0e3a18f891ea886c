"""What a person says of a recording, and what its ends tell, in a small file beside it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import Header, JobState
from floydtop.session.files import name_of

LONGEST_TEXT = 2000
"""Characters of a name or a note."""


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """The head and the tail of a session, for a packed one: to read its tail is to unpack it all."""

    packed_size: int
    """Bytes of the packed file: another size means another file."""
    size: int
    header: Header
    state: JobState | None = None
    duration: float = 0.0
    read_to: int | None = None
    closed: bool = False


class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of such a file; without one everything is as here."""

    title: str | None = None
    note: str | None = None
    pinned: bool = False
    announced: float | None = None
    """Unix time at which it was said that this session will be deleted to make room."""
    summary: Summary | None = None


def meta_path(session: Path) -> Path:
    """Where the words on a session are."""
    return session.with_name(name_of(session) + ".meta")


def read_meta(session: Path) -> Meta:
    """The words on a session; none when the file is not there or broken."""
    try:
        return msgspec.json.decode(meta_path(session).read_bytes(), type=Meta)
    except (OSError, ValueError, RecursionError):
        return Meta()


def change_meta(session: Path, **changes: object) -> Meta:
    """Replace some of the words on a session.

    Raises:
        FloydtopError: they cannot be written.
    """
    for key in ("title", "note"):
        text = changes.get(key)
        if isinstance(text, str):
            changes[key] = text[:LONGEST_TEXT] or None
    meta = msgspec.structs.replace(read_meta(session), **changes)
    path = meta_path(session)
    try:
        if meta == Meta():
            path.unlink(missing_ok=True)
        else:
            replace_file(path, msgspec.json.encode(meta))
    except OSError as error:
        raise FloydtopError(f"Cannot write {path}: {error.strerror}.") from None
    return meta


def replace_file(path: Path, content: bytes) -> None:
    """Replace a small file as a whole, private to its owner."""
    draft = path.with_name(path.name + "~")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, 0o600), "wb") as file:
            file.write(content)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
