"""The first chart comes as soon as there is something to draw."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import pytest

from floydtop.app import FloydtopApp
from floydtop.app.screens import monitor
from floydtop.events import Log
from tests.app.stage import header, live, opening, running, training


def log(folder: Path, text: str) -> Log:
    """A log that holds a text."""
    path = folder / "train.log"
    path.write_text(text)
    return Log(path=str(path), device=1, inode=9)


def test_the_first_of_a_log_that_holds_something_is_waited_for(tmp_path: Path) -> None:
    begun = [header(log=log(tmp_path, "loss: 0.5\n"))]
    with live(tmp_path, begun) as (feed, writer):
        late = threading.Timer(0.05, lambda: writer.append(training(3), now=0.0))
        late.start()
        feed.wait_for_output(10.0)
        late.join()
        assert "loss" in feed.session.metrics


def test_output_without_metrics_ends_the_wait(tmp_path: Path) -> None:
    line = msgspec.structs.replace(training(1)[0], text="hello")
    with live(tmp_path, [header(log=log(tmp_path, "hello\n")), line]) as (feed, _):
        began = time.monotonic()
        feed.wait_for_output(10.0)
        assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_is_waited_for_where_no_output_is_yet(tmp_path: Path, text: str | None) -> None:
    begun = [header(log=None if text is None else log(tmp_path, text))]
    with live(tmp_path, begun) as (feed, _):
        began = time.monotonic()
        feed.wait_for_output(10.0)
        assert time.monotonic() - began < 5.0


async def test_the_first_metric_waits_for_no_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "POLL", 3600.0)
    with live(tmp_path, opening()) as (feed, writer):
        async with running(FloydtopApp(feed)) as stage:
            writer.append(training(3), now=0.0)
            await stage.see("─ loss ─")
