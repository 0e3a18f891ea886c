"""The session format: JSON Lines, one event a line; the one place that writes and reads it.

Every line is a JSON object whose `k` names its kind (`floydtop.events`); `session-v1.schema.json` beside
this module describes each. JSON has no NaN: metric values that are not finite are the strings "NaN",
"Infinity" and "-Infinity".
"""

from __future__ import annotations

import math
import re
from typing import Any, get_args

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import Event, Header, Metrics, Sample

FORMAT = "floydtop-session"
VERSION = 1

LONGEST_LINE = 16 << 20
"""Bytes: a command line of 2 MiB is the longest thing that we write; more than this is no session."""

LONGEST_COMMAND = 8 << 10
"""Characters of a job's command line: `train.py data/*.tar` can have 2 MiB, and a session is known by the
first 64 KiB of its file."""

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_KINDS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Event))

_SURROGATE = re.compile("[\ud800-\udfff]")

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Event)


def spell(value: float) -> float | str:
    """A number as JSON can hold it: the three that are not finite become words."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def encode(event: Event) -> bytes:
    """One line of a session file, newline included."""
    if isinstance(event, Metrics) and not all(map(math.isfinite, event.values.values())):
        plain = msgspec.to_builtins(event)
        plain["v"] = {name: spell(value) for name, value in event.values.items()}
        return encode_json(plain) + b"\n"
    if isinstance(event, Sample):
        event = _without_nonsense(event)
    if isinstance(event, Header) and event.job is not None:
        job = msgspec.structs.replace(event.job, command=_shortened(event.job.command))
        event = msgspec.structs.replace(event, job=job)
    return encode_json(event) + b"\n"


def _shortened(command: list[str]) -> list[str]:
    """A command line that fits into a header; how many arguments were left out is its last one."""
    room = LONGEST_COMMAND
    kept: list[str] = []
    for argument in command:
        kept.append(argument[:room])
        room -= len(argument) + 1
        if room < 0:
            return [*kept, f"... ({len(command) - len(kept)} more arguments)"]
    return kept


def _without_nonsense(sample: Sample) -> Sample:
    """A sample whose readings are numbers: one that is not would cost the reader the whole line."""
    bad = [name for name, stat in sample.values.items() if not all(map(math.isfinite, stat))]
    if not bad:
        return sample
    values = {name: stat for name, stat in sample.values.items() if name not in bad}
    unknown = sample.unknown | dict.fromkeys(bad, "the reading was no finite number")
    return msgspec.structs.replace(sample, values=values, unknown=unknown)


def encode_json(thing: object) -> bytes:
    """JSON of events and plain values; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    try:
        return _encoder.encode(thing)
    except UnicodeEncodeError:
        # A path or a command line that is not UTF-8 arrives with lone surrogates (os.fsdecode), and JSON
        # that a job prints can spell them.
        return _encoder.encode(without_surrogates(msgspec.to_builtins(thing)))


def without_surrogates(thing: Any) -> Any:
    """A string, or lists and dictionaries of them, as UTF-8 can hold it."""
    if isinstance(thing, str):
        return _SURROGATE.sub("\ufffd", thing)
    if isinstance(thing, dict):
        return {without_surrogates(key): without_surrogates(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [without_surrogates(item) for item in thing]
    return thing


class Reader:
    """Turns the bytes of a session file, in chunks of any size, into events.

    A line that cannot be read is counted and passed over; the last, unfinished line waits for its end.

    Attributes:
        damaged: lines that are no JSON object of a known shape.
        strange: lines of a kind that a later floydtop may know.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.strange = 0
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes.

        Raises:
            FloydtopError: a header of a newer major version.
        """
        data = self._rest + chunk
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        if len(self._rest) > LONGEST_LINE:
            # A line without an end would be copied with each chunk until the memory is full. A byte that
            # begins no line stands for it, so that it counts as damaged when it ends.
            self._rest = b"\0"
        if not end:
            return []
        try:
            events: list[Event] = _decoder.decode_lines(data[:end])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            events = [event for line in data[:end].split(b"\n") if (event := self._decode(line)) is not None]
        if Header in set(map(type, events)):
            for event in events:
                if isinstance(event, Header):
                    check_version(event.format, event.v)
        return events

    @property
    def pending(self) -> int:
        """Bytes of the unfinished line."""
        return len(self._rest)

    @property
    def torn(self) -> bool:
        """Whether an unfinished line was left over: normal while a recorder writes, damage afterwards."""
        return bool(self._rest)

    def _decode(self, line: bytes) -> Event | None:
        if not line.strip():
            return None
        try:
            event: Event = _decoder.decode(line)
            return event
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
        try:
            plain = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.damaged += 1
            return None
        kind = plain.get("k") if isinstance(plain, dict) else None
        if isinstance(kind, str) and kind not in _KINDS:
            self.strange += 1
            return None
        if kind == "h" and plain.get("format") == FORMAT:
            # A newer header may have another shape: its version decides before its fields do.
            check_version(plain.get("format"), plain.get("v"))
        if kind == "m" and isinstance(plain.get("v"), dict):
            plain["v"] = {
                name: NOT_FINITE.get(value, value) if isinstance(value, str) else value
                for name, value in plain["v"].items()
            }
        try:
            converted: Event = msgspec.convert(plain, Event)
            return converted
        except msgspec.ValidationError:
            self.damaged += 1
            return None


def check_version(format_name: object, version: object) -> None:
    """Refuse what this version cannot read.

    Raises:
        FloydtopError: not a floydtop session, or one of a newer major version.
    """
    if format_name != FORMAT or not isinstance(version, int):
        raise FloydtopError("This is no floydtop session: its first line is not a session header.")
    if version > VERSION:
        raise FloydtopError(
            f"This session has format {version} and this floydtop reads format {VERSION}: upgrade floydtop."
        )


def is_session(first_bytes: bytes) -> bool:
    """Whether a file that starts with these bytes is a session: its first line is a header."""
    line = first_bytes.split(b"\n", 1)[0]
    return line.startswith(b'{"k":"h"') and f'"format":"{FORMAT}"'.encode() in line
