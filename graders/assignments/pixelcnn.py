"""Handout A, PixelCNN: what each coding item is tested by. The docstring of a grader is what the item checks, in words.

A probe contains no expected value; a judge sees evidence only. Sizes are small, differ from each other and are drawn
from the seed, so that code fitted to one set of sizes gains nothing.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from graders import checks
from graders.assignments import Experiments, Registry, Seen
from graders.assignments import pixelcnn_data as data
from graders.model import Outcome

GRADERS = Registry()
STD = 0.05  # Section 4.2.3.2

GRADERS.item("C1")(data.Lengths)
GRADERS.item("C2")(data.Batches)


class _MovedConvolution:
    """What C3 and C4 share: Table 2's arguments and everything but the side that is padded."""

    arguments: tuple[str, ...] = ("num_filters", "filter_size", "strides", "padding", "activation")
    item = ""
    sizes: tuple[tuple[int, int], ...] = ()  # filter heights and widths to draw from, never equal

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a small layer, then one argument at a time."""
        filters, channels = draw.choose("channels", [(5, 3), (4, 3), (5, 2), (3, 2)])
        size = list(draw.choose("size", self.sizes))
        height, width = draw.choose("image", [(7, 9), (8, 6), (6, 9)])
        x = draw.normal("x", 2, height, width, channels)

        def layer(**arguments: Any) -> Any:
            return student.build(self.item, num_filters=filters, **arguments)

        def outputs(**arguments: Any) -> Any:
            return lab.outputs(layer(**arguments), x, draw.seed)

        return {
            "main": lambda: lab.measure(layer(filter_size=size), x, draw),
            "support": lambda: lab.support(layer(filter_size=size), (height, width, channels), draw),
            "strides list": lambda: outputs(filter_size=size, strides=[2, 1]),
            "strides integer": lambda: outputs(filter_size=size, strides=2),
            "integer size": lambda: outputs(filter_size=3),
            "default": lambda: outputs(),
            **self.more(layer, lab, x),
            "activation text": lambda: outputs(filter_size=size, activation="tanh"),
            "activation function": lambda: outputs(filter_size=size, activation=lab.function("tanh")),
            "initial": lambda: lab.initial_kernels(
                lambda: student.build(self.item, num_filters=64, filter_size=[2, 3]), (1, 4, 4, 32)
            ),
        }

    def more(self, layer: Any, lab: Any, x: Any) -> Experiments:
        """Return experiments that only one of the two needs."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""

        def equal(name: str, experiment: str) -> Outcome:
            return checks.close(name, mine[experiment], theirs[experiment])

        yield checks.shape("shape", mine["main"], theirs["main"])
        yield equal("values", "main")
        yield checks.gradients("gradients", mine["main"], theirs["main"])
        yield checks.causal("causality", mine["support"], theirs["support"])
        yield checks.window("padding", mine["support"], theirs["support"])
        yield checks.all_of("strides", equal("strides", "strides list"), equal("strides", "strides integer"))
        yield equal("integer_size", "integer size")
        yield self.default(mine, theirs)
        yield checks.any_of(
            "activation", equal("activation", "activation text"), equal("activation", "activation function")
        )
        yield checks.normal("initializer", mine["initial"], 0.0, STD)

    def default(self, mine: Seen, theirs: Seen) -> Outcome:
        """Compare a layer that was given num_filters alone."""
        return checks.close("defaults", mine["default"], theirs["default"])


@GRADERS.item("C3")
class DownRightMovedConvolution(_MovedConvolution):
    """Pads the top by k_h - 1 rows and the left by k_w - 1 columns, then convolves (Section 4.2.3.2)."""

    item = "C3"
    sizes = ((2, 3), (3, 2))


