"""Handout E, Part 1, Section 1: what the two networks execute, what passes through their codes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.checks.arrays import difference
from graders.model import Experiment, Json, Outcome

Array = NDArray[Any]
Step: TypeAlias = Mapping[str, Json]
CLASSES = 10
ARGUMENTS = ("latent_dim", "num_classes", "img_size", "in_channels", "out_channels")
DEFAULTS = dict(zip(ARGUMENTS, (128, CLASSES, 32, 3, 3), strict=True))  # of the skeleton
CONVOLUTIONS, DOWN, UP = 3, 2, 2  # Section 1
_RESIZED = 1.5  # times the pixels: a convolution without padding changes them by less
_WIDE = 3.0  # times the images: outputs reach where they may leave [0, 1]
_SMALL = 1e-3  # of the largest: how far two ways to compute a gradient may lie apart
_CHANGED = 1e-4  # by how much a value of an image changes at least that depends on the class
_EQUAL = 1e-5  # how far values of an image may lie apart that are the same


def network(student: Any, lab: Any, draw: Any, item: str) -> Callable[[], Any]:
    """Return a function that builds the student's network once, with weights of a known scale, no two of them alike."""
    first = images(draw, "first", 2), labels(draw, "first labels", 2)

    @cache
    def build() -> Any:
        model = student.build(item, DEFAULTS)
        lab.torch_autoencoders.shaped(model, *first)
        lab.set_weights(model, draw.seed)
        lab.torch_autoencoders.apart(model)
        return model

    return build


def images(draw: Any, name: str, number: int) -> Array:
    """Return images (number, 3, 32, 32) in [0, 1]: coarse blocks and noise."""
    coarse = np.kron(draw.normal(f"coarse {name}", number, 3, 8, 8), np.ones((1, 1, 4, 4)))
    values = 0.5 + 0.2 * coarse + 0.05 * draw.normal(name, number, 3, 32, 32)
    return np.asarray(values.clip(0, 1), np.float32)


def labels(draw: Any, name: str, number: int) -> Array:
    """Return labels (number,), no two neighbours alike."""
    return np.asarray((np.arange(number) * 3 + int(draw.integers(name, 0, CLASSES))) % CLASSES, np.int64)


class _Network:
    """What both networks share: sizes, range, what is executed, no skip connections."""

    arguments = ARGUMENTS
    item = ""

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Trace a network, reconstruct images, follow gradients, and reconstruct images from the codes of others."""
        tools, build = lab.torch_autoencoders, network(student, lab, draw, self.item)
        x, other, y = images(draw, "x", 2), images(draw, "other", 2), labels(draw, "y", 2)
        far = np.asarray(_WIDE * draw.normal("far", 2, 3, 32, 32), np.float32)

        def projection(*shape: int) -> Array:
            return np.asarray(draw.normal("projection", *shape))

        return {
            "executed": lambda: tools.resizing(build(), x, y),
            "near": lambda: tools.reconstructed(build(), x, y),
            "far": lambda: tools.reconstructed(build(), far, y),
            "paths": lambda: tools.paths(build(), x, y, projection),
            "held": lambda: tools.held(build(), (x, y), (other, y)),
            **self.more(lab, build, x, y),
        }

    def more(self, lab: Any, build: Callable[[], Any], x: Array, y: Array) -> Experiments:
        """Return further experiments."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Count what is executed; compare the two ways that gradients take; look at reconstructions from held codes."""
        near = mine["near"]
        yield checks.shape("shape", near, theirs["near"])
        yield checks.all_of("range", *(_in_range(mine[name]) for name in ("near", "far")))
        yield from self.architecture(mine["executed"])
        yield skips("skips", mine["paths"], mine["held"])

    def architecture(self, executed: Experiment) -> Iterator[Outcome]:
        """Yield an outcome for each count of Section 1."""
        yield counted("convolutions", executed, CONVOLUTIONS, "encoder", convolutions, "convolutions in the encoder")
        yield counted("downsampling", executed, DOWN, "encoder", shrinking, "down-sampling layers in the encoder")
        yield counted("upsampling", executed, UP, "decoder", growing, "up-sampling layers in the decoder")


class Vae(_Network):
    """An encoder with 3 convolutions and 2 down-samplings, a decoder with 2 up-samplings, or more of them; no skips."""

    item = "vae"


