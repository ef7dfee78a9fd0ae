"""Handout E, Part 1, Section 2: the joint loss, and one training step on stand-ins whose gradients are known.

The stand-in's outputs are its parameters, so what the step returns and the gradients that the optimizer gets can be
written down from the batch alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import vae_losses as losses
from graders.assignments import vae_networks as networks
from graders.checks.arrays import difference
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_BATCH, _LATENT = 4, 6
_SCALES = (0.25, 0.75)  # of the divergence
_EARLY = 2  # the epoch of the first scale; the second one's is the last
EPOCHS = ("num_epochs", "epochs", "n_epochs")
_TOLERANCE = 2e-3  # of a loss or of the largest gradient; the wrong ones that were tried differ by more than 1e-2
MOST_EPOCHS = 100  # of the handout; where the script names no other number
_PARTS = ("loss", "l2", "bce", "ssim", "kl")  # the skeleton's order


def batch(draw: Any) -> dict[str, Array]:
    """Return images x, labels y and the stand-in's outputs image, mu, log_var and z, float32."""
    image = networks.images(draw, "image", _BATCH) * 0.6 + networks.images(draw, "x", _BATCH) * 0.4
    return {
        "x": networks.images(draw, "x", _BATCH),
        "image": np.asarray(image.clip(0.02, 0.98), np.float32),
        **{name: np.asarray(0.6 * draw.normal(name, _BATCH, _LATENT)) for name in ("mu", "log_var", "z")},
    }


class _Step:
    """What the two items of a training step share: the experiments, and what the batch says of them."""

    arguments = ("x", "y", "epoch", "lambd", "model", "optimizer")
    item = ""

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take two steps on stand-ins with each of two scales, and one with the student's own model and optimizer."""
        tools, given = lab.torch_stand_ins, batch(draw)
        y = networks.labels(draw, "y", _BATCH)

        def step(**more: Any) -> Any:
            x, labels = (lab.torch_sampling.tensor_of(one.copy()) for one in (given["x"], y))
            return student.build(self.item, more, {}, x=x, y=labels)

        def on_stand_ins(scale: float, late: bool) -> Any:
            function = student.definition(self.item)
            epoch = tools.number_of(student.namespace, function, EPOCHS, MOST_EPOCHS) - 1 if late else _EARLY
            set_to = {"lambd": scale, "epoch": epoch}
            try:
                return tools.stepped(function, lambda **more: step(**set_to, **more), given, scale, epoch)
            except Exception:  # of the student's code: its codes may be maps
                maps = {**given, **{name: given[name][..., None, None] for name in ("mu", "log_var", "z")}}
                with contextlib.suppress(Exception):
                    return tools.stepped(function, lambda **more: step(**set_to, **more), maps, scale, epoch)
                raise

        return {
            "first": lambda: {**given, **on_stand_ins(_SCALES[0], False)},
            "second": lambda: on_stand_ins(_SCALES[1], True),
            "own": lambda: tools.moved_by(
                student.definition(self.item), lambda **more: step(lambd=1.0, epoch=_EARLY, **more), given
            ),
        }

    def steps(self, mine: Seen, theirs: Seen) -> list[_Seen]:
        """Return what both pairs of steps showed."""
        return [_Seen(mine[name], theirs["first"]) for name in ("first", "second")]


