"""The demo's progress bar has the bytes of tf.keras 2."""

from __future__ import annotations

import io

import pytest

from floydtop.demo.progress import ProgressBar, bar, eta, metrics, per_step


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("done", "total", "drawn"),
    [
        # Frames that TensorFlow 2 printed; the last follows from its rule.
        (1, 20, " 1/20 [>.............................]"),
        (3, 20, " 3/20 [===>..........................]"),
        (10, 20, "10/20 [==============>...............]"),
        (19, 20, "19/20 [===========================>..]"),
        (20, 20, "20/20 [==============================]"),
        (1, 4, "1/4 [======>.......................]"),
        (1, 40, " 1/40 [..............................]"),
    ],
)
def test_bar_is_drawn_as_keras_draws_it(done: int, total: int, drawn: str) -> None:
    assert bar(done, total) == drawn


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (41.9, "41s"), (60, "60s"), (65, "1:05"), (7207, "2:00:07")]
)
def test_remaining_time_is_written_as_keras_writes_it(seconds: float, text: str) -> None:
    assert eta(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.2, "2s/step"), (0.039, "39ms/step"), (0.000917, "917us/step"), (0, "0s/step")]
)
def test_time_of_a_step_is_written_as_keras_writes_it(seconds: float, text: str) -> None:
    assert per_step(seconds) == text


def test_small_values_and_nan_are_written_as_keras_writes_them() -> None:
    values = {"loss": 0.40971, "lr": 0.0005, "mae": float("nan"), "huge": 1e25}
    assert (
        metrics(values)
        == " - loss: 0.4097 - lr: 5.0000e-04 - mae: nan - huge: 10000000000000000905969664.0000"
    )


def test_an_epoch_is_written_byte_for_byte() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = ProgressBar(4, stream, clock)
    clock.now += 12
    progress.update(1, {"loss": 2.3229})
    clock.now += 1
    progress.update(2, {"loss": 1.5})
    clock.now += 2
    progress.finish({"loss": 1.25, "val_loss": 1.0})
    first = "1/4 [======>.......................] - ETA: 36s - loss: 2.3229"
    second = "2/4 [==============>...............] - ETA: 2s - loss: 1.5000"
    last = "4/4 [==============================] - 15s 1s/step - loss: 1.2500 - val_loss: 1.0000"
    assert stream.getvalue() == (
        "\r" + first + "\b" * len(first) + "\r" + second + " " + "\b" * len(second) + "\r" + last + "\n"
    )


def test_frames_come_at_most_ten_times_a_second() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = ProgressBar(1000, stream, clock)
    for done in range(1, 1001):
        progress.update(done, {"loss": 1.0})
        clock.now += 0.001
    assert 9 <= stream.getvalue().count("ETA") <= 10


def test_a_line_under_way_stands_alone_and_the_bar_comes_back() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = ProgressBar(4, stream, clock)
    progress.update(1, {"loss": 1.0})
    progress.write('{"metric": "grad_norm"}')
    progress.update(2, {"loss": 0.9})
    lines = stream.getvalue().split("\n")
    assert lines[0].split("\r")[-1] == '{"metric": "grad_norm"}'
    assert lines[1].startswith("\r2/4 [")


def test_a_line_after_the_end_wipes_nothing() -> None:
    stream = io.StringIO()
    progress = ProgressBar(4, stream, Clock())
    progress.update(1, {"loss": 1.0})
    progress.finish({"loss": 1.0})
    progress.write("next")
    assert stream.getvalue().endswith("loss: 1.0000\nnext\n")
