"""Handout B, C3 and C4: the training step of Part 1 and the accuracy, on a stand-in model that is linear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import jem_linear as linear
from graders.assignments import jem_noise as noise
from graders.assignments.jem_reported import loss_is, updated
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_BATCH = 5  # neither the number of classes nor that of the features
_SIGMA, _OTHER = 0.03, 0.05  # Section 5.3, and one that is passed
_CALLS = ("first", "second", "other", "other again")


class TrainingStep:
    """Noise on the images, cross-entropy of the logits, its gradients, one update, the loss by name (Section 5.3)."""

    arguments = ("optim", "model", "data", "label", "sigma")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take four steps with fresh stand-ins, two of them with a sigma, and one with arrays in place of tensors."""
        weights = linear.drawn(draw)
        data = linear.two_tones(draw, "data", _BATCH, 0.3, 0.7)
        labels = draw.integers("labels", 0, linear.CLASSES, _BATCH).astype(np.int32)

        def step(images: Any, ids: Any, **more: Any) -> Any:
            model, optim = lab.LinearModel(weights), lab.RecordingOptimizer()
            result = student.call("C3", optim=optim, model=model, data=images, label=ids, **more)
            return {**linear.reported(result), **model.seen(), **optim.seen(model)}

        def on_tensors(**more: Any) -> Any:
            return step(lab.constant(data), lab.constant(labels), **more)

        def on_arrays() -> Any:
            images, ids = data.copy(), labels.copy()
            step(images, ids)
            return {"data": images, "labels": ids}

        return {
            "first": lambda: {**weights, "data": data, "labels": labels, **on_tensors()},
            "second": on_tensors,
            "other": lambda: on_tensors(sigma=_OTHER),
            "other again": lambda: on_tensors(sigma=_OTHER),
            "arrays": on_arrays,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Find the images that the gradients belong to; compare noise, gradients and loss with the closed form."""
        steps = [_Step(mine[name], theirs["first"]) for name in _CALLS]
        noises = [step.noise() for step in steps]
        yield noise.fresh("noise", *noises)
        yield checks.all_of(
            "sigma", noise.spread("sigma", _SIGMA, *noises[:2]), noise.spread("sigma", _OTHER, *noises[2:])
        )
        yield checks.all_of("gradients", *(step.gradients() for step in steps))
        yield checks.all_of("update", *(updated("update", mine[name]) for name in _CALLS))
        yield checks.all_of("loss", *(loss_is("loss", step.mine, step.cross_entropy()) for step in steps))
        yield _unchanged(mine, theirs)
        yield _mode(mine["first"])


class _Step:
    """One step: its evidence, and of the images that the model saw those whose gradient the optimizer got."""

    def __init__(self, mine: Experiment, given: Experiment) -> None:
        self.mine, self.model = mine, linear.of(given)
        self.labels, self.clean = given.arrays["labels"], given.arrays["data"].reshape(_BATCH, -1)
        self.found = linear.weight_gradients(mine)
        self.rows = linear.rows(mine)
        self.start = min(range(len(self.rows) - _BATCH + 1), key=self._off, default=None)

    def _logits(self, start: int) -> Array:
        return self.model.logits(self.rows[start : start + _BATCH])

    def _off(self, start: int) -> float:
        """Return how far the gradients are from those of the images from `start` on, as a share of the largest."""
        of_logits = linear.softmax(self._logits(start)) - linear.one_hot(self.labels)
        expected = self.model.of_weights(self.rows[start : start + _BATCH], of_logits / _BATCH)
        return checks.difference(self.found, expected) if self.found is not None else 0.0

    def noise(self) -> Array | None:
        """Return what was added to the images, (images, values); None where the model saw no such batch."""
        patches = linear.patches(self.mine)
        if self.start is None or patches.shape != (len(self.rows), self.clean.shape[1]):
            return None
        return np.asarray(patches[self.start : self.start + _BATCH] - self.clean)

    def cross_entropy(self) -> float | None:
        """Return the mean cross-entropy of those images."""
        if self.start is None:
            return None
        return float(linear.cross_entropies(self._logits(self.start), self.labels).mean())

    def gradients(self) -> Outcome:
        """Check the gradients that the optimizer got."""
        expected = "the gradients of the cross-entropy of the logits, averaged over the batch"
        if failed := checks.absent("gradients", self.mine, expected, "features"):
            return failed
        if self.found is None:
            return checks.outcome("gradients", False, expected, "no gradient of every weight came to the optimizer")
        if self.start is None:
            return checks.outcome("gradients", False, expected, "the model was not called with the batch")
        off = self._off(self.start)
        actual = "equal to rounding" if off <= checks.TOLERANCE else f"they differ by {off:.0%} of the largest"
        return checks.outcome("gradients", off <= checks.TOLERANCE, expected, actual)


def _unchanged(mine: Seen, theirs: Seen) -> Outcome:
    """Check that arrays that a step was given are as before; a step that takes tensors alone cannot change them."""
    expected = "the batch as it was before"
    if failed := checks.absent("data", mine["first"], expected):
        return failed
    if not mine["first"].values.get("updates"):
        return checks.outcome("data", False, expected, "no training at all")
    if mine["arrays"].failure:
        return checks.outcome("data", True, expected, "it takes tensors alone, which nothing can change")
    same = all(
        np.array_equal(mine["arrays"].arrays.get(key, np.zeros(0)), theirs["first"].arrays[key])
        for key in ("data", "labels")
    )
    return checks.outcome("data", same, expected, "as expected" if same else "other values than before")


def _mode(mine: Experiment) -> Outcome:
    """Check that the model is not only called with training=False; not to tell it anything is right."""
    expected = "a model that is not told that it does not train"
    if failed := checks.absent("mode", mine, expected):
        return failed
    told = mine.values.get("training")
    passed = isinstance(told, list) and any(one != 0 for one in told)
    return checks.outcome("mode", passed, expected, "as expected" if passed else "training=False, or no call at all")


# Right images in each batch, so that neither the mean over batches nor one batch alone gives the share of all of them.
_RIGHT = ((3, 2, 0), (1, 2, 3), (3, 0, 2), (1, 4, 1), (3, 4, 1))
_SIZE, _SIZES = 4, (4, 4, 3)


class Accuracy:
    """The share of a data set's images whose largest logit is that of their label (Section 5.4)."""

    arguments = ("model", "dataset")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Evaluate one batch, two full ones, and three of which the last one is smaller."""
        weights = linear.drawn(draw)
        first, second, third = draw.choose("right", _RIGHT)
        images = linear.two_tones(draw, "images", sum(_SIZES), 0.2, 0.8)
        logits = linear.logits_of(weights, images)
        labels = _labels(logits, (first, second, third), draw)

        def evaluate(batches: int) -> Any:
            model, number = lab.LinearModel(weights), sum(_SIZES[:batches])
            before = model.values()
            result = student.call("C4", model=model, dataset=lab.batches(images[:number], labels[:number], _SIZE))
            same = all(np.array_equal(before[name], value) for name, value in model.values().items())
            seen = model.seen()
            return {"accuracy": np.asarray(result), "same": same, "trains": 1 in seen["training"]}

        return {
            "one": lambda: {"right": logits.argmax(axis=1) == labels, **evaluate(1)},
            "full": lambda: evaluate(2),
            "partial": lambda: evaluate(3),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the counted share."""
        right = theirs["one"].arrays["right"]
        shares = [
            _share(name, mine[kind], float(np.mean(right[: sum(_SIZES[:number])])))
            for name, kind, number in (("value", "one", 1), ("batches", "partial", 3), ("whole", "full", 2))
        ]
        yield from shares
        expected = "a model that was not trained meanwhile, neither its weights nor its mode"
        kinds = [mine[kind] for kind in ("one", "full", "partial")]
        failed = [one for one in (checks.absent("unchanged", kind, expected) for kind in kinds) if one]
        same = all(kind.values.get("same") is True and kind.values.get("trains") is False for kind in kinds)
        same = same and any(share.passed for share in shares)  # a number that comes from nowhere tests no model
        said = "as expected" if same else "weights that changed, a model that was told to train, or no test at all"
        yield (failed or [checks.outcome("unchanged", same, expected, said)])[0]


def _labels(logits: Array, right: tuple[int, ...], draw: Any) -> Array:
    """Return labels (N,) by which so many images of each batch are classified right, in some order."""
    hits = [np.arange(size)[draw.order(f"hits {n}", size)] < right[n] for n, size in enumerate(_SIZES)]
    misses = logits.argmax(axis=1) + draw.integers("misses", 1, linear.CLASSES, len(logits))
    return np.asarray(np.where(np.concatenate(hits), logits.argmax(axis=1), misses % linear.CLASSES), np.int32)


def _share(name: str, mine: Experiment, share: float) -> Outcome:
    """Check a share that may be in percent, and rounded to 4 digits (2 in percent)."""
    expected = "the share of the images that are classified right, in percent or not"
    if failed := checks.absent(name, mine, expected, "accuracy"):
        return failed
    found = mine.arrays["accuracy"]
    if found.size != 1 or not checks.finite(found):
        return checks.outcome(name, False, expected, f"an array of shape {found.shape}, not one finite number")
    number = float(found.reshape(()))
    passed = abs(number - share) < 1e-4 or abs(number - 100 * share) < 1e-2
    return checks.outcome(name, passed, expected, "as expected" if passed else f"another number, {number:.4g}")
