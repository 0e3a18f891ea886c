# ruff: noqa: E501 -- lines are quoted as they were printed
"""Tables, boxes, bars and dicts: formats in which one line is not enough."""

from __future__ import annotations

import pytest

from floydtop.parse import Parser
from floydtop.parse.formats import formats
from tests.parse.reading import Point, events, lines, points


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "epoch     train_loss  valid_loss  accuracy  time    \n0         0.512345    0.412345    0.912345  00:03     \n",
            [("train_loss", 0.512345, None, 0.0), ("valid_loss", 0.412345, None, 0.0), ("accuracy", 0.912345, None, 0.0)],
        ),
        (
            "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  SCORE \n---  ------  ------------  --------  ------  ------\n  1     200         12.00    339.17   80.00    0.80\n",
            [("LOSS TOK2VEC", 12.0, 200, 1.0), ("LOSS NER", 339.17, 200, 1.0), ("ENTS_F", 80.0, 200, 1.0), ("SCORE", 0.8, 200, 1.0)],
        ),
        ("epoch,accuracy,loss\n\n0,0.98,0.33\n", [("accuracy", 0.98, None, 0.0), ("loss", 0.33, None, 0.0)]),
        ("step\tloss\n10\t8.460716\n", [("loss", 8.460716, 10, None)]),
        (
            "| rollout/           |          |\n|    ep_rew_mean     | 22.3     |\n| time/              |          |\n|    total_timesteps | 256      |\n---------------------------------\n",
            [("rollout/ep_rew_mean", 22.3, 256, None)],
        ),
        (
            "      Epoch    GPU_mem   box_loss   cls_loss  Instances       Size\n       1/50      8.37G     0.9051       2.42         48        640: 93% ━━━── 70/75 1.4s/it\n       1/50      8.37G     0.9001       2.40         48        640: 100% ━━━━━ 75/75 1.4s/it\n",
            [("box_loss", 0.9001, None, 1.0), ("cls_loss", 2.4, None, 1.0)],
        ),
        ("[10]\tcv_agg's l2: 0.18 + 0.026\n", [("cv_agg's l2", 0.18, 10, None)]),
        ("[5]\ttrain-logloss:0.118\teval-error@0.7:0.98\n", [("train-logloss", 0.118, 5, None), ("eval-error@0.7", 0.98, 5, None)]),
        ("10:\tlearn: 0.5\ttest: 0.9\tbest: 0.9 (10)\ttotal: 61ms\tremaining: 273ms\n", [("learn", 0.5, 10, None), ("test", 0.9, 10, None)]),
        ("{'loss': '3.03', 'grad_norm': '0.9', 'epoch': '0.4'}\n", [("loss", 3.03, None, 0.4), ("grad_norm", 0.9, None, 0.4)]),
        ("9001: 0.211667, 0.607300 avg loss, 0.001000 rate, 3.868000 seconds, 576064 images, 1.2 hours left\n", [("loss", 0.211667, 9001, None), ("avg loss", 0.6073, 9001, None)]),
        ("[host] 2021-05-01 12:00:10,123 (trainer:679) INFO: 2epoch:train:1-53batch: loss_ctc=120.1, acc=0.45, train_time=0.9\n", [("loss_ctc", 120.1, 53, 2.0), ("acc", 0.45, 53, 2.0)]),
        ("(trainer:328) INFO: 2epoch results: [train] loss=85.1, time=9 minutes and 10.1 seconds, total_count=1060, [valid] cer=0.2\n", [("train_loss", 85.1, None, 2.0), ("valid_cer", 0.2, None, 2.0)]),
        (" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.423\n Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000\n", [("AP @[IoU=0.50:0.95 area=all maxDets=100]", 0.423, None, None)]),
        ("             Epoch |               0 |\n| Epoch |  1 |\n| AverageEpRet |  -120 |\n| TotalEnvInteracts | 4000 |\n------------------\n", [("AverageEpRet", -120.0, 4000, 1.0), ("TotalEnvInteracts", 4000.0, 4000, 1.0)]),
        ("Epoch #1: 1000it [00:05, 190.1it/s, env_step=1000, loss=0.5, rew=200.00]\n", [("env_step", 1000.0, 1000, 1.0), ("loss", 0.5, 1000, 1.0), ("rew", 200.0, 1000, 1.0)]),
        ("Epoch 0:  20%|##        | 100/500 [01:00<04:00,  1.66it/s, loss=9.1, global_step=99.00]\n", [("loss", 9.1, 99, 0.0)]),
        ("epoch 1: {'accuracy': 0.7, 'f1': 0.81}\n", [("accuracy", 0.7, None, 1.0), ("f1", 0.81, None, 1.0)]),
        (
            "  epoch    train_loss    valid_acc    cp     dur\n-------  ------------  -----------  ----  ------\n      1        0.7626       0.1625     +  0.0332\n      2        0.7394       0.3000        0.0046\n",
            [("train_loss", 0.7626, None, 1.0), ("valid_acc", 0.1625, None, 1.0), ("train_loss", 0.7394, None, 2.0), ("valid_acc", 0.3, None, 2.0)],
        ),
        (
            "Epoch 3/9\n2021-05-01 12:00:10,123 - INFO - allennlp.training.callbacks.console_logger -                        Training |  Validation\n2021-05-01 12:00:10,123 - INFO - allennlp.training.callbacks.console_logger - accuracy           |     0.752  |     0.712\n2021-05-01 12:00:10,123 - INFO - allennlp.training.callbacks.console_logger - best_f1  |     0.5  |       N/A\n",
            [("training_accuracy", 0.752, None, 3.0), ("validation_accuracy", 0.712, None, 3.0), ("training_best_f1", 0.5, None, 3.0)],
        ),
        ('"epoch","train_loss"\n1,0.5123\n', [("train_loss", 0.5123, None, 1.0)]),
        (",epoch,train_loss\n0,1,0.5123\n", [("train_loss", 0.5123, None, 1.0)]),
        ("Epoch\tTraining Loss\tValidation Loss\n1\tNo log\t0.6123\n", [("Validation Loss", 0.6123, None, 1.0)]),
        (
            "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓\n┃ Epoch ┃ Train Loss ┃ Acc   ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩\n│ 9     │ 1.5945     │ 0.512 │\n└───────┴────────────┴───────┘\n",
            [("Train Loss", 1.5945, None, 9.0), ("Acc", 0.512, None, 9.0)],
        ),
        ("   epoch    loss  val_loss\n0     15  1.1352    1.1733\n", [("loss", 1.1352, None, 15.0), ("val_loss", 1.1733, None, 15.0)]),
        ('{\n  "epoch": 1,\n  "loss": 2.37,\n  "acc": 0.2,\n  "momentum": 0.9\n}\n', [("loss", 2.37, None, 1.0), ("acc", 0.2, None, 1.0)]),
        (
            "[00:07:04] INFO     epoch 0 train_loss 2.5500 val_loss 2.5837 val_acc richh.py:7\n                    0.1500  \n           INFO     Epoch 2: loss=2.2580                              richh.py:9\n",
            [("train_loss", 2.55, None, 0.0), ("val_loss", 2.5837, None, 0.0), ("val_acc", 0.15, None, 0.0), ("loss", 2.258, None, 2.0)],
        ),
        ("  Epoch      Train log_loss       Test log_loss     Time cost (sec)\n     1            0.5362            0.5123               0.02\n", [("Train log_loss", 0.5362, None, 1.0), ("Test log_loss", 0.5123, None, 1.0)]),
        (
            "┃ Test metric ┃ DataLoader 0 ┃ DataLoader 1 ┃\n┡━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━┩\n│  test_acc   │   0.65625    │     0.62     │\n│  test_loss  │     4.39     │              │\n",
            [("test_acc/dataloader_idx_0", 0.65625, None, None), ("test_acc/dataloader_idx_1", 0.62, None, None), ("test_loss/dataloader_idx_0", 4.39, None, None)],
        ),
        (
            "   --> STEP: 24/234 -- GLOBAL_STEP: 25\n     | > loss: 2.34  (2.45)\n     | > log_mle: 0.5  (0.6)\n",
            [("loss", 2.34, 25, None), ("loss.avg", 2.45, 25, None), ("log_mle", 0.5, 25, None), ("log_mle.avg", 0.6, 25, None)],
        ),
    ],
)  # fmt: skip
def test_a_format_that_needs_several_lines_is_read(text: str, expected: list[Point]) -> None:
    assert points(text) == expected


