"""The commands with a screen: watch a job, replay a session, and the demo."""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.commands.known import find_interrupted, usable_recording
from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.recorder.assignment import Assignment
    from floydtop.recorder.recording import Recording
    from floydtop.session.player import Player
    from floydtop.sources.target import Target


def watch(
    text: str | None,
    pid: int | None,
    log: str | None,
    *,
    interval: float,
    detach: bool,
    ptrace: bool = False,
) -> int:
    """Watch what the user named: attach to the job, or show the session.

    Args:
        ptrace: trace the job's writes when its output can be read in no other way; that slows it.

    Raises:
        FloydtopError: there is no terminal, or no such target.
    """
    if text == "-":
        from floydtop.commands.run import watch_pipe

        return watch_pipe(pid, interval=interval, detach=detach)
    from floydtop.sources.target import mode_of, resolve

    fifo = log or text
    if fifo is not None and stat.S_ISFIFO(mode_of(fifo)):
        from floydtop.commands.run import watch_fifo

        if fifo is not text and text is not None:
            pid = resolve(text, log=log).pid
        return watch_fifo(fifo, pid, interval=interval, detach=detach)
    if text is not None and (named := session_named(text)) is not None:
        return _show_as_recorded(named)
    target = resolve(text, pid=pid, log=log, ptrace=ptrace)
    if target.kind == "session":
        assert target.session is not None
        return _show_as_recorded(Path(target.session))
    need_terminal()
    if target.pid is not None and target.log is None and target.candidates:
        from floydtop.commands.pick import pick_log

        chosen = pick_log(target.candidates)
        if chosen is None:
            return 0
        target = replace(target, log=chosen.path, fd_path=chosen.fd_path, candidates=[], named=True)
    if target.ranks:
        from floydtop.commands.several import watch_ranks

        if detach:
            return watch_ranks(target, interval=interval)
        target.notes.append("Other ranks have logs of their own, which --no-detach leaves alone.")
    return monitor(target, interval=interval, detach=detach)


