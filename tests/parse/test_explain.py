"""Which format read a line, or why none did."""

from __future__ import annotations

from floydtop.parse.explain import explain, listing
from tests.parse.reading import lines

LOG = """Epoch 1/3
 1/20 [>.............................] - ETA: 3s - loss: 0.9000
{"metric": "loss", "value": 0.5}
[5]\ttrain-logloss:0.118
hello there
loss_weight = 0.5
"""


def test_each_line_is_explained() -> None:
    told = [(one.read_by, len(one.events), bool(one.why)) for one in explain(lines(LOG))]
    assert told == [
        ("keras", 0, True),
        ("keras", 0, True),
        ("json", 1, False),
        ("boosting", 1, False),
        ("", 0, True),
        ("", 0, True),
    ]


def test_a_frame_that_goes_on_is_told_from_text_without_metrics() -> None:
    reasons = [one.why for one in explain(lines(LOG))]
    assert "goes on" in reasons[1]
    assert "no number" in reasons[4]


def test_the_list_of_formats_begins_with_json_and_names_each_once() -> None:
    names = [name for name, _ in listing()]
    assert names[0] == "json"
    assert len(set(names)) == len(names) >= 10