def bar(n: int, post: str, label: str = "Epoch 1", total: int = 50) -> str:
    return f"\r{label}: {100 * n // total:3d}%|###       | {n}/{total} [00:01<00:01, 22.10it/s{post}]"


def test_frames_of_a_bar_are_one_point_a_count() -> None:
    text = bar(1, ", loss=0.9") + bar(1, ", loss=0.8") + bar(2, ", loss=0.7") + bar(50, ", loss=0.5") + "\n"
    assert points(text) == [("loss", 0.9, 1, 1.0), ("loss", 0.7, 2, 1.0), ("loss", 0.5, 50, 1.0)]


def test_values_left_from_the_last_epoch_are_no_news() -> None:
    first = bar(50, ", train_loss=0.9, val_loss=0.8", "Epoch 0")
    second = bar(0, ", train_loss=0.9, val_loss=0.8") + bar(25, ", train_loss=0.5, val_loss=0.8")
    last = bar(50, ", train_loss=0.4, val_loss=0.8") + bar(50, ", train_loss=0.4, val_loss=0.3")
    found = [point for point in points(first + "\n" + second + last + "\n") if point[0] == "val_loss"]
    assert found == [("val_loss", 0.8, 50, 0.0), ("val_loss", 0.3, 50, 1.0)]


