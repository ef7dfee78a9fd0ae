"""Handout B, C1 and C2: the residual block and the network of such blocks; what C5 shares with them.

LeakyReLU "in its default setting" has one slope as a layer and another as a function. So the reference is measured at
several slopes, and a judge compares with those that fit best: which they are is the business of one criterion alone.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders import checks
from graders.assignments import Experiments, Seen
from graders.model import Experiment, Outcome
from graders.probes import binding

Slopes = Mapping[str, Sequence[float]]
DEFAULTS = (0.3, 0.2)  # of the layer in Keras; of its functions and of TensorFlow's
OTHERS = (0.0, 0.01, 0.1)
# The slopes of a block's two activations; of a network's last activation and then of its blocks', in turn.
PAIRS: Slopes = {f"{one} {two}": (one, two) for one, two in itertools.product(DEFAULTS, repeat=2)}
BLOCK: Slopes = {**PAIRS, **{f"{slope} {slope}": (slope, slope) for slope in OTHERS}}
NETWORK: Slopes = {f"{last} {pair}": (last, *tuple(PAIRS[pair]) * 6) for last in DEFAULTS for pair in PAIRS}

# In channels, out channels and downsampling of the blocks that are measured.
SAME, WIDER, DOWN, SAME_DOWN = "same", "wider", "down", "same down"
CASES = (SAME, WIDER, DOWN)  # of which each item sees the values
_SIDE = 32  # the images that a model may be built for


def _cases(draw: Any) -> dict[str, tuple[int, int, bool]]:
    narrow, wide = draw.choose("channels", [(3, 5), (2, 5), (3, 4), (4, 5)])
    return {
        SAME: (narrow, narrow, False),
        WIDER: (narrow, wide, False),
        DOWN: (narrow, wide, True),
        SAME_DOWN: (wide, wide, True),
    }


class Blocks:
    """Blocks of one item, each built once, and an image batch for each."""

    def __init__(self, student: Any, draw: Any, item: str) -> None:
        self.student, self.item, self.cases = student, item, _cases(draw)
        height, width = draw.choose("image", [(7, 10), (6, 9), (8, 7), (9, 6)])
        self.images = {case: draw.normal(f"x {case}", 2, height, width, sizes[0]) for case, sizes in self.cases.items()}

    def build(self, case: str) -> Any:
        """Return a new block; the default is not to downsample."""
        narrow, wide, down = self.cases[case]
        more = {"downsampling": True} if down else {}
        fallback = {"downsampling": False, "rate": 0.3}
        return self.student.build(self.item, fallback, in_channels=narrow, out_channels=wide, **more)


def best(mine: Seen, theirs: Seen, slopes: Slopes, cases: Sequence[str], tolerance: float) -> tuple[str, int]:
    """Return the slopes at which most cases agree with the reference, and how many do; the default ones go first."""

    def agreeing(choice: str) -> int:
        return sum(close_at("", mine, theirs, case, choice, tolerance).passed for case in cases)

    best = max(slopes, key=agreeing)
    return best, agreeing(best)


def close_at(
    name: str, mine: Seen, theirs: Seen, case: str, choice: str, tolerance: float = checks.TOLERANCE
) -> Outcome:
    """Check the outputs of a case against the reference's at some slopes."""
    wanted = Experiment(arrays={"outputs": theirs[f"{case} at slopes"].arrays[choice]})
    return checks.close(name, mine[f"{case} at slopes"], wanted, tolerance=tolerance)


def _same_in_training(name: str, mine: Experiment) -> Outcome:
    """Check that an object's outputs in training are its own outside of it: nothing random or averaged is asked for."""
    expected = "the same outputs in training: no normalisation and no dropout is asked for"
    if failed := checks.absent(name, mine, expected, "outputs", "outputs in training"):
        return failed
    own = Experiment(arrays={"outputs in training": mine.arrays["outputs"]})
    one = checks.close(name, mine, own, "outputs in training")
    return checks.outcome(name, one.passed, expected, one.actual)


# C1 -------------------------------------------------------------------------------------------------------------------


class ResBlock:
    """Two 3x3 convolutions, each after a LeakyReLU, plus the skip connection, if asked at half size (Section 5.2.1)."""

    arguments = ("in_channels", "out_channels", "downsampling")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure four small blocks, at several slopes, with an unknown batch size and with all weights zero."""
        blocks = Blocks(student, draw, "C1")
        images = blocks.images
        block = functools.cache(blocks.build)  # every measurement sets the weights anew

        def measured(case: str) -> Any:
            return lab.measure(block(case), images[case], draw)

        def at_slopes(case: str) -> Any:
            return lab.at_slopes(block(case), images[case], draw.seed, BLOCK)

        def gradients(choice: str) -> Any:
            with lab.sloped(block(WIDER), BLOCK[choice]):
                return lab.measure(block(WIDER), images[WIDER], draw)

        return {
            **{case: functools.partial(measured, case) for case in images},
            **{f"{case} at slopes": functools.partial(at_slopes, case) for case in CASES},
            **{f"gradients {choice}": functools.partial(gradients, choice) for choice in BLOCK},
            "traced": lambda: lab.traced(block(DOWN), images[DOWN], draw.seed),
            "zero": lambda: lab.zeroed(block(SAME), images[SAME]),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference at the slopes that fit best; one outcome per criterion."""
        choice, agreeing = best(mine, theirs, BLOCK, CASES, checks.TOLERANCE)
        yield checks.all_of(
            "shape",
            *(checks.shape("shape", mine[case], theirs[case]) for case in CASES),
            checks.any_batch("shape", mine["traced"], theirs["traced"]),
        )
        yield checks.parameters("parameters", *((mine[case], theirs[case]) for case in (WIDER, DOWN)))
        yield checks.all_of(
            "values",
            *(close_at("values", mine, theirs, case, choice) for case in (SAME, WIDER)),
            *(_same_in_training("values", mine[case]) for case in CASES),
        )
        yield _default_slope(choice if agreeing else "")
        yield checks.gradients("gradients", mine[WIDER], theirs[f"gradients {choice}"])
        yield checks.all_of(
            "skip",
            checks.close("skip", mine["zero"], theirs["zero"]),
            checks.parameters("skip", *((mine[case], theirs[case]) for case in (SAME, SAME_DOWN))),
        )
        yield checks.all_of(
            "downsampling",
            close_at("downsampling", mine, theirs, DOWN, choice),
            checks.shape("downsampling", mine[SAME_DOWN], theirs[SAME_DOWN]),
        )