@GRADERS.item("C4")
class DownMovedConvolution(_MovedConvolution):
    """Pads the top by k_h - 1 rows and both sides by (k_w - 1) / 2 columns, then convolves (Section 4.2.3.3)."""

    item = "C4"
    sizes = ((2, 5), (3, 5))  # wider than 3, where one column on each side would do

    def more(self, layer: Any, lab: Any, x: Any) -> Experiments:
        """The handout's default width is even, where half of it is nothing: such a layer need not even be callable."""
        return {"default size": lambda: lab.default_filter(layer(), x)}

    def default(self, mine: Seen, theirs: Seen) -> Outcome:
        """Compare the filter's size, and the output's height where there is an output; its width is left open."""
        expected = (
            "a layer that can be built with num_filters alone, with the handout's default filter size and strides"
        )
        if failed := checks.absent("defaults", mine["default size"], expected):
            return failed
        size, height = (mine["default size"].values.get(key) for key in ("size", "height"))
        passed = size in ([2, 2], [2, 3]) and height in (None, theirs["default size"].values["height"])
        actual = "such a layer" if passed else f"a filter of size {size}, an output of height {height}"
        return checks.outcome("defaults", passed, expected, actual)


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
            "traced": lambda: lab.traced(layer(), x, draw.seed),
            "activation text": lambda: lab.outputs(layer(activation="tanh"), x, draw.seed),
            "activation function": lambda: lab.outputs(layer(activation=lab.function("tanh")), x, draw.seed),
            "initial": lambda: lab.initial_kernels(
                lambda: student.build("C5", {"activation": None}, num_units=96), (1, 2, 3, 64)
            ),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""

        def equal(name: str, experiment: str, key: str = "outputs") -> Outcome:
            return checks.close(name, mine[experiment], theirs[experiment], key)

        yield checks.shape("shape", mine["main"], theirs["main"])
        yield equal("values", "main")
        yield checks.parameters("parameters", (mine["main"], theirs["main"]))
        yield checks.gradients("gradients", mine["main"], theirs["main"])
        yield checks.any_of(
            "activation", equal("activation", "activation text"), equal("activation", "activation function")
        )
        yield checks.all_of(
            "dynamic_batch", *(equal("dynamic_batch", "traced", key) for key in ("whole batch", "one image"))
        )
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

        def block(**arguments: Any) -> Any:
            return student.build("C6", num_filters=filters, **arguments)

        return {
            "main": lambda: lab.measure(block(), x, draw),
            "other size": lambda: lab.measure(
                student.build("C6", num_filters=other), draw.normal("other x", 1, 3, 4, other), draw
            ),
            "support": lambda: lab.support(block(), (height, width, filters), draw),
            "zero": lambda: lab.zeroed(block(), x),
            "activation": lambda: lab.outputs(block(activation=lab.function("tanh")), x, draw.seed),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        both = [(mine[name], theirs[name]) for name in ("main", "other size")]
        yield checks.shape("shape", mine["main"], theirs["main"])
        yield checks.parameters("parameters", *both)
        yield checks.all_of("values", *(checks.close("values", *pair) for pair in both))
        yield checks.gradients("gradients", mine["main"], theirs["main"])
        yield checks.causal("causality", mine["support"], theirs["support"])
        yield checks.all_of(
            "residual",
            checks.shape("residual", mine["zero"], theirs["zero"]),
            checks.close("residual", mine["zero"], theirs["zero"]),
        )
        yield checks.all_of(
            "activation",
            checks.close("activation", mine["activation"], theirs["activation"]),
            checks.parameters("activation", (mine["main"], theirs["main"])),
        )


@GRADERS.item("C7")
class AutoregressiveModel:
    """Two shifted convolutions, M blocks of N gated residual blocks and a dense layer, ELU, dense (Section 4.2.4)."""

    arguments = ("n_filters", "n_resnet", "n_block", "n_output")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure two small models whose N, M, filters and outputs all differ, and what each pixel sees."""
        configurations = draw.choose("sizes", list(itertools.permutations(_SIZES, 2)))
        height, width = draw.choose("image", [(6, 7), (7, 6)])
        x = draw.normal("x", 2, height, width, 1)
        first, second = configurations

        @functools.cache  # building is most of the work; every measurement sets the weights anew
        def model(sizes: tuple[int, ...]) -> Any:
            return student.build("C7", **dict(zip(self.arguments, sizes, strict=True)))

        return {
            "main": lambda: lab.measure(model(first), x, draw),
            "second": lambda: lab.measure(model(second), x, draw),
            "support": lambda: lab.support(model(first), (height, width, 1), draw),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        both = [(mine[name], theirs[name]) for name in ("main", "second")]
        yield checks.all_of("shape", *(checks.shape("shape", *pair) for pair in both))
        yield checks.parameters("parameters", *both)
        yield checks.all_of("values", *(checks.close("values", *pair) for pair in both))
        yield checks.all_of("gradients", *(checks.gradients("gradients", *pair) for pair in both))
        yield checks.same_support("causality", mine["support"], theirs["support"])
        yield checks.agreement("agreement", mine["support"], theirs["support"])


# Filters, N, M, outputs: pairwise different within a model, so that no two of them can be taken for each other.
_SIZES = ((4, 2, 3, 5), (5, 3, 2, 4), (3, 1, 2, 5), (4, 3, 1, 2))
