"""The judge of C9 on loops made in NumPy: what is drawn from which probability."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graders.assignments import pixelcnn_generation as generation
from graders.assignments.pixelcnn_calls import Call, Images, Run
from graders.probes.recorder_frames import PIXELS, Frames, StandIn

Rule = Callable[[np.ndarray, np.random.Generator, int], np.ndarray]
NOBODY = Images(Run({}), Run({}))


def judged(rule: Rule, seed: int, images: int = 10) -> set[str]:
    """Return the criteria that a loop loses whose pixels a rule draws from their probabilities (n,)."""
    random, frames = np.random.default_rng(seed), Frames(StandIn(seed))
    pixels = np.zeros((images, PIXELS), np.float32)
    for pixel in range(PIXELS):
        _, answer = frames.see(pixels)
        p = np.full(pixels.shape, 0.5, np.float32) if answer is None else answer
        frames.note(p)
        pixels[:, pixel] = rule(p[:, pixel], random, pixel)
    runs, arrays = frames.close()
    call = Call(0, 1, "direct", {"runs": runs}, arrays)
    return {one.name for one in generation.outcomes(call, True, NOBODY) if not one.passed}


FAIR: dict[str, Rule] = {
    "uniform": lambda p, random, _: random.random(p.size) < p,
    "ceiling": lambda p, random, _: np.ceil(p - random.random(p.size)),
    "centred": lambda p, random, _: p + random.uniform(-0.5, 0.5, p.size) > 0.5,
    "one-sided": lambda p, random, _: p + random.random(p.size) > 0.5,
    "slight": lambda p, random, _: p + random.uniform(-0.1, 0.1, p.size) > 0.5,
    "binomial": lambda p, random, _: random.binomial(1, p),
}


@pytest.mark.parametrize("name", FAIR)
def test_a_fair_draw_loses_nothing_ten_times(name: str) -> None:
    assert [judged(FAIR[name], seed) for seed in range(10)] == [set()] * 10


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        (lambda p, random, _: p > 0.5, {"noise"}),
        (lambda p, random, _: random.random() < p, {"noise"}),
        (lambda p, random, _: np.random.default_rng(0).random(p.size) < p, {"noise"}),
        (lambda p, random, pixel: np.random.default_rng(pixel // 32).random(p.size) < p, {"noise"}),
        (lambda p, random, pixel: np.random.default_rng(pixel % 32).random(p.size) < p, {"noise"}),
        (lambda p, random, _: random.random(p.size) < 0.5, {"probability"}),
        (lambda p, random, _: random.random(p.size) > p, {"probability"}),
    ],
)
def test_an_unfair_draw_loses_its_criterion_ten_times(rule: Rule, lost: set[str]) -> None:
    assert [judged(rule, seed) for seed in range(10)] == [lost] * 10


def test_too_few_images_and_pixels_between_0_and_1_are_told() -> None:
    assert judged(FAIR["uniform"], 1, images=9) == {"count"}
    assert "binary" in judged(lambda p, random, _: p, 1)


def test_without_a_loop_every_criterion_is_lost() -> None:
    assert not any(one.passed for one in generation.none("no such loop"))
