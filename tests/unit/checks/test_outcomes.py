from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import checks
from graders.model import Experiment
from tests.unit.evidence import EMPTY, FAILED, NOT_NUMBERS, seen

PASSED = st.lists(st.booleans(), max_size=5)


def several(passed: list[bool]) -> list:
    return [checks.outcome("x", one, f"expected {number}", f"found {number}") for number, one in enumerate(passed)]


@given(PASSED)
def test_all_of_passes_when_there_is_one_and_none_fails(passed: list[bool]) -> None:
    assert checks.all_of("x", *several(passed)).passed == (len(passed) > 0 and all(passed))


@given(PASSED)
def test_any_of_passes_when_one_passes(passed: list[bool]) -> None:
    assert checks.any_of("x", *several(passed)).passed == any(passed)


@pytest.mark.parametrize("combine", [checks.all_of, checks.any_of])
def test_an_empty_set_of_outcomes_never_passes(combine) -> None:
    assert not combine("x").passed


def test_all_of_speaks_with_the_words_of_the_first_that_failed_and_any_of_with_those_of_the_first() -> None:
    assert checks.all_of("x", *several([True, False, False])).actual == "found 1"
    assert checks.all_of("x", *several([True, True])).actual == "found 0"
    assert checks.any_of("x", *several([False, False])).actual == "found 0"
    assert checks.any_of("x", *several([False, True])).actual == "found 1"


@pytest.mark.parametrize("combine", [checks.all_of, checks.any_of])
def test_the_name_is_that_of_the_whole(combine) -> None:
    assert combine("whole", *several([True])).name == "whole"


@pytest.mark.parametrize("passed", [np.bool_(True), 1, np.bool_(False), 0])
def test_an_outcome_says_plain_true_or_false_and_plain_words(passed: object) -> None:
    one = checks.outcome("x", passed, (2, 3), FAILED.failure)
    assert one.passed is bool(passed)
    assert (one.expected, one.actual) == ("(2, 3)", "ValueError: no such axis (cell 4, line 2)")


def test_numbers_that_are_there_are_not_absent() -> None:
    assert checks.absent("x", seen(outputs=[1.0]), "numbers", "outputs") is None
    assert checks.absent("x", Experiment(), "nothing but that it did not fail") is None


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_every_kind_of_real_number_is_a_number(dtype: type) -> None:
    assert checks.absent("x", seen(outputs=np.ones(2, dtype)), "numbers", "outputs") is None


@pytest.mark.parametrize("array", [*NOT_NUMBERS, *EMPTY])
def test_no_numbers_are_absent_also_when_other_arrays_are_there(array: np.ndarray) -> None:
    found = checks.absent("x", seen(outputs=[1.0], other=array), "numbers", "outputs", "other")
    assert found is not None
    assert not found.passed


@pytest.mark.parametrize("experiment", [FAILED, Experiment(arrays={"outputs": np.ones(1)}, failure=FAILED.failure)])
def test_a_failure_counts_more_than_what_was_measured_before_it(experiment: Experiment) -> None:
    found = checks.absent("x", experiment, "numbers", "outputs")
    assert found is not None
    assert not found.passed
