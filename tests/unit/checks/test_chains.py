from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graders.checks import bent, pointwise, rectified

RNG = np.random.default_rng(1)
X = RNG.normal(0, 2, (4, 100))
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda x: x,
    "a shift and a scale": lambda x: 3 - 2 * x,
    "ReLU": lambda x: np.maximum(0, x),
    "leaky ReLU": lambda x: np.where(x > 0, x, 0.2 * x),
    "ELU": lambda x: np.where(x > 0, x, np.expm1(x)),
    "SiLU": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "tanh in a narrow range": lambda x: np.tanh(x / 100),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "cut off": lambda x: np.clip(x, -1, 1),
}
STRAIGHT = ("nothing", "a shift and a scale")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_known_as_one_in_whatever_order(name: str) -> None:
    assert pointwise(X, FUNCTIONS[name](X))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.endswith("range")])
def test_all_but_straight_lines_are_bent(name: str) -> None:
    assert bent(X, FUNCTIONS[name](X)) is (name not in STRAIGHT)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_relu_is_rectified(name: str) -> None:
    assert rectified(X, FUNCTIONS[name](X)) is (name == "ReLU")


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("points", [200, 400])
def test_what_comes_from_elsewhere_as_well_is_no_function(share: float, points: int) -> None:
    x = RNG.normal(size=(4, points))
    assert not pointwise(x, np.maximum(0, x + share * RNG.normal(size=x.shape)))


def test_other_pixels_are_no_function() -> None:
    assert not pointwise(X, X[:, ::-1])
    assert not pointwise(X, (X + np.roll(X, 1, axis=1)) / 2)


@pytest.mark.parametrize("check", [pointwise, bent, rectified])
@pytest.mark.parametrize(
    "pair",
    [
        (X, X[:, :50]),
        (X[0], X[0]),
        (X[:, :3], X[:, :3]),
        (np.zeros((0, 100)), np.zeros((0, 100))),
        (X, np.full_like(X, np.nan)),
        (np.full_like(X, np.inf), X),
        (np.zeros((1,) * 60), np.zeros((1,) * 60)),
    ],
)
def test_what_cannot_be_compared_passes_nothing(check: Callable[..., bool], pair: tuple[Any, Any]) -> None:
    assert check(*pair) is False


@given(hnp.arrays(np.float64, (2, 10), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_any_numbers_are_judged(x: Any) -> None:
    for check in (pointwise, bent, rectified):
        assert check(x, np.sqrt(np.abs(x))) in (True, False)
