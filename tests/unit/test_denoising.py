from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.assignments.denoising import GRADERS
from graders.judge import judge_item
from graders.model import Evidence, Verdict
from graders.probes.draw import Draw
from graders.probes.runner import experiments
from graders.probes.student import Student
from graders.rubric import load_rubric

ASSIGNMENT = load_rubric("denoising")
RIGHT = {"Q1a": (32, 16, 64, 64), "Q1b": (32, 128, 3, 3), "Q1c": (32, 32, 65, 65), "Q1d": 448}


class Lab:
    """No framework is needed for an answer."""

    @staticmethod
    def prepared() -> Any:
        import contextlib

        return contextlib.nullcontext()


def measured(item: str, value: Any) -> Evidence:
    student = Student({"answer": value}, {item: "answer"}, {item: ()})
    return Evidence(dict(experiments(GRADERS[item], student, Lab, Draw(1, item), ())))


def verdict(item: str, value: Any) -> Verdict:
    result = judge_item(ASSIGNMENT.item(item), GRADERS[item], measured(item, value), measured(item, RIGHT[item]))
    return result.verdict


@pytest.mark.parametrize(
    "value",
    [
        (32, 32, 65, 65),
        [32, 65, 65],
        np.array([32, 32, 65, 65]),
        "(32, 32, 65, 65)",
        "32x32x65x65",
        "N x 32 x 65 x 65",
        "[32,65,65]",
        "(31-1)*2+5 = 65, so the output is (32, 32, 65, 65).",
        lambda: (32, 32, 65, 65),
        (32.0, 32.0, 65.0, 65.0),
    ],
)
def test_a_size_may_be_written_in_many_ways(value: Any) -> None:
    assert verdict("Q1c", value) is Verdict.PASS


@pytest.mark.parametrize(
    "value", [448, 448.0, "448", " 448 ", "16*(27+1) = 448", "432 + 16 = 448", np.int64(448), [448]]
)
def test_a_number_may_be_written_in_many_ways(value: Any) -> None:
    assert verdict("Q1d", value) is Verdict.PASS


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("Q1a", (32, 16, 62, 62)),
        ("Q1a", (32, 64, 64, 16)),
        ("Q1a", (64, 64)),
        ("Q1a", ()),
        ("Q1a", (32, 16, 64, 64.5)),
        ("Q1a", float("nan")),
        ("Q1a", object()),
        ("Q1c", (32, 65, 65, 32)),
        ("Q1c", (64, 32, 65, 65)),
        ("Q1d", 432),
        ("Q1d", "432"),
        ("Q1d", (448, 432)),
        ("Q1d", True),
    ],
)
def test_a_wrong_answer_is_lost(item: str, value: Any) -> None:
    assert verdict(item, value) is Verdict.FAIL


@pytest.mark.parametrize("value", [None, "", "  ", "see the report", "the same as in (a)", "16*(3*3*3+1)", "about 450"])
def test_what_is_no_plain_answer_waits_for_a_person(value: Any) -> None:
    assert verdict("Q1d", value) is Verdict.MANUAL


def test_every_item_that_is_graded_has_a_docstring_for_the_student() -> None:
    assert set(GRADERS) == {"Q1a", "Q1b", "Q1c", "Q1d", "Q2a", "Q2b", "Q3a", "Q3b"}
    assert all((grader.__doc__ or "").count(".") >= 1 for grader in GRADERS.values())
