"""When a line says it was printed, and what its logger put before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.parse.lines import Line
from floydtop.parse.prefix import StampReader, stamp_of, strip


@pytest.mark.parametrize(
    ("text", "unix"),
    [
        ("2026-11-23 13:20:28,630 | INFO | x", 1795440028.63),
        ("2026-11-23T13:20:28.5Z [info ] x", 1795440028.5),
        ("[2026-11-23 13:20:28] x", 1795440028.0),
        ("2026-11-23 15:20:28+02:00 x", 1795440028.0),
        ("2026/11/23 13:20:28 - mmengine - INFO - x", 1795440028.0),
        ("[rank0]: 2026-11-23 13:20:28,630 x", 1795440028.63),
        ("loss at 2026-11-23 13:20:28", None),
        ("2026-13-45 99:99:99 x", None),
        ("step 5", None),
    ],
)
def test_the_time_that_a_line_tells_is_known(text: str, unix: float | None) -> None:
    stamp = stamp_of(Line(1, 0, text.encode()))
    assert (stamp.unix if stamp else None) == unix


CLOCKS = st.tuples(st.integers(0, 24), st.integers(0, 60), st.integers(0, 60))
ENDS = ["", " x", "Z x", " Z x", "+02:00 x", " -0530 x", " UTC x", "] x", "] Z", ", x", " | INFO", " USER"]
ENDS += [" -", "\x1b[0m x", " \x1b[1mx", " +", "x"]
STAMPS = st.builds(
    lambda lead, day, between, clock, fraction, rest: (
        f"{lead}2026-11-{day}{between}{clock[0]:02}:{clock[1]:02}:{clock[2]:02}{fraction}{rest}"
    ),
    st.sampled_from(["", "[", "(", "I ", "[rank0]: ", "[rank1]: ", "\x1b[32m", "loss "]),
    st.sampled_from(["23", "24", "31"]),
    st.sampled_from([" ", "T", "_"]),
    CLOCKS,
    st.sampled_from(["", ".5", ",630", ",631", ".999999999", ",", ".1234567890"]),
    st.sampled_from(ENDS),
)


@given(st.lists(STAMPS, min_size=1, max_size=12))
def test_a_stamp_is_the_same_whatever_stamps_were_read_before(lines: list[str]) -> None:
    reader = StampReader()
    for text in lines * 2:
        line = Line(1, 0, text.encode())
        assert reader.read(line) == stamp_of(line), text


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-23 13:20:28,630 | INFO     | train.engine:6 - ",
        "2026-11-23 13:20:29.232 | INFO     | __main__:<module>:8 - ",
        "[2025-08-15 08:40:03,738] [INFO] [real_accelerator.py:260:get_accelerator] [Rank 0] ",
        "I0613 17:29:41.490244  1860 solver.cpp:48] ",
        "INFO:root:",
        "2026-11-23 13:17:31,945 trainer INFO: ",
        "[rank0]: ",
        "[05/02 15:39:01 d2.utils.events]: ",
        "2023/05/03 11:11:11 - mmengine - INFO - ",
        "2020-05-24 14:49:39,521 - logger.py - print_config - INFO - ",
        "(RayTrainWorker pid=1234, ip=10.0.0.1) ",
        "",
    ],
)
def test_the_prefix_of_a_logger_is_taken_off(prefix: str) -> None:
    assert strip(prefix + "epoch 3: loss 0.5").text.strip() == "epoch 3: loss 0.5"


@pytest.mark.parametrize(
    "line",
    [
        "[Epoch 4] train_loss=0.25",
        "INFO:root:step 100 loss 0.1",
        "[rank3]: loss 1.0",
        " 10%|#  | 1/10",
        "",
        "epoch 1",
    ],
)
@pytest.mark.parametrize("stamp", ["2026-11-26T00:30:24.721896587Z", "2026-11-26T00:30:24.72189+02:00"])
def test_what_a_container_s_log_puts_before_a_line_changes_nothing(line: str, stamp: str) -> None:
    """Podman's k8s-file logs, and those of Kubernetes (CRI): F for a whole line, P for a part of one."""
    for stream in ("stdout F", "stderr P"):
        assert strip(f"{stamp} {stream} {line}") == strip(line)
