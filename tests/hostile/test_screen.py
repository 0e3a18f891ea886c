"""Every payload in every place where the screen shows text from outside: it shows, and does nothing."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.picker import Choice, PickerApp
from floydtop.app.runs import Comparison
from floydtop.app.safe import clean, safe
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.source import Still
from floydtop.app.widgets.log_view import LogView
from floydtop.app.widgets.prompt import Prompt
from floydtop.events import (
    Event,
    Exit,
    Facts,
    Gap,
    Gpu,
    Job,
    JobState,
    Log,
    Malformed,
    Metrics,
    Note,
    OutputLine,
    Present,
    Sample,
)
from floydtop.session.session import Session
from tests.app.stage import Stage, header, running, whole, write
from tests.hostile.payloads import PAYLOADS

WIDE = (130, 32)

FEW = (
    "set the clipboard, ST",
    "title, BEL",
    "8 bits",
    "bidi override",
    "zero width",
    "combining storm",
    "wide characters",
    "lone surrogates",
    "markup of an action",
    "markup unfinished",
    "newlines",
    "long",
)
"""One of each class, for the screens that take longer."""

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks by Unicode's tables that nobody can see."""


def complaints(stage: Stage) -> list[str]:
    """What is on the screen and should never be sent to a terminal."""
    found = []
    for y, strip in enumerate(stage.app.screen._compositor.render_strips()):
        for segment in strip:
            text = segment.text
            if not text.isprintable() or INVISIBLE.intersection(text):
                found.append(f"row {y}: {text!r}")
            run = 0
            for character in text:
                run = run + 1 if unicodedata.category(character) in ("Mn", "Me", "Mc") else 0
                if run > 4 or 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF:
                    found.append(f"row {y}: a storm of marks")
                    break
            meta = segment.style.meta if segment.style is not None else {}
            if any(key.startswith("@click") for key in meta) and "app.quit" in str(meta):
                found.append(f"row {y}: a click does something")
            if segment.style is not None and segment.style.link:
                found.append(f"row {y}: a link")
    return found


def hostile_events(text: str) -> list[Event]:
    """A recording in which every text is the payload."""
    first = header(
        host=text,
        by=text,
        boot=text,
        timezone=text,
        job=Job(pid=1, start=1, command=[text, text], cwd=text, user=text, environment={text: text}),
        log=Log(path=text, device=1, inode=1),
    )
    return [
        first,
        Facts(t=0.0, gpus=[Gpu(0, name=text, uuid=text)], notes={"gpu": text, "memory": text, text: text}),
        JobState(t=0.0, state="running"),
        Metrics(values={text: 1.0, f"val_{text}": 2.0, "loss": 1.0}, t=1.0, step=1, line=1),
        Metrics(values={text: 2.0, f"val_{text}": 1.0, "loss": 0.5}, t=9.0, step=2, line=2),
        OutputLine(text=text, line=1, t=1.0),
        OutputLine(text=f"[rank0]: {text}", line=2, t=2.0),
        Malformed(text=text, why=text, line=3, t=3.0),
        Sample(t=4.0, values={f"gpu.0.{text}": (1.0, 1.0, 1.0)}, unknown={"cpu.percent": text, "gpu": text}),
        Note(t=5.0, text=text, level="warning"),
        Gap(t=6.0, lost=1, why=text),
        JobState(t=9.0, state="exited", exit=Exit(signal=text, how=text)),
    ]


def hostile_session(text: str) -> Session:
    """The same as a session that is live, with what is known of the present."""
    session = Session()
    session.apply_all(hostile_events(text))
    unknown = dict.fromkeys(("cpu.percent", "memory.percent", "gpu", "disk.percent"), text)
    session.present = Present(t=10.0, values={}, unknown=unknown)
    return session


async def show(stage: Stage, session: Session) -> MonitorScreen:
    screen = stage.app.screen
    assert isinstance(screen, MonitorScreen)
    screen.source = Still(session)
    screen.redraw()
    await stage.pilot.pause()
    await stage.pilot.pause()
    return screen


async def test_the_dashboard_shows_every_payload_as_text(tmp_path: Path) -> None:
    async with running(FloydtopApp(Feed(write(tmp_path, [header()]))), WIDE) as stage:
        stage.app.screen.query_one(LogView)
        found: dict[str, list[str]] = {}
        for name, text in PAYLOADS.items():
            screen = await show(stage, hostile_session(text))
            found[name] = complaints(stage)
            assert "[rank0]: " in stage.words("#log"), name
            screen.action_toggle_malformed()
            await stage.settle()
            found[name] += complaints(stage)
            screen.action_toggle_malformed()
        assert {name: some for name, some in found.items() if some} == {}


