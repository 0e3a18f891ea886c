"""Bytes to lines: where a line of output starts and ends, and what a terminal would finally show of it."""

from __future__ import annotations

import codecs
import re

LIMIT = 64 * 1024
"""A line of at most so many bytes is kept whole (Keras bars have 27 kB, JSON rows 4 kB), a longer one is
thinned to less than twice as many."""

BLOCK = LIMIT // 2
"""An over-long line is thinned in blocks of this size from its start, so that chunking cannot matter."""

TAIL = 4096
"""Bytes at a line's end in which its last segment is looked for first."""

KEEP_EVERY = 16
"""Of the frames in a thinned block one in so many stays: a bar of 10,000 frames keeps its shape."""

# Cursor-up starts a row afresh as a return does.
UP = re.compile(rb"\x1b\[\d{0,4}[AF]")
_COLOUR = re.compile(rb"\x1b\[[\d;?]{0,32}[mKhl](?![\x80-\xbf])")
_VISIBLE = re.compile(rb"[!-~]")
# CSI, OSC and other string sequences, two-character escapes; each part is bounded, so this is linear.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[ -/]{0,8}[0-~])"
)
# C0 but tab, DEL and C1, and the byte order mark; NULs are the holes that copytruncate leaves.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ufeff]+")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def clean(raw: bytes) -> str:
    """One segment as text: escape sequences and control characters dropped, broken UTF-8 replaced."""
    text = raw.decode("utf-8", "replace")
    if text.isprintable():
        return text
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    return _CONTROL.sub("", text)


def last_segment(raw: bytes) -> bytes | None:
    """The bytes of what a terminal finally shows of a line; None: that takes a look at all segments.

    A line of 16 kB that Keras drew takes 2 us, and none of it is copied.
    """
    if b"\x1b" not in raw and b"\x08" not in raw:
        end = len(raw.rstrip(b"\r \t\x00"))
        last = raw[raw.rfind(b"\r", 0, end) + 1 : end]
        return last if _is_shown(last) else None
    tail = raw[-TAIL:]
    stop = len(tail)
    for _ in range(8):
        start = max(tail.rfind(b"\r", 0, stop), tail.rfind(b"\x08", 0, stop)) + 1
        last = tail[start:stop]
        if b"\x1b" in last and UP.search(last):
            return None
        if _is_shown(last):
            return last if start or len(tail) == len(raw) else None
        stop = len(tail[:start].rstrip(b"\r\x08"))
    return None


def _segments(raw: bytes) -> list[bytes]:
    """What stands between returns, backspaces (a return in disguise: Keras 1 to 3) and cursor-ups."""
    if b"\x08" in raw:
        raw = raw.replace(b"\x08", b"\r")
    return (UP.sub(b"\r", raw) if b"\x1b" in raw else raw).split(b"\r")


def without_colours(raw: bytes) -> bytes:
    """A segment without its escape sequences, if those are of the common kinds that only colour and erase.

    Its text stays the same: no sequence is cut, and no character of several bytes is put together.
    """
    if b"\x1b" not in raw:
        return raw
    plain, count = _COLOUR.subn(b"", raw)
    return plain if count == raw.count(b"\x1b") else raw


def _is_shown(segment: bytes) -> bool:
    """Whether something of a segment is visible."""
    if b"\x1b" not in segment and _VISIBLE.search(segment):
        return True
    return bool(clean(segment).strip())


class Line:
    """One line of output: its bytes without the newline, where it stood, and how much was dropped."""

    __slots__ = ("_segments", "cut", "number", "offset", "raw")

    def __init__(self, number: int, offset: int, raw: bytes, cut: int = 0) -> None:
        self.number = number
        self.offset = offset
        """Byte offset of the line's start in its source."""
        self.raw = raw
        self.cut = cut
        """Bytes of the line that are not in `raw`: the line was longer than `LIMIT`."""
        self._segments: list[str] | None = None

    def __repr__(self) -> str:
        return f"Line({self.number}, {self.offset}, {self.raw!r}, {self.cut})"

    @property
    def rewritten(self) -> bool:
        """Whether the row was drawn more than once, as progress bars do."""
        raw = self.raw
        return b"\r" in raw or b"\x08" in raw or b"\x1b" in raw

    @property
    def text(self) -> str:
        """The line as a terminal would finally show it: the last segment that is not blank."""
        if not self.rewritten:
            return clean(self.raw)
        last = last_segment(self.raw) if self._segments is None else None
        return self.segments[-1] if last is None else clean(last)

    @property
    def segments(self) -> list[str]:
        """Every segment that is not blank in the order it was drawn; a blank line is one empty segment."""
        if self._segments is None:
            parts = _segments(self.raw) if self.rewritten else [self.raw]
            texts = [clean(part) for part in parts]
            self._segments = [text for text in texts if text and not text.isspace()] or [""]
        return self._segments


