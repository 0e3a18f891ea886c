"""Read a log that is complete, plain, gzip-compressed or in a container's, as fast as the disk gives it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from itertools import chain

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import BLOCK, Chunk
from floydtop.sources.container_log import Unwrapper, is_container_log

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


class Unpacker:
    """Unpacks gzip data that comes in pieces."""

    def __init__(self, path: str) -> None:
        """`path` stands for the data in messages."""
        self._path = path
        self._unpack = zlib.decompressobj(_GZIP_WINDOW)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what the next piece holds, in blocks of at most 1 MiB.

        Raises:
            FloydtopError: this is no gzip data.
        """
        while packed:
            try:
                # Bounded: a 1 MB gzip file can hold a 1 GiB line.
                data = self._unpack.decompress(packed, BLOCK)
            except zlib.error as error:
                raise FloydtopError(
                    f"The log {self._path} is not whole gzip data ({error}): unpack it by hand."
                ) from error
            packed = self._unpack.unconsumed_tail
            if data:
                yield data
            if self._unpack.eof:
                # Concatenated members, as `gzip >> log.gz` makes them, are one log.
                packed = self._unpack.unused_data.lstrip(b"\0")
                self._unpack = zlib.decompressobj(_GZIP_WINDOW)


def packed_size(descriptor: int) -> int:
    """The size of the last member's content modulo 4 GiB, from its trailer; 0 where that can't be true.

    Of a file that still grows the last bytes are no trailer. Deflate packs 1032 to 1 at most.
    """
    packed = os.fstat(descriptor).st_size
    told = int.from_bytes(os.pread(descriptor, 4, max(0, packed - 4)), "little")
    return told if packed // 2 <= told <= 1032 * packed else 0


def read_all(path: str) -> Iterator[Chunk]:
    """Yield the bytes of `path` in order, in blocks of at most 1 MiB; holes are passed over.

    Offsets count uncompressed bytes. For a gzip file `history_size` comes from its trailer, which is
    modulo 4 GiB and speaks only of the last member.

    Raises:
        FloydtopError: the file cannot be read, or is not whole gzip data.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FloydtopError(f"The log {path} cannot be read: {error.strerror}.") from error
    try:
        if os.pread(descriptor, 2, 0) == _GZIP_MAGIC:
            yield from _unpacked(_blocks(descriptor), Unpacker(path), packed_size(descriptor))
        elif is_container_log(path):
            yield from _unpacked(_blocks(descriptor), Unwrapper(), 0)
        else:
            yield from _plain(descriptor)
    except OSError as error:
        raise FloydtopError(f"The log {path} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)


def read_stream(descriptor: int, name: str) -> Iterator[Chunk]:
    """Yield the bytes of a pipe to its end, unpacked like those of a file.

    Raises:
        FloydtopError: it cannot be read, or is not whole gzip data; `name` stands for it in the message.
    """
    try:
        head = b""
        while len(head) < len(_GZIP_MAGIC) and (data := os.read(descriptor, BLOCK)):
            head += data
        blocks = chain([head], _blocks(descriptor))
        if head.startswith(_GZIP_MAGIC):
            yield from _unpacked(blocks, Unpacker(name), 0)
            return
        offset = 0
        for data in blocks:
            yield Chunk(data, offset, True)
            offset += len(data)
    except OSError as error:
        raise FloydtopError(f"{name} cannot be read: {error.strerror}.") from error


def is_packed(path: str) -> bool:
    """Whether the log has to be unpacked: its bytes are not those that were printed."""
    return is_gzip(path) or is_container_log(path)


def is_gzip(path: str) -> bool:
    """Whether this is gzip data, whatever its name."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == _GZIP_MAGIC
    except OSError:
        return False


def _plain(descriptor: int) -> Iterator[Chunk]:
    status = os.fstat(descriptor)
    sparse = status.st_blocks * 512 < status.st_size
    offset = 0
    while data := os.pread(descriptor, BLOCK, offset):
        if sparse and not data.strip(b"\0"):
            try:
                offset = max(offset + len(data), os.lseek(descriptor, offset, os.SEEK_DATA))
            except OSError:
                return
            continue
        yield Chunk(data, offset, True, status.st_size)
        offset += len(data)


def _blocks(descriptor: int) -> Iterator[bytes]:
    while data := os.read(descriptor, BLOCK):
        yield data


def unpacker(path: str) -> Unpacker | Unwrapper:
    """What turns the bytes of a packed log into those that were printed."""
    return Unwrapper() if is_container_log(path) else Unpacker(path)


def _unpacked(blocks: Iterator[bytes], unpacker: Unpacker | Unwrapper, size: int) -> Iterator[Chunk]:
    offset = 0
    for packed in blocks:
        for data in unpacker.feed(packed):
            yield Chunk(data, offset, True, size)
            offset += len(data)
