"""From a process to the place its output goes to: the cheapest way first, and in words when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from floydtop.sources import containers, descriptors, lost, screen, tmux
from floydtop.sources.candidates import CLEAR_LEAD, PLAUSIBLE, Candidate, candidate, clear_winner, ranked
from floydtop.sources.descriptors import Descriptor
from floydtop.sources.lost import End
from floydtop.sources.ranks import logs_of_ranks, with_ranks
from floydtop.sources.status import Identity
from floydtop.sources.steps import tasks_of
from floydtop.sources.trail import FILTERS, Machine, Stop, is_terminal, may_be_file, trace
from floydtop.sources.writers import Writers, find_writers

__all__ = ["Output", "Writers", "explain", "find_output", "find_writers"]

_STREAMS = {1: "stdout", 2: "stderr"}
_OF_ROOT = 20
"""Points for the stdout of the very process that the user named."""
_EXPLAINED = 12
"""Files that are explained; a job may have hundreds open."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where what a job prints can be read."""

    log: Candidate | None
    """The file to follow; None when there is none, or when several are as likely."""
    terminal: str | None
    """Address of the tmux pane or screen window to follow, when no file holds the output."""
    candidates: tuple[Candidate, ...]
    """All files that may hold it, the likeliest first."""
    sentence: str
    """Where the output goes, and what would help when it cannot be read."""
    lost_in: str | None = None
    """The terminal, pipe or socket that takes the output, when nothing can be read behind it."""
    ranks: tuple[Candidate, ...] = ()
    """The log of each rank of a launcher's job, `log` first; empty when they have none of their own."""
    steps: tuple[str, ...] = ()
    """What was looked at, for a person who wants to know why."""


def find_output(pid: int, machine: Machine | None = None) -> Output:
    """Find what to read to see what the job with this root process prints.

    The files that any process of its tree writes are ranked, those that its stdout and stderr end in
    first, behind whatever pipes; a terminal is read only when there is no such file.

    Raises:
        PermissionError: the process belongs to somebody else.
        FileNotFoundError: there is no such process.
    """
    own = descriptors.links(pid)
    machine = machine or Machine()
    steps = [f"process {pid}: {' '.join(descriptors.command(pid)) or '(no command line)'}"]
    steps += [f"  {name} -> {own.get(number, 'closed')}" for number, name in _STREAMS.items()]
    found: list[Candidate | None] = []
    ends: list[End] = []
    seen: set[str] = set()
    files: dict[Identity, Candidate | None] = {}
    members = descriptors.descendants(pid, machine.table)
    members += [task for task in tasks_of(members, machine.table) if task not in members]
    if len(members) > 1:
        steps.append(f"  with all that it has started: {len(members)} processes")
    for member in members:
        found.extend(_printed_by(member, pid, machine, seen, files, ends))
    ordered = ranked(with_ranks(ranked(found), machine.table))
    steps += _explained(ordered, ends)
    likely = [one for one in ordered if one.main or (one.metric_words and one.score >= PLAUSIBLE)]
    address, sentence = None, ""
    if not likely:
        address, sentence = _not_in_a_file(pid, own, ends)
        if address is None:
            # A helper's output, or a stderr without a number in it yet: better than nothing, no more.
            likely = [one for one in ordered if one.stdio]
    if likely and likely[0].silent:
        sentence = (
            f"The output goes to {likely[0].path}, but {likely[0].silent}, as on a dead network mount: "
            "attach again when it does."
        )
        return Output(None, None, (), sentence, steps=tuple(steps))
    ranks = _ranks(ordered, likely)
    if ranks:
        return Output(ranks[0], None, tuple(ordered), _of_ranks(ranks), ranks=ranks, steps=tuple(steps))
    winner = clear_winner(likely)
    if winner is not None:
        way = f", through {' and '.join(winner.through)}" if winner.through else ""
        sentence = f"The output goes to {winner.path}{way}."
        return Output(winner, None, tuple(ordered), sentence, steps=tuple(steps))
    if likely:
        paths = " or ".join(one.path for one in likely[:3])
        sentence = f"The output may be in {paths}: choose with --log FILE."
        return Output(None, None, tuple(likely), sentence, steps=tuple(steps))
    if machine.denied:
        unseen = f"{machine.denied} processes belong to others and could not be looked at"
        steps.append(unseen)
        sentence = sentence if address else f"{sentence[:-1]} ({unseen})."
    lost_in = own.get(1, own.get(2)) if address is None else None
    return Output(None, address, (), sentence, lost_in, steps=tuple(steps))


def explain(pid: int) -> list[str]:
    """What was looked at to find the output of `pid`, and the result, line by line.

    Raises:
        PermissionError: the process belongs to somebody else.
        FileNotFoundError: there is no such process.
    """
    output = find_output(pid)
    return [*output.steps, output.sentence]