class LineSplitter:
    """Splits a stream of bytes into lines; the chunks may be cut anywhere, the lines are the same.

    Only a newline ends a line. UTF-16 with a byte order mark is recognised at the start of the source
    and handed on as UTF-8; offsets always count the bytes of the source.
    """

    def __init__(self, first_number: int = 1, offset: int = 0, encoding: str | None = None) -> None:
        self.number = first_number
        """Number of the line that is being read."""
        self.offset = offset
        """Byte offset of that line's start."""
        self.encoding = encoding
        """utf-16-le or utf-16-be, or None: taken as UTF-8. Hand it over when reading goes on at an offset."""
        self._sniffing = offset == 0 and encoding is None
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._pending = bytearray()
        self._long: _LongLine | None = None
        self._taken = 0
        """Bytes of the unfinished line that are not pending any more, see `take_frames`."""

    def feed(self, chunk: bytes) -> list[Line]:
        """Take the next bytes of the source, return the lines that they complete."""
        if self._sniffing:
            chunk = self._sniff(chunk)
        if self._decoder is not None:
            chunk = self._decoder.decode(chunk).encode("utf-8", "replace")
        if b"\n" not in chunk:
            self._extend(chunk)
            return []
        pieces = chunk.split(b"\n")
        self._extend(pieces[0])
        lines = [self._close(1)]
        last = pieces.pop()
        number, offset = self.number, self.offset
        for piece in pieces[1:]:
            if self.encoding is not None:
                self.number, self.offset = number, offset
                self._extend(piece)
                lines.append(self._close(1))
                number, offset = self.number, self.offset
                continue
            lines.append(whole_line(number, offset, piece))
            number += 1
            offset += len(piece) + 1
        self.number, self.offset = number, offset
        self._extend(last)
        return lines

    @property
    def partial(self) -> Line | None:
        """The unfinished last line, the live state of a running bar; None when there is none."""
        if not self._pending and self._long is None:
            return None
        if self._long is None:
            return Line(self.number, self.offset, bytes(self._pending))
        raw = self._long.raw(self._pending)
        return Line(self.number, self.offset, raw, self._long.size + len(self._pending) - len(raw))

    def take_frames(self) -> Line | None:
        """What a running bar has drawn so far but for its newest frame; that stays, with one more before it.

        Nothing of it comes again but the frame before the newest: whoever reads it has to leave out its last
        one. None: the unfinished line is no such bar, or has drawn nothing new.
        """
        line = self.partial
        if line is None or self.encoding is not None:
            return None
        newest = line.raw.rfind(b"\r", 0, len(line.raw.rstrip(b"\r \t\0")))
        before = line.raw.rfind(b"\r", 0, len(line.raw[: max(0, newest)].rstrip(b"\r \t\0"))) + 1
        if newest < 0 or before <= 0:
            return None
        size = len(self._pending) + (self._long.size if self._long is not None else 0)
        self._long, self._pending = None, bytearray(line.raw[before:])
        self._taken += size - len(self._pending)
        return Line(line.number, line.offset, line.raw[:newest], line.cut)

    @property
    def at_line_start(self) -> bool:
        """Whether the next byte begins a line of plain bytes, so that it need not go through here."""
        return not (self._pending or self._long or self._sniffing or self._decoder)

    def skip(self, lines: int, size: int) -> None:
        """Count whole lines that were split elsewhere: so many, with so many bytes."""
        self.number += lines
        self.offset += size

    def finish(self) -> list[Line]:
        """End of the source: what has no newline yet is a line too."""
        if self._decoder is not None:
            self._extend(self._decoder.decode(b"", final=True).encode("utf-8", "replace"))
        return [self._close(0)] if self._pending or self._long is not None else []

    def _sniff(self, chunk: bytes) -> bytes:
        head = bytes(self._pending) + chunk
        if len(head) < 2 and head in (b"\xff", b"\xfe"):
            return chunk
        self._sniffing = False
        self.encoding = _BOMS.get(head[:2])
        if self.encoding is None:
            return chunk
        self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        self._pending.clear()
        return head

    def _extend(self, piece: bytes) -> None:
        pending = self._pending
        pending += piece
        if len(pending) > LIMIT:
            if self._long is None:
                self._long = _LongLine()
            del pending[: self._long.fold(pending)]

    def _close(self, newline: int) -> Line:
        line = self.partial or Line(self.number, self.offset, b"")
        size = self._taken + len(self._pending) + newline
        self._taken = 0
        if self._long is not None:
            size += self._long.size
            self._long = None
        if self.encoding is not None:
            text = self._pending.decode("utf-8", "replace")
            size = len(text.encode(self.encoding, "replace")) + 2 * newline
        self._pending.clear()
        self.number += 1
        self.offset += size
        return line