def test_a_value_cut_off_at_the_edge_of_the_terminal_is_not_taken() -> None:
    text = "\rEpoch 1: 100%|##| 16/16 [00:00<00:00, 62.4it/s, train_loss=0.092, val/mae=0.27\n"
    assert points(text) == [("train_loss", 0.092, 16, 1.0)]


def test_text_glued_to_a_bar_is_read_as_well() -> None:
    assert points(bar(21, "") + "{'loss': '3.03', 'epoch': '0.4'}\n") == [("loss", 3.03, None, 0.4)]


def test_a_bar_without_a_known_total_is_read() -> None:
    assert points("\r245ktok [00:01, 410ktok/s, loss=0.5]\n") == [("loss", 0.5, 245000, None)]


def test_a_bar_that_only_counts_gives_progress_and_no_metric() -> None:
    parser = Parser()
    assert events(bar(21, "") + "\n", parser) == []
    assert parser.progress is not None
    assert (parser.progress.step, parser.progress.steps) == (21, 50)


def test_the_best_round_repeated_at_the_end_is_no_point() -> None:
    text = "[80]\tvalid_0's l2: 0.2\nEarly stopping, best iteration is:\n[63]\tvalid_0's l2: 0.1\n"
    assert points(text) == [("valid_0's l2", 0.2, 80, None)]


def test_a_table_whose_rows_were_dull_before_its_header_is_read() -> None:
    row = "7         0.5    0.4\n"
    assert points(row * 5 + "epoch     train_loss  valid_loss\n" + row) == [
        ("train_loss", 0.5, None, 7.0),
        ("valid_loss", 0.4, None, 7.0),
    ]


def test_a_change_of_format_in_the_middle_is_noticed() -> None:
    text = (
        "step 5: loss 0.5\n" * 50 + '{"metric": "acc", "value": 0.5, "step": 9}\n' + "[3]\ttrain-rmse:0.1\n"
    )
    assert points(text)[50:] == [("acc", 0.5, 9, None), ("train-rmse", 0.1, 3, None)]


def test_every_format_says_what_it_reads() -> None:
    assert len({one.name for one in formats()}) == len(formats())
    assert all(one.about and len(one.about) < 110 for one in formats())


def test_peeking_at_a_running_bar_changes_nothing() -> None:
    parser = Parser()
    (line,) = lines(bar(10, ", loss=0.5"))
    assert parser.peek(line) == parser.peek(line) != []
    assert parser.read(line) != []


def test_lightning_values_that_are_equal_to_the_last_epochs_are_kept() -> None:
    def frame(epoch: int, n: int, shown: str) -> str:
        return f"Epoch {epoch}: {25 * n}%|###| {n}/4 [00:00<00:00, 60.7it/s{shown}]"

    log = "\r".join(
        [
            frame(0, 2, ", train_loss=0.9"),
            frame(0, 4, ", train_loss=0.8"),
            frame(0, 4, ", train_loss=0.8, val_loss=0.5, val_acc=0.75"),
            frame(1, 0, ", train_loss=0.8, val_loss=0.5, val_acc=0.75"),
            frame(1, 2, ", train_loss=0.7, val_loss=0.5, val_acc=0.75"),
            frame(1, 4, ", train_loss=0.6, val_loss=0.5, val_acc=0.75"),
            frame(1, 4, ", train_loss=0.6, val_loss=0.4, val_acc=0.75"),
        ]
    )
    validated = [point for point in points(log) if point[0].startswith("val_")]
    assert validated == [
        ("val_loss", 0.5, 4, 0.0),
        ("val_acc", 0.75, 4, 0.0),
        ("val_loss", 0.4, 4, 1.0),
        ("val_acc", 0.75, 4, 1.0),
    ]


def test_a_bar_that_counts_before_it_sets_its_values_gives_each_value_at_its_own_count() -> None:
    frames = ["0/3 [00:00<?, ?it/s]", "1/3 [00:00<00:00, 2it/s]", "1/3 [00:00<00:00, 2it/s, loss=0.9]"]
    frames += ["2/3 [00:00<00:00, 2it/s, loss=0.9]", "2/3 [00:00<00:00, 2it/s, loss=0.8]"]
    frames += ["3/3 [00:00<00:00, 2it/s, loss=0.8]", "3/3 [00:00<00:00, 2it/s, loss=0.7]"]
    expected = [("loss", 0.9, 1, 0.0), ("loss", 0.8, 2, 0.0), ("loss", 0.7, 3, 0.0)]
    for end in ("\r", "\n"):
        text = end.join(f"Epoch 0:  33%|##  | {frame}" for frame in frames)
        assert points(text + "\n") == expected


