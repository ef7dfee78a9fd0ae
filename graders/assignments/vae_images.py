"""Handout E, Part 1, Section 2: images as bytes again, and images from random codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import vae_networks as networks
from graders.checks import distributions
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_LEVELS = 256


class Denormalize:
    """Images (N, 3, H, W) in [0, 1] become numpy.uint8 images (N, H, W, 3), and stay as they are (Section 2)."""

    arguments = ("x",)

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Give it images that have every level, in some order, and the same with a graph."""
        order = draw.order("levels", 6 * _LEVELS)
        levels = np.resize(np.arange(_LEVELS), 6 * _LEVELS)[order].reshape(2, 3, 16, 16)
        x = np.asarray(levels / np.float32(_LEVELS - 1), np.float32)

        def plain() -> dict[str, Any]:
            tensor = lab.torch_sampling.tensor_of(x.copy())
            found = student.build("denormalize", x=tensor)
            return {**_told(found), "x": tensor.detach().numpy(), "levels": levels}

        def graph() -> dict[str, Any]:
            tensor = lab.torch_sampling.tensor_of(x.copy()).requires_grad_() * 1.0
            return _told(student.build("denormalize", x=tensor))

        return {"plain": plain, "graph": graph}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the levels."""
        plain, given = mine["plain"], theirs["plain"]
        levels = given.arrays["levels"].transpose(0, 2, 3, 1).astype(np.float64)  # (N, H, W, 3)
        yield _type(plain)
        yield checks.shape("layout", plain, given)
        yield _levels("values", plain, levels)
        same = checks.close("unchanged", plain, given, "x", tolerance=0.0)
        yield checks.all_of("unchanged", same, _there("unchanged", mine["graph"]))


def _told(found: Any) -> dict[str, Any]:
    """Return an array, and its type in words."""
    numeric = isinstance(found, np.ndarray) and found.dtype.kind in "fiub"
    array = found if numeric else np.asarray(found, np.float64)
    return {"outputs": array, "type": f"numpy.{found.dtype}" if numeric else type(found).__name__}


def _type(mine: Experiment) -> Outcome:
    expected = "numpy.uint8"
    if failed := checks.absent("type", mine, expected, "outputs"):
        return failed
    found = str(mine.values["type"])[:40]
    same = found == expected and mine.arrays["outputs"].dtype == np.uint8
    return checks.outcome("type", same, expected, found)


def _levels(name: str, mine: Experiment, levels: Array) -> Outcome:
    """Check that every level comes back to within one, also where the axes are not in their order yet."""
    expected = "each of the 256 levels again, to within one"
    if failed := checks.absent(name, mine, expected, "outputs"):
        return failed
    found = mine.arrays["outputs"].astype(np.float64)
    readings = [one for one in (levels, levels.transpose(0, 3, 1, 2)) if one.shape == found.shape]
    off = min((float(np.abs(found - one).max()) for one in readings), default=np.inf)
    actual = "other sizes" if not readings else "as expected" if off <= 1 else f"levels that are off by up to {off:.0f}"
    return checks.outcome(name, off <= 1, expected, actual)


def _there(name: str, mine: Experiment) -> Outcome:
    expected = "images also where the tensor is part of a graph"
    return checks.absent(name, mine, expected, "outputs") or checks.outcome(name, True, expected, "as expected")


# Images from random codes ---------------------------------------------------------------------------------------------

_MANY, _FEW = 64, 3


class _Generation:
    """What both networks' generation shares."""

    arguments = networks.ARGUMENTS
    item = ""

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Generate many images twice, then a few."""
        tools, build = lab.torch_sampling, networks.network(student, lab, draw, self.item)

        def generate(number: int) -> Any:
            return tools.generated(build(), lambda: build().generate(number), number)

        return {
            "many": lambda: generate(_MANY),
            "again": lambda: generate(_MANY),
            "few": lambda: generate(_FEW),
            **self.more(tools, build, draw),
        }

    def more(self, tools: Any, build: Any, draw: Any) -> Experiments:
        """Return further experiments."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Look at the sizes, and at the random numbers that the images come from."""
        yield checks.all_of("shape", *(_size(mine[name], theirs[name]) for name in ("many", "few")))
        yield _gaussian(mine["many"], mine["again"])
        yield _fresh(mine["many"], mine["again"])


