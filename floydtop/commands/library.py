"""The arguments of `floydtop sessions` and `floydtop check`."""

from __future__ import annotations

import argparse
import re

from floydtop.commands import sessions

EXAMPLES = """\
examples:
  floydtop sessions --filter resnet         those with a word in name, title, note, state or command
  floydtop sessions name 4711 "lr 0.1"      give a session a title, by which it is found from then on
  floydtop sessions export 4711 --with-log  one file for a colleague: floydtop replay THAT.jsonl.gz
  ssh host cat run.jsonl.gz | floydtop sessions import - --name run
"""
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def main(arguments: list[str]) -> int:
    """Run `floydtop sessions` with these arguments."""
    parser = argparse.ArgumentParser(
        prog="floydtop sessions",
        description="List recorded sessions, the newest first, or do something to one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--filter", metavar="TEXT", help="only those with this text in their line")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    which = "a name as `floydtop sessions` shows it, a title, a pid or a file"
    for action, text_name, purpose in (
        ("name", "title", "give a session a title (an empty one takes it away)"),
        ("note", "text", "write a note on a session (an empty one takes it away)"),
        ("pin", None, "never delete a session to make room"),
        ("unpin", None, "let a session go when room is needed"),
    ):
        one = actions.add_parser(action, help=purpose, description=purpose)
        one.add_argument("session", help=which)
        if text_name is not None:
            one.add_argument("text", metavar=text_name.upper())
    one = actions.add_parser("prune", help="delete the oldest finished sessions beyond a budget")
    one.add_argument("--yes", action="store_true", help="delete them; without it they are only listed")
    one.add_argument("--sessions", type=_count, metavar="N", help="keep at most N (default: 200)")
    one.add_argument("--size", type=_size, metavar="BYTES", help="keep so many, as 500M (default: 2G)")
    one = actions.add_parser("import", help="take a session of somebody else into the library")
    one.add_argument("file", help="a .jsonl or .jsonl.gz file, or - for standard input")
    one.add_argument("--name", help="its name here (default: that of the file)")
    one = actions.add_parser("export", help="write a session as one .jsonl.gz for somebody else")
    one.add_argument("session", help=which)
    one.add_argument("-o", "--output", metavar="FILE", help="- for standard output (default: NAME.jsonl.gz)")
    one.add_argument("--with-log", action="store_true", help="with the text of the whole log in it")
    return _run(parser.parse_args(arguments))


def _run(options: argparse.Namespace) -> int:
    match options.action:
        case "name":
            return sessions.change(options.session, title=options.text)
        case "note":
            return sessions.change(options.session, note=options.text)
        case "pin":
            return sessions.change(options.session, pinned=True, announced=None)
        case "unpin":
            return sessions.change(options.session, pinned=False)
        case "prune":
            return sessions.prune(sure=options.yes, sessions=options.sessions, size=options.size)
        case "import":
            return sessions.import_session(options.file, options.name)
        case "export":
            return sessions.export_session(options.session, options.output, with_log=options.with_log)
        case _:
            return sessions.list_sessions(options.filter)


def check(arguments: list[str]) -> int:
    """Run `floydtop check` with these arguments; status 1 when the session is damaged."""
    parser = argparse.ArgumentParser(
        prog="floydtop check",
        description="Read a session line by line, hold it to the schema, tell what is damaged or missing.",
    )
    parser.add_argument("session", help="a file, - for standard input, or a session's name")
    return sessions.check(parser.parse_args(arguments).session)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of sessions")
    return int(text)


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d{1,15})([KMG]?)(?:i?B)?", text, re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 500M or 2G")
    return int(match[1]) * _UNITS[match[2].upper()]
