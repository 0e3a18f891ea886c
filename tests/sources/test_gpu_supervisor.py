"""The keeper of the GPU helper process, with helpers that misbehave in every way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from floydtop.sources import gpu_supervisor
from floydtop.sources.gpu_supervisor import Patience, Supervisor
from floydtop.sources.gpu_wire import Line

ONCE = Patience(period=0.1, silence=1, startup=10, retries=())


async def outcome(
    patience: Patience, enough: Callable[[list[Line], list[str]], bool]
) -> tuple[list[Line], list[str]]:
    """Lines heard and losses told until there is enough of them."""
    heard: list[Line] = []
    lost: list[str] = []
    supervisor = Supervisor(heard.append, lost.append, patience)
    supervisor.start()
    try:
        async with asyncio.timeout(20):
            while not enough(heard, lost):
                await asyncio.sleep(0.01)
    finally:
        await supervisor.close()
    return heard, lost


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replace what the helper process runs."""
    return lambda code: monkeypatch.setattr(gpu_supervisor, "ENTRY", code)


async def test_an_exit_is_told_with_its_last_words(helper: Callable[[str], None]) -> None:
    helper("import sys; print('first', file=sys.stderr); sys.exit('no room left')")
    _, lost = await outcome(ONCE, lambda _, lost: bool(lost))
    assert lost == ["GPU sampler lost: exit status 1: no room left (given up after 0 new starts)"]


async def test_a_clean_exit_without_a_word_is_a_loss_too(helper: Callable[[str], None]) -> None:
    helper("pass")
    _, lost = await outcome(ONCE, lambda _, lost: bool(lost))
    assert lost == ["GPU sampler lost: exit status 0 (given up after 0 new starts)"]


async def test_lines_cut_anywhere_are_put_together(helper: Callable[[str], None]) -> None:
    helper(
        "import sys, time\n"
        "for piece in ('{\"t\":', '1}\\n{\"t\": 2}\\n{\"t\"', ': 3}\\n'):\n"
        "    sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.05)\n"
        "time.sleep(60)"
    )
    heard, _ = await outcome(ONCE, lambda heard, _: len(heard) == 3)
    assert [line.t for line in heard] == [1, 2, 3]


async def test_garbage_is_silence(helper: Callable[[str], None]) -> None:
    helper("import time\nwhile True: print('\\xff{]', flush=True); time.sleep(0.05)")
    patience = Patience(period=0.1, silence=0.2, startup=0.5, retries=())
    heard, lost = await outcome(patience, lambda _, lost: "given up" in "".join(lost))
    assert heard == []
    assert lost[-1] == "the NVIDIA driver does not answer (given up after 0 new starts)"


async def test_a_noisy_stderr_blocks_no_helper(helper: Callable[[str], None]) -> None:
    helper(
        "import sys, time\nsys.stderr.write('x' * 1_000_000)\nprint('{\"t\": 1}', flush=True); time.sleep(60)"
    )
    heard, _ = await outcome(ONCE, lambda heard, _: bool(heard))
    assert heard[0].t == 1


async def test_no_driver_is_final(helper: Callable[[str], None]) -> None:
    helper('print(\'{"absent": "none"}\')')
    heard, lost = await outcome(Patience(retries=(0.0, 0.0)), lambda heard, _: bool(heard))
    assert heard == [Line(absent="none")]
    assert lost == []


async def test_each_loss_is_tried_again_after_its_delay(helper: Callable[[str], None]) -> None:
    helper("import sys; sys.exit(3)")
    _, lost = await outcome(Patience(retries=(0.0, 0.05)), lambda _, lost: "given up" in "".join(lost))
    assert lost == ["GPU sampler lost: exit status 3"] * 2 + [
        "GPU sampler lost: exit status 3 (given up after 2 new starts)"
    ]


async def test_an_interpreter_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    _, lost = await outcome(ONCE, lambda _, lost: bool(lost))
    assert lost == ["GPU sampler not started: No such file or directory"]
