"""No secret of a command line or an environment ends up in a session."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.events import Header
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.privacy import MASK, mask
from floydtop.recorder.recording import Recording
from floydtop.session.format import Reader
from floydtop.sources.environment import environment
from tests.recorder.jobs import until

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--token", SECRET],
        ["-token", SECRET],
        [f"--token={SECRET}"],
        ["--hub_token", SECRET],
        ["--hub-token", SECRET],
        [f"--api-key={SECRET}"],
        ["--api_key", SECRET],
        ["--apikey", SECRET],
        ["--password", SECRET],
        [f"--db.password={SECRET}"],
        [f"DB_SECRET={SECRET}"],
        [f"WANDB_API_KEY={SECRET}"],
        [f"AWS_SECRET_ACCESS_KEY={SECRET}"],
        [f"+logger.api_key={SECRET}"],
        [f"postgres://ada:{SECRET}@db/runs"],
        ["sh", "-c", f"python train.py --token {SECRET} --lr 0.1"],
        ["hf_" + SECRET.replace("-", "").replace("_", "") * 3],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_a_secret_is_masked(arguments: list[str]) -> None:
    masked = " ".join(mask(["python", "train.py", *arguments]))
    assert SECRET not in masked
    assert "s3cr3tvalue" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lr", "0.1", "--tokenizer", "bert-base"],
        ["--max_tokens", "512"],
        ["--num-tokens=1024"],
        ["--key", "value"],
        ["--author", "ada"],
        ["--monitor", "val_loss", "--keypoints=17"],
        ["https://host/path@v2"],
        ["--data", "s3://bucket/secrets-of-the-sea/"],
    ],
    ids=" ".join,
)
def test_what_is_no_secret_stays(arguments: list[str]) -> None:
    assert mask(["python", "train.py", *arguments]) == ["python", "train.py", *arguments]


def test_an_option_without_a_value_does_not_swallow_the_next_option() -> None:
    assert mask(["x", "--use-auth-token", "--lr", "1"]) == ["x", "--use-auth-token", "--lr", "1"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_only_the_allowed_variables_are_recorded_and_no_secret(tmp_path: Path) -> None:
    session = tmp_path / "run.jsonl"
    source = "import time; time.sleep(60)"
    env = os.environ | {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "SLURM_JOB_ID": "77",
        "SLURM_JWT": SECRET,
        "MY_TOKEN": SECRET,
    }
    with subprocess.Popen([sys.executable, "-c", source, "--token", SECRET], env=env) as child:
        try:

            async def record() -> None:
                recording = Recording(Assignment(session, child.pid, None))
                recording.stop("seen enough")
                await recording.run()

            until(lambda: environment(child.pid).get("SLURM_JOB_ID") == "77")
            asyncio.run(record())
        finally:
            child.kill()
    header = Reader().feed(session.read_bytes())[0]
    assert isinstance(header, Header)
    assert header.job is not None
    assert header.job.environment["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert header.job.environment["SLURM_JOB_ID"] == "77"
    assert header.job.command[-2:] == ["--token", MASK]
    assert SECRET.encode() not in session.read_bytes()


def test_the_environment_of_a_process_that_is_gone_is_empty() -> None:
    assert environment(2**22 + 1) == {}
