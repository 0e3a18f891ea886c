"""Where a screen's session comes from: a file that grows, or a replay. The screen cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from floydtop.events import Present
from floydtop.session.player import Player
from floydtop.session.session import Session


class Source(Protocol):
    """A session that changes."""

    @property
    def session(self) -> Session:
        """What is known now."""

    @property
    def trace(self) -> Sequence[Present]:
        """Present readings since the last recorded sample, oldest first."""

    @property
    def live(self) -> bool:
        """Whether more may come."""

    @property
    def behind(self) -> bool:
        """Whether more can be had at once."""

    @property
    def grows(self) -> bool:
        """Whether it is worth asking again, also when nobody records now: a recording can be continued."""

    def poll(self) -> bool:
        """Take in what is new; True when anything was."""


class Still:
    """A session that is complete and in memory."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.trace: Sequence[Present] = ()
        self.live = False
        self.behind = False
        self.grows = False

    def poll(self) -> bool:
        """Nothing more comes."""
        return False


class Replay:
    """A player as a source: time passes when it is told to."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.trace: Sequence[Present] = ()
        self.live = False
        self.behind = False
        self.grows = False

    @property
    def session(self) -> Session:
        """The session as it was at the player's position."""
        return self.player.session

    def poll(self) -> bool:
        """Nothing comes by itself but what is still being loaded: the screen advances the player."""
        return self.player.poll()
