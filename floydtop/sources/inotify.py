"""Wake-ups from the kernel when a file or a directory entry changes: inotify(7), a few calls by ctypes.

A wake-up is a hint, never the truth: the watch says nothing on NFS and Lustre (it succeeds there and stays
silent), and its queue can overflow. Whoever waits here also looks by itself once a second.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable

_IN_MODIFY = 0x2
_IN_ATTRIB = 0x4
_IN_MOVED_TO = 0x80
_IN_CREATE = 0x100
_IN_DELETE_SELF = 0x400
_IN_MOVE_SELF = 0x800
_IN_Q_OVERFLOW = 0x4000
_IN_ONLYDIR = 0x1000000

_FILE_EVENTS = _IN_MODIFY | _IN_ATTRIB | _IN_DELETE_SELF | _IN_MOVE_SELF
_NAME_EVENTS = _IN_CREATE | _IN_MOVED_TO | _IN_ONLYDIR

# struct inotify_event: int wd; uint32_t mask, cookie, len; char name[len]
_EVENT = struct.Struct("iIII")


class Wakeups:
    """Sets one asyncio event whenever a watched file is written, or a watched name is created.

    Where the kernel offers no watch (another system, the limit of instances or watches reached) it is
    silent, and the caller's own step is all there is.
    """

    def __init__(self, enabled: bool = True) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._files: set[int] = set()
        self._names: dict[int, bytes] = {}
        self.named = False
        """A watched name was created, or a watched file lost its name, since this was last cleared."""
        self._fd = -1
        if not enabled:
            return
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            self._add: Callable[[int, bytes, int], int] = libc.inotify_add_watch
            self._remove: Callable[[int, int], int] = libc.inotify_rm_watch
            self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._drain)

    def watch_files(self, *paths: str) -> None:
        """Watch the files behind these paths, and no other file; /proc/self/fd/N stands for an open one."""
        for old in self._files:
            self._remove(self._fd, old)
        self._files = {watch for path in paths for watch in self._watch(path, _FILE_EVENTS)}

    def watch_name(self, path: str) -> None:
        """Wake up when `path` is created or something is moved there."""
        directory, name = os.path.split(os.path.abspath(path))
        for watch in self._watch(directory, _NAME_EVENTS):
            self._names[watch] = os.fsencode(name)

    def wake(self) -> None:
        """Wake up whoever waits, as the kernel would."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next wake-up, or when `seconds` have passed."""
        # A timer that sets the event costs a third of asyncio.wait_for, which starts a task each time.
        timer = self._loop.call_later(seconds, self._event.set)
        try:
            await self._event.wait()
        finally:
            timer.cancel()
            self._event.clear()

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _watch(self, path: str, events: int) -> set[int]:
        watch = self._add(self._fd, os.fsencode(path), events) if self._fd >= 0 else -1
        return {watch} if watch >= 0 else set()

    def _drain(self) -> None:
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return
        at = 0
        while at < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
            at += _EVENT.size + length
            if watch in self._names and name == self._names[watch]:
                self.named = True
            elif watch in self._files or mask & _IN_Q_OVERFLOW:
                self.named = self.named or bool(mask & ~_IN_MODIFY)
            else:
                continue
            self._event.set()
