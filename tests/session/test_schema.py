"""The schema in the package says what is written, no more and no less."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from floydtop.events import Event, Metrics
from floydtop.session import schema
from floydtop.session.format import encode
from tests.session import samples

PACKAGED = files("floydtop.session") / "session-v1.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    document: dict[str, Any] = json.loads(PACKAGED.read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def test_the_packaged_schema_is_that_of_the_events() -> None:
    assert PACKAGED.read_text() == schema.text(), "run: python -m floydtop.session.schema > (that file)"


@given(event=samples.events)
@settings(max_examples=100, deadline=None)
def test_every_line_that_is_written_is_valid(validator: Draft202012Validator, event: Event) -> None:
    validator.validate(json.loads(encode(event)))


def test_values_that_are_not_finite_are_valid_as_words_only(validator: Draft202012Validator) -> None:
    line = json.loads(encode(Metrics(values={"loss": math.nan})))
    assert validator.is_valid(line)
    assert not validator.is_valid(line | {"v": {"loss": "many"}})
    assert not validator.is_valid(line | {"v": {"loss": None}})


def test_every_field_that_has_a_docstring_carries_it(validator: Draft202012Validator) -> None:
    kinds = validator.schema["$defs"]
    lost = kinds["Gap"]["properties"]["lost"]
    assert lost["description"] == "How many events; 0 when it is not known how many."
    assert all("description" in kind for kind in kinds.values())
