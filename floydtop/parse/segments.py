"""The segments of many lines at once: where they end, without colours, and lines that are no plain text."""

from __future__ import annotations

import re

from floydtop.parse.lines import UP, clean, without_colours

_OBJECT = re.compile(rb'\{\s{0,8}"')
# What `clean` drops, or what it may take for a part of an escape sequence.
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r"))) + b"\x7f"
_WIDE_CONTROLS = re.compile("[\x80-\x9f\ufeff]")


def plain(joined: bytes) -> bytes:
    """Lines with a return wherever a segment ends, and without colours as far as these are all there is."""
    if b"\x08" in joined:
        joined = joined.replace(b"\x08", b"\r")
    if b"\x1b" not in joined:
        return joined
    joined = joined.replace(b"\x1b[A", b"\r")
    if b"\x1b" not in joined:
        return joined
    joined = UP.sub(b"\r", joined)
    plain = without_colours(joined)
    if plain is not joined:
        return plain
    return b"\n".join(b"\r".join(map(without_colours, line.split(b"\r"))) for line in joined.split(b"\n"))


def odd(lines: list[bytes], flat: bytes) -> frozenset[int]:
    """Lines that hold more than text, or objects."""
    try:
        strange = len(flat.translate(None, _CONTROLS)) != len(flat) or (
            (b"\xc2" in flat or b"\xef" in flat) and _WIDE_CONTROLS.search(flat.decode()) is not None
        )
        if not strange and not flat.isascii():
            flat.decode()
    except UnicodeDecodeError:
        strange = True
    if strange or (b"{" in flat and _OBJECT.search(flat)):
        return frozenset(index for index, line in enumerate(lines) if _is_odd(line))
    return frozenset()


def _is_odd(line: bytes) -> bool:
    if _OBJECT.search(line):
        return True
    segments = line.split(b"\r")
    return any(clean(segment).encode("utf-8", "replace") != segment for segment in segments)
