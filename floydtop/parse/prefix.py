"""What stands before the message of a line: when it was printed, by which rank, through which logger."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from floydtop.parse.lines import Line, clean

_RANK = re.compile(
    r"\s{0,8}(?:\[(?:rank|default|worker|local_rank)[ :=]?(?P<rank>\d{1,5})\]:?"
    r"|\[Rank (?P<dist>\d{1,5})\]|\[\d{1,5},(?P<mpi>\d{1,5})\]<std(?:out|err)>:"
    r"|(?:[Rr]ank|RANK|GPU|gpu)[ =:]?(?P<bare>\d{1,5})(?::|\s\|)"
    r"|\[(?:GPU|gpu|Worker|Rank)[ :]?(?P<unit>\d{1,5})\]:?"
    r"|\[[\w.-]{1,64}:(?P<host>\d{1,5})\]:"
    r"|\((?:[\w.<>]{1,64} )?pid=\d{1,9}(?:, ip=[\d.]{7,15})?\))\s{0,8}"
)
_STAMP = re.compile(
    r"\s{0,8}[\[(]?(?:[DIWEF] )?(?P<date>\d{4}[-/.]\d\d[-/.]\d\d)[T _,-](?P<clock>\d\d:\d\d:\d\d)"
    r"(?P<fraction>[.,]\d{1,9})?\s?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?[\])]?(?=$|[\s,|:\]-])"
)
_SHORT_STAMP = re.compile(
    r"\s{0,8}(?:[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{1,9}\s{1,4}\d{1,20} [\w.]{1,64}:\d{1,6}\]"  # glog, absl
    r"|\[\d{4} \d\d:\d\d:\d\d @[\w.]{1,64}:\d{1,6}\]"  # tensorpack
    r"|\[(?:\d\d[/-]\d\d )?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?: [\w.]{1,64})?\]:?"  # detectron2, rich
    r"|\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"  # time.ctime(), date
    r"(?: [A-Z]{3,4})? \d{4}\]?:?"
    r"|\d\d[-/]\d\d(?:[-/]\d{2,4})? \d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?=[\s|]))"
)
_LEVEL = r"(?i:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL|SUCCESS|TRACE|NOTICE)"
_FIELD = re.compile(
    rf"[\s|,:-]{{0,8}}(?:\[?{_LEVEL}\s{{0,8}}\]?(?![\w=])"
    rf"|\[[\w.-]{{1,40}}\](?=\s{{1,4}}{_LEVEL})"
    r"|[\w$]{1,40}(?:\.[\w$]{1,60}){1,8}(?=\s{1,4}-\s)"
    r"|\[[\w.]{1,64}:\d{1,6}(?::[\w<>]{1,64})?\]"
    r"|[\w.]{1,64}(?::[\w<>.]{1,64})?:\d{1,6}(?=\s{1,4}-|\]|\s\|)"
    r"|[\w.-]{1,64}:\d{1,6}(?=\t)"
    r"|[\w.]{1,64}\.py(?::\d{1,6})?(?=\s)"
    r"|\[titan\]|<\w{1,32}>|[A-Za-z][\w.-]{0,40}\](?=\s)|\([\w.]{1,64}\.py[ :]\d{1,6}\):?"
    rf"|[A-Za-z_][\w.]{{0,63}}(?=\s{{1,8}}(?:-|\|)\s{{1,4}}(?:{_LEVEL}|\w[\w.]{{0,63}}\s-\s{_LEVEL}))"
    rf"|[A-Za-z_][\w.]{{0,63}}(?=\s{_LEVEL}:))"
)
_LEADING_LEVEL = re.compile(rf"\s{{0,8}}\[?{_LEVEL}\]?:(?:[\w.]{{1,64}}:)?\s{{0,4}}")
_CONTAINER = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] ")
_TITAN = re.compile(r"\[titan\]\s?")
_STARTS = frozenset(b"0123456789[( \t\x1br")
"""What lines with a stamp begin with."""
_AFTER = re.compile(r"[\s|,:\]-]{1,8}")


class Message(NamedTuple):
    """A line without what its logger put before it."""

    text: str
    rank: int
    """0 where none is told."""
    rank_at: int = -1
    """Where the rank is printed, in characters from the end of the line."""


def strip(text: str) -> Message:
    """The message of a line: rank prefix, timestamp, level, logger and source position taken off."""
    # What podman and Kubernetes put before each line; what the job printed may have a stamp of its own.
    container = _CONTAINER.match(text) if text[:2] == "20" else None
    return _strip(text[container.end() :] if container else text)


def _strip(text: str) -> Message:
    position = 0
    rank, at = 0, -1
    first = text[:1]
    if first.isalpha() and first not in "IWEFDSCTMNRGdwerg" and "pid=" not in text:
        return Message(text, 0)
    for _ in range(2):
        match = _RANK.match(text, position)
        if match:
            rank, at = _rank(match, text, at)
            position = match.end()
        if position == 0 or match:
            titan = _TITAN.match(text, position)
            position = titan.end() if titan else position
    stamp = _STAMP.match(text, position) or _SHORT_STAMP.match(text, position)
    leading = None if stamp else _LEADING_LEVEL.match(text, position)
    if leading:
        return Message(text[leading.end() :], rank, at)
    if not stamp:
        return Message(text[position:] if position else text, rank, at)
    position = stamp.end()
    for _ in range(6):
        match = _FIELD.match(text, position)
        if match is None:
            break
        position = match.end()
    after = _AFTER.match(text, position)
    if after:
        position = after.end()
        if text[position - 1] == "-" and text[position : position + 1].isdigit():
            position -= 1
    match = _RANK.match(text, position)
    if match and (match["rank"] or match["dist"] or match["bare"]):
        rank, at = _rank(match, text, at)
        position = match.end()
    return Message(text[position:], rank, at)


def _rank(match: re.Match[str], text: str, at: int) -> tuple[int, int]:
    for kind in ("rank", "dist", "mpi", "bare", "unit", "host"):
        if match[kind] is not None:
            return int(match[kind]), len(text) - match.start(kind)
    return 0, at


class Stamp(NamedTuple):
    """When a line says that it was printed."""

    unix: float
    """Unix seconds, as if a time without a zone were UTC."""
    zoned: bool
    """The line tells the zone."""
    fine: bool
    """It tells fractions of seconds."""


class _Layout(NamedTuple):
    """How the stamp of a line is written, and the hour that it tells."""

    hour: bytes
    """The line up to the minutes."""
    unix: float
    """Unix seconds of that hour."""
    mark: bytes
    """What stands before the fractions of seconds; nothing where there are none."""
    digits: int
    """How many these are."""
    rest: bytes
    """The zone, and what ends the stamp."""
    zoned: bool

    def read(self, raw: bytes) -> Stamp | None:
        """The stamp of a line that is written alike in the same hour; None: it is not."""
        if not raw.startswith(self.hour):
            return None
        at = len(self.hour)
        clock = raw[at : at + 2] + raw[at + 3 : at + 5]
        if not clock.isdigit() or raw[at + 2 : at + 3] != b":":
            return None
        minute, second = divmod(int(clock), 100)
        end, fraction = at + 5, 0.0
        if self.mark:
            figures = raw[end + 1 : end + 1 + self.digits]
            if raw[end : end + 1] != self.mark or not figures.isdigit():
                return None
            fraction = float(b"0." + figures)
            end += 1 + self.digits
        if minute > 59 or second > 59 or not raw.startswith(self.rest, end):
            return None
        end += len(self.rest)
        if not self.zoned and raw[end : end + 1] in b"ZU+-":
            # Perhaps a zone.
            return None
        return Stamp(self.unix + 60 * minute + second + fraction, self.zoned, bool(self.mark))


class StampReader:
    """Reads the stamps of a log's lines: one of the hour and layout of the last takes 0.6 us, others 3."""

    def __init__(self) -> None:
        self._layout: _Layout | None = None

    def read(self, line: Line) -> Stamp | None:
        """The stamp of a line of output; only its first 120 bytes are looked at."""
        raw = line.raw
        stamp = self._layout.read(raw) if self._layout is not None else None
        if stamp is not None:
            return stamp
        raw = raw[:120]
        if not raw or raw[0] not in _STARTS:
            return None
        text = clean(raw) if b"\x1b" in raw else raw.decode("latin-1")
        start = _RANK.match(text)
        match = _STAMP.match(text, start.end() if start else 0)
        whole = _whole_seconds(match) if match is not None else None
        if match is None or whole is None:
            return None
        if len(text) == len(raw):
            self._layout = _layout(match, raw, whole)
        fraction = match["fraction"]
        seconds = float("0." + fraction[1:]) if fraction else 0.0
        return Stamp(whole + seconds, bool(match["zone"]), bool(fraction))