def _size(mine: Experiment, theirs: Experiment) -> Outcome:
    """Check how many images there are, and of how many channels; of what size they are is the network's business."""
    wanted = theirs.values["size"][:2]
    expected = f"{wanted[0]} images of {wanted[1]} channels"
    if failed := checks.absent("shape", mine, expected, "outputs"):
        return failed
    found = mine.values["size"]
    return checks.outcome("shape", len(found) == 4 and found[:2] == wanted, expected, f"size {tuple(found)}")


def _gaussian(*calls: Experiment) -> Outcome:
    expected = "latent codes from a normal distribution of mean 0 and standard deviation 1"
    for one in calls:
        if failed := checks.absent("gaussian", one, expected, "codes"):
            return failed
    findings = [distributions.gaussian(one.arrays["codes"], 0.0, 1.0) for one in calls]
    return distributions.drawn("gaussian", expected, findings)


def _fresh(many: Experiment, again: Experiment) -> Outcome:
    """Check that the images of a call differ from each other and from those of another call."""
    expected = "another image from every code, and other ones in every call"
    for one in (many, again):
        if failed := checks.absent("fresh", one, expected, "outputs"):
            return failed
    found = [one.arrays["outputs"] for one in (many, again)]
    if found[0].shape != found[1].shape or not all(map(checks.finite, found)):
        return checks.outcome("fresh", False, expected, "images of other sizes, or not finite")
    rows = np.concatenate(found).reshape(2 * len(found[0]), -1)
    different = len(np.unique(np.round(rows.astype(np.float64), 6), axis=0))
    passed = different == len(rows)
    return checks.outcome("fresh", passed, expected, f"{different} different ones of {len(rows)}")


class Generation(_Generation):
    """Decodes as many codes from N(0, 1) as asked for (Section 2)."""

    item = "generate"


class ConditionalGeneration(_Generation):
    """Decodes codes from N(0, 1) for the labels that it is given, random ones by default, and returns both."""

    item = "generate_class"

    def more(self, tools: Any, build: Any, draw: Any) -> Experiments:
        """Generate from the same codes for labels, for the same labels again and for others."""
        y = networks.labels(draw, "y", _FEW)

        def generate(labels: Array) -> Any:
            with tools.seeded():
                return tools.generated(build(), lambda: build().generate(_FEW, tools.tensor_of(labels)), _FEW)

        return {
            "labelled": lambda: {**generate(y), "wanted": y},
            "relabelled": lambda: generate(np.asarray((y + 1) % networks.CLASSES)),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge as for the VAE; then look at the labels and at what they change."""
        yield from super().judge(mine, theirs)
        yield checks.all_of("labels", _random_labels(mine["many"], mine["again"]), _own_labels(mine, theirs))
        yield _conditioned(mine["labelled"], mine["relabelled"])


def _random_labels(*calls: Experiment) -> Outcome:
    expected = f"{_MANY} random labels from 0 to {networks.CLASSES - 1} by default"
    for one in calls:
        if failed := checks.absent("labels", one, expected, "labels"):
            return failed
    found = [one.arrays["labels"].ravel() for one in calls]
    if any(len(one) != _MANY for one in found):
        return checks.outcome("labels", False, expected, f"{len(found[0])} labels")
    return distributions.drawn("labels", expected, [distributions.even(one, networks.CLASSES) for one in found])


def _own_labels(mine: Seen, theirs: Seen) -> Outcome:
    expected = "the labels that it was given"
    if failed := checks.absent("labels", mine["labelled"], expected, "labels"):
        return failed
    same = np.array_equal(mine["labelled"].arrays["labels"].ravel(), theirs["labelled"].arrays["wanted"])
    return checks.outcome("labels", same, expected, "as expected" if same else "other ones")


def _conditioned(one: Experiment, other: Experiment) -> Outcome:
    expected = "other images for other labels, from the same codes"
    for each in (one, other):
        if failed := checks.absent("condition", each, expected, "outputs"):
            return failed
    first, second = one.arrays["outputs"], other.arrays["outputs"]
    if first.shape != second.shape or not (checks.finite(first) and checks.finite(second)):
        return checks.outcome("condition", False, expected, "images of other sizes, or not finite")
    changed = np.abs(first - second).reshape(len(first), -1).max(axis=1) > 1e-4
    return checks.outcome("condition", bool(changed.all()), expected, f"{int(changed.sum())} of {len(first)} differ")
