"""Questions that may never be answered."""

from __future__ import annotations

import asyncio
import threading

import pytest

from floydtop.sources.patience import NoAnswer, Patient
from tests.sources.children import until


def test_answer_comes_back() -> None:
    assert Patient[int]("the sum", 5.0).ask(lambda: 1 + 1) == 2


def test_error_of_the_question_comes_back() -> None:
    def fail() -> int:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        Patient[int]("the sum", 5.0).ask(fail)


def test_question_that_hangs_is_given_up_and_not_asked_twice() -> None:
    release, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        release.wait(30)
        return 0

    patient = Patient[int]("the dead server", 0.05)
    for _ in range(3):
        with pytest.raises(NoAnswer, match="the dead server has not answered for"):
            patient.ask(hang)
    assert asked == [1]
    release.set()


def test_late_answer_is_given_to_the_next_who_asks() -> None:
    release, answered = threading.Event(), threading.Event()

    def answer_late() -> str:
        release.wait(30)
        answered.set()
        return "late"

    patient = Patient[str]("the slow server", 0.2)
    with pytest.raises(NoAnswer):
        patient.ask(answer_late)
    release.set()
    answered.wait(30)
    answers: list[str | None] = []

    def asked_again() -> bool:
        answers.append(_try(patient))
        return answers[-1] is not None

    until(asked_again)
    assert answers[-1] == "late"


def _try(patient: Patient[str]) -> str | None:
    try:
        return patient.ask(lambda: "new")
    except NoAnswer:
        return None


async def test_event_loop_runs_on_while_a_question_hangs() -> None:
    release, beats = threading.Event(), 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.005)

    heart = asyncio.create_task(beat())
    with pytest.raises(NoAnswer):
        await Patient[bool]("it", 0.2).ask_async(lambda: release.wait(30))
    release.set()
    heart.cancel()
    assert beats > 3


async def test_answer_reaches_the_event_loop() -> None:
    assert await Patient[str]("it", 5.0).ask_async(lambda: "yes") == "yes"


def test_one_thread_serves_all_questions_and_goes_with_the_asker() -> None:
    patient = Patient[int]("it", 5.0)
    served = {patient.ask(threading.get_ident) for _ in range(5)}
    assert len(served) == 1
    (thread,) = (thread for thread in threading.enumerate() if thread.ident in served)
    assert thread.daemon
    del patient
    until(lambda: not thread.is_alive())