class _Seen:
    """Two steps on stand-ins: what they returned and which gradients the optimizer got, beside what is expected."""

    def __init__(self, mine: Experiment, given: Experiment) -> None:
        self.mine = mine
        wide = {name: given.arrays[name].astype(np.float64) for name in ("x", "image", "mu", "log_var")}
        self.x, self.image, self.mu, self.log_var = wide.values()
        self.mse, self.bce = losses.mse(self.x, self.image), losses.bce(self.x, self.image)
        self.similar = [losses.ssim(self.x, self.image, padded=padded) for padded in (True, False)]
        self.divergence, *self.of_codes = losses.divergence(self.mu, self.log_var)

    def returned(self, name: str) -> float | None:
        """Return one of the five numbers that a step returned, None where there are not five finite ones."""
        found = self.mine.arrays.get("returned", np.zeros(0))
        sound = not self.mine.failure and found.shape == (len(_PARTS),) and checks.finite(found)
        return float(found[_PARTS.index(name)]) if sound else None

    def gradient(self, name: str, when: str = "pulled") -> Array | None:
        """Return the gradient that reached one of the stand-in's outputs, or was there in a "step 0"; None for none."""
        found = self.mine.arrays.get(f"{when} {name}")
        wanted = self.image if name == "image" else self.mu
        sound = not self.mine.failure and found is not None and found.size == wanted.size and checks.finite(found)
        return found.astype(np.float64).reshape(wanted.shape) if sound and found is not None else None

    @property
    def scale(self) -> float:
        """The factor of the divergence that fits the gradient of the means best; 0 where there is none."""
        found, unit = self.gradient("mu"), self.of_codes[0]
        return float((found * unit).sum() / (unit * unit).sum()) if found is not None else 0.0

    @property
    def similarity(self) -> float:
        """1 - SSIM, with or without zeros around the images: as fits the gradient of the reconstruction best."""
        found, rest = self.gradient("image"), self.mse[1] + self.bce[1]
        off = [0.0 if found is None else difference(found, rest + gradient) for _, gradient in self.similar]
        return self.similar[int(np.argmin(off))][0]

    def says(self, name: str, wanted: Sequence[float], expected: str) -> Outcome:
        """Check that a returned number is one of the wanted ones."""
        if failed := checks.absent(name, self.mine, expected, "returned"):
            return failed
        found = self.returned({"mse": "l2"}.get(name, name) if name != "total" else "loss")
        if found is None:
            return checks.outcome(name, False, expected, "not the five numbers loss, l2, bce, ssim, kl")
        near = any(_near(found, one) for one in wanted)
        return checks.outcome(name, near, expected, "as expected" if near else f"another number, {found:.4g}")

    def joint(self) -> Outcome:
        """Check the gradient of the reconstruction."""
        expected = "the gradient of MSE + (1 - SSIM) + BCE(reconstruction, image), each an average"
        if failed := checks.absent("joint", self.mine, expected):
            return failed
        found = self.gradient("image")
        if found is None:
            return checks.outcome("joint", False, expected, "no gradient reaches the reconstruction")
        off = min(difference(found, self.mse[1] + self.bce[1] + one[1]) for one in self.similar)
        passed = off <= _TOLERANCE
        return checks.outcome("joint", passed, expected, "as expected" if passed else f"it differs by {off:.0%}")


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * max(abs(other), 0.05)


class Reconstruction(_Step):
    """Mean squared error, 1 - SSIM with an 11x11 window and binary cross-entropy, summed (Section 2)."""

    item = "losses"

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare what is returned and the gradient of the reconstruction with the losses in NumPy."""
        steps = self.steps(mine, theirs)
        similar = [value for one in steps for value, _ in one.similar]
        yield checks.all_of("mse", *(one.says("mse", [one.mse[0]], "the mean squared error") for one in steps))
        yield checks.all_of("bce", *(one.says("bce", [one.bce[0]], "BCE(reconstruction, image)") for one in steps))
        wanted = [*similar, *(1 - one for one in similar)]
        yield checks.all_of("ssim", *(one.says("ssim", wanted, "1 - SSIM, window (11, 11)") for one in steps))
        yield checks.all_of("joint", *(one.joint() for one in steps))


class TrainStep(_Step):
    """Forward, joint loss plus the scaled divergence, zeroed gradients, backward, one step; five averages back."""

    item = "train_step"

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare gradients with the closed form; look at who is updated, and at what is returned."""
        steps = self.steps(mine, theirs)
        scaled = [one for one in steps if one.scale > 0]  # in early epochs it may be 0
        yield checks.all_of("divergence", *(_divergence(one) for one in scaled or steps))
        yield _scaled(steps)
        yield checks.all_of("gradients", *(_again(one) for one in steps), *(_training(one) for one in steps))
        yield checks.all_of("update", *(_updates(one) for one in steps), _moved(mine["own"]))
        yield checks.all_of("returned", *(_sum(one) for one in steps), *(_kl(one) for one in steps))
        yield checks.all_of("numbers", *(_detached(one) for one in steps))