def _ranks(ordered: list[Candidate], likely: list[Candidate]) -> tuple[Candidate, ...]:
    """The logs of all ranks, the one to begin with first; empty when another file is likelier than those.

    That is the first rank's, unless only another one prints metrics, as the last of a pipeline does.
    """
    logs = logs_of_ranks(ordered)
    if not logs or not likely or likely[0].score - max(one.score for one in logs) >= CLEAR_LEAD:
        return ()
    first = clear_winner(ranked(logs)) or logs[0]
    return (first, *(one for one in logs if one is not first))


def _of_ranks(logs: tuple[Candidate, ...]) -> str:
    first, *others = logs
    numbers = [one.rank for one in others if one.rank is not None]
    if len(numbers) == 1:
        more = f"rank {numbers[0]} has a log of its own"
    elif len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        more = f"ranks {numbers[0]} to {numbers[-1]} have logs of their own"
    else:
        more = f"ranks {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} have logs of their own"
    return f"The output of rank {first.rank} goes to {first.path}; {more}."


def _printed_by(
    member: int,
    root: int,
    machine: Machine,
    seen: set[str],
    files: dict[Identity, Candidate | None],
    ends: list[End],
) -> Iterator[Candidate | None]:
    """The files that one process writes; where its stdout and stderr end in no file is added to `ends`."""
    try:
        links = descriptors.links(member)
    except OSError:
        return
    for number, link in links.items():
        descriptor = Descriptor(member, number, link)
        name = _STREAMS.get(number)
        bonus = _OF_ROOT if member == root and number == 1 else 0
        if may_be_file(link):
            yield candidate(descriptor, member, name, bonus, files)
        elif name is not None and f"{name} {link}" not in seen:
            # Each pipe and terminal once: all ranks of a launcher usually share them.
            seen.add(f"{name} {link}")
            for stop in trace(descriptor, machine):
                stop = _kept_by_docker(member, stop, machine)
                if not may_be_file(stop.descriptor.link):
                    ends.append(End(name, member, stop))
                    continue
                names = tuple(row.name for row in stop.through)
                found = candidate(stop.descriptor, member, f"{name} through {', '.join(names)}", bonus, files)
                yield replace(found, through=names) if found is not None else None
                if FILTERS.issuperset(names):
                    # What one tee writes to several files is the same: the first of them is enough.
                    bonus -= _OF_ROOT


def _kept_by_docker(member: int, stop: Stop, machine: Machine) -> Stop:
    """The same end, or docker's log of what is read outside of the container that the process runs in."""
    identity = containers.container(member)
    reader = stop.through[-1] if stop.through else None
    if identity is None or reader is None or containers.container(reader.pid) == identity:
        return stop
    kept = containers.kept_log(identity, machine.snapshot.descriptors())
    if kept is None or kept.pid not in machine.table:
        return stop
    return Stop(kept, (*stop.through[:-1], machine.table[kept.pid]))


def _not_in_a_file(pid: int, own: dict[int, str], ends: list[End]) -> tuple[str | None, str]:
    """The address of the terminal to read, if there is one, and the sentence that tells the user."""
    for end in (one.stop for one in ends):
        link = end.descriptor.link
        owner = end.through[-1] if end.through else None
        if not is_terminal(link) or owner is None:
            continue
        if owner.name.startswith("tmux"):
            pane = tmux.find_pane(pid, link, owner.pid)
            if pane is not None:
                return pane.address, f"The output goes to tmux pane {pane.pane}, which is read from now on."
        elif owner.name.lower() == "screen":
            window = screen.find_window(end.descriptor.pid, owner.pid)
            if window is not None:
                return window, "The output goes to a window of GNU screen, which is looked at each second."
    first = own.get(1, own.get(2, ""))
    stops = [end.stop for end in ends]
    shown = next((stop for stop in stops if stop.descriptor.link == first), stops[0] if stops else None)
    return None, f"The output of process {pid} {lost.sentence(pid, first, shown)}."


def _explained(ordered: list[Candidate], ends: list[End]) -> Iterator[str]:
    if ordered:
        yield "files that it writes, the likeliest log first (points, and what for):"
    for one in ordered[:_EXPLAINED]:
        rank = [f"rank {one.rank}"] if one.rank is not None else []
        yield f"  {one.score:>4}  {one.path}"
        yield f"        {', '.join([*rank, *one.reasons])}"
    if len(ordered) > _EXPLAINED:
        yield f"        and {len(ordered) - _EXPLAINED} more"
    if ends:
        yield "output that ends in no file:"
    for end in ends[:_EXPLAINED]:
        yield f"  {end}"
    if len(ends) > _EXPLAINED:
        yield f"  and {len(ends) - _EXPLAINED} more"
