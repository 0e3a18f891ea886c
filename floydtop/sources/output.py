"""From a process to the place its output goes to: the cheapest way first, and in words when there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from floydtop.sources import descriptors
from floydtop.sources.candidates import PLAUSIBLE, Candidate, candidate, clear_winner, ranked
from floydtop.sources.descriptors import Descriptor
from floydtop.sources.writers import Writers, find_writers

__all__ = ["Output", "Place", "Writers", "explain", "find_output", "find_writers"]

Place = Literal["file", "pipe", "terminal", "null", "socket", "closed", "other"]


@dataclass(frozen=True, slots=True)
class Output:
    """Where what a job prints can be read."""

    place: Place
    """What the stdout of the process is."""
    log: Candidate | None
    """The file to follow; None when there is none, or when several are as likely."""
    candidates: tuple[Candidate, ...]
    """All files that it may be, the likeliest first."""
    sentence: str
    """Where the output goes, and what would help when it cannot be read."""


def find_output(pid: int) -> Output:
    """Find the file that the job with this root process prints to.

    Raises:
        PermissionError: the process belongs to somebody else.
        FileNotFoundError: there is no such process.
    """
    own = descriptors.links(pid)
    place = _place(own.get(1, own.get(2, "")))
    table = descriptors.process_table()
    found: list[Candidate | None] = []
    for member in descriptors.descendants(pid, table):
        found.extend(_files_of(member, root=member == pid))
    ordered = ranked(found)
    winner = clear_winner(ordered)
    if winner is not None and (_is_stdio(winner) or winner.score >= PLAUSIBLE):
        return Output(place, winner, tuple(ordered), f"The output of process {pid} goes to {winner.path}.")
    likely = tuple(one for one in ordered if _is_stdio(one) or one.score >= PLAUSIBLE)
    if likely:
        sentence = f"Several files may hold the output of process {pid}: choose one with --log FILE."
    else:
        sentence = _sentence(pid, place, own)
    return Output(place, None, likely, sentence)


def explain(pid: int) -> list[str]:
    """What was looked at to find the output of `pid`, and why the result is what it is, line by line."""
    output = find_output(pid)
    own = descriptors.links(pid)
    lines = [f"process {pid}: {' '.join(descriptors.command(pid)) or '(no command line)'}"]
    lines += [f"  {name} -> {own.get(number, 'closed')}" for number, name in ((1, "stdout"), (2, "stderr"))]
    lines += [f"  candidate {one}" for one in output.candidates]
    return [*lines, output.sentence]


def _files_of(pid: int, root: bool) -> list[Candidate | None]:
    try:
        links = descriptors.links(pid)
    except OSError:
        return []
    return [
        candidate(Descriptor(pid, number, link), pid, {1: "stdout", 2: "stderr"}.get(number), root)
        for number, link in links.items()
        if link.startswith("/") and not link.startswith(("/dev/", "/proc/", "/sys/"))
    ]


def _is_stdio(one: Candidate) -> bool:
    return one.reasons[0].startswith(("stdout", "stderr"))


def _place(link: str) -> Place:
    if not link:
        return "closed"
    if link == "/dev/null":
        return "null"
    if link.startswith(("/dev/pts/", "/dev/tty", "/dev/console")):
        return "terminal"
    if link.startswith("pipe:"):
        return "pipe"
    if link.startswith("socket:"):
        return "socket"
    return "file" if link.startswith("/") else "other"


def _sentence(pid: int, place: Place, own: dict[int, str]) -> str:
    link = own.get(1, own.get(2, "nowhere"))
    what = {
        "null": "is thrown away (it goes to /dev/null)",
        "closed": "goes nowhere (its stdout and stderr are closed)",
        "terminal": f"goes to a terminal ({link})",
        "pipe": f"goes into a pipe ({link}) that ends in no file",
        "socket": f"goes into a socket ({link})",
    }.get(place, f"goes to {link}")
    return f"The output of process {pid} {what}: if it also writes a log, name it with --log FILE."
