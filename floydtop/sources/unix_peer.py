"""Who is at the other end of a unix socket: asked of the kernel, /proc does not tell (sock_diag(7))."""

from __future__ import annotations

import errno
import socket
import struct

_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST = 0x1
_SHOW_NAME, _SHOW_PEER = 1, 4
_NAME, _PEER = 0, 2
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBHIIIII")
_ANSWER = struct.Struct("=BBBBIII")
_ATTRIBUTE = struct.Struct("=HH")
_ALL_STATES = _NO_COOKIE = 0xFFFFFFFF


def peer_name(inode: int) -> str | None:
    """The path that the other end of a unix socket is bound to; None when it has none, or nobody tells.

    Args:
        inode: of our end, as in `socket:[123]`.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            peer = _ask(kernel, inode).get(_PEER, b"")
            if len(peer) != 4:
                return None
            name = _ask(kernel, int(struct.unpack("=I", peer)[0])).get(_NAME, b"")
    except (OSError, AttributeError, struct.error):
        return None
    return name.rstrip(b"\0").decode("utf-8", "replace") or None


def _ask(kernel: socket.socket, inode: int) -> dict[int, bytes]:
    """The attributes that the kernel tells of a socket."""
    if inode >= 1 << 32:
        raise OSError(errno.EINVAL, "the kernel counts sockets in 32 bits")
    show = _SHOW_NAME | _SHOW_PEER
    question = _QUESTION.pack(socket.AF_UNIX, 0, 0, _ALL_STATES, inode, show, _NO_COOKIE, _NO_COOKIE)
    kernel.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 0, 0) + question)
    answer = kernel.recv(8192)
    size, kind, *_ = _HEADER.unpack_from(answer)
    if kind != _BY_FAMILY:
        return {}
    found = {}
    place = _HEADER.size + _ANSWER.size
    while place + _ATTRIBUTE.size <= min(size, len(answer)):
        length, name = _ATTRIBUTE.unpack_from(answer, place)
        if length < _ATTRIBUTE.size:
            break
        found[name] = answer[place + _ATTRIBUTE.size : place + length]
        place += (length + 3) & ~3
    return found
