"""The options that several commands share, and where they are put."""

from __future__ import annotations

import argparse
import os

LEAST_INTERVAL = 1.0


def seconds(text: str) -> float:
    """An interval as typed.

    Raises:
        argparse.ArgumentTypeError: no number, or out of bounds.
    """
    try:
        interval = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not LEAST_INTERVAL <= interval <= 86_400:
        raise argparse.ArgumentTypeError("must be between 1 and 86400 seconds")
    return interval


def new_parser(command: str, description: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    return argparse.ArgumentParser(prog=f"floydtop {command}".strip(), description=description)


def screen_options(parser: argparse.ArgumentParser) -> None:
    """How the screen is."""
    parser.add_argument(
        "--glyphs", choices=("auto", "braille", "block", "ascii"), help="what charts are drawn with"
    )
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--slow-link", action="store_true", help="fewer frames, for slow connections")


def set_screen(options: argparse.Namespace) -> None:
    """Options of the screen reach it through the environment, where settings have their first word."""
    if options.glyphs:
        os.environ["FLOYDTOP_GLYPHS"] = options.glyphs
    if options.no_mouse:
        os.environ["FLOYDTOP_MOUSE"] = "false"
    if options.slow_link:
        os.environ["FLOYDTOP_SLOW_LINK"] = "true"


def usual_interval(options: argparse.Namespace) -> float:
    """The interval that was asked for, else the one that is set."""
    if options.interval is not None:
        return float(options.interval)
    from floydtop.settings import Settings

    return max(LEAST_INTERVAL, float(Settings()["interval"]))


def watching_options(parser: argparse.ArgumentParser, interval: float | None = None) -> None:
    """How a job is recorded and shown."""
    screen_options(parser)
    parser.add_argument(
        "--interval",
        type=seconds,
        default=interval,
        metavar="SECONDS",
        help=f"time between two recorded system samples, 1 or more (default: {interval or 60:g})",
    )
    parser.add_argument(
        "--no-detach", action="store_true", help="record inside the monitor: quitting ends the recording too"
    )


def reading_options(parser: argparse.ArgumentParser) -> None:
    """How the job's output is read."""
    reading = parser.add_argument_group(
        "how the output is read",
        "These come before what the configuration says; each may be given repeatedly.",
    )
    for option, metavar, words in (
        (
            "pattern",
            "EXPR",
            "a regular expression; its named groups are metrics, (?P<step>...) is their place",
        ),
        ("only", "NAME", "keep these metrics alone; NAME may hold * and ?"),
        ("ignore", "NAME", "leave these metrics out"),
        ("rename", "OLD=NEW", "call a metric otherwise; one * on both sides stands for the same text"),
    ):
        reading.add_argument(f"--{option}", action="append", default=[], metavar=metavar, help=words)


def set_reading(options: argparse.Namespace) -> None:
    """Rules of the command line go the way of the screen's options; a bad one ends it here."""
    if not (options.pattern or options.only or options.ignore or options.rename):
        return
    from floydtop.commands.rules import set_rules
    from floydtop.parse.rules import from_words

    set_rules(from_words(options.pattern, options.only, options.ignore, options.rename))
