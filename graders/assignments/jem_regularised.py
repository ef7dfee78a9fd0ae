"""Handout B, C5: the residual block with a regularisation, whichever it is and wherever it stands."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments.jem_blocks import BLOCK, CASES, SAME, WIDER, Blocks, best, close_at
from graders.model import Experiment, Outcome

NEARLY = 0.02  # what is left of a batch normalisation that does nothing is below that, what is wrong far above


class RegularisedBlock:
    """The block of C1 with a regularisation that acts in training, not outside of it (Section 5.5)."""

    arguments = ("in_channels", "out_channels", "downsampling", "rate")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a block in training and outside of it, and three blocks with any normalisation switched off."""
        blocks = Blocks(student, draw, "C5")
        images = blocks.images
        block = functools.cache(blocks.build)

        def neutral(case: str) -> Any:
            found = lab.at_slopes(block(case), images[case], draw.seed, BLOCK, neutral=True)
            return {**found, **lab.count(block(case))}

        return {
            **{f"{case} at slopes": functools.partial(neutral, case) for case in CASES},
            "regularised": lambda: lab.regularised(block(WIDER), images[WIDER], draw.seed),
            "zero": lambda: lab.zeroed(block(SAME), images[SAME], training=True),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare the block with the reference's, and its outputs in training with those outside of it."""
        choice, _ = best(mine, theirs, BLOCK, CASES, NEARLY)
        at_slopes = [(mine[f"{case} at slopes"], theirs[f"{case} at slopes"]) for case in CASES]
        yield checks.all_of("shape", *(checks.shape("shape", *pair) for pair in at_slopes))
        yield checks.all_of("block", *(close_at("block", mine, theirs, case, choice, NEARLY) for case in CASES))
        yield _acts(mine["regularised"])
        yield _settled(mine["regularised"])
        yield checks.close("skip", mine["zero"], theirs["zero"])


def _acts(mine: Experiment) -> Outcome:
    """Check that training differs: at random, with the batch, or by a loss that grows with the weights."""
    expected = "outputs in training that are random or depend on the batch, or a loss of the block's own"
    if failed := checks.absent("regularised", mine, expected, "trained", "trained again", "trained alone"):
        return failed
    batch, again, alone = (mine.arrays[name] for name in ("trained", "trained again", "trained alone"))
    if not all(checks.finite(one) for one in (batch, again, alone)):
        return checks.outcome("regularised", False, expected, "values that are not finite")
    random, depends = _differ(batch, again), _differ(batch[:1], alone)
    losses = mine.values["losses"]
    adds = len(losses) == 2 and all(np.isfinite(losses)) and losses[0] > losses[1]
    actual = "as expected" if random or depends or adds else "the same outputs at every call, and no loss"
    return checks.outcome("regularised", random or depends or adds, expected, actual)


def _settled(mine: Experiment) -> Outcome:
    """Check that an image has one output outside of training."""
    expected = "one output for an image outside of training"
    if failed := checks.absent("evaluation", mine, expected, "evaluated", "evaluated again", "evaluated alone"):
        return failed
    batch, again, alone = (mine.arrays[name] for name in ("evaluated", "evaluated again", "evaluated alone"))
    if not all(checks.finite(one) for one in (batch, again, alone)):
        return checks.outcome("evaluation", False, expected, "values that are not finite")
    random, depends = _differ(batch, again), _differ(batch[:1], alone)
    actual = "another one at every call" if random else "one that depends on the batch" if depends else "as expected"
    return checks.outcome("evaluation", not random and not depends, expected, actual)


def _differ(one: NDArray[Any], two: NDArray[Any]) -> bool:
    """Return whether two arrays of finite values differ by more than rounding, or in shape."""
    return one.shape != two.shape or checks.difference(one, two) > checks.TOLERANCE
