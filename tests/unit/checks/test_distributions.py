from __future__ import annotations

import numpy as np
import pytest

from graders import checks
from graders.checks import distributions
from graders.model import Experiment
from tests.unit.evidence import EMPTY, FAILED, NOT_NUMBERS

STD = 0.05
MANY = 12_288  # the kernel of the layers that C3 and C4 are measured with


def drawn(*arrays: np.ndarray) -> Experiment:
    return Experiment(arrays={f"kernels {number}": array for number, array in enumerate(arrays)})


def normal(seed: int, std: float = STD, mean: float = 0.0, size: int = MANY) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, std, size).astype(np.float32)


def truncated(seed: int, std: float = STD, at: float = 2.0) -> np.ndarray:
    """As TensorFlow's TruncatedNormal: what lies outside two deviations is drawn anew."""
    values = normal(seed, 1.0, size=2 * MANY)
    return values[np.abs(values) < at][:MANY] * std


def of_deviation(values: np.ndarray) -> np.ndarray:
    """Moved and stretched to the right mean and standard deviation: only the shape is left to tell by."""
    return (values - values.mean()) / values.std() * STD


def right(*arrays: np.ndarray, std: float = STD) -> bool:
    return checks.normal("initializer", drawn(*arrays), 0.0, std).passed


@pytest.mark.parametrize("seed", range(48))
def test_each_single_draw_from_the_right_distribution_is_accepted(seed: int) -> None:
    assert right(normal(seed))


@pytest.mark.parametrize("size", [1000, 6144, 50_000])
def test_the_size_of_the_kernel_does_not_matter(size: int) -> None:
    assert all(right(normal(seed, size=size)) for seed in range(5))


WRONG = {
    "another deviation": lambda seed: normal(seed, 0.06),
    "a deviation that is near": lambda seed: normal(seed, 0.0475),
    "another mean": lambda seed: normal(seed, mean=0.01),
    "uniform": lambda seed: np.random.default_rng(seed).uniform(-0.05, 0.05, MANY),
    "uniform of the right deviation": lambda seed: of_deviation(np.random.default_rng(seed).uniform(-1, 1, MANY)),
    "truncated": truncated,
    "truncated at one and a half, of the right deviation": lambda seed: of_deviation(truncated(seed, at=1.5)),
    "two values": lambda seed: np.random.default_rng(seed).choice([-STD, STD], MANY),
    "constant": lambda seed: np.full(MANY, 0.05),
    "zero": lambda seed: np.zeros(MANY),
    "too few": lambda seed: normal(seed, size=999),
    "with a NaN": lambda seed: np.append(normal(seed), np.nan),
    "with an infinity": lambda seed: np.append(normal(seed), np.inf),
}


@pytest.mark.parametrize("kind", WRONG)
def test_two_draws_from_another_distribution_are_refused(kind: str) -> None:
    assert not any(right(WRONG[kind](seed), WRONG[kind](seed + 100)) for seed in range(5))


def test_one_draw_out_of_two_may_fail() -> None:
    assert right(normal(1, 0.06), normal(2))
    assert right(normal(1), normal(2, 0.06))


def test_an_array_of_any_shape_will_do() -> None:
    assert right(normal(0).reshape(2, 3, 32, 64))


@pytest.mark.parametrize("array", [*NOT_NUMBERS, *EMPTY])
def test_no_numbers_are_refused_even_beside_a_right_draw(array: np.ndarray) -> None:
    assert not right(normal(0), array)


@pytest.mark.parametrize(
    "experiment", [FAILED, Experiment(), Experiment(arrays={"k": normal(0)}, failure=FAILED.failure)]
)
def test_no_draws_and_failed_draws_are_refused(experiment: Experiment) -> None:
    assert not checks.normal("initializer", experiment, 0.0, STD).passed


def test_the_words_name_what_was_found_but_not_the_deviation_that_is_wanted() -> None:
    found = checks.normal("initializer", drawn(of_deviation(normal(0)) * 1.6), 0.0, STD)
    assert found.actual == "standard deviation 0.0800"
    assert "0.05" not in found.expected


# Findings ------------------------------------------------------------------------------------------------------------


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(8))
def test_even_numbers_are_even(seed: int) -> None:
    assert distributions.uniform(draws(seed).random(2000), 0, 1) == ""
    assert distributions.even(draws(seed).integers(0, 7, 300), 7) == ""
    assert distributions.binomial(draws(seed).binomial(32, 0.3, 40), 32, 0.3) == ""
    assert distributions.binomial(draws(seed).binomial(32, 0.05, 40), 32, 0.05) == ""
    assert distributions.unrelated(draws(seed).normal(size=(6, 500))) == ""


@pytest.mark.parametrize(
    "values",
    [
        draws(0).random(999),
        draws(0).random(2000) * 1.1,
        draws(0).random(2000) * 0.9,
        draws(0).random(2000) ** 2,
        draws(0).normal(0.5, 0.1, 2000),
        np.append(draws(0).random(2000), np.nan),
        np.full(2000, 0.5),
    ],
)
def test_values_that_are_not_spread_evenly(values: np.ndarray) -> None:
    assert distributions.uniform(values, 0, 1) != ""


@pytest.mark.parametrize(
    "labels",
    [
        draws(0).integers(0, 8, 400),
        draws(0).integers(1, 8, 400),
        draws(0).integers(0, 6, 400),
        draws(0).integers(0, 7, 30),
        draws(0).random(400) * 6,
        np.full(400, 3),
        np.full(400, np.nan),
    ],
)
def test_labels_that_are_not_spread_evenly(labels: np.ndarray) -> None:
    assert distributions.even(labels, 7) != ""


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (draws(0).binomial(32, 0.7, 40), "%"),
        (draws(0).binomial(32, 0.5, 40), "%"),
        (np.full(40, 10), "hardly varies"),
        (np.where(draws(0).random(40) < 0.3, 32, 0), "varies too much"),
    ],
)
def test_numbers_that_are_not_binomial(counts: np.ndarray, words: str) -> None:
    assert words in distributions.binomial(counts, 32, 0.3)


def test_rows_that_have_to_do_with_each_other() -> None:
    rows = draws(0).normal(size=(4, 500))
    assert distributions.unrelated(np.vstack([rows, rows[1:2]])) != ""
    assert distributions.unrelated(np.vstack([rows, -0.5 * rows[1:2] + 0.5 * rows[2:3]])) != ""
    assert distributions.unrelated(np.vstack([rows, np.ones((1, 500))])) != ""
    assert distributions.unrelated(np.vstack([rows, np.full((1, 500), np.inf)])) != ""


def test_an_outcome_needs_one_good_draw() -> None:
    assert distributions.drawn("noise", "noise", ["none", ""]).passed
    assert not distributions.drawn("noise", "noise", ["none", "none"]).passed
    assert not distributions.drawn("noise", "noise", []).passed
