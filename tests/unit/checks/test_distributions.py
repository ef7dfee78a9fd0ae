from __future__ import annotations

import numpy as np
import pytest

from graders import checks
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
