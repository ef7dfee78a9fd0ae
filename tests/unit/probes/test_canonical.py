from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.probes.canonical import attributes, canonical, core_shapes, key_of, role_of, summed, walk

ROLES = ("kernel", "bias", "gamma", "beta", "mean", "variance")
roles = st.sampled_from(ROLES)
shapes = st.lists(st.integers(1, 5), max_size=4).map(tuple)
seeds = st.integers(0, 2**31)


def with_units(shape: tuple[int, ...], places: list[int]) -> tuple[int, ...]:
    longer = list(shape)
    for place in places:
        longer.insert(min(place, len(longer)), 1)
    return tuple(longer)


@given(roles, shapes, seeds)
def test_the_same_role_shape_and_seed_give_the_same_numbers_of_that_shape(role: str, shape: tuple, seed: int) -> None:
    one, other = canonical(role, shape, seed), canonical(role, list(shape), seed)
    assert one.tobytes() == other.tobytes()
    assert one.shape == shape
    assert one.dtype == np.float32
    assert np.isfinite(one).all()


@given(roles, shapes, st.lists(st.integers(0, 4), max_size=3), seeds)
def test_axes_of_length_one_change_the_shape_and_not_the_numbers(
    role: str, shape: tuple, places: list[int], seed: int
) -> None:
    longer = with_units(shape, places)
    assert key_of(role, longer) == key_of(role, shape)
    assert canonical(role, longer, seed).shape == longer
    assert canonical(role, longer, seed).tobytes() == canonical(role, shape, seed).tobytes()


def test_a_dense_layer_gets_the_numbers_of_a_1x1_convolution() -> None:
    assert np.array_equal(canonical("kernel", (3, 5), 1), canonical("kernel", (1, 1, 3, 5), 1)[0, 0])


@given(shapes, seeds)
def test_variances_are_positive(shape: tuple, seed: int) -> None:
    assert (canonical("variance", shape, seed) > 0).all()


@given(seeds)
def test_gammas_have_both_signs_and_none_is_near_zero(seed: int) -> None:
    gamma = canonical("gamma", (64,), seed)
    assert (gamma > 0).any()
    assert (gamma < 0).any()
    assert (np.abs(gamma) >= 0.5).all()


@given(roles, st.tuples(seeds, seeds).filter(lambda pair: pair[0] != pair[1]))
def test_distinct_seeds_give_distinct_numbers(role: str, pair: tuple[int, int]) -> None:
    one, other = (canonical(role, (4, 5), seed) for seed in pair)
    assert not np.array_equal(one, other)


@given(seeds, st.permutations([2, 3, 5]))
def test_another_shape_of_as_many_numbers_gives_other_numbers(seed: int, shape: list[int]) -> None:
    one, other = canonical("kernel", (2, 3, 5), seed), canonical("kernel", shape, seed)
    assert np.array_equal(one.ravel(), other.ravel()) == (shape == [2, 3, 5])


@given(seeds, st.permutations(ROLES))
def test_each_role_gets_numbers_of_its_own(seed: int, order: list[str]) -> None:
    one, other = (canonical(role, (4, 5), seed) for role in order[:2])
    assert not np.array_equal(one, other)


def test_kernels_keep_the_scale_of_what_passes_through_them() -> None:
    kernel = canonical("kernel", (3, 3, 32, 64), 5)
    assert kernel.std() * np.sqrt(3 * 3 * 32) == pytest.approx(1.2, rel=0.05)


@pytest.mark.parametrize(
    ("name", "shape", "role"),
    [
        ("conv2d/kernel", (2, 3, 4, 5), "kernel"),
        ("conv2d/kernel:0", (2, 3, 4, 5), "kernel"),
        ("anything", (4, 5), "kernel"),
        ("dense/bias", (5,), "bias"),
        ("anything", (5,), "bias"),
        ("anything", (), "bias"),
        ("batch_normalization_3/gamma:0", (5,), "gamma"),
        ("bn/beta", (5,), "beta"),
        ("bn/moving_mean", (5,), "mean"),
        ("bn/moving_variance", (5,), "variance"),
        ("Gamma", (5,), "gamma"),
        ("gamma/kernel", (4, 5), "kernel"),
    ],
)
def test_the_name_tells_the_role_for_normalisation_and_the_rank_for_all_else(
    name: str, shape: tuple[int, ...], role: str
) -> None:
    assert role_of(name, shape) == role


def test_a_key_is_a_role_and_a_shape() -> None:
    assert key_of("kernel", (2, 1, 3)) == "kernel 2x3"
    assert key_of("bias", (1,)) == key_of("bias", ()) == "bias 1"


@pytest.mark.parametrize(("name", "role"), [("running_mean", "mean"), ("running_var", "variance")])
def test_the_names_of_both_frameworks_are_known(name: str, role: str) -> None:
    assert role_of(name, (5,)) == role


# Variables -----------------------------------------------------------------------------------------------------------


def found_in(thing: object) -> list[complex]:
    """Complex numbers play the variables."""
    return list(walk(thing, lambda one: isinstance(one, complex), attributes))


def test_variables_are_found_in_lists_tuples_dictionaries_and_attributes_the_near_ones_first() -> None:
    class Holder:
        pass

    holder = Holder()
    holder.deep = [{"a": (1j,)}]  # type: ignore[attr-defined]
    holder.near = 2j  # type: ignore[attr-defined]
    assert found_in(holder) == [2j, 1j]


def test_a_ring_ends_and_what_is_no_holder_is_not_looked_into() -> None:
    ring: list[object] = [3j, found_in, np.ones(3), "text"]
    ring.append(ring)
    assert found_in(ring) == [3j]


def test_shapes_are_sorted_and_without_axes_of_length_one() -> None:
    assert core_shapes([np.ones((5, 1, 3)), np.ones(2), np.ones((1, 1))]) == [[], [2], [5, 3]]


def test_gradients_are_summed_by_role_and_shape_and_one_that_does_not_flow_is_zero() -> None:
    found = summed(
        [
            ("kernel", (2, 1, 3), np.ones((2, 1, 3))),
            ("kernel", (2, 3), 2 * np.ones((2, 3))),
            ("bias", (3,), None),
            ("beta", (3,), np.arange(3)),
        ]
    )
    assert {key: array.tolist() for key, array in found.items()} == {
        "gradient of kernel 2x3": [[3, 3, 3], [3, 3, 3]],
        "gradient of bias 3": [0, 0, 0],
        "gradient of beta 3": [0, 1, 2],
    }
