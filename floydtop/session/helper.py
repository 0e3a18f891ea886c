"""The small process beside a load that digests stretches of the session file, see `floydtop.session.helped`.

It is told where stretches begin and end, 16 bytes each, and writes their digests with the size before each.
Whatever goes wrong ends it: whoever started it then digests the stretch, and says what is wrong with it.
"""

from __future__ import annotations

import pickle
import struct
import sys

import msgspec

from floydtop.events import Event
from floydtop.session.digest import Digest, digest_file

STRETCH = struct.Struct("<qq")
SIZE = struct.Struct("<q")
GREETING = b"at your service\n"
"""Until it has said so, nothing is asked."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[list[Event]] = msgspec.msgpack.Decoder(list[Event])


def main() -> None:
    """Digest what is asked for of the file that was handed down, until nobody asks any more."""
    fd = int(sys.argv[1])
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(GREETING)
    answers.flush()
    while len(stretch := asked.read(STRETCH.size)) == STRETCH.size:
        packed = pack(digest_file(fd, *STRETCH.unpack(stretch)))
        answers.write(SIZE.pack(len(packed)) + packed)
        answers.flush()


def pack(told: Digest) -> bytes:
    """A digest as it goes from process to process; events as MessagePack, which takes a tenth of the time."""
    others, told.others = told.others, []
    return pickle.dumps((_encoder.encode(others), told), protocol=5)


def unpack(packed: bytes) -> Digest:
    """What was packed, by a process of ours."""
    others, told = pickle.loads(packed)
    assert isinstance(told, Digest)
    told.others = _decoder.decode(others)
    return told
