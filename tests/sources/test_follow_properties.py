"""Whatever happens to a log, what was read is what was written: nothing lost, cut or doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from floydtop.sources import growing
from tests.sources.test_follow_events import Follower

# (what happens, how many bytes are written then, in how many writes)
EVENTS = st.tuples(
    st.sampled_from(
        ["append", "append", "append", "truncate", "copytruncate", "rotate", "recreate", "replace", "wait"]
    ),
    st.one_of(st.integers(1, 200), st.integers(200, 5000), st.just(600_000)),
    st.integers(1, 4),
)


class Writer:
    """Writes a log as a job and its log rotation do, and remembers each content as a whole."""

    def __init__(self, log: Path, appends: bool) -> None:
        self.log = log
        self.contents = [b""]
        self._flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if appends else 0)
        self._file = os.open(log, self._flags, 0o644)
        self._count = 0

    def write(self, size: int, writes: int) -> None:
        """Numbered pieces, so that no two places of any content look alike."""
        first = self._count + 1
        self._count += size // 5 + 1
        data = b"".join(
            b"%d\n" % number if number % 3 else b"%d \xff\xfe\r" % number
            for number in range(first, self._count + 1)
        )
        step = len(data) // writes + 1
        for start in range(0, len(data), step):
            os.write(self._file, data[start : start + step])
        self.contents[-1] += data

    def happen(self, event: str) -> None:
        if event == "copytruncate":
            shutil.copyfile(self.log, f"{self.log}.copy")
            os.truncate(self.log, 0)
        elif event == "truncate":
            os.close(self._file)
            self._file = os.open(self.log, self._flags | os.O_TRUNC)
        else:
            os.close(self._file)
            if event == "rotate":
                self.log.rename(f"{self.log}.{len(self.contents)}")
            elif event == "recreate":
                self.log.unlink()
            elif event == "replace":
                Path(f"{self.log}.next").touch()
                Path(f"{self.log}.next").rename(self.log)
            self._file = os.open(self.log, self._flags, 0o644)
        self.contents.append(b"")

    def close(self) -> None:
        os.close(self._file)


async def follow_all(events: list[tuple[str, int, int]], appends: bool, watch: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "train.log")
        writer = Writer(log, appends)
        follower = Follower(log, watch=watch)

        def all_read() -> bool:
            read = [text.lstrip(b"\0") for text in follower.contents if text]
            return read == [text for text in writer.contents if text]

        try:
            for event, size, writes in events:
                if event in ("append", "wait"):
                    writer.write(size, writes)
                    if event == "wait":
                        await follower.until(all_read)
                else:
                    # What is taken away before anybody could read it is lost to every reader.
                    await follower.until(all_read)
                    writer.happen(event)
                    writer.write(size, writes)
            await follower.end()
            assert all_read(), (follower.contents, writer.contents)
        finally:
            await follower.end()
            writer.close()


@pytest.mark.parametrize("watch", [True, False], ids=["inotify", "polling"])
@settings(max_examples=25, deadline=None)
@example(
    events=[
        ("append", 600_000, 3),
        ("copytruncate", 500, 1),
        ("append", 600_000, 2),
        ("copytruncate", 500, 4),
    ],
    appends=False,
)
@given(events=st.lists(EVENTS, min_size=1, max_size=8), appends=st.booleans())
def test_any_sequence_of_appends_rotations_and_truncations_is_read_whole(
    watch: bool, events: list[tuple[str, int, int]], appends: bool
) -> None:
    with patch.object(growing, "STEP_SECONDS", 60 if watch else 0.005):
        asyncio.run(follow_all(events, appends, watch))
