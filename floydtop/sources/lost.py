"""Words for output that ends in no file: what became of it, and the command that would help."""

from __future__ import annotations

from dataclasses import dataclass

from floydtop.sources import containers, descriptors, steps
from floydtop.sources.descriptors import Process
from floydtop.sources.ptrace import why_not
from floydtop.sources.trail import Stop, is_multiplexer, is_terminal

_LOG = "if it also writes a log, name it with --log FILE"
_RESTART = "next time start it in tmux, as `COMMAND 2>&1 | tee LOG`, or by `floydtop run -- COMMAND`"


@dataclass(frozen=True, slots=True)
class End:
    """Where a stream of one process of the job is lost: in a terminal, a pipe, a socket or a device."""

    stream: str
    pid: int
    stop: Stop

    def __str__(self) -> str:
        link = self.stop.descriptor.link
        way = [f"{row.name} (process {row.pid})" for row in self.stop.through]
        if is_terminal(link):
            # The last on the way is the owner of the terminal: what is behind it, not before.
            way = [*way[:-1], link, *way[-1:]]
        else:
            way.append("no file" if way else link)
        return f"{self.stream} of process {self.pid} -> {' -> '.join(way)}"


def sentence(pid: int, link: str, end: Stop | None) -> str:
    """What happens to the output of a process, and what would help.

    Args:
        pid: the process.
        link: what its stdout points to, empty when that is closed.
        end: where the trail from there ends.
    """
    if any("ipykernel" in word for word in descriptors.command(pid)[:4]):
        return "goes to its notebook: print to a file too, and name that with --log FILE"
    if not link:
        return f"goes nowhere (stdout and stderr are closed): {_LOG}"
    trace = f"`floydtop {pid} --ptrace` reads what it prints from now on, but slows it"
    traced = [trace] if why_not() is None else []
    helps = "; ".join([_LOG, *traced])
    if link == "/dev/null":
        return f"is thrown away (/dev/null): {helps}"
    command = containers.output_command(pid)
    sent = steps.task(pid) if end is None or not end.through or end.through[-1].name == steps.DAEMON else None
    if sent is not None and sent.port is not None:
        return (
            f"is sent by Slurm to its srun on {sent.host}: name the file that this prints to with --log FILE"
        )
    if end is not None and end.through and end.through[-1].name.startswith("sshd"):
        return f"goes over ssh to where it was started: {helps}"
    if end is not None and is_terminal(end.descriptor.link):
        holder = end.through[-1] if end.through else None
        outside = holder is None or containers.container(holder.pid) is None
        if command is not None and outside and not command.startswith("journalctl"):
            # The terminal that `docker run -t` makes: the other side is the runtime's.
            return f"goes to its container: {command}"
        if holder is not None and is_multiplexer(holder) and not outside:
            return (
                f"goes to {holder.name.partition(':')[0]} in its container: run floydtop in there, or {helps}"
            )
        owner = _owner(holder)
        return f"goes to the terminal {end.descriptor.link}{owner}: {'; '.join([*traced, _RESTART])}"
    # A pipe in a service that somebody reads is no journal's: cron sends what it reads by mail.
    piped = link.startswith("pipe:") and end is not None and bool(end.through)
    is_journal = command is not None and command.startswith("journalctl")
    if link.startswith(("socket:", "pipe:")) and command is not None and not (piped and is_journal):
        return f"goes to its container or service: {command}"
    if link.startswith("socket:") and (journal := containers.journal_command(pid, link)) is not None:
        return f"goes to the journal of systemd: {journal}"
    if link.startswith("socket:"):
        return f"goes into a socket, which cannot be read: {helps}"
    if link.startswith("pipe:") and (end is None or not end.through):
        return (
            "goes into a pipe whose reader is not in sight, as in a container: "
            f"`docker logs -f CONTAINER | floydtop -` outside of it; {helps}"
        )
    if link.startswith("pipe:"):
        reader = _owner(end.through[-1] if end is not None else None)
        return f"goes into a pipe{reader} that ends in no file: {helps}"
    return f"goes to {link}: {helps}"


def _owner(row: Process | None) -> str:
    return f" ({row.name}, process {row.pid})" if row is not None else ""