class _LongLine:
    """The beginning of a line longer than `LIMIT`, thinned to whole segments worth keeping."""

    def __init__(self) -> None:
        self.size = 0
        self._kept: list[bytes] = []
        self._stride = 1
        self._blocks = 0
        self._carry = b""
        self._broken = False

    def fold(self, pending: bytes | bytearray) -> int:
        """Take all blocks that are followed by more than another one; returns how many bytes that is."""
        start = 0
        while len(pending) - start > LIMIT:
            self._fold_block(bytes(pending[start : start + BLOCK]))
            start += BLOCK
        self.size += start
        return start

    def raw(self, rest: bytes | bytearray) -> bytes:
        """The whole line, thinned: what was kept of its beginning, then its end."""
        tail = self._carry + rest
        if self._broken:
            # The segment began in bytes that are gone: a number may have been cut in two.
            tail = tail[tail.find(b"\r") + 1 :] if b"\r" in tail else b""
        return b"\r".join([*self._kept, tail])

    def _fold_block(self, block: bytes) -> None:
        first = block.find(b"\r")
        if first < 0:
            if not self._kept and not self._broken:
                # A 100 MB line without a \r: its beginning is what a person wants to see.
                self._kept.append((self._carry + block)[:4096].rpartition(b" ")[0])
            self._carry, self._broken = b"", True
            return
        last = block.rfind(b"\r")
        if not _worth_keeping(block):
            self._carry, self._broken = block[last + 1 :], False
            return
        frames = block[first + 1 : last].split(b"\r") if last > first else []
        if not self._broken and len(self._carry) + first <= BLOCK:
            frames.insert(0, self._carry + block[:first])
        self._carry, self._broken = block[last + 1 :], False
        self._blocks += 1
        if self._blocks % self._stride == 0:
            self._keep(frames, b"{" in block)

    def _keep(self, frames: list[bytes], braces: bool) -> None:
        if braces:
            # A metric that another stream wrote between two frames.
            self._kept += [f for i, f in enumerate(frames[:1024]) if i % KEEP_EVERY == 0 or b"{" in f]
        else:
            self._kept += frames[::KEEP_EVERY]
        while sum(map(len, self._kept)) > BLOCK:
            thinner = [f for i, f in enumerate(self._kept) if i % 2 == 0 or b"{" in f]
            self._kept = thinner if len(thinner) < len(self._kept) else self._kept[::2]
            self._stride *= 2


def whole_line(number: int, offset: int, raw: bytes) -> Line:
    """A line that is there as a whole; an over-long one is thinned as the splitter thins it."""
    return Line(number, offset, raw) if len(raw) <= LIMIT else _thinned(number, offset, raw)


def _worth_keeping(block: bytes) -> bool:
    """Whether early frames of an over-long line matter: they are points (tqdm) or hold an object.

    One byte is looked for 100 times as fast as two: Keras bars of 200 kB are read twice as fast.
    """
    return b"{" in block or (b"%" in block and b"%|" in block) or (b"," in block and b" [0" in block)


def _thinned(number: int, offset: int, raw: bytes) -> Line:
    """An over-long line that is there as a whole."""
    long = _LongLine()
    start = long.fold(raw)
    kept = long.raw(raw[start:])
    return Line(number, offset, kept, len(raw) - len(kept))
