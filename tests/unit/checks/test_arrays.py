from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders import checks
from graders.checks.arrays import TOLERANCE
from graders.model import Experiment
from tests.unit.evidence import EMPTY, FAILED, NOT_NUMBERS, numbers, outputs, seen

RIGHT = outputs(np.arange(6, dtype=np.float32).reshape(2, 3), shapes=[[3], [2, 3]], count=9)
WITH_GRADIENTS = Experiment(
    {"shapes": [[3]], "count": 3},
    {"outputs": np.ones(2), "gradient of the input": np.arange(4.0), "gradient of kernel 3": np.arange(3.0)},
)
ABSENT = [FAILED, Experiment(), *(outputs(array) for array in (*NOT_NUMBERS, *EMPTY))]


def without(experiment: Experiment, key: str, array: np.ndarray | None = None) -> Experiment:
    arrays = {name: value for name, value in experiment.arrays.items() if name != key}
    return Experiment(experiment.values, arrays if array is None else {**arrays, key: array})


# Equality ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(numbers)
def test_an_experiment_equals_itself(array: np.ndarray) -> None:
    one = outputs(array)
    assert checks.close("values", one, one).passed
    assert checks.shape("shape", one, one).passed


@settings(deadline=None)
@given(numbers, st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_an_array_with_one_number_that_is_not_finite_equals_nothing_not_even_itself(
    array: np.ndarray, bad: float, data: st.DataObject
) -> None:
    array.flat[data.draw(st.integers(0, array.size - 1))] = bad
    assert not checks.close("values", outputs(array), outputs(array)).passed
    assert not checks.finite(array)


@settings(deadline=None)
@given(numbers, st.data())
def test_one_number_off_by_more_than_the_tolerance_fails_and_all_off_by_far_less_pass(
    array: np.ndarray, data: st.DataObject
) -> None:
    exact = array.astype(np.float64)
    scale = max(np.abs(exact).max(), 1e-12)
    wrong, near = exact.copy(), exact + scale * TOLERANCE / 100
    wrong.flat[data.draw(st.integers(0, array.size - 1))] += scale * TOLERANCE * 3
    assert not checks.close("values", outputs(wrong), outputs(exact)).passed
    assert checks.close("values", outputs(near), outputs(exact)).passed


@settings(deadline=None)
@given(numbers, numbers)
def test_arrays_of_other_shapes_are_not_equal(mine: np.ndarray, theirs: np.ndarray) -> None:
    if mine.shape == theirs.shape:
        mine = mine[np.newaxis]
    assert not checks.close("values", outputs(mine), outputs(theirs)).passed
    assert not checks.shape("shape", outputs(mine), outputs(theirs)).passed


def test_an_array_that_would_broadcast_to_the_reference_is_of_another_shape() -> None:
    assert not checks.close("values", outputs(np.ones((1, 3))), outputs(np.ones((2, 3)))).passed


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, np.uint8])
def test_the_type_of_the_numbers_does_not_matter(dtype: type) -> None:
    assert checks.close("values", outputs(RIGHT.arrays["outputs"].astype(dtype)), RIGHT).passed


@pytest.mark.parametrize("mine", ABSENT)
def test_what_is_absent_empty_or_no_number_passes_nothing(mine: Experiment) -> None:
    with_shapes = Experiment(RIGHT.values, mine.arrays, mine.failure)
    assert not checks.close("values", with_shapes, RIGHT).passed
    assert not checks.shape("shape", with_shapes, RIGHT).passed


@pytest.mark.parametrize("array", [*NOT_NUMBERS, *EMPTY])
def test_an_empty_array_or_one_of_no_numbers_does_not_even_equal_itself(array: np.ndarray) -> None:
    assert not checks.close("values", outputs(array), outputs(array)).passed


def test_a_failure_is_what_the_student_reads() -> None:
    assert checks.close("values", FAILED, RIGHT).actual == "ValueError: no such axis (cell 4, line 2)"


def test_a_wrong_array_is_told_where_and_by_how_much() -> None:
    wrong = RIGHT.arrays["outputs"].copy()
    wrong[1, 2] += 5
    actual = checks.close("values", outputs(wrong), RIGHT).actual
    assert actual == "17% of the values differ, by up to 100% of the largest; the first at index (1, 2)"


