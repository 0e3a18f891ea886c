"""Files that a job may print to, and how likely each is the log that a person wants to see."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from floydtop.sources import descriptors
from floydtop.sources.descriptors import Descriptor
from floydtop.sources.sight import NoAnswer, Sight, look
from floydtop.sources.status import Identity, identity

CLEAR_LEAD = 15
"""Points that the best candidate must be ahead of the next one to be taken without asking."""
PLAUSIBLE = 55
"""Points from which a file that is nobody's stdout may be taken for the log: it has metric words."""

_TEXT_ENDINGS = (".log", ".out", ".err", ".txt", ".jsonl", ".json", ".csv")
_RECENT_SECONDS = 120
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
    metric_words: int = 0
    """How many names of metrics with a number stand at its end."""
    deleted: bool = False
    """The file has lost its last name."""
    through: tuple[str, ...] = ()
    """The programs on the way from the job to the file."""
    silent: str = ""
    """Since when its file system does not answer: then no more than its name is known."""
    rank: int | None = None
    """The rank of the process that prints to it, in a job of several."""


def candidate(
    descriptor: Descriptor, job: int, stdio: str | None, bonus: int, known: dict[Identity, Candidate | None]
) -> Candidate | None:
    """Look at one open file; None when it is no regular file open for writing, or one of floydtop's own.

    Args:
        descriptor: the open file, of the job or of a filter behind its pipe.
        job: the process of the job that it belongs to.
        stdio: what the process prints to the file, such as "stdout" or "stderr through tee".
        bonus: points for being printed to by the very process that the user named.
        known: files that were looked at for this job: a thousand workers may have the same few open.
    """
    try:
        file = identity(descriptor.path)
    except OSError:
        return None
    if not stat.S_ISREG(file.mode) or not descriptors.writes(descriptor):
        return None
    if file not in known:
        known[file] = _seen(descriptor, file)
    seen = known[file]
    if seen is None:
        return None
    if stdio is None:
        return replace(seen, pid=job)
    stdout = stdio.startswith("stdout")
    return replace(
        seen,
        pid=job,
        stdio=True,
        stdout=stdout,
        score=seen.score + 40 + bonus,
        reasons=(f"{stdio} of process {job}", *seen.reasons),
        main=stdout and bonus > 0,
    )


def _seen(descriptor: Descriptor, file: Identity) -> Candidate | None:
    """What the file itself says, whoever prints to it; None for one of floydtop's own."""
    silent = Candidate(
        path=descriptor.link.removesuffix(" (deleted)"),
        fd_path=None,
        pid=descriptor.pid,
        stdio=False,
        stdout=False,
        score=0,
        reasons=(),
        device=file.device,
        inode=file.inode,
        main=False,
    )
    try:
        seen = look(descriptor, file.device)
    except NoAnswer as silence:
        return replace(silent, reasons=(str(silence),), silent=str(silence))
    if seen is None or _SESSION in seen.head:
        return None
    words = len(_METRIC.findall(seen.tail))
    points = list(_points(seen, words))
    return replace(
        silent,
        path=seen.path,
        fd_path=seen.fd_path,
        score=sum(value for value, _ in points),
        reasons=tuple(reason for _, reason in points),
        metric_words=words,
        deleted=seen.status.st_nlink == 0,
    )


def _points(seen: Sight, words: int) -> Iterator[tuple[int, str]]:
    """What speaks for and against a file, with the points for it."""
    if seen.path.endswith(_TEXT_ENDINGS):
        yield 15, "named like a log"
    if time.time() - seen.status.st_mtime < _RECENT_SECONDS:
        yield 15, "written in the last two minutes"
    if seen.status.st_size == 0:
        yield -10, "empty"
    if words:
        yield min(40, 8 * words), f"{words} metric words at its end"
    if b"\0" in seen.tail[-4096:].strip(b"\0"):
        yield -60, "binary"


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
