"""Handout B, C1, C2 and C5: the residual block, the network of such blocks, and the block with a regularisation.

LeakyReLU "in its default setting" has one slope as a layer and another as a function. So the reference is measured at
several slopes, and a judge compares with those that fit best: which they are is the business of one criterion alone.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
_SAME, _WIDER, _DOWN, _SAME_DOWN = "same", "wider", "down", "same down"
_CASES = (_SAME, _WIDER, _DOWN)  # of which each item sees the values
_NEARLY = 0.01  # what is left of a batch normalisation that does nothing is below that, what is wrong far above
_SIDE = 32  # the images that a model may be built for


def _cases(draw: Any) -> dict[str, tuple[int, int, bool]]:
    narrow, wide = draw.choose("channels", [(3, 5), (2, 5), (3, 4), (4, 5)])
    return {
        _SAME: (narrow, narrow, False),
        _WIDER: (narrow, wide, False),
        _DOWN: (narrow, wide, True),
        _SAME_DOWN: (wide, wide, True),
    }


class _Blocks:
    """Blocks of one item, each built once, and an image batch for each."""

    def __init__(self, student: Any, draw: Any, item: str) -> None:
        self.student, self.item, self.cases = student, item, _cases(draw)
        height, width = draw.choose("image", [(7, 10), (6, 9), (8, 7), (9, 6)])
        self.images = {case: draw.normal(f"x {case}", 2, height, width, sizes[0]) for case, sizes in self.cases.items()}

    def build(self, case: str) -> Any:
        """Return a new block; the default is not to downsample."""
        narrow, wide, down = self.cases[case]
        more = {"downsampling": True} if down else {}
        return self.student.build(self.item, {"downsampling": False}, in_channels=narrow, out_channels=wide, **more)


def _best(mine: Seen, theirs: Seen, slopes: Slopes, cases: Sequence[str], tolerance: float) -> tuple[str, int]:
    """Return the slopes at which most cases agree with the reference, and how many do; the default ones go first."""

    def agreeing(choice: str) -> int:
        return sum(_close("", mine, theirs, case, choice, tolerance).passed for case in cases)

    best = max(slopes, key=agreeing)
    return best, agreeing(best)


def _close(name: str, mine: Seen, theirs: Seen, case: str, choice: str, tolerance: float = checks.TOLERANCE) -> Outcome:
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
        blocks = _Blocks(student, draw, "C1")
        images = blocks.images
        block = functools.cache(blocks.build)  # every measurement sets the weights anew

        def measured(case: str) -> Any:
            return lab.measure(block(case), images[case], draw)

        def at_slopes(case: str) -> Any:
            return lab.at_slopes(block(case), images[case], draw.seed, BLOCK)

        def gradients(choice: str) -> Any:
            with lab.sloped(block(_WIDER), BLOCK[choice]):
                return lab.measure(block(_WIDER), images[_WIDER], draw)

        return {
            **{case: functools.partial(measured, case) for case in images},
            **{f"{case} at slopes": functools.partial(at_slopes, case) for case in _CASES},
            **{f"gradients {choice}": functools.partial(gradients, choice) for choice in BLOCK},
            "traced": lambda: lab.traced(block(_DOWN), images[_DOWN], draw.seed),
            "zero": lambda: lab.zeroed(block(_SAME), images[_SAME]),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference at the slopes that fit best; one outcome per criterion."""
        choice, agreeing = _best(mine, theirs, BLOCK, _CASES, checks.TOLERANCE)
        yield checks.all_of(
            "shape",
            *(checks.shape("shape", mine[case], theirs[case]) for case in _CASES),
            checks.any_batch("shape", mine["traced"], theirs["traced"]),
        )
        yield checks.parameters("parameters", *((mine[case], theirs[case]) for case in (_WIDER, _DOWN)))
        yield checks.all_of(
            "values",
            *(_close("values", mine, theirs, case, choice) for case in (_SAME, _WIDER)),
            *(_same_in_training("values", mine[case]) for case in _CASES),
        )
        yield _default_slope(choice if agreeing else "")
        yield checks.gradients("gradients", mine[_WIDER], theirs[f"gradients {choice}"])
        yield checks.all_of(
            "skip",
            checks.close("skip", mine["zero"], theirs["zero"]),
            checks.parameters("skip", *((mine[case], theirs[case]) for case in (_SAME, _SAME_DOWN))),
        )
        yield checks.all_of(
            "downsampling",
            _close("downsampling", mine, theirs, _DOWN, choice),
            checks.shape("downsampling", mine[_SAME_DOWN], theirs[_SAME_DOWN]),
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

        def gradients(choice: str) -> Any:
            with lab.sloped(network(10), NETWORK[choice]):
                return lab.sketched(lab.measure(network(10), x, draw), draw.seed)

        return {
            "main": lambda: lab.sketched(lab.measure(network(10), x, draw), draw.seed),
            "main at slopes": lambda: lab.at_slopes(network(10), x, draw.seed, NETWORK),
            **{f"gradients {choice}": functools.partial(gradients, choice) for choice in _UNIFORM},
            "smaller": lambda: lab.outputs(network(10), draw.normal("smaller", 2, 16, 24, 3), draw.seed),
            "classes": lambda: {
                **lab.outputs(build(few), x, draw.seed),
                "takes": "num_classes" in binding.names_for(student.parameters("C2"), self.arguments),
            },
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference at the slopes that fit best; one outcome per criterion."""
        choice, _ = _best(mine, theirs, NETWORK, ("main",), checks.TOLERANCE)
        yield checks.all_of(
            "shape", checks.shape("shape", mine["main"], theirs["main"]), _classes(mine["classes"], theirs["classes"])
        )
        yield checks.parameters("parameters", (mine["main"], theirs["main"]))
        yield checks.all_of(
            "values", _close("values", mine, theirs, "main", choice), _same_in_training("values", mine["main"])
        )
        yield _logits(mine["main"])
        yield _pools(mine, theirs)
        yield _flows(mine["main"], theirs, choice)


_UNIFORM = [choice for choice in NETWORK if choice.split()[1] == choice.split()[2]]


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


def _flows(mine: Experiment, theirs: Seen, choice: str) -> Outcome:
    """Check the gradients against those at the same slopes; where blocks mix slopes, that all weights get one.

    To measure the reference at every combination of slopes would take longer than all else.
    """
    uniform = choice in _UNIFORM
    wanted = theirs[f"gradients {choice if uniform else _UNIFORM[0]}"]
    if uniform:
        return checks.gradients("gradients", mine, wanted)
    expected = "a gradient for the input and for every weight"
    keys = [key for key in wanted.arrays if key.startswith("gradient of ")]
    if failed := checks.absent("gradients", mine, expected, *keys):
        return failed
    dead = [key for key in keys if not checks.finite(mine.arrays[key]) or not np.any(mine.arrays[key])]
    passed = bool(keys) and not dead and mine.values["unreached"] == 0
    return checks.outcome("gradients", passed, expected, "as expected" if passed else f"{', '.join(dead)}: none")


# C5 -------------------------------------------------------------------------------------------------------------------


class RegularisedBlock:
    """The block of C1 with a regularisation that acts in training, not outside of it (Section 5.5)."""

    arguments = ("in_channels", "out_channels", "downsampling")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a block in training and outside of it, and three blocks with any normalisation switched off."""
        blocks = _Blocks(student, draw, "C5")
        images = blocks.images
        block = functools.cache(blocks.build)

        def neutral(case: str) -> Any:
            found = lab.at_slopes(block(case), images[case], draw.seed, BLOCK, neutral=True)
            return {**found, **lab.count(block(case))}

        return {
            **{f"{case} at slopes": functools.partial(neutral, case) for case in _CASES},
            "regularised": lambda: lab.regularised(block(_WIDER), images[_WIDER], draw.seed),
            "zero": lambda: lab.zeroed(block(_SAME), images[_SAME], training=True),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare the block with the reference's, and its outputs in training with those outside of it."""
        choice, _ = _best(mine, theirs, BLOCK, _CASES, _NEARLY)
        at_slopes = [(mine[f"{case} at slopes"], theirs[f"{case} at slopes"]) for case in _CASES]
        yield checks.all_of("shape", *(checks.shape("shape", *pair) for pair in at_slopes))
        yield checks.all_of("block", *(_close("block", mine, theirs, case, choice, _NEARLY) for case in _CASES))
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
