"""The command line: arguments -> one command, which imports what it needs and nothing else."""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Callable, Sequence

from floydtop import __version__
from floydtop.arguments import (
    new_parser,
    reading_options,
    screen_options,
    seconds,
    set_reading,
    set_screen,
    usual_interval,
    watching_options,
)
from floydtop.errors import FloydtopError

EXAMPLES = """\
examples:
  floydtop                     choose from the jobs and sessions of this machine
  floydtop demo                a small real training job, and the monitor on it
  floydtop 4711                attach to the job with that pid, and to its log
  floydtop train.log           follow a log, and the process that writes it
  floydtop slurm:123           attach to a Slurm job, or to its log from another node
  floydtop run -- CMD...       start a job that outlives this terminal, and watch it
  CMD | floydtop -             watch what is piped in
  floydtop replay              replay the last recording

commands (floydtop COMMAND --help tells more):
  run        start a job, keep its output, and watch it
  demo       start a small real training job and watch it
  replay     replay a recorded session
  compare    lay several runs over each other
  sessions   list, name, note, pin, prune, import and export recorded sessions
  check      tell what a session file holds, and what of it is damaged
  status     print one snapshot of a job and exit
  plot       print one chart and exit
  export     a session, a log or a job's metrics as jsonl, csv, json, or as a page or a picture
  stop       end a recording
  formats    what kinds of output are read
  config     what can be set, and how
  doctor     what can be measured on this machine, and what cannot

Quitting the monitor does not stop the recording, nor the job.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run floydtop; returns the exit status: 0, 2 for what the user can mend, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # asyncio loads OpenSSL where it can: 1 MB and 6 ms, and 3.4 MB more with its hashes, in each process of
    # ours, for TLS that none of them speaks. A module that is None cannot be imported (importlib's word).
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]  # None is allowed there
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding than UTF-8 gets a question mark for what it cannot show.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        if arguments and arguments[0] in COMMANDS:
            return COMMANDS[arguments[0]](arguments[1:])
        return _monitor(arguments)
    except FloydtopError as error:
        print(f"floydtop: {_one_line(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): nothing is left to say, not even at exit.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return 130


def _one_line(text: str) -> str:
    """A message may name paths from outside: on a terminal they are made harmless."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _monitor(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="floydtop",
        description="Watch a training job that is already running: its metrics, and the system it uses.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a pid, a log or FIFO, slurm:ID, - (a pipe) or a session; or the logs of one job, rank 0 first",
    )
    parser.add_argument("--pid", type=int, help="the job's process, when the log does not tell it")
    parser.add_argument("--log", metavar="FILE", help="the job's output, when the process does not tell it")
    parser.add_argument(
        "--ptrace",
        action="store_true",
        help="read the output of a job on a bare terminal by tracing its writes: its system calls get slower",
    )
    parser.add_argument("--explain", action="store_true", help="tell where the output was found, and why")
    watching_options(parser)
    reading_options(parser)
    parser.add_argument("--version", action="version", version=f"floydtop {__version__}")
    options = parser.parse_args(arguments)
    set_screen(options)
    set_reading(options)
    target = options.targets[0] if options.targets else None
    if target is None and options.pid is None and options.log is None:
        if not sys.stdin.isatty() or not sys.stdout.isatty():
            parser.print_help()
            return 0
        from floydtop.commands.pick import pick

        target = pick()
        if target is None:
            return 0
    if options.explain:
        from floydtop.commands.watch import explain

        return explain(target, options.pid)
    if len(options.targets) > 1:
        from floydtop.commands.several import watch_several

        return watch_several(options.targets, interval=usual_interval(options))
    from floydtop.commands.watch import watch

    return watch(
        target,
        options.pid,
        options.log,
        interval=usual_interval(options),
        detach=not options.no_detach,
        ptrace=options.ptrace,
    )


def _run(arguments: list[str]) -> int:
    parser = new_parser(
        "run",
        "Start a job detached from the terminal, keep its output, and do what `floydtop PID` does with it.",
    )
    parser.usage = "floydtop run [options] -- COMMAND ..."
    parser.add_argument("--name", help="made part of the name of the kept log (default: the program's name)")
    parser.add_argument("--no-watch", action="store_true", help="record it, but show nothing")
    watching_options(parser)
    reading_options(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="the job")
    options = parser.parse_args(arguments)
    set_screen(options)
    set_reading(options)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("name the command to run: floydtop run -- python train.py")
    from floydtop.commands.run import run

    return run(
        command,
        options.name,
        interval=usual_interval(options),
        detach=not options.no_detach,
        watching=not options.no_watch,
    )


def _demo(arguments: list[str]) -> int:
    parser = new_parser("demo", "Start a small real training job, and do what `floydtop PID` does with it.")
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="about how long the job trains (default: 120)"
    )
    watching_options(parser, interval=2.0)
    options = parser.parse_args(arguments)
    set_screen(options)
    from floydtop.commands.watch import demo

    return demo(options.seconds, interval=usual_interval(options), detach=not options.no_detach)


def _replay(arguments: list[str]) -> int:
    parser = new_parser("replay", "Replay a recorded session.")
    parser.add_argument(
        "session",
        nargs="?",
        help="a file, - (standard input), a name or title from `floydtop sessions`, or a pid",
    )
    screen_options(parser)
    options = parser.parse_args(arguments)
    set_screen(options)
    from floydtop.commands.watch import replay

    return replay(options.session)