def explain(text: str | None, pid: int | None) -> int:
    """Print what was found to be the job's output, and why.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.commands.plain import printable
    from floydtop.sources.output import explain as explain_output
    from floydtop.sources.target import resolve

    target = resolve(text, pid=pid)
    try:
        lines = explain_output(target.pid) if target.pid is not None else []
    except OSError:
        # Somebody else's, or gone meanwhile: a note says so.
        lines = []
    # How the process was found comes first; what was found out about it is the end of the explanation.
    lines = [*(note for note in target.notes if note not in lines), *lines]
    lines = lines or [f"{target.log or target.session or text}: there is no process to look at."]
    print("\n".join(map(printable, lines)))
    return 0


def session_named(text: str) -> Path | None:
    """The recording with a name that begins so, when the text is neither a pid nor a path.

    Raises:
        FloydtopError: several begin so.
    """
    from floydtop.session.library import find, recordings

    if text.isdigit() or os.path.exists(text):
        return None
    return find(text) if any(recording.name.startswith(text) for recording in recordings()) else None


def monitor(target: Target, *, interval: float, detach: bool) -> int:
    """Make sure that the target is recorded, and show its session."""
    from floydtop.recorder.alone import alone

    with alone(_key(target)):
        known = usable_recording(target)
        if known is None:
            assignment = _assignment(target, interval)
            if detach:
                _start(assignment)
                known = assignment.session
            else:
                from floydtop.recorder.recording import Recording

                recording = Recording(assignment)
    return show(known) if known is not None else _show_inside(recording)


def record(target: Target, *, interval: float) -> int:
    """Make sure that the target is recorded, without showing it.

    Raises:
        FloydtopError: there is no such process any more, or the session cannot be written.
    """
    recording_of(target, interval=interval)
    return 0


def recording_of(target: Target, *, interval: float) -> Path:
    """The recording of the target, begun when there is none.

    Raises:
        FloydtopError: there is no such process any more, or the session cannot be written.
    """
    from floydtop.recorder.alone import alone
    from floydtop.recorder.detach import Starting

    with alone(_key(target)):
        known = usable_recording(target)
        if known is None:
            assignment = _assignment(target, interval)
            Starting(assignment).wait()
            known = assignment.session
    return known


def _key(target: Target) -> str:
    return str(target.pid) if target.pid is not None else str(target.log)


def _assignment(target: Target, interval: float) -> Assignment:
    from floydtop.commands.rules import rules_if_any
    from floydtop.recorder.assignment import Assignment
    from floydtop.session.place import writable_path

    own = rules_if_any()
    session, notes = find_interrupted(target), list(target.notes)
    notes += [own.words()] if own else []
    if session is None:
        session, note = writable_path(socket.gethostname(), target.pid)
        notes += [note] if note is not None else []
    return Assignment(
        session=session,
        pid=target.pid,
        log=target.log or target.terminal,
        interval=interval,
        reopen=target.fd_path,
        notes=tuple(notes),
        rules=own,
    )


def _start(assignment: Assignment) -> None:
    from floydtop.recorder.detach import Starting

    starting = Starting(assignment)
    # Textual takes longest to load: the recorder starts meanwhile.
    import floydtop.app  # noqa: F401

    starting.wait()


def _show_inside(recording: Recording) -> int:
    from floydtop.app import FloydtopApp
    from floydtop.app.feed import Feed

    session = recording.assignment.session
    app = FloydtopApp(Feed(session), recorder=recording)
    app.run(mouse=app.settings["mouse"])
    print(f"The recording is closed: floydtop replay {session.stem}")
    return app.return_code or 0


def show(session: Path) -> int:
    """Show a session: live while a recorder writes it, as a replay afterwards."""
    need_terminal()
    from floydtop.session.writer import is_being_recorded

    if is_being_recorded(session):
        from floydtop.app import FloydtopApp
        from floydtop.app.feed import Feed

        feed = Feed(session)
        feed.wait_for_output()
        app = FloydtopApp(feed)
        app.run(mouse=app.settings["mouse"])
        feed.close()
        if feed.silent:
            print(
                f"{session} does not answer, as on a dead network mount: the recorder goes on when it does."
            )
            return app.return_code or 0
        say_goodbye(session)
        return app.return_code or 0
    return _play(session)


def _show_as_recorded(session: Path) -> int:
    from floydtop.commands.rules import rules_given

    if rules_given():
        from floydtop.session.writer import is_being_recorded

        if is_being_recorded(session):
            raise FloydtopError(
                "It is being recorded already, by other rules: "
                f"end that with `floydtop stop {session.stem}` first."
            )
        raise FloydtopError(
            f"{session.stem} is a recording, its lines were read already: name the job or log."
        )
    return show(session)


def say_goodbye(session: Path) -> None:
    """One line about what goes on, and how to stop it."""
    from floydtop.session.library import look_at

    recording = look_at(session)
    if recording is None:
        return
    name = str(recording.header.job.pid) if recording.header.job else recording.name
    if recording.live:
        print(f"Still recording: `floydtop {name}` shows it, `floydtop stop {name}` ends it.")
        if "SLURM_STEP_ID" in os.environ:
            print("Slurm ends the recorder with this job step, as most clusters are set up.")
    elif not recording.closed:
        print(f"The recorder was killed: `floydtop {name}` goes on with the recording while the job runs.")
    else:
        print(f"The recording is complete: floydtop replay {recording.name}")


def replay(name: str | None) -> int:
    """Replay a session by path, name or pid; the last one without a name.

    Raises:
        FloydtopError: there is no such session, or it cannot be read.
    """
    if name == "-":
        return _play_pipe()
    from floydtop.session.library import find

    return show(find(name))


def _play_pipe() -> int:
    """Replay what is piped in, packed or not, as `ssh HOST cat SESSION` does; keys come from the terminal."""
    from floydtop.commands.report import need_pipe
    from floydtop.commands.run import take_keys_from_terminal
    from floydtop.session.player import Player

    need_pipe()
    player = Player(Path("-"))
    take_keys_from_terminal()
    need_terminal()
    return _run_player(player)


def _play(session: Path) -> int:
    from floydtop.session.player import Player

    return _run_player(Player(session))


def _run_player(player: Player) -> int:
    from floydtop.app import FloydtopApp

    app = FloydtopApp(player)
    app.run(mouse=app.settings["mouse"])
    return app.return_code or 0


def demo(seconds: float, *, interval: float, detach: bool) -> int:
    """Start the demo job, and watch it as any other.

    Raises:
        FloydtopError: there is no terminal, or the job cannot be started.
    """
    need_terminal()
    from floydtop.demo import start
    from floydtop.sources.target import resolve

    log = Path(tempfile.mkdtemp(prefix="floydtop-demo-")) / "train.log"
    pid = start(str(log), seconds)
    return monitor(resolve(str(pid)), interval=interval, detach=detach)


def need_terminal() -> None:
    """Refuse to draw where nobody can see it.

    Raises:
        FloydtopError: stdin, stdout or stderr (Textual draws on it) is no terminal, or a dumb one.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise FloydtopError(
            "This is no terminal to draw in: `floydtop status TARGET` prints a snapshot, "
            "`floydtop export TARGET` the metrics."
        )
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise FloydtopError(
            "This terminal cannot draw (TERM=dumb): `floydtop status TARGET` prints a snapshot."
        )