def _default_slope(choice: str) -> Outcome:
    expected = "LeakyReLU in its default setting"
    found = f"outputs as with the slopes {' and '.join(choice.split())}" if choice else "outputs as with none"
    return checks.outcome("activation", choice in PAIRS, expected, found)


# C2 -------------------------------------------------------------------------------------------------------------------


class WideResNet:
    """Table 1: a convolution, six blocks, LeakyReLU, global average pooling, dense logits (Section 5.2)."""

    arguments = ("num_classes",)

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure the network on one image, at several slopes, then on a smaller image and with other classes."""
        x = draw.normal("x", 1, _SIDE, _SIDE, 3)
        few = draw.choose("classes", [4, 5, 6, 7])

        def build(classes: int) -> Any:
            made = student.definition("C2")
            return made if lab.is_layer(made) else student.build("C2", None, {"num_classes": classes})

        network = functools.cache(build)

        return {
            "main": lambda: lab.sketched(lab.measure(network(10), x, draw), draw.seed),
            "main at slopes": lambda: lab.at_slopes(network(10), x, draw.seed, NETWORK),
            "smaller": lambda: lab.outputs(network(10), draw.normal("smaller", 2, 16, 24, 3), draw.seed),
            "classes": lambda: {
                "outputs": lab.called(build(few), x, training=False),
                "takes": not lab.is_layer(student.definition("C2"))
                and binding.takes(student.definition("C2"), "num_classes"),
            },
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference at the slopes that fit best; one outcome per criterion."""
        choice, _ = best(mine, theirs, NETWORK, ("main",), checks.TOLERANCE)
        yield checks.all_of(
            "shape", checks.shape("shape", mine["main"], theirs["main"]), _classes(mine["classes"], theirs["classes"])
        )
        yield checks.parameters("parameters", (mine["main"], theirs["main"]))
        yield checks.all_of(
            "values", close_at("values", mine, theirs, "main", choice), _same_in_training("values", mine["main"])
        )
        yield _logits(mine["main"])
        yield _pools(mine, theirs)
        yield _flows(mine["main"], theirs["main"])


def _classes(mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the length of the output for another number of classes, where the model takes one."""
    if not mine.failure and mine.values["takes"] is False:
        return checks.outcome("shape", True, "as expected", "as expected")
    return checks.shape("shape", mine, theirs)


def _logits(mine: Experiment) -> Outcome:
    """Check that an output is no distribution: logits have both signs and any sum, and so have their exponentials."""
    expected = "logits, which are any numbers"
    if failed := checks.absent("logits", mine, expected, "outputs"):
        return failed
    found = mine.arrays["outputs"].astype(np.float64)
    if not checks.finite(found):
        return checks.outcome("logits", False, expected, "values that are not finite")
    probabilities = bool(np.all((found >= 0) & (found <= 1)))
    logarithms = bool(np.all(found <= 0)) and np.allclose(np.exp(found).sum(axis=-1), 1, atol=1e-3)
    actual = "probabilities" if probabilities else "logarithms of probabilities" if logarithms else "as expected"
    return checks.outcome("logits", not (probabilities or logarithms), expected, actual)


def _pools(mine: Seen, theirs: Seen) -> Outcome:
    """Check that the weights do for images of another size, or, in a model made for one size, that they could."""
    expected = "one number of each channel goes into the dense layer, whatever the size of the image"
    if mine["smaller"].failure:
        same = checks.parameters("size", (mine["main"], theirs["main"]))
        return checks.outcome("size", same.passed, expected, same.actual if same.passed else mine["smaller"].failure)
    return checks.shape("size", mine["smaller"], theirs["smaller"])


def _flows(mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that the input and all weights get a gradient.

    A network is a chain: what cuts it cuts all before it. Within a block the gradients are the business of C1.
    """
    expected = "a gradient for the input and for every weight"
    keys = [key for key in theirs.arrays if key.startswith("gradient of ")]
    if failed := checks.absent("gradients", mine, expected, *keys):
        return failed
    dead = [key for key in keys if not checks.finite(mine.arrays[key]) or not np.any(mine.arrays[key])]
    passed = bool(keys) and not dead and mine.values["unreached"] == 0
    return checks.outcome("gradients", passed, expected, "as expected" if passed else "none for some of them")
