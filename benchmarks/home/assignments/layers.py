"""A first exercise with PyTorch, for the benchmark: per item, the shape of an output and the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graders import checks
from graders.assignments import Experiments, Registry, Seen
from graders.model import Outcome

GRADERS = Registry("torch")


class _Module:
    """What the items share: one module of a size that is drawn, called once on an input of `shape`."""

    item: str
    arguments: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    shape: Callable[..., tuple[int, ...]]

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure the output and the parameters of one small module."""
        sizes = draw.choose("sizes", self.sizes)
        x = draw.normal("x", *type(self).shape(*sizes))

        def measured() -> dict[str, Any]:
            module = student.build(self.item, **dict(zip(self.arguments, sizes, strict=True)))
            return {**lab.evaluated(module, x), **lab.count(module)}

        return {"main": measured}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference; one outcome per criterion."""
        yield checks.shape("shape", mine["main"], theirs["main"])
        yield checks.parameters("parameters", (mine["main"], theirs["main"]))


@GRADERS.item("L1")
class LinearClassifier(_Module):
    """One linear layer on the flattened image gives a score for each class."""

    item, arguments = "L1", ("n_inputs", "n_classes")
    sizes = ((12, 5), (12, 7))

    @staticmethod
    def shape(n_inputs: int, n_classes: int) -> tuple[int, ...]:
        """Return the shape of the input: images of 1 channel and 3 rows."""
        return (2, 1, 3, n_inputs // 3)


@GRADERS.item("L2")
class Perceptron(_Module):
    """Two linear layers with a ReLU between them."""

    item, arguments = "L2", ("n_inputs", "n_hidden", "n_classes")
    sizes = ((6, 9, 4), (8, 5, 3))

    @staticmethod
    def shape(n_inputs: int, n_hidden: int, n_classes: int) -> tuple[int, ...]:
        """Return the shape of the input: a batch of vectors."""
        return (2, n_inputs)


class _OnImages(_Module):
    arguments = ("in_channels", "out_channels")
    sizes = ((3, 5), (4, 7))

    @staticmethod
    def shape(in_channels: int, out_channels: int) -> tuple[int, ...]:
        """Return the shape of the input: images that are not square."""
        return (2, in_channels, 6, 8)


@GRADERS.item("L3")
class ConvBlock(_OnImages):
    """Convolution 3x3, batch norm, ReLU, twice; height and width stay."""

    item = "L3"


@GRADERS.item("L4")
class DownUp(_OnImages):
    """Pools by 2, convolves 3x3 and doubles height and width again."""

    item = "L4"


@GRADERS.item("L5")
class Autoencoder(_Module):
    """An encoder of two linear layers and a decoder of two, back to the size of the input."""

    item, arguments = "L5", ("n_inputs", "n_hidden", "n_code")
    sizes = ((10, 6, 2), (12, 7, 3))

    @staticmethod
    def shape(n_inputs: int, n_hidden: int, n_code: int) -> tuple[int, ...]:
        """Return the shape of the input: a batch of vectors."""
        return (3, n_inputs)
