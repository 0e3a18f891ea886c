"""Several logs at once: the ranks of one job, rank 0 on the screen and the others one key away."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floydtop.sources.target import Target

MOST_RANKS = 16
"""Logs of one job that are recorded unasked: each has a recorder of its own, with some 30 MB."""


def watch_several(texts: Sequence[str], *, interval: float) -> int:
    """Record each of the targets, and show the first.

    Raises:
        FloydtopError: there is no terminal, or one of the targets cannot be recorded.
    """
    from floydtop.commands.watch import need_terminal
    from floydtop.sources.target import resolve

    need_terminal()
    return _show(_recorded(_apart([resolve(text) for text in texts]), interval))


def _apart(targets: Sequence[Target]) -> list[Target]:
    """The targets, of which only the first of each process keeps that: one recording has one log."""
    known: set[int] = set()
    apart: list[Target] = []
    for target in targets:
        if target.pid is None or target.pid not in known:
            apart.append(target)
        else:
            note = f"Process {target.pid} writes this log too: what it uses is shown with its first one."
            apart.append(replace(target, kind="log", pid=None, notes=[*target.notes, note]))
        known.update([target.pid] if target.pid is not None else [])
    return apart


def watch_ranks(target: Target, *, interval: float) -> int:
    """Record a job with the log of one rank, and each other rank with its own; show the first.

    Raises:
        FloydtopError: there is no terminal, or one of them cannot be recorded.
    """
    from floydtop.commands.watch import need_terminal
    from floydtop.sources.target import Target

    need_terminal()
    ranks = [one for one in target.ranks if one.pid != target.pid]
    others = [
        Target(
            "job",
            pid=one.pid,
            log=one.path,
            fd_path=one.fd_path,
            notes=[f"Rank {one.rank} of the job of process {target.pid}; the key r shows the next one."],
        )
        for one in ranks[: MOST_RANKS - 1]
    ]
    notes = [
        *target.notes,
        f"Ranks have logs of their own, {len(ranks) + 1} in all: the key r shows the next.",
    ]
    if len(ranks) > len(others):
        notes.append(f"{len(ranks) - len(others)} ranks are not recorded: name their logs for that.")
    return _show(_recorded([replace(target, notes=notes, ranks=[]), *others], interval))


def _recorded(targets: Sequence[Target], interval: float) -> list[Path]:
    """The recording of each target; those to be begun start side by side, half a second each."""
    with ThreadPoolExecutor(len(targets)) as pool:
        return list(pool.map(partial(_session, interval=interval), targets))


def _session(target: Target, interval: float) -> Path:
    from floydtop.commands.watch import recording_of

    return Path(target.session) if target.session is not None else recording_of(target, interval=interval)


def _show(sessions: Sequence[Path]) -> int:
    from floydtop.app import FloydtopApp
    from floydtop.app.feed import Feed
    from floydtop.commands.watch import say_goodbye

    first, *others = map(Feed, sessions)
    first.wait_for_output()
    app = FloydtopApp(first, others=others)
    app.run(mouse=app.settings["mouse"])
    for feed in (first, *others):
        feed.close()
    if first.silent:
        return app.return_code or 0
    say_goodbye(sessions[0])
    _say_what_else_goes_on(sessions[1:])
    return app.return_code or 0


def _say_what_else_goes_on(sessions: Sequence[Path]) -> None:
    from floydtop.session.library import look_at

    live = [recording for session in sessions if (recording := look_at(session)) and recording.live]
    names = [str(one.header.job.pid) if one.header.job is not None else one.name for one in live]
    if names:
        print(f"Also recorded: {', '.join(names)}.")
