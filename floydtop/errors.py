"""What can go wrong for a user, said in one sentence."""

from __future__ import annotations


class FloydtopError(Exception):
    """A problem that the user can understand and act on.

    The message is one sentence: what happened, why, and what to do. The command line prints it
    without a traceback and exits with status 2.
    """
