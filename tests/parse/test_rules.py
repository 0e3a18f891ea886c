"""The user's rules: where they come from, and what they do to metrics."""

from __future__ import annotations

from typing import Any

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Metrics
from floydtop.parse.rules import Choice, Expression, Rules, from_tables, from_words
from tests.parse.reading import events, flat

LINE = "epoch 1: train_loss=0.5 val_loss=0.6 val_acc=0.7\n"


def chosen(rules: Rules) -> dict[str, float]:
    found = Choice(rules)(events(LINE))
    return {name: value for name, value, _, _ in flat(one for one in found if isinstance(one, Metrics))}


def test_no_rules_leave_events_as_they_are() -> None:
    found = events(LINE)
    assert Choice(Rules())(found) is found


def test_metrics_are_chosen_by_name_and_then_renamed() -> None:
    rules = Rules(only=("val_*",), ignore=("*_acc",), rename={"val_loss": "validation"})
    assert chosen(rules) == {"validation": 0.6}


def test_a_star_in_a_rename_stands_for_the_same_text_on_both_sides() -> None:
    assert chosen(Rules(rename={"val_*": "validation/*"})) == {
        "train_loss": 0.5,
        "validation/loss": 0.6,
        "validation/acc": 0.7,
    }


def test_a_line_of_which_nothing_is_wanted_gives_no_event() -> None:
    assert Choice(Rules(only=("bleu",)))(events(LINE)) == []


def test_rules_come_from_a_configuration_file() -> None:
    tables = {
        "theme": "dark",
        "pattern": [{"match": r"(?P<x>\d+)!", "name": "mine"}, {"match": r"(?P<y>\d+)"}],
        "ignore": ["lr"],
        "rename": {"a": "b"},
    }
    rules = from_tables(tables, "config.toml")
    assert rules.pattern == (Expression(r"(?P<x>\d+)!", "mine"), Expression(r"(?P<y>\d+)"))
    assert (rules.ignore, rules.rename) == (("lr",), {"a": "b"})


@pytest.mark.parametrize(
    "tables",
    [
        {"pattern": [{"name": "nothing"}]},
        {"pattern": "(?P<x>1)"},
        {"only": "loss"},
        {"rename": {"a": 1}},
        {"pattern": [{"match": "(?P<x>"}]},
    ],
)
def test_a_configuration_that_is_wrong_gets_one_sentence(tables: dict[str, Any]) -> None:
    with pytest.raises(FloydtopError) as error:
        from_tables(tables, "config.toml")
    assert "\n" not in str(error.value)


def test_the_command_line_goes_before_the_configuration() -> None:
    given = from_words(["(?P<a>1)"], ["loss"], ["x"], ["Acc@IoU=0.5=acc"])
    both = given.before(Rules((Expression("(?P<b>2)"),), ("acc",), ("y",), {"Acc@IoU=0.5": "no", "c": "d"}))
    assert [one.match for one in both.pattern] == ["(?P<a>1)", "(?P<b>2)"]
    assert (both.only, both.ignore) == (("loss",), ("x", "y"))
    assert both.rename == {"Acc@IoU=0.5": "acc", "c": "d"}


@pytest.mark.parametrize("word", ["loss", "=loss", "loss="])
def test_a_rename_needs_both_names(word: str) -> None:
    with pytest.raises(FloydtopError, match="OLD=NEW"):
        from_words([], [], [], [word])


def test_rules_are_told_in_one_sentence() -> None:
    words = from_words(["(?P<a>1)"], ["loss"], ["x"], ["c=d"]).words()
    assert (
        words
        == "Metrics are read by rules of yours: the expression '(?P<a>1)', only loss, without x, c as d."
    )