def _compare(arguments: list[str]) -> int:
    parser = new_parser("compare", "Lay several runs over each other.")
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="a session, a log, or a recorded pid")
    screen_options(parser)
    options = parser.parse_args(arguments)
    set_screen(options)
    from floydtop.commands.compare import compare

    return compare(options.targets)


def _sessions(arguments: list[str]) -> int:
    from floydtop.commands.library import main

    return main(arguments)


def _check(arguments: list[str]) -> int:
    from floydtop.commands.library import check

    return check(arguments)


def _status(arguments: list[str]) -> int:
    parser = new_parser("status", "Print one snapshot of a job and exit.")
    parser.add_argument("target", nargs="?", help="a pid, a log file, or a session (default: the last one)")
    parser.add_argument("--pid", type=int, help="the job's process, when the log does not tell it")
    parser.add_argument("--log", metavar="FILE", help="the job's output, when the process does not tell it")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    reading_options(parser)
    options = parser.parse_args(arguments)
    set_reading(options)
    from floydtop.commands.report import status

    return status(options.target, options.pid, options.log, as_json=options.json)


def _export(arguments: list[str]) -> int:
    from floydtop.commands.export import FORMATS, export

    parser = new_parser("export", "Print the metrics of a log, a session or a job, or draw them.")
    parser.add_argument("target", help="a log file, - (standard input), a session, or a pid")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="jsonl",
        help="jsonl, csv: a line per value (default: jsonl); json: the whole session; "
        "html: a page with zoomable charts; svg, png: the dashboard as a picture",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: standard output)")
    parser.add_argument(
        "--size", type=_size, default=(200, 50), metavar="COLUMNSxROWS", help="of a picture (default: 200x50)"
    )
    parser.add_argument(
        "--explain", action="store_true", help="say of each line of a log what was read in it, or why nothing"
    )
    reading_options(parser)
    options = parser.parse_args(arguments)
    set_reading(options)
    if options.explain:
        from floydtop.commands.explain import explain

        return explain(options.target, options.output)
    return export(options.target, options.format, options.output, options.size)


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if columns.isdecimal() and rows.isdecimal() and 20 <= int(columns) <= 500 and 10 <= int(rows) <= 300:
        return int(columns), int(rows)
    raise argparse.ArgumentTypeError("must be COLUMNSxROWS, from 20x10 to 500x300")


def _number(least: float, most: float, kind: type[int] | type[float]) -> Callable[[str], float]:
    """Reads an argument that is a number within bounds."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _plot(arguments: list[str]) -> int:
    parser = new_parser("plot", "Print one chart of a log, a session or a job, and exit.")
    parser.add_argument("target", help="a log file, a session, a pid, or - for standard input")
    parser.add_argument("metric", nargs="*", help="metrics in one chart (default: the most important)")
    parser.add_argument("--x", choices=("time", "step", "epoch"), help="the axis (default: step where told)")
    parser.add_argument("--log", action="store_true", help="logarithmic y-axis")
    parser.add_argument(
        "--smooth", type=_number(0, 0.999, float), default=0.0, metavar="W", help="smoothing, 0 to 0.999"
    )
    parser.add_argument("--width", type=_number(20, 1000, int), metavar="N", help="columns (default: all)")
    parser.add_argument("--height", type=_number(8, 300, int), metavar="N", help="rows")
    parser.add_argument(
        "--glyphs", choices=("braille", "block", "ascii"), help="what it is drawn with (default: by locale)"
    )
    reading_options(parser)
    options = parser.parse_args(arguments)
    set_reading(options)
    from floydtop.commands.plot import Look, plot

    look = Look(options.x, options.log, options.smooth, options.width, options.height, options.glyphs)
    return plot(options.target, options.metric, look)


def _stop(arguments: list[str]) -> int:
    parser = new_parser("stop", "End a recording. The job itself goes on.")
    parser.add_argument("session", nargs="?", help="a name, or the job's pid (default: the last recording)")
    options = parser.parse_args(arguments)
    from floydtop.commands.report import stop

    return stop(options.session)


def _doctor(arguments: list[str]) -> int:
    parser = new_parser("doctor", "Tell what can be measured on this machine and what cannot, and why.")
    parser.add_argument("pid", nargs="?", type=int, help="a job to look at as well")
    options = parser.parse_args(arguments)
    from floydtop.commands.report import doctor

    return doctor(options.pid)


def _config(arguments: list[str]) -> int:
    new_parser("config", "Tell what can be set, what is, and where that comes from.").parse_args(arguments)
    from floydtop.commands.config import config

    return config()


def _formats(arguments: list[str]) -> int:
    new_parser("formats", "List the formats of output that are read, one line each.").parse_args(arguments)
    from floydtop.commands.explain import formats

    return formats()


def _record(arguments: list[str]) -> int:
    """The recorder itself, as `floydtop PID` starts it."""
    parser = new_parser("record", "Record a job without a screen.")
    parser.add_argument("session", help="the session file to write")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--log")
    parser.add_argument("--reopen")
    parser.add_argument("--note", action="append", default=[])
    parser.add_argument("--interval", type=seconds, default=60.0)
    parser.add_argument("--rules", default="{}")
    parser.add_argument("--detach", action="store_true")
    options = parser.parse_args(arguments)
    from floydtop.commands.record import record

    return record(options)


COMMANDS = {
    "run": _run,
    "demo": _demo,
    "replay": _replay,
    "compare": _compare,
    "sessions": _sessions,
    "check": _check,
    "status": _status,
    "plot": _plot,
    "export": _export,
    "stop": _stop,
    "doctor": _doctor,
    "config": _config,
    "formats": _formats,
    "record": _record,
}
