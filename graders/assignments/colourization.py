"""Handout C, colourization: what each coding item is tested by. The docstring of a grader is what the item checks.

A probe contains no expected value; a judge sees evidence only. The sizes of a network differ from each other and are
drawn from the seed, so that no two of them can be taken for each other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from graders import checks
from graders.assignments import Experiments, Registry, Seen, colourization_run
from graders.assignments import colourization_answers as answers
from graders.assignments import colourization_record as record
from graders.model import Outcome

GRADERS = Registry(
    "torch", preload=("matplotlib.pyplot",), least_loss=record.LEAST_LOSS, findings=colourization_run.findings
)

GRADERS.item("3.2")(answers.ConvNetSizes)
GRADERS.item("4.3")(answers.PoolUpsampleSizes)
GRADERS.item("5.4")(answers.Paddings)
GRADERS.item("4.2")(record.FirstTraining)
GRADERS.item("5.2")(record.ConvTransposeTraining)
GRADERS.item("6.2")(record.UNetTraining)
GRADERS.item("traces")(record.ProgramTraces)
GRADERS.run("4.2", colourization_run.RanTraining("PoolUpsampleNet", curve=False))
GRADERS.run("5.2", colourization_run.RanTraining("ConvTransposeNet", curve=True))
GRADERS.run("6.2", colourization_run.RanTraining("UNet", curve=True))

# Input channels, filters and colours, twice the filters and the channels of what is concatenated: all differ.
_SIZES = ((2, 3, 7), (3, 5, 4), (2, 5, 4), (3, 4, 7))
_OTHER_SIZES = (4, 2, 9)
_SIZE = 32  # pixels, Figure 1
Moved = Mapping[str, tuple[int, int]]


class _Network:
    """What the three networks share: their arguments and all but the padding of other kernels and the skips."""

    arguments = ("kernel", "num_filters", "num_colours", "num_in_channels", "dilation")
    item = ""

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure a small network, and what it executes, on images of two sizes; then one with a larger kernel."""
        sizes = draw.choose("sizes", _SIZES)
        x = draw.normal("x", 2, sizes[0], _SIZE, _SIZE)
        oblong = draw.normal("oblong", 1, sizes[0], 16, 24)

        def network(kernel: int, channels: int, filters: int, colours: int) -> Any:
            return student.build(
                self.item,
                None,
                {"dilation": 1},
                kernel=kernel,
                num_filters=filters,
                num_colours=colours,
                num_in_channels=channels,
            )

        def measured(moved: Moved) -> Any:
            return lab.measure(network(3, *sizes), x, draw, moved)

        return {
            **{name: functools.partial(measured, moved) for name, moved in self.orders(*sizes).items()},
            "executed": lambda: lab.operations(network(3, *sizes), x),
            "oblong": lambda: lab.operations(network(3, *sizes), oblong),
            "larger kernel": lambda: lab.count(network(5, *_OTHER_SIZES)),
            **self.larger(network, lab, draw),
        }

    def orders(self, channels: int, filters: int, colours: int) -> dict[str, Moved]:
        """Return which kernels have their inputs in another order, by experiment."""
        return {"main": {}}

    def larger(self, network: Any, lab: Any, draw: Any) -> Experiments:
        """Return what is measured of a network with a larger kernel besides its weights."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        own = self._best(mine, theirs)
        main = theirs["main"]
        yield checks.shape("shape", own, main)
        yield checks.parameters("parameters", (own, main))
        yield checks.all_of(
            "layers", *(checks.convolutions("layers", mine[name], theirs[name]) for name in ("executed", "oblong"))
        )
        yield checks.close("values", own, main)
        yield checks.training("training", own, main)
        yield checks.all_of(
            "gradients",
            checks.gradients("gradients", own, main),
            checks.training_gradients("gradients", own, main),
        )
        yield self.kernel(mine, theirs)

    def _best(self, mine: Seen, theirs: Seen) -> Any:
        """Return the experiment in whose order of inputs the values are right, else that in the reference's."""
        names = list(self.orders(1, 1, 1))
        right = [name for name in names if checks.close("values", mine[name], theirs["main"]).passed]
        return mine[(right or names)[0]]

    def kernel(self, mine: Seen, theirs: Seen) -> Outcome:
        """Judge the network with a larger kernel."""
        name = "larger kernel"
        return checks.parameters("kernel", (mine[name], theirs[name]))


@GRADERS.item("4.1")
class PoolUpsampleNet(_Network):
    """Convolution, pooling, batch norm, ReLU twice, the same with upsampling twice, a last convolution (Figure 1a)."""

    item = "4.1"

    def larger(self, network: Any, lab: Any, draw: Any) -> Experiments:
        """See what is executed: the padding follows from the kernel, so all sizes stay as they are."""
        x = draw.normal("larger x", 1, _OTHER_SIZES[0], _SIZE, _SIZE)
        return {"larger executed": lambda: lab.operations(network(5, *_OTHER_SIZES), x)}

    def kernel(self, mine: Seen, theirs: Seen) -> Outcome:
        """Judge the network with a larger kernel, the sizes of its outputs too."""
        name = "larger executed"
        return checks.all_of(
            "kernel", super().kernel(mine, theirs), checks.convolutions("kernel", mine[name], theirs[name])
        )


@GRADERS.item("5.1")
class ConvTransposeNet(_Network):
    """Strided convolutions in place of pooling, transposed ones in place of upsampling (Figure 1b)."""

    item = "5.1"


@GRADERS.item("6.1")
class UNet(_Network):
    """The network of Section 5 with two skip connections, each a concatenation of channels (Figure 1c)."""

    item = "6.1"

    def orders(self, channels: int, filters: int, colours: int) -> dict[str, Moved]:
        """Return all orders in which the inputs of the two skip connections may stand."""
        middle = {f"kernel {2 * filters}x{colours}x3x3": (0, filters)}
        last = {f"kernel {colours}x{colours + channels}x3x3": (1, channels)}
        return {"main": {}, "middle": middle, "last": last, "both": {**middle, **last}}