def test_a_rich_bar_broken_at_the_width_of_a_pipe_keeps_each_value_with_its_name() -> None:
    aside = " " * 63
    text = (
        "Epoch 2/2  ━━━━━━━━━━━━━━━━━ 16/16 0:00:00 • 0:00:00 31.51it/s train_loss_step: \n"
        f"{aside}1.206 val_loss:  \n{aside}1.512            \n{aside}train_loss_epoch:\n{aside}1.981            \n"
        f"{aside}val_loss/dataloa…\n{aside}1.235            \n{aside}val_mae: 0.5     \n"
    )
    assert points(text) == [
        ("train_loss_step", 1.206, 16, 2.0),
        ("val_loss", 1.512, 16, 2.0),
        ("train_loss_epoch", 1.981, 16, 2.0),
        ("val_mae", 0.5, 16, 2.0),
    ]


def test_a_bar_of_data_without_a_length_gives_what_its_last_count_adds() -> None:
    def frame(epoch: int, n: int, shown: str) -> str:
        return f"Epoch {epoch}: |          | {n}/? [00:00<00:00, 29.17it/s{shown}]"

    log = "\r".join(
        [
            frame(0, 0, ""),
            frame(0, 1, ", loss=0.9"),
            frame(0, 2, ", loss=0.8"),
            frame(0, 2, ", loss=0.8, val_loss=0.7"),
            frame(1, 0, ", loss=0.8, val_loss=0.7"),
            frame(1, 1, ", loss=0.6, val_loss=0.7"),
            frame(1, 2, ", loss=0.5, val_loss=0.7"),
            frame(1, 2, ", loss=0.5, val_loss=0.4"),
        ]
    )
    for end in ("\r", "\n"):
        assert [one for one in points(log.replace("\r", end)) if one[0] == "val_loss"] == [
            ("val_loss", 0.7, 2, 0.0),
            ("val_loss", 0.4, 2, 1.0),
        ]


def test_values_of_a_validation_in_mid_epoch_that_are_equal_to_the_last_epochs_are_kept() -> None:
    def frame(epoch: int, n: int, shown: str) -> str:
        return f"Epoch {epoch}: {25 * n}%|###| {n}/4 [00:00<00:00, 60.7it/s{shown}]"

    log = "\r".join(
        [
            frame(0, 2, ", train_loss=0.9"),
            frame(0, 3, ", train_loss=0.8, val_loss=0.5, val_acc=0.75"),
            frame(1, 0, ", train_loss=0.8, val_loss=0.5, val_acc=0.75"),
            frame(1, 2, ", train_loss=0.7, val_loss=0.5, val_acc=0.75"),
            frame(1, 3, ", train_loss=0.6, val_loss=0.4, val_acc=0.75"),
        ]
    )
    validated = [point for point in points(log) if point[0].startswith("val_")]
    assert validated == [
        ("val_loss", 0.5, 3, 0.0),
        ("val_acc", 0.75, 3, 0.0),
        ("val_loss", 0.4, 3, 1.0),
        ("val_acc", 0.75, 3, 1.0),
    ]


def test_a_bar_over_epochs_whose_description_tells_their_values_gives_the_first_one_as_well() -> None:
    def frame(n: int, label: str) -> str:
        return f"{label}:  33%|###| {n}/3 [00:00<00:00, 9.7it/s]"

    texts = [
        "Epoch 0 loss 0.9",
        "Epoch 0 loss 0.9",
        "Epoch 1 loss 0.8",
        "Epoch 1 loss 0.8",
        "Epoch 2 loss 0.7",
    ]
    log = "\r".join(frame(n, text) for n, text in zip((0, 1, 1, 2, 2), texts, strict=True))
    assert {(value, epoch) for _, value, _, epoch in points(log)} == {(0.9, 0.0), (0.8, 1.0), (0.7, 2.0)}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("loss: 0.450 ppl: 1.57", {"loss": 0.45, "ppl": 1.57}),
        ("loss 0.450", {"loss": 0.45}),
        ("loss = 0.450 | acc = 0.8", {"loss": 0.45, "acc": 0.8}),
        ("dice_loss - 0.5123, iou_score - 0.4512", {"dice_loss": 0.5123, "iou_score": 0.4512}),
        ("Train Loss: 0.45, Val Loss: 0.3 (best 0.2)", {"Train Loss": 0.45, "Val Loss": 0.3}),
        ("saving checkpoint 3 of 5", {}),
    ],
)
def test_a_bar_whose_values_are_set_as_text_is_read(shown: str, expected: dict[str, float]) -> None:
    assert {name: value for name, value, *_ in points(bar(50, f", {shown}") + "\n")} == expected