async def test_the_other_screens_show_every_payload_as_text(tmp_path: Path) -> None:
    async with running(FloydtopApp(Feed(write(tmp_path, [header()]))), WIDE) as stage:
        found: dict[str, list[str]] = {}
        for name in FEW:
            text = PAYLOADS[name]
            screen = await show(stage, hostile_session(text))
            screen.use_metric_as_x(text)
            await stage.settle()
            screen.action_focus_chart()
            await stage.settle()
            found[name] = complaints(stage)
            await stage.press("p", "comma")
            found[name] += complaints(stage)
            await stage.press("0", "escape")
            screen.notify(safe(text).plain, markup=False)
            await stage.settle()
            found[name] += complaints(stage)
            stage.app.clear_notifications()
        assert {name: some for name, some in found.items() if some} == {}


async def test_the_palette_shows_metric_names_as_text(tmp_path: Path) -> None:
    async with running(FloydtopApp(Feed(write(tmp_path, [header()]))), WIDE) as stage:
        session = Session()
        session.apply(Metrics(values=dict.fromkeys(PAYLOADS.values(), 1.0), t=1.0, step=1))
        await show(stage, session)
        await stage.press("ctrl+p")
        await stage.see("Search for commands")
        for query in ("rank", "x-ax"):
            await stage.type(query)
            await stage.settle()
            assert complaints(stage) == []
            if query == "rank":
                await stage.see("x-axis: [rank0]: loss 1.0")
            await stage.press(*["backspace"] * len(query))


async def test_compared_runs_show_every_payload_as_text() -> None:
    async with running(
        FloydtopApp(Comparison([("a", Still(Session())), ("b", Still(Session()))])), WIDE
    ) as stage:
        found: dict[str, list[str]] = {}
        for name in FEW:
            text = PAYLOADS[name]
            runs = Comparison([(text, Still(hostile_session(text))), ("b", Still(hostile_session("b")))])
            screen = stage.app.screen
            screen.source = screen.comparison = screen.query_one("#log")._comparison = runs
            screen.redraw()
            await stage.settle()
            screen.redraw()
            await stage.settle()
            found[name] = complaints(stage)
        assert {name: some for name, some in found.items() if some} == {}


async def test_the_picker_shows_every_payload_as_text() -> None:
    choices = [Choice("past sessions", text, text, "value", _lines(text)) for text in PAYLOADS.values()]
    async with running(PickerApp(choices, "\x1b]2;OWNED\x1b\\[/x]"), WIDE) as stage:
        found = {}
        for name in PAYLOADS:
            found[name] = complaints(stage)
            stage.app.action_move(1)
            await stage.pilot.pause()
        assert {name: some for name, some in found.items() if some} == {}
        stage.app.action_move(-1000)
        await stage.press("slash")
        await stage.type("started")
        await stage.see("[/usr/bin/x] started")


def _lines(text: str) -> Callable[[], list[str]]:
    return lambda: [text, f"[rank0]: {text}"]


async def test_what_is_pasted_into_the_prompt_is_shown_as_text(tmp_path: Path) -> None:
    async with running(FloydtopApp(Feed(write(tmp_path, whole()))), (100, 30)) as stage:
        found: dict[str, list[str]] = {}
        for name in FEW:
            text = PAYLOADS[name]
            await stage.press("slash")
            assert isinstance(stage.app.focused, Prompt)
            stage.app.focused.post_message(events.Paste(text.encode("utf-8", "replace").decode()))
            await stage.settle()
            found[name] = complaints(stage)
            await stage.press("escape")
        assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.parametrize("name", PAYLOADS)
def test_cleaning_is_quick_and_leaves_only_what_is_printable(name: str) -> None:
    text = PAYLOADS[name]
    start = time.process_time()
    cleaned = clean(text)
    assert time.process_time() - start < 0.1
    assert cleaned.isprintable()
    assert not INVISIBLE.intersection(cleaned)
    assert clean(cleaned) == cleaned
    for word in ("[/usr/bin/x]", "[rank0]:", "[@click=app.quit]"):
        assert (word in text) == (word in cleaned)


def test_a_line_of_a_hundred_megabytes_costs_milliseconds() -> None:
    for part in ("x", "\x1b[31mx", "損", "\x1b", "\u0300"):
        text = part * (100_000_000 // len(part))
        start = time.process_time()
        clean(text)
        assert time.process_time() - start < 0.1


def test_text_that_people_write_stays_as_it_is() -> None:
    for text in (
        "loss: 0.1 ±0.02",
        "Größe",
        "損失 0.5",
        "e\u0301te\u0301",
        "नमस्ते",
        "Việt",
        "🚀 done ✓",
        "█▍ 40%|",
    ):
        assert clean(text) == text