class Cvae(_Network):
    """The same architecture as the VAE, with a decoder that is conditioned on the class (Section 1)."""

    item = "cvae"

    def more(self, lab: Any, build: Callable[[], Any], x: Array, y: Array) -> Experiments:
        """Reconstruct with other labels from the same codes, and generate with one label and with another."""
        sampling = lab.torch_sampling

        def generate(label: int) -> Any:
            with sampling.seeded():
                return sampling.generated(
                    build(), lambda: build().generate(8, sampling.tensor_of(np.full(8, label))), 8
                )

        def turned(by: Any) -> Any:
            return lab.torch_autoencoders.held(build(), (x, y), (x, np.asarray((y + by) % CLASSES)))

        def labelled() -> dict[str, Any]:
            found = [turned(by) for by in range(1, CLASSES)]
            every = np.stack([found[0]["first"], *(one["held"] for one in found)], axis=1)  # (N, 10, 3, 32, 32)
            alone = np.stack([turned(np.arange(len(y)) == at)["held"][at] for at in range(len(y))])
            return {"classes": every, "alone": alone, "known": all(one["known"] for one in found)}

        return {
            "labels": labelled,
            "generated": lambda: {
                "classes": np.stack([generate(label)["outputs"] for label in range(CLASSES)], axis=1)
            },
        }

    def architecture(self, executed: Experiment) -> Iterator[Outcome]:
        """Yield one outcome for all counts of Section 1."""
        yield checks.all_of("architecture", *super().architecture(executed))

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge as for the VAE; then see whether the label alone changes what is decoded."""
        yield from super().judge(mine, theirs)
        known = mine["labels"].values.get("known") is True
        yield _of_every_class(mine["labels" if known else "generated"])


def _in_range(mine: Experiment) -> Outcome:
    expected = "reconstructions in [0, 1]"
    if failed := checks.absent("range", mine, expected, "outputs"):
        return failed
    found = mine.arrays["outputs"]
    if not checks.finite(found):
        return checks.outcome("range", False, expected, "values that are not finite (NaN or infinity)")
    low, high = float(found.min()), float(found.max())
    return checks.outcome("range", low >= 0 and high <= 1, expected, f"from {low:.3g} to {high:.3g}")


# What is executed -----------------------------------------------------------------------------------------------------


def counted(
    name: str, executed: Experiment, least: int, part: str, count: Callable[[Sequence[Step]], int], what: str
) -> Outcome:
    """Check that a part of a network executes at least so many operations of a kind."""
    expected = f"at least {least} {what}"
    if failed := checks.absent(name, executed, expected):
        return failed
    found = count(executed.values[part])
    return checks.outcome(name, found >= least, expected, f"{found}")


def convolutions(steps: Sequence[Step]) -> int:
    """Return the number of convolutions; a depthwise one and the pointwise one behind it are one layer."""
    own = [step for step in steps if "convolution" in str(step["name"]) and not step["transposed"]]
    pairs = itertools.pairwise(own)
    return len(own) - sum(bool(one["depthwise"] and other["pointwise"]) for one, other in pairs)


def shrinking(steps: Sequence[Step]) -> int:
    """Return to how many sizes maps are made smaller, by more than the lack of padding does.

    Two operations side by side, as in a residual block, are one layer.
    """
    return len({step["after"] for step in steps if step["before"] >= _RESIZED * step["after"]})


def growing(steps: Sequence[Step]) -> int:
    """Return to how many sizes maps are made larger, by more than padding does."""
    return len({step["after"] for step in steps if step["after"] >= _RESIZED * step["before"]})


# What passes through the codes ----------------------------------------------------------------------------------------


def skips(name: str, paths: Experiment, held: Experiment) -> Outcome:
    """Check that images come into the reconstruction through the codes alone, and through these they do."""
    expected = "a reconstruction that depends on the image through its latent codes alone"
    if failed := checks.absent(name, paths, expected, "total", "through codes"):
        return failed
    total, through = paths.arrays["total"], paths.arrays["through codes"]
    if total.shape != through.shape or not checks.finite(total) or not checks.finite(through):
        return checks.outcome(name, False, expected, "gradients that are not finite")
    if not (np.any(through) or (not np.any(total) and _of_codes(held))):
        return checks.outcome(name, False, expected, "it does not depend on the codes at all")
    off = difference(total, through) if np.any(through) else 0.0
    if off > _SMALL:
        return checks.outcome(name, False, expected, f"{100 * off:.3g} % of its gradient takes another way")
    return _same_from_codes(name, expected, held)


def _of_codes(held: Experiment) -> bool:
    """Return whether images have reconstructions of their own that are gone with the codes of others.

    Codes that are drawn without a graph tell nothing by gradients.
    """
    first, own, again = (held.arrays.get(name, np.zeros(0)) for name in ("first", "own", "held"))
    same = first.shape == own.shape == again.shape and bool(np.allclose(first, again, rtol=0, atol=_EQUAL))
    return same and held.values.get("known") is True and not np.allclose(first, own, rtol=0, atol=_EQUAL)


def _same_from_codes(name: str, expected: str, held: Experiment) -> Outcome:
    """Check that other images with the same codes give the same reconstruction, where codes could be held."""
    if failed := checks.absent(name, held, expected, "first", "held"):
        return failed
    if held.values["known"] is not True:
        return checks.outcome(name, True, expected, "its gradient takes no other way")
    first, again = held.arrays["first"], held.arrays["held"]
    same = first.shape == again.shape and bool(np.allclose(first, again, rtol=0, atol=_EQUAL))
    return checks.outcome(
        name, same, expected, "as expected" if same else "with the same codes another image gives another"
    )


def _of_every_class(mine: Experiment) -> Outcome:
    """Check that no two of the images (N, 10, ...) that one code gives for the ten classes are the same."""
    expected = "another class gives another image from the same latent codes"
    if failed := checks.absent("condition", mine, expected, "classes"):
        return failed
    found = mine.arrays["classes"]
    if found.shape[1:2] != (CLASSES,) or not checks.finite(found):
        return checks.outcome("condition", False, expected, "images of another shape, or not finite")
    flat = found.reshape(len(found), CLASSES, -1)
    alone = mine.arrays.get("alone", found[:, 1])
    if alone.shape != found[:, 1].shape or np.any(np.abs(alone - found[:, 1]) > _CHANGED):
        return checks.outcome("condition", False, expected, "an image that depends on the classes of others")
    pairs = list(itertools.combinations(range(CLASSES), 2))
    same = [pair for pair in pairs if np.any(np.abs(flat[:, pair[0]] - flat[:, pair[1]]).max(axis=1) <= _CHANGED)]
    told = f"the same image for {'all' if len(same) == len(pairs) else 'some'} classes"
    return checks.outcome("condition", not same, expected, told if same else "as expected")
