"""A file system with one file, train.log, that stops answering when this program is stopped: a dead mount.

Run by its path with the mount point as its argument; a FUSE server without any library, see linux/fuse.h.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time

UNANSWERED = {2, 36, 42}
"""FORGET, INTERRUPT and BATCH_FORGET."""
ROOT, LOG = 1, 2

HEADER = struct.Struct("=IIQQIIII")
REPLY = struct.Struct("=IiQ")
ATTRIBUTES = struct.Struct("=6Q10I")


def main(mount_point: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"floydtop-test", mount_point.encode(), b"fuse", 0, options.encode()):
        sys.exit(os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    content = bytearray()
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError:
            return
        _, operation, unique, node, *_ = HEADER.unpack_from(request)
        if operation not in UNANSWERED:
            error, body = answer(operation, node, request[HEADER.size :], content)
            os.write(device, REPLY.pack(REPLY.size + len(body), -error, unique) + body)


def answer(operation: int, node: int, body: bytes, content: bytearray) -> tuple[int, bytes]:
    """The error number and the body of the reply; nothing may be cached."""
    match operation:
        case 26:  # INIT
            return 0, struct.pack("=IIIIHHIIHH8I", 7, 31, 0, 0, 16, 12, 1 << 16, 1, 0, 0, *[0] * 8)
        case 1 if body == b"train.log\0":  # LOOKUP
            return 0, struct.pack("=4Q2I", LOG, 0, 0, 0, 0, 0) + attributes(LOG, content)
        case 1:  # LOOKUP
            return 2, b""
        case 3 | 4:  # GETATTR, SETATTR
            return 0, struct.pack("=QII", 0, 0, 0) + attributes(node, content)
        case 14:  # OPEN
            return 0, struct.pack("=QII", 0, 0, 0)
        case 15:  # READ
            _, offset, size = struct.unpack_from("=QQI", body)
            return 0, bytes(content[offset : offset + size])
        case 16:  # WRITE
            _, offset, size = struct.unpack_from("=QQI", body)
            content[offset : offset + size] = body[40 : 40 + size]
            return 0, struct.pack("=II", size, 0)
        case 18 | 25:  # RELEASE, FLUSH
            return 0, b""
    return 38, b""


def attributes(node: int, content: bytearray) -> bytes:
    now = int(time.time())
    mode = 0o40755 if node == ROOT else 0o100644
    return ATTRIBUTES.pack(node, len(content), 1, now, now, now, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


if __name__ == "__main__":
    main(sys.argv[1])
