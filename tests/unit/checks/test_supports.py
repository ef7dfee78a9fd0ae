from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders import checks
from graders.model import Experiment, Outcome
from tests.unit.evidence import EMPTY, FAILED, NOT_NUMBERS

HEIGHT, WIDTH = 5, 6
Offset = tuple[int, int]

# Windows as (rows down, columns to the right) of what a pixel sees.
DOWN_RIGHT = [(down, right) for down in (-1, 0) for right in (-2, -1, 0)]  # C3, filter (2, 3)
BLIND = [(-2, 1), (-1, -1), (-1, 0), (-1, 1), (0, -1)]  # as Figure 5's: earlier pixels, not all of them, not itself
CHECKS = (checks.causal, checks.window, checks.same_support)


def support(offsets: Iterable[Offset], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The support of a layer that sees this window around each pixel, cut off at the edges."""
    seen = np.zeros((height, width, height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            for down, right in offsets:
                if 0 <= row + down < height and 0 <= column + right < width:
                    seen[row, column, row + down, column + right] = 1
    return seen


def sees(offsets: Iterable[Offset], changed: Iterable[Offset] | None = None) -> Experiment:
    offsets = list(offsets)
    change = support(offsets if changed is None else changed)
    return Experiment(arrays={"by_gradient": support(offsets), "by_change": change})


def moved(offsets: Iterable[Offset], down: int = 0, right: int = 0) -> list[Offset]:
    return [(row + down, column + right) for row, column in offsets]


offsets = st.sets(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=8)


@settings(deadline=None)
@given(offsets)
def test_a_support_equals_itself_and_agrees_with_itself(window: set[Offset]) -> None:
    one = sees(window)
    assert checks.window("padding", one, one).passed
    assert checks.same_support("causality", one, one).passed
    assert checks.agreement("agreement", one, one).passed


@settings(deadline=None)
@given(offsets, offsets)
def test_another_window_is_not_the_same(mine: set[Offset], theirs: set[Offset]) -> None:
    same = mine == theirs
    assert checks.window("padding", sees(mine), sees(theirs)).passed == same
    assert checks.same_support("causality", sees(mine), sees(theirs)).passed == same


@settings(deadline=None)
@given(
    st.sets(st.sampled_from([(-2, 0), (-1, -1), (-1, 0), (0, -1), (0, 0)]), min_size=1),
    st.sampled_from([(1, 0), (0, 1), (1, 1), (2, -1)]),
)
def test_one_later_pixel_is_enough_to_break_causality(earlier: set[Offset], later: Offset) -> None:
    assert not checks.causal("causality", sees({*earlier, later}), sees(DOWN_RIGHT)).passed


def test_the_right_window_is_causal() -> None:
    assert checks.causal("causality", sees(DOWN_RIGHT), sees(DOWN_RIGHT)).passed


@pytest.mark.parametrize(
    ("window", "place"),
    [
        (moved(DOWN_RIGHT, right=1), "1 above and 1 to the right of it"),
        (moved(DOWN_RIGHT, down=1), "1 below and 2 to the left of it"),
        ([(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)], "1 above and 1 to the right of it"),
    ],
)
def test_a_window_that_was_moved_ahead_is_refused_and_the_place_is_named(window: list[Offset], place: str) -> None:
    found = checks.causal("causality", sees(window), sees(DOWN_RIGHT))
    assert not found.passed
    assert found.actual == f"an output pixel depends on the pixel {place}"


@pytest.mark.parametrize("window", [[*DOWN_RIGHT, (-2, 0)], moved(DOWN_RIGHT, down=-1), moved(DOWN_RIGHT, right=-1)])
def test_a_window_of_another_size_or_place_among_earlier_pixels_is_causal_but_not_the_window(
    window: list[Offset],
) -> None:
    assert checks.causal("causality", sees(window), sees(DOWN_RIGHT)).passed
    assert not checks.window("padding", sees(window), sees(DOWN_RIGHT)).passed


def test_a_layer_that_sees_itself_alone_or_nothing_is_no_causal_convolution() -> None:
    assert not checks.causal("causality", sees([(0, 0)]), sees(DOWN_RIGHT)).passed
    assert not checks.causal("causality", sees([]), sees(DOWN_RIGHT)).passed


def test_a_pixel_that_sees_itself_is_refused_where_the_reference_never_does() -> None:
    found = checks.causal("causality", sees([*BLIND, (0, 0)]), sees(BLIND))
    assert not found.passed
    assert found.actual == "an output pixel depends on the pixel itself"


def test_a_blind_spot_is_part_of_the_right_support() -> None:
    all_earlier = [(down, right) for down in (-2, -1) for right in (-2, -1, 0, 1, 2)] + [(0, -2), (0, -1)]
    assert checks.same_support("causality", sees(BLIND), sees(BLIND)).passed
    assert not checks.same_support("causality", sees(all_earlier), sees(BLIND)).passed
    assert not checks.same_support("causality", sees(BLIND), sees(all_earlier)).passed


@pytest.mark.parametrize("leak", ["by_gradient", "by_change"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_leak_counts_when_only_one_of_the_two_instruments_shows_it(check, leak: str) -> None:
    right = sees(DOWN_RIGHT)
    leaking = Experiment(arrays={**right.arrays, leak: support([*DOWN_RIGHT, (1, 1)])})
    assert not check("x", leaking, right).passed


@pytest.mark.parametrize("check", CHECKS)
def test_a_single_pixel_that_is_seen_too_much_is_found(check) -> None:
    right = sees(DOWN_RIGHT)
    change = right.arrays["by_change"].copy()
    change[1, 1, 4, 5] = 1
    assert not check("x", Experiment(arrays={**right.arrays, "by_change": change}), right).passed


@pytest.mark.parametrize("check", [checks.window, checks.same_support])
def test_a_single_pixel_that_is_not_seen_is_found(check) -> None:
    right = sees(DOWN_RIGHT)
    arrays = {name: array.copy() for name, array in right.arrays.items()}
    for array in arrays.values():
        array[3, 3, 2, 3] = 0
    assert not check("x", Experiment(arrays=arrays), right).passed


def test_the_words_name_the_pixel() -> None:
    right = sees(BLIND)
    assert (
        checks.same_support("x", sees([*BLIND, (0, 0)]), right).actual
        == "output pixel (0, 0) depends on input pixel (0, 0)"
    )
    assert (
        checks.same_support("x", sees(BLIND[:-1]), right).actual
        == "output pixel (0, 1) does not depend on input pixel (0, 0)"
    )
    wide = checks.window("x", sees(DOWN_RIGHT), right)
    assert wide.actual == "a window of rows -1 to +0 and columns -2 to +0 around the pixel"


@pytest.mark.parametrize("check", [*CHECKS, checks.agreement])
@pytest.mark.parametrize("array", [None, *NOT_NUMBERS, *EMPTY])
@pytest.mark.parametrize("key", ["by_gradient", "by_change"])
def test_a_support_that_is_absent_or_holds_no_numbers_passes_nothing(check, array: np.ndarray | None, key: str) -> None:
    right = sees(DOWN_RIGHT)
    arrays = {name: value for name, value in right.arrays.items() if name != key}
    assert not check("x", Experiment(arrays=arrays if array is None else {**arrays, key: array}), right).passed


@pytest.mark.parametrize("check", [*CHECKS, checks.agreement])
def test_a_failed_experiment_passes_nothing(check) -> None:
    right = sees(DOWN_RIGHT)
    assert not check("x", FAILED, right).passed
    assert not check("x", Experiment(arrays=right.arrays, failure=FAILED.failure), right).passed


@pytest.mark.parametrize("check", [*CHECKS, checks.agreement])
def test_an_output_that_depends_on_nothing_passes_nothing(check) -> None:
    assert not check("x", sees([]), sees(DOWN_RIGHT)).passed


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("shape", [(4, 6, 5, 6), (5, 6, 6, 5), (5, 6), (5, 6, 5, 6, 1)])
def test_a_support_of_another_shape_passes_nothing(check, shape: tuple[int, ...]) -> None:
    ones = np.ones(shape, np.uint8)
    found: Outcome = check("x", Experiment(arrays={"by_gradient": ones, "by_change": ones}), sees(DOWN_RIGHT))
    assert not found.passed


# Agreement -----------------------------------------------------------------------------------------------------------


def test_a_change_without_a_gradient_is_a_hidden_leak() -> None:
    found = checks.agreement("x", sees(BLIND, changed=[*BLIND, (0, 0)]), sees(BLIND))
    assert not found.passed
    assert found.actual == "input pixel (0, 0) changes output pixel (0, 0) without a gradient"


def test_a_gradient_without_a_change_where_the_reference_changes_is_a_sign_of_rounding() -> None:
    assert not checks.agreement("x", sees(BLIND, changed=BLIND[:-1]), sees(BLIND)).passed


def test_a_gradient_without_a_change_is_allowed_where_the_reference_does_not_change_either() -> None:
    assert checks.agreement("x", sees([*BLIND, (-2, 0)], changed=BLIND), sees(BLIND)).passed


def test_a_dead_gradient_does_not_agree() -> None:
    assert not checks.agreement("x", sees([], changed=BLIND), sees(BLIND)).passed
