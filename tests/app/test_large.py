"""A large session shows its newest part at once and all of it soon after; points are thinned, never lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.abscissa import Abscissa, cut, find_pauses
from floydtop.app.feed import Feed
from floydtop.app.options import Options
from floydtop.events import Column, Event, History, Metrics, Position
from floydtop.session import index
from floydtop.session.player import Player
from floydtop.session.session import Session
from tests.app.stage import PATIENCE, ending, live, opening, running, sample, training, write

STEPS = 300


@pytest.fixture
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "WORTH", 5_000)
    monkeypatch.setattr(index, "NEWEST", 3_000)


def load_all_of(feed: Feed) -> None:
    """Poll until the feed follows the file's end."""
    deadline = time.monotonic() + PATIENCE
    while feed.session.share_loaded < 1 or feed.behind:
        feed.poll()
        assert time.monotonic() < deadline


@pytest.mark.usefixtures("_small_is_large")
def test_a_large_live_recording_loses_nothing_of_what_comes_while_it_loads(tmp_path: Path) -> None:
    with live(tmp_path, [*opening(), *training(STEPS)]) as (feed, writer):
        assert 0 < len(feed.session.metrics["loss"]) < 50
        assert feed.session.share_loaded < 1
        assert not feed.behind, "the thread reads, the screen need not"
        writer.append([Metrics(values={"loss": 9.0}, t=400.0, step=400, line=400)], now=400.0)
        load_all_of(feed)
        feed.poll()
        writer.append([Metrics(values={"loss": 8.0}, t=401.0, step=401, line=401)], now=401.0)
        feed.poll()
        loss = feed.session.metrics["loss"]
        assert list(loss.steps) == [*range(1, STEPS + 1), 400, 401]
        assert feed.session.header is not None
        assert len(feed.session.system["cpu.percent"]) == STEPS // 10


@pytest.mark.usefixtures("_small_is_large")
def test_a_closed_recording_is_not_over_before_all_of_it_is_there(tmp_path: Path) -> None:
    feed = Feed(write(tmp_path, [*opening(), *training(STEPS), *ending(400.0)]))
    assert not feed.session.finished
    load_all_of(feed)
    assert feed.session.finished
    assert feed.session.metrics["loss"].count == STEPS


@pytest.mark.usefixtures("_small_is_large")
async def test_a_large_replay_is_complete_soon_and_can_be_played(tmp_path: Path) -> None:
    player = Player(write(tmp_path, [*opening(), *training(STEPS), *ending(400.0)]))
    async with running(FloydtopApp(player)) as stage:
        await stage.until(lambda _: player.loading is None)
        await stage.see("2m ", "4m ", "6m ")
        assert player.session.metrics["loss"].count == STEPS
        assert "loading" not in stage.words("#status")
        await stage.press("home", "right")
        assert player.position < 20
        assert len(player.session.metrics["loss"]) < 20


@pytest.mark.usefixtures("_small_is_large")
async def test_the_status_line_says_how_far_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.Loading, "poll", lambda self: setattr(self, "share", 0.37))
    player = Player(write(tmp_path, [*opening(), *training(STEPS), *ending(400.0)]))
    async with running(FloydtopApp(player)) as stage:
        await stage.see("loading 37%")


async def test_the_status_line_says_how_much_of_a_huge_log_was_read(tmp_path: Path) -> None:
    events: list[Event] = [
        *opening(),
        *training(),
        Position(t=60.0, offset=1_000, line=61, begun=900, back=900),
        History(start=0, stop=10, columns={"loss": Column(values=[3.0], steps=[-90.0])}, sampled=True),
        History(start=600, stop=900, columns={"loss": Column(values=[2.5], steps=[-9.0])}, lines=3),
    ]
    async with running(FloydtopApp(Player(write(tmp_path, events))), (200, 50)) as stage:
        await stage.see("40% of the log read, older points are samples")


def test_points_that_were_thinned_are_drawn_where_they_are(tmp_path: Path) -> None:
    session = Session(most_points=1_000)
    abscissa = Abscissa()
    options = Options(axis="step")
    for step in range(0, 6_000, 100):
        session.apply_all(
            [
                *(Metrics(values={"loss": 1.0}, t=n / 10, step=n) for n in range(step, step + 100)),
                sample(step / 10),
            ]
        )
        cpu = session.system["cpu.percent"]
        xs = abscissa.xs(session, "cpu.percent", cpu, options)
        placed = [(x, 10 * t) for x, t in zip(xs, cpu.times, strict=True) if x == x]
        assert [x for x, _ in placed] == pytest.approx([x for _, x in placed])
        assert len(placed) > len(cpu) - 3
    assert abscissa.edition > 1, "the counter was thinned meanwhile"


def test_places_by_another_metric_are_those_of_its_newest_value() -> None:
    session = Session()
    session.apply_all([Metrics(values={"lr": float(n)}, step=n) for n in (0, 2, 4)])
    session.apply_all([Metrics(values={"loss": 1.0}, step=n) for n in (-1, 0, 1, 2, 5)])
    options = Options(axis="metric", x_metric="lr")
    xs = Abscissa().xs(session, "loss", session.metrics["loss"], options)
    assert [repr(x) for x in xs] == ["nan", "0.0", "0.0", "2.0", "4.0"]
    assert list(Abscissa().xs(session, "lr", session.metrics["lr"], options)) == [0.0, 2.0, 4.0]


def test_pauses_are_cut_out_of_many_moments_as_out_of_one() -> None:
    session = Session()
    times = [*map(float, range(50)), *(1_000.0 + n for n in range(50)), *(5_000.0 + n for n in range(9))]
    session.apply_all([Metrics(values={"loss": 1.0}, t=t, step=n) for n, t in enumerate(times)])
    loss = session.metrics["loss"]
    pauses = find_pauses(loss.times)
    assert len(pauses) == 2
    xs = Abscissa().xs(session, "loss", loss, Options(without_pauses=True))
    assert list(xs) == [cut(t, pauses) for t in times]