def _divergence(step: _Seen) -> Outcome:
    """Check that both gradients of the codes are those of the divergence, whatever its factor."""
    expected = "the gradients of the scaled KL divergence for mean and log-variance"
    if failed := checks.absent("divergence", step.mine, expected):
        return failed
    found = [step.gradient(name) for name in ("mu", "log_var")]
    if any(one is None for one in found) or step.scale <= 0:
        return checks.outcome("divergence", False, expected, "no such gradient reaches both of them")
    off = max(
        difference(one, step.scale * two) for one, two in zip(found, step.of_codes, strict=True) if one is not None
    )
    passed = off <= _TOLERANCE
    return checks.outcome("divergence", passed, expected, "as expected" if passed else f"they differ by {off:.0%}")


def _scaled(steps: Sequence[_Seen]) -> Outcome:
    """Check that the factor of the divergence follows what annealing sets: a criterion's, a number or the epoch."""
    expected = "a divergence that is scaled by the annealed factor"
    for step in steps:
        if failed := checks.absent("scalar", step.mine, expected):
            return failed
    first, second = (step.scale for step in steps)
    if max(first, second) <= 0 or min(first, second) < -1e-6:
        return checks.outcome("scalar", False, expected, "no gradient of a divergence")
    if abs(first - second) <= 1e-3 * max(first, second):
        return checks.outcome("scalar", False, expected, f"always {first:.3g}")
    passed = all(_of_ours(step) for step in steps)
    return checks.outcome("scalar", passed, expected, "as expected" if passed else "another factor than what was set")


def _of_ours(step: _Seen) -> bool:
    """Return whether the factor is what was set for it, or set by the epoch, which leaves it to the student."""
    factors = step.mine.values.get("factors", [])
    return not factors or any(abs(step.scale - one) <= 1e-3 * one for one in factors)


def _again(step: _Seen) -> Outcome:
    """Check that the same batch gives the same gradients the second time: they do not pile up."""
    expected = "the gradients of this batch alone, computed before the step"
    if failed := checks.absent("gradients", step.mine, expected):
        return failed
    pairs = [(step.gradient(name, "step 0"), step.gradient(name, "step 1")) for name in ("image", "mu", "log_var")]
    lost = [one is None or two is None for one, two in pairs]
    if lost[0] or (step.scale > 0 and any(lost)):
        return checks.outcome("gradients", False, expected, "none when the optimizer steps")
    same = all(difference(two, one) <= 1e-5 for one, two in pairs if one is not None and two is not None)
    return checks.outcome("gradients", same, expected, "as expected" if same else "other ones at the second step")


def _training(step: _Seen) -> Outcome:
    expected = "a model in training mode"
    modes = step.mine.values.get("training", [])
    passed = not step.mine.failure and bool(modes) and all(modes)
    return checks.outcome("gradients", passed, expected, "as expected" if passed else "a model in evaluation mode")


def _updates(step: _Seen) -> Outcome:
    expected = "one step of the optimizer on each batch"
    if failed := checks.absent("update", step.mine, expected):
        return failed
    found = step.mine.values.get("updates")
    return checks.outcome("update", found == [1, 1], expected, f"{found} steps on two batches")


def _moved(own: Experiment) -> Outcome:
    """Check that a step with the student's own model and optimizer moves all weights that got a gradient."""
    expected = "all weights that get a gradient are updated"
    if failed := checks.absent("update", own, expected):
        return failed
    reached, moved = own.values.get("reached", 0), own.values.get("moved", 0)
    return checks.outcome("update", 0 < reached == moved, expected, f"{moved} of {reached}")


def _sum(step: _Seen) -> Outcome:
    """Check that the loss is the sum of the reconstruction losses and of the divergence by its factor."""
    total = step.mse[0] + step.bce[0] + step.similarity + step.scale * step.divergence
    one = step.says("total", [total], "the sum of the reconstruction losses and the scaled divergence as the loss")
    return checks.outcome("returned", one.passed, one.expected, one.actual)


def _kl(step: _Seen) -> Outcome:
    wanted = [step.divergence, step.scale * step.divergence]
    one = step.says("kl", wanted, "the divergence as the last number, scaled or not")
    return checks.outcome("returned", one.passed, one.expected, one.actual)


def _detached(step: _Seen) -> Outcome:
    expected = "numbers, or tensors without their graph"
    if failed := checks.absent("numbers", step.mine, expected, "returned"):
        return failed
    passed = step.mine.values.get("graph") is False
    return checks.outcome("numbers", passed, expected, "as expected" if passed else "a tensor that holds its graph")