def _whole_seconds(match: re.Match[str]) -> float | None:
    """Unix seconds of a stamp without its fractions; None: there is no such time."""
    date = match["date"].replace("/", "-").replace(".", "-")
    try:
        moment = datetime.fromisoformat(f"{date}T{match['clock']}")
    except ValueError:
        return None
    zone = match["zone"]
    offset = timedelta()
    if zone and zone not in ("Z", "UTC"):
        sign = -1 if zone[0] == "-" else 1
        offset = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return moment.replace(tzinfo=UTC).timestamp() - offset.total_seconds()


def _layout(match: re.Match[str], raw: bytes, whole: float) -> _Layout | None:
    """How the stamp of a line is written; None where what follows it decides what belongs to it."""
    clock, end = match.span("clock")
    fraction = match["fraction"] or ""
    rest = raw[end + len(fraction) : match.end() + 1]
    if rest[:1] in (b".", b",") or match.end() == len(raw):
        return None
    return _Layout(
        hour=raw[: clock + 3],
        unix=whole - 60 * int(raw[clock + 3 : clock + 5]) - int(raw[clock + 6 : clock + 8]),
        mark=fraction[:1].encode(),
        digits=max(0, len(fraction) - 1),
        rest=rest,
        zoned=bool(match["zone"]),
    )


def may_be_stamped(shape: bytes) -> bool:
    """Whether a line with these characters between its digits may have a stamp: a time leaves two colons."""
    return b"::" in shape[:120] or b"\x1b" in shape[:120]


BEGINNINGS = frozenset(bytes([one]) for one in _STARTS)
"""Bytes that a line with a stamp begins with; those that bars rewrite begin with a return."""


def stamp_of(line: Line) -> Stamp | None:
    """The stamp of a line by itself."""
    return StampReader().read(line)
