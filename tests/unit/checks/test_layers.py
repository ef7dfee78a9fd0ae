from __future__ import annotations

from typing import Any

import pytest

from graders import checks
from graders.model import Experiment
from tests.unit.evidence import FAILED

FIRST: dict[str, Any] = {
    "at": 0,
    "size": [2, 5, 16, 16],
    "kernel": [3, 3],
    "stride": [2, 2],
    "padding": [1, 1],
    "dilation": [1, 1],
    "output_padding": [0, 0],
    "transposed": False,
    "groups": 1,
    "inputs": 2,
    "outputs": 5,
}
LAST = {**FIRST, "at": 3, "stride": [1, 1], "inputs": 5}


def executed(*convolutions: dict[str, Any]) -> Experiment:
    return Experiment({"convolutions": list(convolutions)})


RIGHT = executed(FIRST, LAST)


def test_the_same_convolutions_in_the_same_order_pass_wherever_they_stand_and_however_they_are_padded() -> None:
    moved = executed({**FIRST, "at": 1, "padding": [0, 0]}, {**LAST, "at": 7})
    assert checks.convolutions("layers", RIGHT, RIGHT).passed
    assert checks.convolutions("layers", moved, RIGHT).passed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", [2, 5, 15, 16]),
        ("kernel", [3, 1]),
        ("stride", [1, 2]),
        ("dilation", [2, 2]),
        ("transposed", True),
        ("groups", 5),
        ("inputs", 3),
        ("outputs", 6),
    ],
)
def test_another_convolution_is_named_by_its_place(field: str, value: Any) -> None:
    found = checks.convolutions("layers", executed(FIRST, {**LAST, field: value}), RIGHT)
    assert not found.passed
    assert "convolution 2 is another one" in found.actual


def test_only_the_fields_that_are_asked_for_count() -> None:
    other = executed({**FIRST, "inputs": 9}, LAST)
    assert checks.convolutions("layers", other, RIGHT, ("kernel", "stride", "size")).passed
    assert not checks.convolutions("layers", other, RIGHT, ("kernel", "inputs")).passed


@pytest.mark.parametrize(
    "found", [FAILED, Experiment(), executed(), executed(FIRST), executed(FIRST, LAST, LAST), executed(LAST, FIRST)]
)
def test_absent_and_further_convolutions_and_another_order_fail(found: Experiment) -> None:
    assert not checks.convolutions("layers", found, RIGHT).passed


def test_no_convolutions_are_not_right_where_the_reference_has_none() -> None:
    assert not checks.convolutions("layers", executed(), executed()).passed


def test_a_transposed_convolution_is_told_as_one() -> None:
    found = checks.convolutions("layers", executed({**FIRST, "transposed": True}, LAST), RIGHT)
    assert "transposed, kernel 3x3, stride 2x2, 2 channels in, output of 2x5x16x16" in found.actual
