"""`floydtop export`: what a log, a session or a job says, for other programs and as pictures."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.events import Row

FORMATS = ("jsonl", "csv", "json", "html", "svg", "png")

FOR_FILES = ("html", "svg", "png")
"""Formats that nobody reads in a terminal."""


def export(text: str, form: str, output: str | None, size: tuple[int, int]) -> int:
    """Write a log, a session or a job in one of the `FORMATS`.

    Args:
        output: the file; None or - for standard output.
        size: columns and rows of the screen of which svg and png are a picture.

    Raises:
        FloydtopError: no such target, no way to write the file, or a library is missing.
    """
    to_stdout = output is None or output == "-"
    if to_stdout and form in FOR_FILES and sys.stdout.isatty():
        raise FloydtopError(f"{form} is nothing to read in a terminal: name a file with -o FILE.")
    # Nothing here makes cycles: looking for them took a quarter of the time on a log of metrics alone.
    gc.disable()
    blocks = _blocks(text, form, size)
    if to_stdout:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return 0
    assert output is not None
    try:
        with open(output, "wb") as file:
            file.writelines(blocks)
    except OSError as error:
        raise FloydtopError(f"Cannot write {output}: {error.strerror}.") from None
    return 0


def _blocks(text: str, form: str, size: tuple[int, int]) -> Iterable[bytes]:
    from floydtop.commands.report import session_of

    if form == "html":
        from floydtop.commands.page import page

        return [page(session_of(text))]
    if form in ("svg", "png"):
        from floydtop.commands.pictures import picture

        return [picture(text, form, size)]
    from floydtop.session import export as formats

    if form == "json":
        return [formats.to_document(session_of(text))]
    blocks = _rows(text)
    return formats.to_jsonl(blocks) if form == "jsonl" else formats.to_csv(blocks)


def _rows(text: str) -> Iterable[list[Row]]:
    """The rows of a target; a log without rules of the user's is read in whole columns, which is faster."""
    from floydtop.commands.report import chosen, events_of, source_of
    from floydtop.commands.rules import given_rules, refuse_patterns, rules
    from floydtop.recorder.reading import read_rows
    from floydtop.session.export import blocks_of
    from floydtop.session.ordered import read_in_order

    session, log = source_of(text)
    if session is not None:
        refuse_patterns(text)
        return blocks_of(chosen(read_in_order(session, _tell), given_rules()))
    return blocks_of(events_of(text)) if rules() else read_rows(log)


def _tell(sentence: str) -> None:
    print(f"floydtop: {sentence}", file=sys.stderr)
