"""Files that a job may print to, and how likely each is the log that a person wants to see."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from floydtop.sources import descriptors
from floydtop.sources.descriptors import Descriptor

CLEAR_LEAD = 15
"""Points that the best candidate must be ahead of the next one to be taken without asking."""
PLAUSIBLE = 55
"""Points from which a file that is nobody's stdout may be taken for the log: it has metric words."""

_TEXT_ENDINGS = (".log", ".out", ".err", ".txt", ".jsonl", ".json", ".csv")
_RECENT_SECONDS = 120
_TAIL_BYTES = 65536
_SESSION = b'"floydtop-session"'
"""A recording, full of metric words, of which the recorder is the only writer."""
_METRIC = re.compile(
    rb"(?i)(?:loss|acc|accuracy|epoch|step|iter|iteration|eval|perplexity|ppl|auc|f1|rmse|mae|lr|reward|value)"
    rb"[\"']?\s{0,4}[:= |]\s{0,4}[-+]?[\d.]"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that a process of the job has open for writing, or that a filter behind it has."""

    path: str
    """Where the file is now; its last name when it was deleted."""
    fd_path: str | None
    """/proc/PID/fd/N, the only way to a file that was deleted or lies in another file system namespace."""
    pid: int
    """The process of the job that prints to it."""
    stdio: bool
    """What the process prints to its stdout or stderr ends in this file."""
    stdout: bool
    """It is what the process prints to its stdout."""
    score: int
    reasons: tuple[str, ...]
    device: int
    inode: int
    main: bool
    """It is the stdout of the process that the user named, or of a launcher's first rank."""
    metric_words: int
    """How many names of metrics with a number stand at its end."""
    deleted: bool
    """The file has lost its last name."""
    rank: int | None = None
    """The rank of the process that prints to it, in a job of several."""


def candidate(descriptor: Descriptor, job: int, stdio: str | None = None, bonus: int = 0) -> Candidate | None:
    """Look at one open file; None when it is no regular file open for writing, or one of floydtop's own.

    Args:
        descriptor: the open file, of the job or of a filter behind its pipe.
        job: the process of the job that it belongs to.
        stdio: what the process prints to the file, such as "stdout" or "stderr through tee".
        bonus: points for being printed to by the very process that the user named.
    """
    status = descriptors.regular(descriptor)
    if status is None or not descriptors.writes(descriptor):
        return None
    path, fd_path = _location(descriptor, status)
    score = 0
    reasons: list[str] = []

    def count(points: int, reason: str) -> None:
        nonlocal score
        score += points
        reasons.append(reason)

    if stdio:
        count(40 + bonus, f"{stdio} of process {job}")
    if path.endswith(_TEXT_ENDINGS):
        count(15, "named like a log")
    if time.time() - status.st_mtime < _RECENT_SECONDS:
        count(15, "written in the last two minutes")
    if status.st_size == 0:
        count(-10, "empty")
    if _SESSION in _read(descriptor, 0, 4096):
        return None
    tail = _read(descriptor, max(0, status.st_size - _TAIL_BYTES), _TAIL_BYTES)
    words = len(_METRIC.findall(tail))
    if words:
        count(min(40, 8 * words), f"{words} metric words at its end")
    if b"\0" in tail[-4096:].strip(b"\0"):
        count(-60, "binary")
    return Candidate(
        path=path,
        fd_path=fd_path,
        pid=job,
        stdio=bool(stdio),
        stdout=(stdio or "").startswith("stdout"),
        score=score,
        reasons=tuple(reasons),
        device=status.st_dev,
        inode=status.st_ino,
        main=(stdio or "").startswith("stdout") and bonus > 0,
        metric_words=words,
        deleted=status.st_nlink == 0,
    )


def ranked(found: Iterable[Candidate | None]) -> list[Candidate]:
    """The likeliest first; of several ways to the same file the best."""
    best: dict[tuple[int, int], Candidate] = {}
    for one in found:
        if one is None or one.score <= 0:
            continue
        key = (one.device, one.inode)
        if key not in best or one.score > best[key].score:
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.score, one.path))


def clear_winner(ordered: list[Candidate]) -> Candidate | None:
    """The first of the ranked candidates, unless another one comes too near to it to choose alone."""
    if not ordered:
        return None
    lead = ordered[0].score - ordered[1].score if len(ordered) > 1 else CLEAR_LEAD
    return ordered[0] if lead >= CLEAR_LEAD else None


def _location(descriptor: Descriptor, status: os.stat_result) -> tuple[str, str | None]:
    """The file's present name; with the descriptor's path when no name of ours leads to it."""
    link = descriptor.link
    if status.st_nlink == 0:
        return link.removesuffix(" (deleted)"), descriptor.path
    try:
        named = os.stat(link)
    except OSError:
        return link, descriptor.path
    same = (named.st_dev, named.st_ino) == (status.st_dev, status.st_ino)
    return link, None if same else descriptor.path


def _read(descriptor: Descriptor, start: int, size: int) -> bytes:
    try:
        file = os.open(descriptor.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        return os.pread(file, size, start)
    except OSError:
        return b""
    finally:
        os.close(file)