@given(st.floats(1e-3, 1e6))
def test_the_difference_is_a_share_of_the_scale(factor: float) -> None:
    mine, theirs = np.array([1.0, -3.0]), np.array([1.0, -4.0])
    assert checks.arrays.difference(mine * factor, theirs * factor) == pytest.approx(0.25)


def test_zeros_equal_zeros_and_nothing_else() -> None:
    assert checks.close("values", outputs(np.zeros(3)), outputs(np.zeros(3))).passed
    assert not checks.close("values", outputs(np.full(3, 1e-6)), outputs(np.zeros(3))).passed


# Shapes and parameters -----------------------------------------------------------------------------------------------


def test_an_output_without_weights_has_no_right_shape_where_the_reference_has_weights() -> None:
    bare = outputs(RIGHT.arrays["outputs"])
    assert not checks.shape("shape", bare, RIGHT).passed
    assert checks.shape("shape", bare, bare).passed


def test_equal_parameters_pass_for_one_pair_and_for_several() -> None:
    assert checks.parameters("parameters", (RIGHT, RIGHT)).passed
    assert checks.parameters("parameters", (RIGHT, RIGHT), (WITH_GRADIENTS, WITH_GRADIENTS)).passed


def test_no_pair_of_experiments_is_no_pass() -> None:
    assert not checks.parameters("parameters").passed


@pytest.mark.parametrize(
    "values", [{}, {"shapes": []}, {"shapes": [[2, 3]], "count": 6}, {"shapes": [[9]], "count": 9}]
)
def test_other_parameters_fail_also_when_only_one_pair_differs(values: dict) -> None:
    wrong = outputs(RIGHT.arrays["outputs"], **values)
    assert not checks.parameters("parameters", (wrong, RIGHT)).passed
    assert not checks.parameters("parameters", (RIGHT, RIGHT), (wrong, RIGHT)).passed


def test_parameters_of_an_experiment_that_failed_do_not_count() -> None:
    assert not checks.parameters("parameters", (Experiment(RIGHT.values, failure=FAILED.failure), RIGHT)).passed


# Gradients -----------------------------------------------------------------------------------------------------------


def test_equal_gradients_pass() -> None:
    assert checks.gradients("gradients", WITH_GRADIENTS, WITH_GRADIENTS).passed


@pytest.mark.parametrize("key", ["gradient of the input", "gradient of kernel 3"])
@pytest.mark.parametrize("array", [None, *NOT_NUMBERS, *EMPTY, np.full(4, np.nan)])
def test_gradients_that_lack_one_of_the_references_fail(key: str, array: np.ndarray | None) -> None:
    assert not checks.gradients("gradients", without(WITH_GRADIENTS, key, array), WITH_GRADIENTS).passed


def test_gradients_of_an_experiment_that_failed_do_not_count() -> None:
    failed = Experiment(WITH_GRADIENTS.values, WITH_GRADIENTS.arrays, FAILED.failure)
    assert not checks.gradients("gradients", failed, WITH_GRADIENTS).passed


def test_a_reference_without_gradients_passes_nobody() -> None:
    assert not checks.gradients("gradients", RIGHT, RIGHT).passed


def test_a_gradient_that_is_zero_everywhere_is_called_so() -> None:
    dead = without(WITH_GRADIENTS, "gradient of kernel 3", np.zeros(3))
    assert checks.gradients("g", dead, WITH_GRADIENTS).actual == "gradient of kernel 3: zero everywhere"


def test_a_gradient_that_the_reference_does_not_have_does_no_harm() -> None:
    more = Experiment({}, {**WITH_GRADIENTS.arrays, "gradient of bias 7": np.ones(7)})
    assert checks.gradients("gradients", more, WITH_GRADIENTS).passed


def test_the_key_of_the_array_is_the_callers_choice() -> None:
    mine, theirs = seen(whole_batch=np.ones(2), outputs=np.zeros(2)), seen(whole_batch=np.ones(2), outputs=np.ones(2))
    assert checks.close("values", mine, theirs, "whole batch").passed
    assert not checks.close("values", mine, theirs).passed


# In training, and without knowing the batch --------------------------------------------------------------------------

TRAINED = Experiment(arrays={"outputs": np.ones(3), "outputs in training": np.ones(3)})
TRACED = seen(
    whole_batch=np.ones((2, 3)),
    whole_batch_untraced=np.ones((2, 3)),
    one_image=np.ones((1, 3)),
    one_image_untraced=np.ones((1, 3)),
)


