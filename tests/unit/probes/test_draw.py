from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graders.probes.draw import Draw

seeds = st.integers(0, 2**31)
words = st.text(min_size=1, max_size=6)


@given(seeds, words, words)
def test_a_draw_is_a_function_of_seed_item_and_name_whatever_was_drawn_before(seed: int, item: str, name: str) -> None:
    once, later = Draw(seed, item), Draw(seed, item)
    first = once.normal(name, 2, 3)
    later.signs("something else", 5)
    later.normal(name, 7)
    assert np.array_equal(first, later.normal(name, 2, 3))


@given(seeds, seeds, words, words)
def test_another_seed_item_or_name_gives_other_numbers(seed: int, other: int, one: str, two: str) -> None:
    numbers = Draw(seed, one).normal(one, 8)
    assert np.array_equal(numbers, Draw(other, one).normal(one, 8)) == (seed == other)
    assert np.array_equal(numbers, Draw(seed, two).normal(one, 8)) == (one == two)
    assert np.array_equal(numbers, Draw(seed, one).normal(two, 8)) == (one == two)


def test_an_item_and_a_name_do_not_run_into_each_other() -> None:
    assert not np.array_equal(Draw(1, "C1").normal("1x", 8), Draw(1, "C11").normal("x", 8))


def test_normal_numbers_are_standard_normal_float32_of_that_shape() -> None:
    numbers = Draw(3, "C3").normal("x", 100, 100)
    assert numbers.shape == (100, 100)
    assert numbers.dtype == np.float32
    assert abs(numbers.mean()) < 0.05
    assert abs(numbers.std() - 1) < 0.05


def test_signs_are_minus_one_and_one_each_about_as_often() -> None:
    signs = Draw(3, "C3").signs("x", 1000)
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 0.2


@given(seeds, st.lists(st.integers(), min_size=1))
def test_a_choice_is_one_of_the_options_and_always_the_same(seed: int, options: list[int]) -> None:
    chosen = Draw(seed, "C3").choose("size", options)
    assert chosen in options
    assert Draw(seed, "C3").choose("size", options) == chosen


def test_every_option_is_chosen_by_some_seed() -> None:
    assert {Draw(seed, "C3").choose("size", "abcd") for seed in range(60)} == set("abcd")


@given(seeds, st.integers(-5, 5), st.integers(1, 9))
def test_integers_lie_from_low_to_high_without_high(seed: int, low: int, width: int) -> None:
    numbers = Draw(seed, "C1").integers("n", low, low + width, 50)
    assert numbers.min() >= low
    assert numbers.max() < low + width


def test_pictures_are_passed_through() -> None:
    assert Draw(1, "C2", [b"one", b"two"]).pictures == (b"one", b"two")


def test_an_order_holds_every_number_once_and_follows_from_the_seed() -> None:
    orders = {seed: Draw(seed, "C1").order("levels", 6) for seed in range(20)}
    assert all(sorted(order) == list(range(6)) for order in orders.values())
    assert orders[3] == Draw(3, "C1").order("levels", 6)
    assert len({tuple(order) for order in orders.values()}) > 10
