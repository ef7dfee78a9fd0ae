"""Handout A, PixelCNN: what each coding item is tested by. The docstring of a grader is what the item checks, in words.

A probe contains no expected value; a judge sees evidence only. Sizes are small, differ from each other and are drawn
from the seed, so that code fitted to one set of sizes gains nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from graders import checks
from graders.assignments import Experiments, Registry, Seen
from graders.assignments import pixelcnn_data as data
from graders.assignments import pixelcnn_record as record
from graders.assignments import pixelcnn_run as run
from graders.assignments import pixelcnn_training as training
from graders.model import Outcome

GRADERS = Registry(
    "tensorflow",
    preload=("tensorflow.python.ops.numpy_ops.np_config", "matplotlib.pyplot"),
    least_loss=record.LEAST_LOSS,
)
STD = 0.05  # Section 4.2.3.2

GRADERS.item("C1")(data.Lengths)
GRADERS.item("C2")(data.Batches)
GRADERS.item("P9")(record.GeneratedImages)
GRADERS.item("P11")(record.TrainingLog)
GRADERS.item("claim")(record.Claim)
GRADERS.item("C8")(run.LoadWeights)
GRADERS.item("C9")(run.Generate)
GRADERS.item("C10")(run.TestLoss)
GRADERS.item("C11")(training.Train)
GRADERS.item("C12")(training.StudyModel)
GRADERS.item("C13")(training.StudyLoss)


# Applied twice they give something else than once, and neither is what a student falls back on.
_ACTIVATIONS = ("tanh", "softplus")


def _activations(lab: Any, outputs: Callable[[Any], Any]) -> Experiments:
    """Return the experiments with each activation, as text and as a function."""
    return {
        **{f"activation text {name}": functools.partial(outputs, name) for name in _ACTIVATIONS},
        **{f"activation function {name}": functools.partial(outputs, lab.function(name)) for name in _ACTIVATIONS},
    }


def _same_activations(mine: Seen, theirs: Seen) -> Outcome:
    """Check that all activations work in one of the two ways to name them."""

    def all_in(way: str) -> Outcome:
        keys = [f"activation {way} {name}" for name in _ACTIVATIONS]
        return checks.all_of("activation", *(checks.close("activation", mine[key], theirs[key]) for key in keys))

    return checks.any_of("activation", all_in("text"), all_in("function"))


class _MovedConvolution:
    """What C3 and C4 share: Table 2's arguments and everything but the side that is padded."""

    arguments: tuple[str, ...] = ("num_filters", "filter_size", "strides", "padding", "activation")
    item = ""
    sizes: tuple[tuple[int, int], tuple[int, int]]  # two filters that are not square
    own_size: tuple[int, int]  # the one that the model uses

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure two small layers, then one argument at a time."""
        filters, channels = draw.choose("channels", [(5, 3), (4, 3), (5, 2), (3, 2)])
        height, width = draw.choose("image", [(7, 9), (8, 6), (6, 9)])
        x = draw.normal("x", 2, height, width, channels)

        def layer(number: int = filters, **arguments: Any) -> Any:
            given = {"num_filters": number, **arguments}
            return student.build(self.item, {"padding": "valid"}, {"strides": [1, 1], "activation": None}, **given)

        def outputs(**arguments: Any) -> Any:
            return lab.outputs(layer(**arguments), x, draw.seed)

        def bare(**arguments: Any) -> Any:
            return student.build(self.item, num_filters=filters, **arguments)

        first, second = (list(size) for size in self.sizes)
        shape = (height, width, channels)
        return {
            "first": lambda: lab.measure(layer(filter_size=first), x, draw),
            "second": lambda: lab.measure(layer(filter_size=second), x, draw),
            "own size": lambda: outputs(filter_size=list(self.own_size)),
            "traced": lambda: lab.traced(layer(filter_size=first), x, draw.seed),
            "first support": lambda: lab.support(layer(filter_size=first), shape, draw),
            "second support": lambda: lab.support(layer(filter_size=second), shape, draw),
            "strides down": lambda: outputs(filter_size=first, strides=[2, 1]),
            "strides right": lambda: outputs(filter_size=first, strides=[1, 2]),
            "strides integer": lambda: outputs(filter_size=first, strides=2),
            "integer size": lambda: outputs(filter_size=3),
            "larger integer size": lambda: outputs(filter_size=5),
            "default size": lambda: lab.default_filter(bare(), x),
            "default arguments": lambda: lab.outputs(bare(filter_size=first), x, draw.seed),
            **_activations(lab, lambda activation: outputs(filter_size=first, activation=activation)),
            "initial": lambda: lab.initial_kernels(lambda: layer(64, filter_size=[2, 3]), (1, 4, 4, 32)),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""

        def equal(name: str, *experiments: str) -> Outcome:
            return checks.all_of(name, *(checks.close(name, mine[one], theirs[one]) for one in experiments))

        def both(check: Any, name: str, suffix: str = "") -> Outcome:
            pairs = [(mine[order + suffix], theirs[order + suffix]) for order in ("first", "second")]
            return checks.all_of(name, *(check(name, *pair) for pair in pairs))

        yield checks.all_of(
            "shape", both(checks.shape, "shape"), checks.any_batch("shape", mine["traced"], theirs["traced"])
        )
        yield checks.all_of("values", both(checks.values, "values"), equal("values", "own size"))
        yield both(checks.gradients, "gradients")
        yield both(checks.causal, "causality", " support")
        yield both(checks.window, "padding", " support")
        yield equal("strides", "strides down", "strides right", "strides integer")
        yield equal("integer_size", "integer size", "larger integer size")
        yield checks.all_of("defaults", self._default_size(mine, theirs), equal("defaults", "default arguments"))
        yield _same_activations(mine, theirs)
        yield checks.normal("initializer", mine["initial"], 0.0, STD)

    def _default_size(self, mine: Seen, theirs: Seen) -> Outcome:
        """Compare the filter of a layer that was given num_filters alone, and the height of its output.

        The width is left open: C4's default is even, where half of it is nothing; such a layer need not even run.
        """
        expected = (
            "a layer that can be built with num_filters alone, with the handout's default filter size and strides"
        )
        if failed := checks.absent("defaults", mine["default size"], expected):
            return failed
        size, height = mine["default size"].values["size"], mine["default size"].values["height"]
        passed = size in self.default_sizes and height in (-1, theirs["default size"].values["height"])
        actual = "such a layer" if passed else f"a filter of size {size}, an output of height {height}"
        return checks.outcome("defaults", passed, expected, actual)

    default_sizes: tuple[list[int], ...] = ([2, 2],)


@GRADERS.item("C3")
class DownRightMovedConvolution(_MovedConvolution):
    """Pads the top by k_h - 1 rows and the left by k_w - 1 columns, then convolves (Section 4.2.3.2)."""

    item = "C3"
    sizes = ((2, 3), (3, 2))
    own_size = (2, 1)


@GRADERS.item("C4")
class DownMovedConvolution(_MovedConvolution):
    """Pads the top by k_h - 1 rows and both sides by (k_w - 1) / 2 columns, then convolves (Section 4.2.3.3)."""

    item = "C4"
    sizes = ((3, 5), (2, 3))  # wider than 3 as well, where one column on each side would do
    own_size = (1, 3)
    default_sizes = ([2, 2], [2, 3])


@GRADERS.item("C5")
class TensorDense:
    """Applies one dense layer to the channels of every pixel and keeps height and width (Section 4.2.3.4)."""

    arguments = ("num_units", "activation")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a small layer on an image that is not square, then with activations and an unknown batch size."""
        units, channels = draw.choose("channels", [(5, 3), (4, 3), (3, 5), (4, 2)])
        height, width = draw.choose("image", [(4, 7), (6, 3), (5, 8)])
        x = draw.normal("x", 2, height, width, channels)

        def layer(**arguments: Any) -> Any:
            return student.build("C5", {"activation": None}, num_units=units, **arguments)

        return {
            "main": lambda: lab.measure(layer(), x, draw),
            "square": lambda: lab.measure(
                student.build("C5", {"activation": None}, num_units=3), draw.normal("square", 3, 4, 4, 3), draw
            ),
            "traced": lambda: lab.traced(layer(), x, draw.seed),
            **_activations(lab, lambda activation: lab.outputs(layer(activation=activation), x, draw.seed)),
            "initial": lambda: lab.initial_kernels(
                lambda: student.build("C5", {"activation": None}, num_units=96), (1, 2, 3, 64)
            ),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        yield checks.shape("shape", mine["main"], theirs["main"])
        yield checks.all_of("values", *(checks.values("values", mine[n], theirs[n]) for n in ("main", "square")))
        yield checks.parameters("parameters", (mine["main"], theirs["main"]))
        yield checks.gradients("gradients", mine["main"], theirs["main"])
        yield _same_activations(mine, theirs)
        yield checks.any_batch("dynamic_batch", mine["traced"], theirs["traced"])
        yield checks.normal("initializer", mine["initial"], 0.0, STD)


@GRADERS.item("C6")
class GatedResnet:
    """Activation, convolution, activation, convolution; the gated half is added to the input (Section 4.2.3.5)."""

    arguments = ("num_filters", "activation")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure two sizes, what each pixel sees, the block with all weights zero and with another activation."""
        filters, other = draw.choose("filters", [(4, 3), (3, 5), (5, 4)])
        height, width = draw.choose("image", [(5, 7), (6, 5)])
        x = draw.normal("x", 2, height, width, filters)

        def block(number: int = filters, **arguments: Any) -> Any:
            default = {"activation": student.namespace.get("concat_elu")}
            return student.build("C6", default, num_filters=number, **arguments)

        def activated(name: str) -> Any:
            return lab.outputs(block(activation=lab.function(name)), x, draw.seed)

        return {
            "main": lambda: lab.measure(block(), x, draw),
            "other size": lambda: lab.measure(block(other), draw.normal("other x", 1, 3, 4, other), draw),
            "support": lambda: lab.support(block(), (height, width, filters), draw),
            "zero": lambda: lab.zeroed(block(), x),
            "traced": lambda: lab.traced(block(), x, draw.seed),
            "default": lambda: lab.outputs(student.build("C6", num_filters=filters), x, draw.seed),
            **{f"activation {name}": functools.partial(activated, name) for name in _ACTIVATIONS},
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        both = [(mine[name], theirs[name]) for name in ("main", "other size")]
        yield checks.all_of(
            "shape",
            checks.shape("shape", mine["main"], theirs["main"]),
            checks.any_batch("shape", mine["traced"], theirs["traced"]),
        )
        yield checks.parameters("parameters", *both)
        yield checks.all_of("values", *(checks.values("values", *pair) for pair in both))
        yield checks.gradients("gradients", mine["main"], theirs["main"])
        yield checks.causal("causality", mine["support"], theirs["support"])
        yield checks.all_of(
            "residual",
            checks.shape("residual", mine["zero"], theirs["zero"]),
            checks.close("residual", mine["zero"], theirs["zero"]),
        )
        yield checks.all_of(
            "activation",
            *(
                checks.close("activation", mine[f"activation {name}"], theirs[f"activation {name}"])
                for name in _ACTIVATIONS
            ),
            checks.close("activation", mine["default"], theirs["default"]),
        )


@GRADERS.item("C7")
class AutoregressiveModel:
    """Two shifted convolutions, M blocks of N gated residual blocks and a dense layer, ELU, dense (Section 4.2.4)."""

    arguments = ("n_filters", "n_resnet", "n_block", "n_output")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure two small models whose N, M, filters and outputs all differ, and what each pixel sees."""
        height, width = draw.choose("image", [(6, 7), (7, 6)])
        x = draw.normal("x", 2, height, width, 1)
        first, second = _SIZES[0], draw.choose("sizes", _SIZES[1:])

        @functools.cache  # building is most of the work; every measurement sets the weights anew
        def model(sizes: tuple[int, ...]) -> Any:
            return student.build("C7", **dict(zip(self.arguments, sizes, strict=True)))

        return {
            "main": lambda: lab.measure(model(first), x, draw),
            "second": lambda: lab.measure(model(second), x, draw),
            "support": lambda: lab.support(model(first), (height, width, 1), draw),
            "traced": lambda: lab.traced(model(second), x, draw.seed),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        both = [(mine[name], theirs[name]) for name in ("main", "second")]
        yield checks.all_of(
            "shape",
            *(checks.shape("shape", *pair) for pair in both),
            checks.any_batch("shape", mine["traced"], theirs["traced"]),
        )
        yield checks.parameters("parameters", *both)
        yield checks.all_of("values", *(checks.values("values", *pair) for pair in both))
        yield checks.all_of("gradients", *(checks.gradients("gradients", *pair) for pair in both))
        yield checks.same_support("causality", mine["support"], theirs["support"])
        yield checks.all_of(
            "agreement",
            checks.shape("agreement", mine["main"], theirs["main"]),
            checks.agreement("agreement", mine["support"], theirs["support"]),
        )


# Filters, N, M, outputs: pairwise different within a model, so that no two of them can be taken for each other. The
# first is always used: M = 3 tells a middle block from the last.
_SIZES = ((4, 2, 3, 5), (5, 3, 2, 4), (3, 1, 2, 5), (4, 3, 1, 2))
