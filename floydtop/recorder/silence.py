"""Whether the log answers: a network mount that dies holds up whoever reads from it, and says nothing."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable

from floydtop.sources.patience import NoAnswer, Patient

PATIENCE = 5.0
"""Seconds that the log's file system may take to answer."""
LOOK_EVERY = 5.0


class Silence:
    """Asks the log's file system for a sign of life, beside the follower, which may hang in a read."""

    def __init__(self, log: str, say: Callable[[str], None]) -> None:
        """`say` is told when the log stops answering, and when it answers again."""
        self._log = log
        self._say = say
        self._patient = Patient[None]("its file system", PATIENCE)
        self.why = ""
        """How long it has not answered, empty while it does."""
        self._since = 0.0

    async def listen(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Ask once."""
        why = await self._ask()
        loop = asyncio.get_running_loop()
        if why and not self.why:
            self._since = loop.time()
            self._say(f"{self._log} is not read: {why}, as on a dead network mount.")
        elif self.why and not why:
            away = loop.time() - self._since
            self._say(f"{self._log} is read again, after {away:.0f} s or more.")
        self.why = why

    async def _ask(self) -> str:
        try:
            await self._patient.ask_async(lambda: _touch(self._log))
        except NoAnswer as silence:
            return str(silence)
        except OSError:
            # An answer all the same: whoever follows the log tells of it.
            return ""
        return ""


def _touch(path: str) -> None:
    """Ask for what no cache of ours knows: a status may be remembered for a while."""
    if stat.S_ISREG(os.stat(path).st_mode):
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY))
