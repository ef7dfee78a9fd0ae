"""Handout B, C9: the training step of Part 2, on a stand-in model that is linear and a stand-in buffer.

The gradients that reach the optimizer are taken apart: each term that the loss may hold has gradients in closed form,
and what is found must be these terms with the factors 1, 1 and -1, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import jem_linear as linear
from graders.assignments import jem_noise as noise
from graders.assignments.jem_reported import loss_is, updated
from graders.checks import distributions
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_BATCH = 5  # neither the number of classes nor that of the features
_SIGMA, _OTHER = 0.03, 0.05  # Section 6.3.1, and one that is passed
_AMP, _STEP, _STEPS = 0.01, 1.0, 20  # Section 6.3.2
_SCALE = 0.07  # of the kernel: 20 steps move a value by about 0.07
_NEAR = 0.2  # how far noise and steps take an image from where it began, at most; others are further away
_REST, _REST_OF_STEPS = 1e-3, 0.02  # rounding; and the few values that the steps have clipped
_CALLS = ("first", "second")
_CUT = slice(8, 24)


def patch(images: Any) -> Any:
    """Return the middle of images, which is kept of all that the model sees."""
    return images[:, _CUT, _CUT, :]


class JointStep:
    """Takes samples through 20 steps and back to the buffer; minimises the loss of Section 6.3.1."""

    arguments = ("optim", "model", "data", "label", "sb", "sigma")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take two steps with fresh stand-ins, one of them with a sigma."""
        weights = linear.drawn(draw, _SCALE)
        data = linear.two_tones(draw, "data", _BATCH, 0.2, 0.8)
        labels = draw.integers("labels", 0, linear.CLASSES, _BATCH).astype(np.int32)
        samples = linear.two_tones(draw, "samples", 2 * _BATCH, 0.3, 0.7)
        moves = draw.integers("moves", 1, linear.CLASSES, 2 * _BATCH)
        ids = ((np.tile(labels, 2) + moves) % linear.CLASSES).astype(np.int32)  # others than the labels of the data

        def step(**more: Any) -> Any:
            model, optim = lab.LinearModel(weights, patch), lab.RecordingOptimizer()
            buffer = lab.RecordingBuffer(samples, ids, linear.CLASSES)
            given = {"data": lab.constant(data), "label": lab.constant(labels), "sb": buffer}
            result = student.call("C9", optim=optim, model=model, **given, **more)
            return {**linear.reported(result), **model.seen(), **optim.seen(model), **buffer.seen()}

        return {
            "first": lambda: {**weights, "data": data, "labels": labels, "samples": samples, "ids": ids, **step()},
            "second": lambda: step(sigma=_OTHER),
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the closed form what the model saw, what went to the buffer and to the optimizer."""
        steps = [_Step(mine[name], theirs["first"]) for name in _CALLS]
        first, second = (step.noise() for step in steps)
        yield checks.all_of(
            "noise",
            noise.fresh("noise", first, second),
            noise.spread("noise", _SIGMA, *_halves(first)),
            noise.spread("noise", _OTHER, *_halves(second)),
        )
        yield checks.all_of("number", *(step.number() for step in steps))
        yield checks.any_of("steps", *(step.steps() for step in steps))
        yield checks.all_of("buffer", *(step.buffer() for step in steps))
        yield checks.all_of("loss", *(step.signs() for step in steps))
        yield checks.all_of("aggregation", *(step.aggregation() for step in steps))
        yield checks.all_of("constant", *(step.constant() for step in steps))
        yield checks.all_of("update", *(updated("update", mine[name]) for name in _CALLS))
        yield checks.all_of("report", *(loss_is("report", step.mine, step.loss()) for step in steps))


def _halves(draw: Array | None) -> list[Array | None]:
    return [None] if draw is None else [draw[:, ::2], draw[:, 1::2]]


@dataclass(frozen=True)
class _Fit:
    """The factors of the terms that make up the gradients, and what is left over, as a share of the largest."""

    factors: Array  # of cross-entropy, E(x), E(x'), E(x', y') and of what passes through the sampling steps
    rest: float
    images: Array  # the features of the noisy images that fit
    energetic: Array  # the features of the images of E(x): noisy or clean
    final: Array  # the features of the samples after their steps


class _Step:
    """One step: its evidence, what of it is noisy data and what samples, and the terms of its gradients."""

    def __init__(self, mine: Experiment, given: Experiment) -> None:
        self.mine, self.given, self.model = mine, given.arrays, linear.of(given)
        self.labels, self.ids = self.given["labels"], self.given["ids"][:_BATCH]
        self.rows, self.patches = linear.rows(mine), linear.patches(mine)
        self.clean = patch(self.given["data"]).reshape(_BATCH, -1).astype(np.float64)
        self.start = patch(self.given["samples"][:_BATCH]).reshape(_BATCH, -1).astype(np.float64)
        self.noisy = self._batches(self.clean)
        self.sampled = self._batches(self.start)
        self.fit = self._fitted()

    def _batches(self, images: Array) -> list[Array]:
        """Return the places in `rows` of each batch that the model saw of images that began as these."""
        if len(self.patches) != len(self.rows) or self.patches.shape[1] != images.shape[1]:
            return []
        far = np.abs(self.patches[:, None, :] - images[None]).mean(axis=2)  # (rows, batch)
        own = np.where(far.min(axis=1) < _NEAR, far.argmin(axis=1), -1)
        places = np.flatnonzero(own >= 0)
        starts = range(len(places) - _BATCH + 1)
        return [places[i : i + _BATCH] for i in starts if np.array_equal(own[places[i : i + _BATCH]], range(_BATCH))]

    def _fitted(self) -> _Fit | None:
        """Return the terms of the gradients that the optimizer got, for the images that leave the least over."""
        found = linear.weight_gradients(self.mine)
        if found is None or not self.noisy:
            return None
        clean = self.model.features(self.given["data"])
        final = self._final()
        if final is None:
            return None
        noisy = [self.rows[places] for places in self.noisy]
        fits = [self._fit(found, one, other, final) for one in noisy for other in (*noisy, clean)]
        return min(fits, key=lambda fit: fit.rest)

    def _fit(self, found: Array, images: Array, energetic: Array, final: Array) -> _Fit:
        terms = self._terms(images, energetic, final)
        factors, *_ = np.linalg.lstsq(np.stack([term.ravel() for term in terms], axis=1), found.ravel(), rcond=None)
        made = np.tensordot(factors, np.stack(terms), axes=1)
        return _Fit(np.asarray(factors), checks.difference(made, found), images, energetic, final)

    def _terms(self, images: Array, energetic: Array, final: Array) -> list[Array]:
        """Return the gradients of each term, a mean over the batch, one array (features + 1, classes) a term."""
        classes, share = linear.one_hot(self.labels), 1 / _BATCH
        logits, others, last = (self.model.logits(one) for one in (images, energetic, final))
        return [
            self.model.of_weights(images, (linear.softmax(logits) - classes) * share),
            self.model.of_weights(energetic, linear.energy_gradients(others) * share),
            self.model.of_weights(final, linear.energy_gradients(last) * share),
            self.model.of_weights(final, linear.energy_gradients(last, self.ids) * share),
            self._through_sampling(linear.energy_gradients(last) * share),
        ]

    def _through_sampling(self, of_logits: Array) -> Array:
        """Return what E(x') adds where its gradient passes through the steps, each of which adds kernel[:, y'].

        The features of an image's own gradient are the kernel's column again: the signs are a rotation.
        """
        of_features = of_logits @ self.model.kernel.T  # (batch, features)
        of_kernel = _STEPS * _STEP * of_features.T @ linear.one_hot(self.ids)
        return np.vstack([of_kernel, np.zeros((1, of_kernel.shape[1]))])

    def noise(self) -> Array | None:
        """Return what was added to the images that the loss is of, (batch, values)."""
        if not self.noisy:
            return None
        fits = [p for p in self.noisy if self.fit is not None and np.array_equal(self.rows[p], self.fit.images)]
        return np.asarray(self.patches[(fits or self.noisy)[0]] - self.clean)

    def number(self) -> Outcome:
        """Check how many samples were asked for."""
        expected = "as many samples of the buffer as there are images in the batch"
        if failed := checks.absent("number", self.mine, expected):
            return failed
        asked = self.mine.values.get("asked")
        passed = isinstance(asked, list) and all(isinstance(one, int) for one in asked) and sum(asked) == _BATCH
        return checks.outcome("number", passed, expected, "as expected" if passed else f"{asked} of {_BATCH}")

    def steps(self) -> Outcome:
        """Check how far the samples have moved along the gradient of their labels, and the noise that they took up."""
        expected = "the sampling steps of Section 6.3.1, one after another, with the labels of the samples"
        if failed := checks.absent("steps", self.mine, expected, "patches"):
            return failed
        end, start = self._added(), self.given["samples"][:_BATCH].astype(np.float64).reshape(_BATCH, -1)
        if end is not None:
            return distributions.drawn("steps", expected, [self._walked(end - start, lambda images: images)])
        if not self.sampled:
            return checks.outcome("steps", False, expected, "no samples, neither in the buffer nor at the model")
        way = self.patches[self.sampled[-1]] - self.start
        return distributions.drawn("steps", expected, [self._walked(way, patch)])

    def _walked(self, way: Array, cut: Callable[[Array], Array]) -> str:
        """Return what speaks against so many steps: their number by the way made, then what is left by its spread."""
        one = self.model.of_images(-linear.energy_gradients(np.zeros((_BATCH, linear.CLASSES)), self.ids)) * _STEP
        step = cut(one).reshape(_BATCH, -1)
        number = float((way * step).sum() / (step**2).sum())
        spread = np.sqrt(_STEPS) * _AMP
        if abs(number - _STEPS) > 4.9 * spread / float(np.sqrt((step**2).sum())):
            return f"a way of {number:.1f} steps"
        return distributions.gaussian(way - _STEPS * step, 0.0, spread)

    def _added(self) -> Array | None:
        """Return the samples that were added to the buffer, (batch, values), None for others or unchanged ones."""
        images = self.mine.arrays.get("added images")
        if images is None or images.shape != (_BATCH, *linear.SHAPE) or not checks.finite(images):
            return None
        far = float(np.abs(images.astype(np.float64) - self.given["samples"][:_BATCH]).mean())
        return images.reshape(_BATCH, -1).astype(np.float64) if 0 < far < _NEAR else None

    def _final(self) -> Array | None:
        """Return the features of the samples after their steps: those in the buffer, else what the model saw last."""
        if (added := self._added()) is not None:
            return self.model.features(added.reshape(_BATCH, *linear.SHAPE))
        return self.rows[self.sampled[-1]] if self.sampled else None

    def buffer(self) -> Outcome:
        """Check what went back to the buffer."""
        expected = "the samples after their steps, with their labels, added once"
        if failed := checks.absent("buffer", self.mine, expected):
            return failed
        if self.mine.values.get("additions") != 1:
            return checks.outcome("buffer", False, expected, f"{self.mine.values.get('additions')} additions")
        labels = self.mine.arrays.get("added labels", np.zeros(0))
        if not np.array_equal(labels.reshape(-1), self.ids):
            return checks.outcome("buffer", False, expected, "other labels")
        added = self._added()
        if added is None or not self._last(added):
            return checks.outcome("buffer", False, expected, "other images than those after the steps")
        return checks.outcome("buffer", True, expected, "as expected")

    def _last(self, added: Array) -> bool:
        """Return whether no samples came after these, among those that the model saw."""
        shown = patch(added.reshape(_BATCH, *linear.SHAPE)).reshape(_BATCH, -1)
        seen = [bool(np.allclose(shown, self.patches[places], atol=1e-6)) for places in self.sampled]
        return not any(seen) or seen[-1]

    def _apart(self, name: str, expected: str) -> Outcome | None:
        """Return why the gradients cannot be taken apart, None when they can."""
        if failed := checks.absent(name, self.mine, expected, "features"):
            return failed
        if linear.weight_gradients(self.mine) is None:
            return checks.outcome(name, False, expected, "no gradient of every weight came to the optimizer")
        if self.fit is None:
            return checks.outcome(name, False, expected, "the model was not called with images and samples")
        if self.fit.rest > (_REST if _is(self.fit.factors[4], 0) else _REST_OF_STEPS):
            return checks.outcome(name, False, expected, "gradients of something else beside the three terms")
        return None

    def signs(self) -> Outcome:
        """Check which terms the loss holds, with which signs."""
        expected = "the gradients of the three terms of the loss in Section 6.3.1, with their signs"
        if failed := self._apart("loss", expected):
            return failed
        assert self.fit is not None
        *terms, labelled = self.fit.factors[:4] * (1, 1, -1, 1)
        wrong = sum(not (_is(one, 1) or _is(one, _BATCH)) for one in terms)
        more = "" if _is(labelled, 0) else " and one that is not asked for"
        said = f"{wrong} of the terms with another factor or sign{more}" if wrong or more else "as expected"
        return checks.outcome("loss", not wrong and not more, expected, said)

    def aggregation(self) -> Outcome:
        """Check that all terms weigh the same."""
        expected = "one number, whose terms are aggregated over the batch in the same way"
        if failed := self._apart("aggregation", expected):
            return failed
        assert self.fit is not None
        loss = self.mine.arrays.get("loss")
        if loss is not None and loss.size > 1:
            return checks.outcome("aggregation", False, expected, f"a loss of shape {loss.shape}")
        sizes = [abs(one) for one in self.fit.factors[:3] if not _is(one, 0)]
        same = bool(sizes) and any(all(_is(size, factor) for size in sizes) for factor in (1, _BATCH))
        said = "as expected" if same else "terms that weigh more than others, or than they should"
        return checks.outcome("aggregation", same, expected, said)

    def constant(self) -> Outcome:
        """Check that no gradient passes through the sampling steps."""
        expected = "samples that are given when the tape begins"
        if failed := self._apart("constant", expected):
            return failed
        assert self.fit is not None
        passed = _is(self.fit.factors[4], 0)
        return checks.outcome("constant", passed, expected, "as expected" if passed else "gradients through the steps")

    def loss(self) -> float | None:
        """Return the loss whose gradients the optimizer got."""
        if self.fit is None:
            return None
        logits = [self.model.logits(one) for one in (self.fit.images, self.fit.energetic, self.fit.final)]
        terms = [
            linear.cross_entropies(logits[0], self.labels).mean(),
            linear.energies(logits[1]).mean(),
            linear.energies(logits[2]).mean(),
            linear.energies(logits[2], self.ids).mean(),
        ]
        factors = self.fit.factors[:4]
        return float(np.where(np.abs(factors - factors.round()) < 0.02, factors.round(), factors) @ terms)


def _is(found: float, wanted: float) -> bool:
    """Return whether a fitted factor is that number, to the rounding of gradients."""
    return abs(found - wanted) < 0.02 * max(1.0, abs(wanted))
