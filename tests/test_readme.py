from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from floydtop import cli
from floydtop.events import Event, Exit, Gpu, Job, Log
from tests.readme import README, with_keys

ROOT = README.parent
TEXT = README.read_text()
SNIPPETS = {
    name: next(
        code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if f"import {name}" in code
    )
    for name in ("keras", "torch", "lightning", "transformers", "tensorflow")
}

KERAS_BACKEND = next(
    (name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)), None
)

TRAIN_WITH_KERAS = """
import numpy
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(numpy.zeros((8, 1)), numpy.ones((8, 1)), epochs=3, callbacks=[PrintMetrics()], verbose=0)
"""


def needs(framework: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        importlib.util.find_spec(framework) is None,
        reason=f"{framework} is not installed: README's snippet for it is NOT run",
    )


def metrics_printed_by(code: str, tmp_path: Path) -> list[tuple[str, float | None]]:
    """Run code that logs to a file, and read the log with floydtop: name and step or epoch of each value."""
    with (tmp_path / "train.log").open("wb") as log:
        subprocess.run([sys.executable, "-c", code], stdout=log, check=True, timeout=110)
    command = [sys.executable, "-m", "floydtop", "export", str(tmp_path / "train.log")]
    rows = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout.splitlines()
    values = map(json.loads, rows)
    return [(row["metric"], row["step"] if row["step"] is not None else row["epoch"]) for row in values]


def test_the_table_of_keys_is_up_to_date() -> None:
    assert with_keys(TEXT) == TEXT, "run `python -m tests.readme`"


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_kind_of_line_is_described_with_all_its_fields(kind: type[msgspec.Struct]) -> None:
    rows = TEXT.partition("## Session files")[2].splitlines()
    row = next(row for row in rows if row.startswith(f"| `{kind.__struct_config__.tag}` |"))
    described = set(re.findall(r"`(\w+)`", row))
    assert {field.encode_name for field in msgspec.structs.fields(kind)} <= described
    inner = {"job": Job, "log": Log, "gpus": Gpu, "exit": Exit}
    for field in msgspec.structs.fields(kind):
        if field.name in inner:
            assert {one.encode_name for one in msgspec.structs.fields(inner[field.name])} <= described


@pytest.mark.parametrize("command", sorted(cli.COMMANDS.keys() - {"record"}))
def test_every_command_is_named(command: str) -> None:
    assert re.search(rf"floydtop {command}\b", TEXT)


def test_the_setup_commands_are_one_line_each_and_ci_finds_the_second() -> None:
    first, second = re.findall(r"^python3 -m venv .*$", TEXT, re.MULTILINE)
    assert first.endswith("floydtop demo")
    assert second.endswith("pytest")
    assert f"<!-- tests -->\n```sh\n{second}\n```\n" in TEXT


def test_every_picture_shown_is_there() -> None:
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", TEXT)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_the_json_line_shown_is_a_metric(tmp_path: Path) -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith('{"metric"'))
    assert metrics_printed_by(f"print({line!r})", tmp_path) == [("loss", 120)]


@needs("torch")
def test_the_snippet_for_pytorch_prints_metrics(tmp_path: Path) -> None:
    assert metrics_printed_by(SNIPPETS["torch"], tmp_path) == [("loss", step) for step in range(10, 101, 10)]


@needs("keras")
@pytest.mark.skipif(
    KERAS_BACKEND is None, reason="Keras has no backend here: README's snippet for it is NOT run"
)
def test_the_snippet_for_keras_prints_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", str(KERAS_BACKEND))
    printed = metrics_printed_by(SNIPPETS["keras"] + TRAIN_WITH_KERAS, tmp_path)
    assert printed == [("loss", 1), ("loss", 2), ("loss", 3)]


TRAIN_WITH_LIGHTNING = """
import torch


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, index):
        loss = torch.nn.functional.mse_loss(self.layer(batch), 3 * batch + 1)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


data = torch.utils.data.DataLoader(torch.linspace(0, 1, 64).unsqueeze(1), batch_size=16)
lightning.Trainer(
    max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    callbacks=[PrintMetrics()],
).fit(Line(), data)
"""

TRAIN_WITH_TRANSFORMERS = """
import tempfile

import torch


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x, labels):
        return {"loss": torch.nn.functional.mse_loss(self.layer(x), labels)}


data = [{"x": torch.tensor([n / 64]), "labels": torch.tensor([3 * n / 64 + 1])} for n in range(64)]
arguments = transformers.TrainingArguments(
    output_dir=tempfile.mkdtemp(), max_steps=30, logging_steps=10, save_strategy="no", report_to="none",
    use_cpu=True,
)
trainer = transformers.Trainer(model=Line(), args=arguments, train_dataset=data, callbacks=[PrintMetrics()])
trainer.remove_callback(transformers.ProgressCallback)
trainer.train()
"""


@needs("lightning")
def test_the_snippet_for_lightning_prints_metrics(tmp_path: Path) -> None:
    printed = metrics_printed_by(SNIPPETS["lightning"] + TRAIN_WITH_LIGHTNING, tmp_path)
    assert printed == [("train_loss", 4), ("train_loss", 8), ("train_loss", 12)]


@needs("transformers")
@needs("accelerate")
def test_the_snippet_for_the_trainer_of_hugging_face_prints_metrics(tmp_path: Path) -> None:
    printed = metrics_printed_by(SNIPPETS["transformers"] + TRAIN_WITH_TRANSFORMERS, tmp_path)
    assert [place for name, place in printed if name == "loss"] == [10, 20, 30]
    assert not [name for name, _ in printed if name == "epoch"]


@needs("tensorflow")
def test_the_snippet_for_tensorflow_prints_metrics(tmp_path: Path) -> None:
    printed = metrics_printed_by(SNIPPETS["tensorflow"], tmp_path)
    assert printed == [("loss", step) for step in range(10, 101, 10)]
