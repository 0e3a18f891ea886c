"""The log that docker keeps of a container: JSON lines of its own around what was printed (json-file driver).

`{"log":"epoch 1 loss 0.4\\n","stream":"stdout","time":"2026-11-25T23:21:58.091936593Z"}`: a line of more than
16 KiB comes in several of them, and only the last ends in a newline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

LONGEST = 1 << 20
"""Bytes of one line of docker's: 16 KiB of output are at most 100 KiB, six for each control character."""
_NAME = re.compile(r"/(?P<container>[0-9a-f]{64})-json\.log(?:\.\d{1,3})?(?: \(deleted\))?$")
_START = b'{"log":"'
_HEAD = 128 * 1024


class _Entry(msgspec.Struct):
    log: str
    stream: str
    time: str = ""


_DECODER = msgspec.json.Decoder(_Entry)


def container_of(path: str) -> str | None:
    """The id of the container whose log this is, by its name; None when it is not named so."""
    named = _NAME.search(path)
    return named["container"] if named else None


def is_container_log(path: str) -> bool:
    """Whether this is docker's log of a container: by its name, or by its first line under another one."""
    if container_of(path) is not None:
        return True
    try:
        with open(path, "rb") as file:
            head = file.read(len(_START))
            if head != _START:
                return False
            line = (head + file.read(_HEAD)).partition(b"\n")[0]
    except OSError:
        return False
    return _unwrapped(line) is not None


class Unwrapper:
    """Takes docker's lines off what was printed; a line that is none of docker's is passed on as it is."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next piece holds: only whole lines of docker's, so that none is read by halves."""
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > LONGEST:
            lines.append(rest)
            rest = b""
        self._rest = rest
        if lines:
            yield b"".join(map(_text, lines))


def _text(line: bytes) -> bytes:
    text = _unwrapped(line)
    return line + b"\n" if text is None else text


def _unwrapped(line: bytes) -> bytes | None:
    try:
        entry = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return entry.log.encode("utf-8", "replace")