def test_outputs_that_are_equal_at_rest_and_in_training_pass() -> None:
    assert checks.values("values", TRAINED, TRAINED).passed


@pytest.mark.parametrize("key", ["outputs", "outputs in training"])
@pytest.mark.parametrize("array", [None, np.zeros(3), np.ones(4), np.full(3, np.nan), *NOT_NUMBERS, *EMPTY])
def test_outputs_that_differ_at_rest_or_in_training_fail(key: str, array: np.ndarray | None) -> None:
    assert not checks.values("values", without(TRAINED, key, array), TRAINED).passed


def test_noise_in_training_is_called_so() -> None:
    assert checks.values("v", without(TRAINED, "outputs in training", np.zeros(3)), TRAINED).actual.endswith(
        "(in training)"
    )


@pytest.mark.parametrize("key", ["whole batch", "one image"])
@pytest.mark.parametrize("array", [None, np.zeros((2, 3)), np.ones((3, 3)), *NOT_NUMBERS, *EMPTY])
def test_a_batch_of_any_size_must_be_right_for_each_of_the_sizes(key: str, array: np.ndarray | None) -> None:
    assert checks.any_batch("shape", TRACED, TRACED).passed
    assert not checks.any_batch("shape", without(TRACED, key, array), TRACED).passed


def test_values_that_are_wrong_in_both_ways_are_the_business_of_another_criterion() -> None:
    wrong = Experiment(arrays={key: array * 7 for key, array in TRACED.arrays.items()})
    assert checks.any_batch("shape", wrong, TRACED).passed


def test_weights_whose_output_is_thrown_away_fail() -> None:
    dead = Experiment({**WITH_GRADIENTS.values, "unreached": 2}, WITH_GRADIENTS.arrays)
    outcome = checks.gradients("gradients", dead, WITH_GRADIENTS)
    assert not outcome.passed
    assert "2 weights" in outcome.actual


def test_a_layer_that_cannot_be_traced_fails() -> None:
    assert not checks.any_batch("shape", FAILED, TRACED).passed


# Training ------------------------------------------------------------------------------------------------------------

WITH_BATCH_NORM = Experiment(
    arrays={
        "outputs in training": np.arange(4.0),
        "statistics variance 3": np.array([1.0, 2.0, 4.0]),
        "training gradient of the input": np.array([100.0, -50.0]),
        "training gradient of bias 3": np.array([1e-9, -2e-9, 0.0]),
    }
)


def test_training_is_equal_outputs_and_nearly_equal_statistics() -> None:
    near = WITH_BATCH_NORM.arrays["statistics variance 3"] * 1.008
    assert checks.training("training", WITH_BATCH_NORM, WITH_BATCH_NORM).passed
    assert checks.training("training", without(WITH_BATCH_NORM, "statistics variance 3", near), WITH_BATCH_NORM).passed
    for key, wrong in (("statistics variance 3", near + 0.1), ("outputs in training", np.arange(4.0) + 0.01)):
        assert not checks.training("training", without(WITH_BATCH_NORM, key, wrong), WITH_BATCH_NORM).passed, key
        assert not checks.training("training", without(WITH_BATCH_NORM, key), WITH_BATCH_NORM).passed, key


def test_a_gradient_that_vanishes_but_for_rounding_is_compared_on_the_scale_of_the_others() -> None:
    bias = "training gradient of bias 3"
    other = without(WITH_BATCH_NORM, bias, np.array([-3e-9, 5e-9, 1e-9]))
    assert checks.training_gradients("gradients", other, WITH_BATCH_NORM).passed
    wrong = without(WITH_BATCH_NORM, bias, np.array([0.1, 0.0, 0.0]))
    assert not checks.training_gradients("gradients", wrong, WITH_BATCH_NORM).passed
    for key in (bias, "training gradient of the input"):
        assert not checks.training_gradients("gradients", without(WITH_BATCH_NORM, key), WITH_BATCH_NORM).passed, key


@pytest.mark.parametrize("absent", ABSENT)
def test_absence_passes_nothing_that_is_about_training(absent: Experiment) -> None:
    assert not checks.training("training", absent, WITH_BATCH_NORM).passed
    assert not checks.training_gradients("gradients", absent, WITH_BATCH_NORM).passed


def test_where_the_reference_has_no_gradients_none_are_right() -> None:
    assert not checks.training_gradients("gradients", WITH_BATCH_NORM, Experiment()).passed
