"""`floydtop export --format html` makes one page that a browser draws without a network."""

from __future__ import annotations

import importlib.util
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.commands.page import MOST_BAD, escape, page, thinned
from floydtop.commands.report import session_of
from floydtop.events import Event, JobState, Metrics, Note, OutputLine, Sample
from floydtop.session.session import Session
from tests.commands.browser import Browser, executable
from tests.commands.run import floydtop, refusal
from tests.session import samples

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "tests" / "data" / "sessions" / "demo.jsonl"

HOSTILE = "</script><script>window.owned = 1; alert(1)</script><img src=x onerror='window.owned = 1'>"

RANGES = "[...document.querySelectorAll('.chart')].map(c => c.layout.xaxis.range)"

needs_plotly = pytest.mark.skipif(
    importlib.util.find_spec("plotly") is None,
    reason="plotly (dependency group pictures) is not installed: the HTML page is NOT tested",
)
needs_browser = pytest.mark.skipif(
    executable() is None or importlib.util.find_spec("plotly") is None,
    reason="no Chromium, or no plotly: the HTML page is NOT opened in a browser",
)


def hostile() -> list[Event]:
    """A job whose every word tries to be code."""
    link = "<a href='javascript:window.owned=1'>loss</a>"
    header = samples.header()
    job = header.job
    assert job is not None
    return [
        samples.header(job=type(job)(pid=1, start=1, command=["python", HOSTILE], cwd=HOSTILE, t=0.0)),
        *(Metrics(values={HOSTILE: float(n), link: n / 2}, t=float(n), step=n) for n in range(40)),
        Metrics(values={HOSTILE: math.nan, link: math.inf}, t=41.0, step=41),
        OutputLine(text=HOSTILE, line=1, t=1.0),
        OutputLine(text="\x1b[31mred\x1b[0m \x1b]0;title\x07 & <b>", line=2, t=1.0),
        Note(t=2.0, text=HOSTILE),
        Sample(t=3.0, values={"cpu.percent": (50.0, 40.0, 60.0)}),
        Sample(t=33.0, values={"cpu.percent": (70.0, 40.0, 90.0)}),
        JobState(t=42.0, state="exited"),
    ]


def written(events: list[Event], file: Path) -> Path:
    session = Session()
    session.apply_all(events)
    file.write_bytes(page(session))
    return file


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "demo.html"
    result = floydtop("export", SESSION, "--format", "html", "-o", file)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return file


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@needs_browser
def test_a_browser_draws_every_chart_and_asks_no_network(
    exported: Path, browser: Browser, tmp_path: Path
) -> None:
    browser.open(exported)
    browser.until("document.documentElement.dataset.drawn > 0")
    drawn = browser.look(
        "[...document.querySelectorAll('.chart')].map("
        "c => Math.max(...[...c.querySelectorAll('path.js-line')].map(p => p.getAttribute('d').length)))"
    )
    assert len(drawn) >= 11
    assert min(drawn) > 20
    titles = browser.look("[...document.querySelectorAll('.panel h2')].map(h => h.textContent)")
    assert titles[:3] == ["loss", "accuracy", "f1_score"]
    assert browser.look("document.querySelectorAll('.chart')[0].data.map(t => t.name)") == [
        "loss",
        "val_loss",
    ]
    assert browser.look("document.getElementById('state').textContent").startswith("exited 0")
    assert browser.requests == [exported.as_uri()]
    assert browser.troubles == []
    browser.photograph(tmp_path / "page.png")
    if folder := os.environ.get("FLOYDTOP_TEST_PICTURES"):
        browser.photograph(Path(folder, "page.png"))


@needs_browser
def test_a_zoom_in_one_chart_is_one_in_all(exported: Path, browser: Browser) -> None:
    browser.open(exported)
    whole = browser.look(RANGES)
    browser.look(
        "Plotly.relayout(document.querySelectorAll('.chart')[1], {'xaxis.range': [20, 40]}).then(() => 1)"
    )
    browser.until(f"{RANGES}.every(range => range[0] === 20 && range[1] === 40)")
    browser.look("document.getElementById('all').click()")
    browser.until(f"JSON.stringify({RANGES}) === JSON.stringify({whole})".replace("'", '"'))
    assert browser.troubles == []


@needs_browser
def test_epochs_and_steps_are_zoomed_by_the_same_share(exported: Path, browser: Browser) -> None:
    browser.open(exported)
    browser.look("document.querySelector('button[data-axis=step]').click()")
    whole = browser.look(RANGES)
    epochs, steps = whole[0], max(whole)
    middle = sum(epochs) / 2
    change = f"{{'xaxis.range': [{epochs[0]}, {middle}]}}"
    browser.look(f"Plotly.relayout(document.querySelector('.chart'), {change}).then(() => 1)")
    browser.until(f"{RANGES}.some(range => Math.abs(range[1] - {sum(steps) / 2}) < 1)")
    assert browser.troubles == []


