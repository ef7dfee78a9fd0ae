"""Handout E, Part 2, AC-GAN: what each item is tested by. The docstring of a grader is what the item checks.

The networks are the student's own design, so their values are never compared with the reference's: the probes show what
they do, and judges hold that against the handout. A probe contains no expected value; a judge sees evidence only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from graders import checks
from graders.assignments import Experiments, Registry, Seen
from graders.assignments import acgan_images as images
from graders.assignments import acgan_step as step
from graders.model import Experiment, Outcome

GRADERS = Registry("torch", preload=("torch._dynamo",))
# The skeleton's size of latent vectors, and usual ones.
LATENTS = (128, 100, 64, 256, 32, 50, 200, 512, 62, 110, 16, 20, 10)
CLASSES = 10
_SIZE = (3, 32, 32)  # of an image of CIFAR-10
_MATTERS = 1e-3  # the least effect, as a share of all variation, of an input that is used at all
_PARALLEL = 0.999  # cosine of gradients: one output is a function of the other
_DOUBLINGS = 2  # at least, Section 1 of Part 1

GRADERS.item("train_step")(step.TrainStep)
GRADERS.item("denormalize")(images.Denormalize)
GRADERS.item("samples")(images.Samples)
GRADERS.item("claim")(images.Claim)


@GRADERS.item("generator")
class Generator:
    """Latent vectors and labels become images of 3x32x32 in a range with ends, by at least two up-sampling layers."""

    arguments = ("latent_dim", "out_channels", "num_classes")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Generate images for many labels and vectors, and see what they depend on and what is executed."""

        def generator() -> Any:
            required = {"latent_dim": LATENTS[0], "out_channels": _SIZE[0], "num_classes": CLASSES}
            return student.build("generator", required)

        return {
            "images": lambda: lab.generated(generator(), draw, LATENTS),
            "gradients": lambda: lab.reached(generator(), draw, LATENTS),
            "executed": lambda: lab.upsampled(generator(), draw, LATENTS),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Hold what the generator did against the handout; one outcome per criterion."""
        yield checks.shape("shape", mine["images"], theirs["images"], "images")
        yield _bounded(mine["images"])
        yield _varied("labels", mine["images"], "by label", "another image for every label, from one latent vector")
        yield _varied("vectors", mine["images"], "by vector", "another image for every latent vector, for one label")
        yield _upsampled(mine["executed"])
        yield _differentiable(mine["gradients"])


def _bounded(mine: Experiment) -> Outcome:
    expected = "values in [0, 1], as the images have, or in [-1, 1], whatever the weights"
    if failed := checks.absent("range", mine, expected):
        return failed
    low, high = (float(mine.values.get(end, np.nan)) for end in ("low", "high"))
    passed = -1 - 1e-6 <= low < high <= 1 + 1e-6  # False for what is not finite, too
    return checks.outcome("range", passed, expected, f"values from {low:.3g} to {high:.3g}")


def _varied(name: str, mine: Experiment, key: str, expected: str) -> Outcome:
    """Check that no two rows of an array are equal."""
    if failed := checks.absent(name, mine, expected, key):
        return failed
    rows = np.atleast_1d(mine.arrays[key].astype(np.float64))
    rows = rows.reshape(len(rows), -1)
    if len(rows) < 2:
        return checks.outcome(name, False, expected, "one value for all of them")
    if not checks.finite(rows):
        return checks.outcome(name, False, expected, "values that are not finite (NaN or infinity)")
    apart = np.abs(rows[:, None] - rows[None]).max(axis=2)  # (rows, rows)
    scale = max(float(rows.std()), 1e-12)
    first, second = np.triu_indices(len(rows), 1)
    equal = int((apart[first, second] <= _MATTERS * scale).sum())
    return checks.outcome(
        name, equal == 0, expected, f"{equal} of {len(first)} pairs are equal" if equal else "so it is"
    )


def _upsampled(mine: Experiment) -> Outcome:
    expected = f"at least {_DOUBLINGS} layers that enlarge height and width, as in the decoder of Part 1"
    if failed := checks.absent("upsampling", mine, expected):
        return failed
    maps = mine.values.get("maps", [])
    largest, enlarged = 0, 0
    for one in maps:
        enlarged += bool(largest) and one["height"] >= 1.5 * largest  # padding enlarges by less
        largest = max(largest, one["height"])
    enlarged += bool(maps and maps[0]["transposed"])  # the first may be the one that enlarges a single pixel
    return checks.outcome("upsampling", enlarged >= _DOUBLINGS, expected, f"{enlarged}")


def _differentiable(mine: Experiment) -> Outcome:
    expected = "gradients that reach the weights and the latent vectors"
    if failed := checks.absent("gradients", mine, expected, "vectors"):
        return failed
    number, reached = int(mine.values.get("weights", 0)), int(mine.values.get("reached", 0))
    through = checks.finite(mine.arrays["vectors"]) and bool(np.any(mine.arrays["vectors"]))
    passed = through and 0 < number < 2 * reached
    return checks.outcome(
        "gradients", passed, expected, f"{reached} of {number} weights reached" if through else "none"
    )


@GRADERS.item("discriminator")
class Discriminator:
    """Images become a discrimination score and ten class scores, both from the same features."""

    arguments = ("in_channels", "num_classes")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Look at both outputs, for several images, and at what they depend on."""

        def discriminator() -> Any:
            return student.build("discriminator", {"in_channels": _SIZE[0], "num_classes": CLASSES})

        return {"heads": lambda: lab.heads(discriminator(), draw), "one": lambda: lab.heads(discriminator(), draw, 2)}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Hold both outputs against the handout; one outcome per criterion."""
        yield checks.all_of("heads", *(_two_heads(mine[name], theirs[name]) for name in ("heads", "one")))
        yield _varied("score", mine["heads"], "first", "another discrimination score for every image")
        yield _varied("classes", mine["heads"], "second", "other class scores for every image")
        yield _shared(mine["heads"])
        yield _to_the_images(mine["heads"])


def _two_heads(mine: Experiment, theirs: Experiment) -> Outcome:
    number = len(theirs.arrays["first"])
    expected = f"first ({number}, 1) or ({number},), then ({number}, {CLASSES})"
    if failed := checks.absent("heads", mine, expected, "first", "second"):
        return failed
    first, second = (mine.arrays[name].shape for name in ("first", "second"))
    passed = first[:1] == (number,) and mine.arrays["first"].size == number and second == (number, CLASSES)
    return checks.outcome("heads", passed, expected, f"first {first}, then {second}")


def _shared(mine: Experiment) -> Outcome:
    expected = "both outputs from the same features: weights that both depend on"
    if failed := checks.absent("shared", mine, expected):
        return failed
    shared = int(mine.values.get("shared", 0))
    if shared and float(mine.values.get("alike", 0)) > _PARALLEL:
        return checks.outcome("shared", False, expected, "one output is made of the other one alone")
    return checks.outcome("shared", shared > 0, expected, f"{shared} of {mine.values.get('weights', 0)} weights")


def _to_the_images(mine: Experiment) -> Outcome:
    """Check that the generator can learn from both outputs."""
    expected = "gradients that reach the image from both outputs"
    keys = ("input of first", "input of second")
    if failed := checks.absent("gradients", mine, expected, *keys):
        return failed
    lost = [key for key in keys if not (checks.finite(mine.arrays[key]) and np.any(mine.arrays[key]))]
    return checks.outcome(
        "gradients", not lost, expected, f"none from the {lost[0][9:]} output" if lost else "so it is"
    )
