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
        """Give it images that have every level, in some order, the same with a graph, and images of medium levels."""
        order = draw.order("levels", 6 * _LEVELS)
        every = np.resize(np.arange(_LEVELS), 6 * _LEVELS)[order].reshape(2, 3, 8, 32)
        x = np.asarray(every / np.float32(_LEVELS - 1), np.float32)

        def plain(levels: Array) -> dict[str, Any]:
            tensor = lab.torch_sampling.tensor_of(np.asarray(levels / np.float32(_LEVELS - 1), np.float32))
            found = student.build("denormalize", x=tensor)
            return {**_told(found), "x": tensor.detach().numpy(), "levels": levels}

        def graph() -> dict[str, Any]:
            tensor = lab.torch_sampling.tensor_of(x.copy()).requires_grad_() * 1.0
            return _told(student.build("denormalize", x=tensor))

        return {"plain": lambda: plain(every), "some": lambda: plain(every % 128 + 64), "graph": graph}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the levels."""
        plain, given = mine["plain"], theirs["plain"]
        yield _type(plain)
        yield checks.shape("layout", plain, given)
        yield checks.all_of("values", *(_levels("values", mine[name], theirs[name]) for name in ("plain", "some")))
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


def _levels(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that every level comes back to within one, 0 and 1 exactly, also where the axes are not in order yet."""
    expected = "each of the 256 levels again, to within one, and both ends"
    if failed := checks.absent(name, mine, expected, "outputs"):
        return failed
    levels = theirs.arrays["levels"].transpose(0, 2, 3, 1).astype(np.float64)  # (N, H, W, 3)
    found = mine.arrays["outputs"].astype(np.float64)
    readings = [one for one in (levels, levels.transpose(0, 3, 1, 2)) if one.shape == found.shape]
    off, ends = min(((float(np.abs(found - one).max()), _ends_off(found, one)) for one in readings), default=(256.0, 0))
    told = f"levels that are off by up to {off:.0f}" if off > 1 else f"an end that is off by {ends:.0f}"
    passed = off <= 1 and ends == 0
    return checks.outcome(name, passed, expected, "other sizes" if not readings else "as expected" if passed else told)


def _ends_off(found: Array, levels: Array) -> float:
    """Return how far the lowest and the highest level are off."""
    ends = (levels == 0) | (levels == _LEVELS - 1)
    return float(np.abs(found - levels)[ends].max(initial=0))


def _there(name: str, mine: Experiment) -> Outcome:
    expected = "images also where the tensor is part of a graph"
    return checks.absent(name, mine, expected, "outputs") or checks.outcome(name, True, expected, "as expected")


# Images from random codes ---------------------------------------------------------------------------------------------

_MANY, _FEW = 64, 3
_ALL = 256  # random labels, among which every class is, but for two of 10^11 times


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
        """Generate from the same codes for labels, and with the label of one image after the other changed."""
        y = networks.labels(draw, "y", _FEW)
        others = (y + np.eye(_FEW, dtype=y.dtype)) % networks.CLASSES  # one label of each row is another one

        def generate(labels: Array) -> Any:
            with tools.seeded():
                return tools.generated(build(), lambda: build().generate(_FEW, tools.tensor_of(labels)), _FEW)

        return {
            "labelled": lambda: {**generate(y), "wanted": y},
            "relabelled": lambda: {"outputs": np.stack([generate(turned)["outputs"] for turned in others])},
            "all": lambda: {"labels": tools.generated(build(), lambda: build().generate(_ALL), _ALL)["labels"]},
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge as for the VAE; then look at the labels and at what they change."""
        yield from super().judge(mine, theirs)
        picked = _random_labels(mine["many"], mine["again"])
        yield checks.all_of("labels", picked, _every_label(mine["all"]), _own_labels(mine, theirs))
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


def _every_label(mine: Experiment) -> Outcome:
    expected = f"every class among {_ALL} labels that it picks"
    if failed := checks.absent("labels", mine, expected, "labels"):
        return failed
    lacking = networks.CLASSES - np.isin(np.arange(networks.CLASSES), mine.arrays["labels"]).sum()
    return checks.outcome("labels", not lacking, expected, f"{lacking} of {networks.CLASSES} classes are missing")


def _own_labels(mine: Seen, theirs: Seen) -> Outcome:
    expected = "the labels that it was given"
    if failed := checks.absent("labels", mine["labelled"], expected, "labels"):
        return failed
    same = np.array_equal(mine["labelled"].arrays["labels"].ravel(), theirs["labelled"].arrays["wanted"])
    return checks.outcome("labels", same, expected, "as expected" if same else "other ones")


def _conditioned(one: Experiment, other: Experiment) -> Outcome:
    expected = "another image where its own label is another one, from the same codes"
    for each in (one, other):
        if failed := checks.absent("condition", each, expected, "outputs"):
            return failed
    first, second = one.arrays["outputs"], other.arrays["outputs"]
    sound = len(first) == _FEW and second.shape == (_FEW, *first.shape)
    if not sound or not (checks.finite(first) and checks.finite(second)):
        return checks.outcome("condition", False, expected, "images of other sizes, or not finite")
    own = second[np.arange(_FEW), np.arange(_FEW)]  # (N, ...), each with another label
    changed = np.abs(first - own).reshape(_FEW, -1).max(axis=1) > 1e-4
    return checks.outcome("condition", bool(changed.all()), expected, f"{int(changed.sum())} of {len(first)} differ")
