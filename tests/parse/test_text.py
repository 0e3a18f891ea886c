# ruff: noqa: E501 -- lines are quoted as they were printed
"""Free text: the ways in which people print, and what must not be taken for a metric."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.events import Metrics
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from tests.parse.reading import Point, events, flat, points


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Epoch 1: train loss 2.3403, val acc 0.1172", [("train loss", 2.3403, None, 1.0), ("val acc", 0.1172, None, 1.0)]),
        ("Epoch [16/18], Step [16/100], Loss: 2.0422", [("Loss", 2.0422, 16, 16.0)]),
        ("epoch=7 step=112 train/loss=2.2 grad_norm=6.66e+00", [("train/loss", 2.2, 112, 7.0), ("grad_norm", 6.66, 112, 7.0)]),
        ("Train Epoch: 1 [640/6000 (11%)]\tLoss: 2.282444", [("Loss", 2.282444, 640, 1.0)]),
        ("iter 100: loss 2.4500, time 30.1ms, mfu 1.2%", [("loss", 2.45, 100, None)]),
        ("step   13 | loss: -inf", [("loss", -math.inf, 13, None)]),
        ("loss = tensor(1.8936, grad_fn=<NllLossBackward0>), epoch = 22", [("loss", 1.8936, None, 22.0)]),
        ("[0/2][3/25] Loss_D: 1.5 D(G(z)): 0.44 / 0.04", [("Loss_D", 1.5, 3, 0.0), ("D(G(z))_1", 0.44, 3, 0.0), ("D(G(z))_2", 0.04, 3, 0.0)]),
        ("| epoch   1 |   200/ 2983 batches | lr 20.00 | loss  7.63 | ppl  2051.52", [("loss", 7.63, 200, 1.0), ("ppl", 2051.52, 200, 1.0)]),
        ("Epoch: [0][ 11/100]\tLoss 2.1854e+00 (2.3057e+00)", [("Loss", 2.1854, 11, 0.0), ("Loss.avg", 2.3057, 11, 0.0)]),
        ("Test: [ 11/20]\tLoss 1.2 (1.3)", [("test_Loss", 1.2, 11, None), ("test_Loss.avg", 1.3, 11, None)]),
        (" iteration       50/  242204 | consumed samples: 12800 | lm loss: 1.012345E+01 | number of nan iterations:   0 |", [("lm loss", 10.12345, 50, None)]),
        ("[rank0]:[titan] 2025-10-30 14:32:58,897 - root - INFO - step:  1  loss:  8.1661  memory:  2.47GiB(3.12%)  tps: 3,502", [("loss", 8.1661, 1, None)]),
        ("step:4 - actor/pg_loss:-0.01 - critic/score/mean:0.35", [("actor/pg_loss", -0.01, 4, None), ("critic/score/mean", 0.35, 4, None)]),
        ("2023/05/03 11:11:11 - mmengine - INFO - Epoch(train) [8][ 20/333]  lr: 1.0e-02  eta: 5:26:27  loss: 1.2", [("loss", 1.2, 20, 8.0)]),
        ("2023/05/03 11:11:13 - mmengine - INFO - Epoch(val) [1][167/167]    coco/bbox_mAP: 0.3720", [("val_coco/bbox_mAP", 0.372, None, 1.0)]),
        ("2021-09-03 20:23:05.925 | INFO     | yolox.core.trainer:after_iter:246 - epoch: 8/300, iter: 30/47, mem: 1756Mb, total_loss: 4.9, size: 640, ETA: 1:10:00", [("total_loss", 4.9, 30, 8.0)]),
        ("[05/02 15:39:01 d2.utils.events]:  eta: 0:12:05  iter: 19  total_loss: 2.051  max_mem: 2000M", [("total_loss", 2.051, 19, None)]),
        ("INFO:tensorflow:loss = 0.5123, step = 101 (1.234 sec)", [("loss", 0.5123, 101, None)]),
        ("Train: 0 [  50/1251 (  4%)]  Loss: 6.95 (6.93)  Time: 0.412s,  621.31/s", [("Loss", 6.95, 50, 0.0), ("Loss.avg", 6.93, 50, 0.0)]),
        ("s:7152 trl:3.41", [("trl", 3.41, 7152, None)]),
        ("step    1/19560 | loss 11.009 (+nanz)| lr 8.57e-07 | 3056.36 ms | 171523 tok/s", [("loss", 11.009, 1, None)]),
        ("Cost after iteration 10: 0.693", [("Cost", 0.693, 10, None)]),
        ("12:30:01.123 [main] INFO  o.d.o.l.ScoreIterationListener - Score at iteration 10 is 0.5", [("Score", 0.5, 10, None)]),
        ("0: epoch 3 step 5 loss 0.25", [("loss", 0.25, 5, 3.0)]),
        ("1: epoch 3 step 5 loss 0.25", [("rank1/loss", 0.25, 5, 3.0)]),
        ("[rank3]: step 5 loss 0.25", [("rank3/loss", 0.25, 5, None)]),
        ("acc: 0.865625", [("acc", 0.865625, None, None)]),
        ("2023-06-13 17:31:08 | INFO | train_inner | epoch 143:     85 / 282 loss=3.147, bsz=2186.3, num_updates=40100, lr=0.00015", [("loss", 3.147, 40100, 143.0)]),
        ("2023-06-13 17:33:54 | INFO | valid | epoch 143 | valid on 'valid' subset | loss 4.001 | num_updates 40297 | best_loss 3.99", [("valid_loss", 4.001, 40297, 143.0)]),
        ("[2021-05-01 12:00:10 swin_tiny] (main.py 198): INFO Train: [3/300][10/1251]\teta 0:50:03 lr 0.000001\tloss 6.94 (6.95)\tmem 5000MB", [("loss", 6.94, 10, 3.0), ("loss.avg", 6.95, 10, 3.0)]),
        (" | Test: [1][10/5005]    Time 0.500  top1  99.500 ( 99.4)", [("test_top1", 99.5, 10, 1.0), ("test_top1.avg", 99.4, 10, 1.0)]),
        ("2021-05-01 13:02:00,000 - mmdet - INFO - Epoch(val) [1][5000]\tbbox_mAP: 0.3740, bbox_mAP_copypaste: 0.374 0.581", [("val_bbox_mAP", 0.374, None, 1.0)]),
        ("INFO:root:Epoch[0] Batch [100-200]\tSpeed: 5000.10 samples/sec\taccuracy=0.212", [("accuracy", 0.212, 200, 0.0)]),
        ("speechbrain.utils.train_logger - Epoch loaded: 10 - test loss: 1.9, test PER: 30.1", [("test loss", 1.9, None, 10.0), ("test PER", 30.1, None, 10.0)]),
        ("step:125/5100 val_loss:4.2 train_time:20000ms step_avg:150.1ms", [("val_loss", 4.2, 125, None)]),
        ("iteration: 1 of max_iter: 3, perplexity: 10.3442", [("perplexity", 10.3442, 1, None)]),
        ("Epoch 2, change: 0.14293799", [("change", 0.14293799, None, 2.0)]),
        ("100 [D loss: 0.5, acc.: 50.00%] [G loss: 1.2]", [("D loss", 0.5, 100, None), ("acc.", 50.0, 100, None), ("G loss", 1.2, 100, None)]),
        ("(epoch: 30, iters: 200, time: 0.123, data: 0.002) G_GAN: 0.512 D_A: 0.2", [("G_GAN", 0.512, 200, 30.0), ("D_A", 0.2, 200, 30.0)]),
        (" [====>...] Step: 100ms | Tot: 1s | Loss: 1.5 | Acc: 45.1% (4510/10000) 391/391", [("Loss", 1.5, 391, None), ("Acc", 45.1, 391, None)]),
        ("Epoch #1: test_reward: 195.1 ± 10.2, best_reward: 195.1 ± 10.2 in #1", [("test_reward", 195.1, None, 1.0)]),
        ("[1,3]<stdout>:step 9 loss 0.5", [("rank3/loss", 0.5, 9, None)]),
        ("[2] step 8 loss 0.5", [("rank2/loss", 0.5, 8, None)]),
        ("INFO 05-01 12:00:00 train.py:10] step 18 loss 0.5", [("loss", 0.5, 18, None)]),
        ("step 4 HellaSwag accuracy: 2531/10042=0.2520", [("HellaSwag accuracy", 0.252, 4, None)]),
        ("Accuracy of the network on the 10000 test images: 55 %", [("test_accuracy", 55.0, None, None)]),
        ("[t-SNE] KL divergence after 300 iterations: 0.334095", [("KL divergence", 0.334095, 300, None)]),
        ("[I 2021-05-01 12:00:00,123] Trial 3 finished with value: 0.9123 and parameters: {'lr': 0.01}. Best is trial 0 with value: 0.95.", [("value", 0.9123, 3, None)]),
        ("epoch 3 metrics {'train/loss': 0.47, 'val/acc': 0.8}", [("train/loss", 0.47, None, 3.0), ("val/acc", 0.8, None, 3.0)]),
        ("Epoch 1 {'loss': np.float64(0.5), 'acc': tensor(0.25, device='cuda:0')}", [("loss", 0.5, None, 1.0), ("acc", 0.25, None, 1.0)]),
        ("batch count: 220/308, iter: 220, xyz_loss: 0.079329", [("xyz_loss", 0.079329, 220, None)]),
        ("EPOCH 2:\n  batch 1000 loss: 0.3634\nLOSS train 0.3234 valid 0.3911", [("loss", 0.3634, 1000, 2.0), ("LOSS train", 0.3234, 1000, 2.0), ("LOSS valid", 0.3911, 1000, 2.0)]),
        ("Epoch[1/5](10/100): loss: 0.5", [("loss", 0.5, 10, 1.0)]),
        ("After epoch 3, the loss is 0.5", [("loss", 0.5, None, 3.0)]),
        ("Epoch-3 loss=0.5", [("loss", 0.5, None, 3.0)]),
        ("Eval @ step 100: loss 0.4", [("eval_loss", 0.4, 100, None)]),
        ("Epoch 3 - train loss 0.5 (ppl 1.6) - valid loss 0.4", [("train loss", 0.5, None, 3.0), ("ppl", 1.6, None, 3.0), ("valid loss", 0.4, None, 3.0)]),
        ("Losses {'ner': 12.25}", [("losses/ner", 12.25, None, None)]),
        ("3 Losses {'ner': 12.25}", [("losses/ner", 12.25, 3, None)]),
        ("I1125 23:30:03.227442 140091924278144 train.py:6] [10] train/loss=2.5, train/acc=0.15", [("train/loss", 2.5, 10, None), ("train/acc", 0.15, 10, None)]),
        ("Mon Nov 23 10:11:12 2026\tEpoch 1:\t[500/2000]\tcontent: 0.22\tstyle: 0.21", [("content", 0.22, 500, 1.0), ("style", 0.21, 500, 1.0)]),
        ("[I 2026-11-25 23:26:46,837] Trial 1 finished with values: [47.02, 15.27] and parameters: {'x': 3.0}.", [("values_0", 47.02, 1, None), ("values_1", 15.27, 1, None)]),
        ("epoch  1/10 - train_loss 2.4178 - val_loss 4.8356", [("train_loss", 2.4178, None, 1.0), ("val_loss", 4.8356, None, 1.0)]),
        ("valid (1/10) accuracy01: 0.85 | loss: 0.6", [("valid_accuracy01", 0.85, 1, None), ("valid_loss", 0.6, 1, None)]),
        ("2022-05-01 12:00:10,123 INFO [train.py:876] Epoch 1, batch 50, loss[loss=0.5, simple_loss=0.9], tot_loss[loss=0.6]", [("loss", 0.5, 50, 1.0), ("simple_loss", 0.9, 50, 1.0), ("tot_loss", 0.6, 50, 1.0)]),
        ("2022-05-01,12:00:10 | INFO | Eval Epoch: 1 image_to_text_mean_rank: 12.3000\timage_to_text_R@1: 0.5", [("eval_image_to_text_mean_rank", 12.3, None, 1.0), ("eval_image_to_text_R@1", 0.5, None, 1.0)]),
        ("05/01/21 - 12:00.10PM, iter: 001, cost: 0.071234", [("cost", 0.071234, 1, None)]),
        ("[0501 12:00:10 @base.py:285] Epoch 1 (global_step 937) finished, time:12.3 seconds.\n[0501 12:00:10 @monitor.py:467] cost: 0.5123", [("cost", 0.5123, 937, 1.0)]),
        ("Steps : 100, Gen Loss Total : 45.123, s/b : 0.123", [("Gen Loss Total", 45.123, 100, None)]),
        ("2021-05-01 12:00:10,123 INFO Epoch 0 CV info cv_loss 12.3", [("cv_loss", 12.3, None, 0.0)]),
        ("Epoch:  1/10 Train steps: 10 Val steps: 5 1.23s loss: 0.5 val_loss: 0.4", [("loss", 0.5, None, 1.0), ("val_loss", 0.4, None, 1.0)]),
        ("current step: 12th step\nbatch loss:4.029", [("batch loss", 4.029, 12, None)]),
        ("[12:01:02] epoch 3 | train 0.512 | valid 0.612", [("train", 0.512, None, 3.0), ("valid", 0.612, None, 3.0)]),
        ("Loss (epoch 3): 0.512", [("Loss", 0.512, None, 3.0)]),
        ("{'epoch': 3, 'train': {'loss': 0.5, 'acc': 0.6}, 'metrics': {'f1': 0.8}}", [("train/loss", 0.5, None, 3.0), ("train/acc", 0.6, None, 3.0), ("f1", 0.8, None, 3.0)]),
        ("------------Epoch 1------------\nTrain: acc=0.51 loss=1.2", [("acc", 0.51, None, 1.0), ("loss", 1.2, None, 1.0)]),
        ("======Epoch 2======\nloss=1.2", [("loss", 1.2, None, 2.0)]),
        ("Loss after mini-batch   500: 2.228", [("Loss", 2.228, 500, None)]),
        ("mAP@0.5: 0.612, mAP@0.5:0.95: 0.412", [("mAP@0.5", 0.612, None, None), ("mAP@0.5:0.95", 0.412, None, None)]),
        ("INFO Eval on test set: accuracy=0.8123, f1=0.8012", [("test_accuracy", 0.8123, None, None), ("test_f1", 0.8012, None, None)]),
        ("Test: acc 0.8123", [("test_acc", 0.8123, None, None)]),
        ("R2: 0.9123", [("R2", 0.9123, None, None)]),
        ("Test results: {'acc': 0.81, 'f1': 0.8}", [("acc", 0.81, None, None), ("f1", 0.8, None, None)]),
        ("[GPU1] Epoch 1 | loss 0.512", [("rank1/loss", 0.512, None, 1.0)]),
        ("Rank 0: epoch 1, loss 0.512", [("loss", 0.512, None, 1.0)]),
        ("GPU 2: epoch 1 loss 0.512", [("rank2/loss", 0.512, None, 1.0)]),
        ("Epoch:1/10 AVG Training Acc 81.2 % AVG Test Acc 80.1 %", [("AVG Training Acc", 81.2, None, 1.0), ("AVG Test Acc", 80.1, None, 1.0)]),
        ("step 12 loss=tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)", [("loss", 0.5, 12, None)]),
        ("step 13 loss=tf.Tensor(0.5, shape=(), dtype=float32), acc: np.float32(0.25)", [("loss", 0.5, 13, None), ("acc", 0.25, 13, None)]),
        ("step 15 loss: Array(0.5, dtype=float32), return=[23.]", [("loss", 0.5, 15, None), ("return", 23.0, 15, None)]),
        ("epoch 31 | loss ↓ 0.512 | acc→0.81 | f1: **0.7**", [("loss", 0.512, None, 31.0), ("acc", 0.81, None, 31.0), ("f1", 0.7, None, 31.0)]),
        ("step 5 loss 0.5 (cuda:1) | url http://host:8080/x?acc=0.9", [("loss", 0.5, 5, None)]),
        ("env_steps: 47, reward: 0.5", [("reward", 0.5, 47, None)]),
        ("epoch 1, minibatch 83/83, validation error 12.458333 %", [("validation error", 12.458333, 83, 1.0)]),
        ("Step 1/12 : LOSS 0.5", [("LOSS", 0.5, 1, None)]),
        ("t = 100, loss = 0.5", [("loss", 0.5, 100, None)]),
        ("| End of training | test loss  5.00 | test ppl   148.33", [("test loss", 5.0, None, None), ("test ppl", 148.33, None, None)]),
        ('{"epoch": 3, "metrics": {"f1": 0.5, "train": {"loss": 0.7}}}', [("f1", 0.5, None, 3.0), ("train/loss", 0.7, None, 3.0)]),
        ('{"epoch": 3, "loss": 0.7, "metrics": {"loss": 0.5}}', [("loss", 0.7, None, 3.0), ("metrics/loss", 0.5, None, 3.0)]),
    ],
)  # fmt: skip
def test_a_printed_line_becomes_its_metrics(line: str, expected: list[Point]) -> None:
    assert points(line + "\n") == expected


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23 13:14:32,078 trainer.py:207 eta: 0:01:30 12.3 it/s",
        "Downloading: 100%|##########| 1.2M/1.2M [00:01<00:00, 1.1MB/s]",
        "checkpoint saved: ckpt/epoch=1-step=40-val_loss=0.31.ckpt (12.5 MB) in 0.31s",
        "data dir: /data/run=3/acc=0.5/loss:1.25/train",
        "Config: {'lr': 0.001, 'batch_size': 32, 'model': {'depth': 12, 'dropout': 0.1}}",
        "Namespace(epoch=10, lr=0.1, loss_weight=0.5)",
        "Model params: 1,234,567 (4.71 MB)  input=torch.Size([32, 3, 224, 224])",
        "Epochs: 100, batch size: 64, lr: 0.001, momentum: 0.9",
        "    LOSS_WEIGHT: 1.0",
        "learning_rate = 0.01",
        "EarlyStopping counter: 3 out of 5",
        "Validation loss decreased (0.512345 --> 0.412345).  Saving model ...",
        "Metric val_loss improved by 1.654 >= min_delta = 0.0. New best score: 0.866",
        "Step 1/12 : FROM python:3.11",
        "Batch 32, lr 0.001, momentum 0.9",
        "Loaded model with val_loss=0.3123",
        "target_accuracy: 0.99",
        '"pattern": "^arn:aws[a-z-]*:[0-9]{12}:connection/mcc-[a-z0-9]{8}$",',
        "step 3 loss=0,512",
        "Best epoch: 5, val_loss: 0.312",
        "Best trial: 9\n  Value:  0.0585\n  Params: \n    x: 2.24\n    lr: 0.0053",
        "Epoch 5: reducing learning rate of group 0 to 1.0000e-04.",
        "    loss = 0.5 * loss_a + self.step(3)",
        "    return loss / 5.0  # step 3",
        'if step % 100 == 0: print(f"step 5 loss 0.5")',
        "GPU temperature 83 C, retry=2, timeout=30.0",
        "worker 3 died: exit code -9",
        '  File "train.py", line 93, in step',
        "torch==2.1.0 numpy==1.26.4 accuracy-lib v0.3.1",
        "[LightGBM] [Warning] No further splits with positive gain, best gain: -inf",
        "class 3: precision 0.5 recall 0.7 f1-score 0.6",
        "usage: train.py [--epoch 5] [--loss 0.5]",
        "tcp://10.0.0.1:29500 rank 3 port 8080",
        "Better model found at epoch 0 with valid_loss value: 0.6279062628746033.",
        "%WER 12.34 [ 1234 / 10000, 100 ins, 200 del, 934 sub ] exp/tri3/decode/wer_15",
        "wandb:   loss 0.51",
        "| learning_rate    | 0.001  |\n| epochs           | 10     |\n| loss_weight      | 0.5    |\n+------------------+--------+",
        "{'lr': 0.01, 'momentum': 0.9, 'epochs': 10, 'loss_weight': 0.5}",
        "OverflowError: accuracy 1.5 out of range at epoch 3",
    ],
)
def test_what_only_looks_like_a_metric_gives_none(line: str) -> None:
    assert events(line + "\n") == []


def test_a_result_below_its_step_belongs_to_it() -> None:
    text = "Train Epoch: 3 [640/6000 (11%)]\tLoss: 2.5\n\nTest set: Average loss: 1.2116, Accuracy: 703/1000 (70%)\n"
    assert points(text)[1:] == [("test_loss", 1.2116, 640, 3.0), ("test_Accuracy", 70.0, 640, 3.0)]


def test_a_result_far_below_its_step_belongs_to_the_epoch_that_is_going_on() -> None:
    text = "Epoch 3 step 100 loss: 1.5\nSeen so far: 6400\nTime taken: 5\nsaved\nValidation acc: 0.8625\n"
    assert points(text)[1:] == [("Validation acc", 0.8625, None, 3.0)]


def test_steps_that_begin_anew_are_of_no_epoch_that_was_told_before() -> None:
    text = "epoch 3 step 100 loss: 1.5\nIteration 1, loss = 0.7\nIteration 2, loss = 0.6\n"
    assert points(text)[1:] == [("loss", 0.7, 1, None), ("loss", 0.6, 2, None)]


def test_a_pass_over_validation_data_stands_at_the_step_of_the_training() -> None:
    text = "Iter(train) [ 5000/9000]  loss: 2.0\nIter(val) [200/200]    mIoU: 40.2000  mAcc: 50.1000\n"
    assert points(text)[1:] == [("val_mIoU", 40.2, 5000, None), ("val_mAcc", 50.1, 5000, None)]


def test_a_heading_gives_its_epoch_to_the_lines_under_it() -> None:
    text = "Epoch: 19 | Epoch Time: 0m 3s\n\tTrain Loss: 1.972 | Train Acc: 45.90%\n\t Val. Loss: 2.119\n"
    assert points(text) == [
        ("Train Loss", 1.972, None, 19.0),
        ("Train Acc", 45.9, None, 19.0),
        ("Val. Loss", 2.119, None, 19.0),
    ]


def test_indented_rows_under_a_bare_step_are_all_its_metrics() -> None:
    text = "2024-05-01 10:00:00.123\thost-0:0\tolmo.train:967\tINFO\t[step=10/1000,epoch=0]\n    optim/clip=1.5\n    train/x=9.0\n"
    assert points(text) == [("optim/clip", 1.5, 10, 0.0), ("train/x", 9.0, 10, 0.0)]


def test_throughput_memory_and_learning_rate_are_timings() -> None:
    line = "step: 5 | loss: 1.5 | lr: 1e-3 | 12.3 it/s | mem: 1024MB | time 30.1ms\n"
    assert points(line) == [("loss", 1.5, 5, None)]
    assert [point[:2] for point in points(line, "timing")] == [
        ("lr", 1e-3),
        ("it/s", 12.3),
        ("mem (MB)", 1024.0),
        ("time (ms)", 30.1),
    ]


def test_two_ranks_in_one_line_are_two_series() -> None:
    line = "[rank1] step 4: loss 3.8494[rank0] step 4: loss 3.5889\n"
    assert points(line) == [("rank1/loss", 3.8494, 4, None), ("loss", 3.5889, 4, None)]


def test_a_learned_shape_does_not_mix_up_ranks_or_names_with_digits() -> None:
    many = "".join(
        f"[rank{n % 3}] step {n}: loss 0.{n:04d} acc@{n % 2 + 1}: 0.{n + 7:04d}\n" for n in range(60)
    )
    for n, chunk in enumerate([points(many)[i : i + 2] for i in range(0, 120, 2)]):
        prefix = f"rank{n % 3}/" if n % 3 else ""
        assert [point[0] for point in chunk] == [f"{prefix}loss", f"{prefix}acc@{n % 2 + 1}"]
        assert chunk[0][1:] == (float(f"0.{n:04d}"), n, None)


def test_an_empty_place_does_not_make_its_shape_dull() -> None:
    assert points("step 5 loss: \nstep 6 loss: 7\n") == [("loss", 7.0, 6, None)]


@given(st.floats(allow_nan=False, width=64), st.integers(0, 10**12))
def test_a_float_printed_in_text_comes_back_exactly(value: float, step: int) -> None:
    assert points(f"step {step}: loss={value!r}\n") == [("loss", value, step, None)]


def test_a_lone_indented_value_counts_from_its_second_value_on() -> None:
    far = "working\n" * 5
    assert points(f"  loss: 0.5\n{far}  loss: 0.4\n{far}  loss: 0.5\n") == [
        ("loss", 0.4, None, None),
        ("loss", 0.5, None, None),
    ]
    assert points(f"  loss: 0.5\n{far}  loss: 0.5\n") == []


PASSES = """Epoch {0}
iter: 0, loss: 1.5
iter: 10, loss: 1.4
Validation at epoch {0}
iter: 0, loss: 0.5
iter: 10, loss: 0.4
iter: 20, loss: 0.3
Epoch {1}
iter: 0, loss: 1.3
iter: 10, loss: 1.2
Validation at epoch {1}
val loss: 0.7
iter: 20, loss: 1.1
Validation at epoch {1}
iter: 30, loss: 1.0
"""


def test_lines_below_the_heading_of_a_validation_belong_to_it_while_they_count_their_own_steps() -> None:
    names = ["loss"] * 2 + ["val_loss"] * 3 + ["loss"] * 2 + ["val loss"] + ["loss"] * 2
    log = "".join(PASSES.format(2 * turn + 1, 2 * turn + 2) for turn in range(12))
    found = points(log)
    assert [name for name, *_ in found] == names * 12
    assert [epoch for *_, epoch in found[:8]] == [1.0] * 5 + [2.0] * 3
    assert found == [
        (name, value, one.step, one.epoch)
        for one in events(log, Parser(learn=False))
        if isinstance(one, Metrics)
        for name, value in one.values.items()
    ]
    bulk = Bulk()
    together = [*bulk.feed(log.encode()), *bulk.finish()]
    assert flat(one for one in together if isinstance(one, Metrics)) == found