@needs_browser
def test_the_axis_and_the_scale_can_be_changed(exported: Path, browser: Browser) -> None:
    session = session_of(str(SESSION))
    last_step, last_epoch = session.metrics["grad_norm"].step_high, session.metrics["loss"].step_high
    browser.open(exported)
    browser.look("document.querySelector('button[data-axis=step]').click()")
    ranges = browser.look(RANGES)
    assert ranges[0] == [1, last_epoch]
    assert [20, last_step] in ranges or [1, last_step] in ranges
    assert (
        browser.look("document.querySelector('button[data-axis=step]').getAttribute('aria-pressed')")
        == "true"
    )
    assert browser.look("document.querySelectorAll('.chart')[0].data[0].x.slice(-1)[0]") == last_epoch
    browser.look("document.getElementById('log').click()")
    assert browser.look("document.querySelectorAll('.chart')[0].layout.yaxis.type") == "log"
    assert browser.troubles == []


@needs_browser
def test_the_words_of_a_hostile_job_do_nothing(browser: Browser, tmp_path: Path) -> None:
    file = written(hostile(), tmp_path / "hostile.html")
    browser.open(file)
    browser.until("document.documentElement.dataset.drawn > 0")
    browser.look("document.querySelector('button[data-axis=step]').click()")
    browser.look("Plotly.Fx.hover(document.querySelector('.chart'), [{curveNumber: 0, pointNumber: 3}])")
    assert browser.look("typeof window.owned") == "undefined"
    assert browser.look("document.querySelectorAll('img, .chart a, [onerror]').length") == 0
    assert browser.look("document.title") == f"python {HOSTILE}"
    assert browser.look("document.getElementById('output').textContent") == f"{HOSTILE}\nred  & <b>"
    titles = browser.look("[...document.querySelectorAll('.panel h2')].map(h => h.firstChild.textContent)")
    assert HOSTILE in titles
    assert browser.requests == [file.as_uri()]
    assert browser.troubles == []


@needs_browser
def test_values_that_are_not_finite_are_marked_and_counted(browser: Browser, tmp_path: Path) -> None:
    events: list[Event] = [
        Metrics(values={"loss": math.nan if n % 10 == 5 else 1.0 / (n + 1)}, step=n) for n in range(100)
    ]
    browser.open(written(events, tmp_path / "nan.html"))
    assert browser.look("document.querySelector('.panel small').textContent").strip() == "10 NaN or infinite"
    assert browser.look("document.querySelector('.chart').data.at(-1).x") == list(range(5, 100, 10))
    assert browser.look("document.querySelector('button[data-axis=time]').disabled") is True


@needs_plotly
def test_the_page_names_no_address_that_it_would_fetch(exported: Path) -> None:
    text = exported.read_text()
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=", text[: text.index("<script>")])
    assert "default-src 'none'" in text


@needs_plotly
def test_a_log_can_be_a_page_too(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"loss": 1.5, "step": 1}\n{"loss": 0.5, "step": 2}\n')
    result = floydtop("export", log, "--format", "html")
    assert result.returncode == 0
    assert '"values":[1.5,0.5]' in result.stdout


def test_a_page_without_the_plotting_library_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "plotly.py").write_text("raise ImportError\n")
    surroundings = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    result = floydtop("export", SESSION, "--format", "html", env=surroundings)
    assert refusal(result) == "An HTML page needs the plotting library Plotly: pip install 'floydtop[html]'."


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    result = floydtop("export", SESSION, "--format", "csv", "-o", tmp_path / "none" / "x.csv")
    assert refusal(result) == f"Cannot write {tmp_path}/none/x.csv: No such file or directory."


def test_values_can_be_written_to_a_file(tmp_path: Path) -> None:
    result = floydtop("export", SESSION, "--format", "csv", "-o", tmp_path / "x.csv")
    assert (result.returncode, result.stdout) == (0, "")
    assert (tmp_path / "x.csv").read_text() == floydtop("export", SESSION, "--format", "csv").stdout


@given(st.lists(st.floats(), max_size=400), st.integers(MOST_BAD + 6, 300))
@settings(max_examples=60, deadline=None)
def test_thinning_keeps_both_ends_and_the_extremes(values: list[float], most: int) -> None:
    kept = thinned(values, most)
    assert len(kept) <= max(most, 0)
    assert sorted(set(kept)) == list(kept)
    finite = [value for value in values if math.isfinite(value)]
    shown = [values[index] for index in kept if math.isfinite(values[index])]
    assert (min(shown), max(shown)) == (min(finite), max(finite)) if finite else not shown
    if values:
        assert (kept[0], kept[-1]) == (0, len(values) - 1)


def test_one_spike_in_a_million_points_is_kept() -> None:
    values = [1.0] * 1_000_000
    values[654_321] = 100.0
    values[123_456] = math.nan
    kept = thinned(values, 8_000)
    assert 654_321 in kept
    assert 123_456 in kept
    assert len(kept) <= 8_000


@given(st.text())
def test_escaped_text_holds_no_markup(text: str) -> None:
    assert not re.search("[<>\"'\x00-\x08\x0b-\x1f]", escape(text))
