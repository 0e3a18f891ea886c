"""Keras bars of every generation: the epoch's value is the last frame's, and nobody else's."""

from __future__ import annotations

from floydtop.parse import Parser
from floydtop.parse.lines import LineSplitter
from tests.parse.reading import flat, points

FRAME = " 1/20 [>.............................] - ETA: 3s - loss: 0.9000 - accuracy: 0.1000"
LAST = "20/20 [==============] - 1s 39ms/step - loss: 0.5000 - accuracy: 0.8000 - val_loss: 0.6000"


def test_what_a_callback_adds_below_the_bar_belongs_to_its_epoch() -> None:
    log = "Epoch 2/2\n20/20 [====] - 0s 2ms/step - loss: 0.6\n"
    log += " \u2014 val_f1: 0.81 \u2014 val_recall 0.79\n - f1: 0.7\n"
    added = [("val_f1", 0.81, None, 2.0), ("val_recall", 0.79, None, 2.0), ("f1", 0.7, None, 2.0)]
    assert points(log)[1:] == added


def test_a_bar_rewritten_many_times_is_one_value_an_epoch() -> None:
    text = f"Epoch 3/10\n{FRAME}\b\b\r{FRAME}\b\b\r{LAST}\n"
    assert points(text) == [
        ("loss", 0.5, None, 3.0),
        ("accuracy", 0.8, None, 3.0),
        ("val_loss", 0.6, None, 3.0),
    ]


def test_frames_on_lines_of_their_own_are_no_results() -> None:
    assert points(f"Epoch 1/2\n{FRAME}\n{FRAME}\n{LAST}\n")[0] == ("loss", 0.5, None, 1.0)
    assert len(points(f"Epoch 1/2\n{FRAME}\n{FRAME}\n{LAST}\n")) == 3


def test_an_unfinished_bar_gives_no_result_but_running_values() -> None:
    parser, splitter = Parser(), LineSplitter()
    for line in splitter.feed(f"Epoch 2/5\n{FRAME}".encode()):
        assert parser.read(line) == []
    assert splitter.partial is not None
    assert flat(parser.peek(splitter.partial)) == [("loss", 0.9, None, 2.0), ("accuracy", 0.1, None, 2.0)]
    progress = parser.progress
    assert progress is not None
    assert (progress.epoch, progress.epochs, progress.step, progress.steps) == (2, 5, 1, 20)
    (line,) = splitter.feed(b"\r" + LAST.encode() + b"\n")
    assert flat(e for e in parser.read(line) if e.group == "training")[0] == ("loss", 0.5, None, 2.0)


def test_the_classic_line_is_read() -> None:
    line = "700000/700000 [=====] - 20s - loss: 0.4097 - acc: 0.8078 - val_loss: 0.4582 - val_acc: 0.781\n"
    assert [point[:2] for point in points(line)] == [
        ("loss", 0.4097),
        ("acc", 0.8078),
        ("val_loss", 0.4582),
        ("val_acc", 0.781),
    ]


def test_keras_three_bars_with_colours_are_read() -> None:
    bar = "\x1b[1m20/20\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m0s\x1b[0m"
    line = f"{bar} 3ms/step - loss: 1.0000e-05 - mae: nan\n"
    found = points("Epoch 1/1\n" + line)
    assert found[0] == ("loss", 1e-05, None, 1.0)
    assert found[1][1] != found[1][1]


def test_verbose_two_of_keras_one_is_read() -> None:
    assert points("Epoch 7/9\n3083s - loss: 1.7197 - acc: 0.5893\n")[0] == ("loss", 1.7197, None, 7.0)


def test_timings_are_a_group_of_their_own_in_seconds() -> None:
    assert points(f"Epoch 1/2\n{LAST}\n", "timing") == [
        ("epoch_seconds", 1.0, None, 1.0),
        ("step_seconds", 0.039, None, 1.0),
    ]


def test_evaluate_and_predict_are_kept_apart_from_the_training() -> None:
    evaluate = "5/5 [==============================] - 0s 2ms/step - loss: 0.7000 - accuracy: 0.7000\n"
    predict = "5/5 [==============================] - 0s 2ms/step\n"
    found = points(f"Epoch 1/1\n{LAST}\n{evaluate}{predict}")
    assert found[3:] == [("eval_loss", 0.7, None, None), ("eval_accuracy", 0.7, None, None)]


def test_sentences_of_callbacks_give_nothing() -> None:
    text = (
        "Epoch 00008: early stopping\n"
        "Epoch 8: val_loss improved from 0.70362 to 0.68, saving model to w.03-0.68.hdf5\n"
        "Epoch 8: ReduceLROnPlateau reducing learning rate to 4.999999418942025e-07.\n"
    )
    assert points(text) == []


def test_a_second_fit_starts_again_at_its_own_epochs() -> None:
    text = f"Epoch 1/2\n{LAST}\nEpoch 2/2\n{LAST}\nEpoch 1/2\n{LAST}\n"
    assert [point[3] for point in points(text) if point[0] == "loss"] == [1.0, 2.0, 1.0]


def test_a_bar_drawn_once_more_after_sentences_of_callbacks_is_still_of_its_epoch() -> None:
    before = "8/8 ━━━━ 0s 69ms/step - acc: 0.5625 - loss: 1.3456"
    after = "8/8 ━━━━ 1s 107ms/step - acc: 0.5625 - loss: 1.3456 - val_acc: 0.5250 - val_loss: 1.1987"
    text = f"Epoch 4/6\n{before}\nEpoch 4: val_loss improved from None to 1.19875, saving it\n{after}\n"
    assert points(text) == [
        ("acc", 0.5625, None, 4.0),
        ("loss", 1.3456, None, 4.0),
        ("val_acc", 0.525, None, 4.0),
        ("val_loss", 1.1987, None, 4.0),
    ]


def test_a_frame_that_a_warning_is_glued_to_is_no_line_of_text() -> None:
    text = "7/Unknown 1s 91ms/step - acc: 0.6429 - loss: 0.6524/lib/iterator.py:164: UserWarning: ran out\n"
    assert points(text) == []
