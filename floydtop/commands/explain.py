"""`floydtop formats`, `floydtop export LOG --explain`: what is read in which lines, and why not in others."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from floydtop.commands.plain import printable
from floydtop.errors import FloydtopError
from floydtop.events import Malformed, Metrics

TEXT = 100
"""Characters of a line that are shown beside what was read in it."""


def formats() -> int:
    """Print name and description of every format, in the order in which they are asked."""
    from floydtop.parse.explain import listing

    known = listing()
    width = max(len(name) for name, _ in known)
    for name, about in known:
        print(f"{name:<{width}}  {about}")
    return 0


def explain(text: str, output: str | None) -> int:
    """Write for each line of a log: its number, the format that read it, what that gave or why nothing.

    Args:
        output: the file; None or - for standard output.

    Raises:
        FloydtopError: no such log, or no way to write the file.
    """
    from floydtop.commands.report import source_of

    session, log = source_of(text)
    if session is not None:
        raise FloydtopError(
            f"{text} is a recording, its lines were read already: name the log for --explain."
        )
    lines = _lines(log)
    if output is None or output == "-":
        sys.stdout.writelines(lines)
        return 0
    try:
        with open(output, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
    except OSError as error:
        raise FloydtopError(f"Cannot write {output}: {error.strerror}.") from None
    return 0


def _lines(log: str) -> Iterator[str]:
    from floydtop.commands.rules import rules
    from floydtop.parse.explain import explain
    from floydtop.parse.rules import Choice
    from floydtop.recorder.reading import lines_of

    own = rules()
    choice = Choice(own)
    for one in explain(lines_of(log), own.patterns()):
        events = choice(one.events)
        what = "; ".join(map(_words, events)) or one.why or "left out by a rule of yours"
        shown = printable(one.line.text.expandtabs(1)[:TEXT])
        yield f"{one.line.number:>6}  {printable(one.read_by) or '-':<10}  {printable(what)}  <- {shown}\n"


def _words(event: Metrics | Malformed) -> str:
    if isinstance(event, Malformed):
        return f"a metric that cannot be read: {event.why}"
    place = [f"step {event.step}"] if event.step is not None else []
    place += [f"epoch {event.epoch:g}"] if event.epoch is not None else []
    values = " ".join(f"{name}={value!r}" for name, value in event.values.items())
    return f"{values} ({', '.join(place)})" if place else values
