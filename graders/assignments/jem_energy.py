"""Handout B, C6 and C7: the energy and the sampling step, on a stand-in model that is linear."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import jem_linear as linear
from graders.assignments import jem_noise as noise
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_BATCH = 6  # neither the number of classes nor that of the features
_WAYS = ("", " one-hot")  # how labels are passed; a student need understand one of them


def _passed(labels: Array, way: str) -> Array:
    return linear.one_hot(labels).astype(np.float32) if way else labels


class Energy:
    """Minus the logit of each image's label; without labels minus the log-sum-exp of the logits (Section 6.1)."""

    arguments = ("model", "data", "label")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Measure the energies with labels and without, of a model of large logits too."""
        weights, large = linear.drawn(draw), linear.drawn(draw, 1e4)
        data = linear.two_tones(draw, "data", _BATCH, 0.2, 0.8)
        labels = draw.integers("labels", 0, linear.CLASSES, _BATCH).astype(np.int32)

        def energies(used: Any, *label: Array) -> Any:
            model = lab.LinearModel(used)
            more = {"label": lab.constant(label[0])} if label else {}
            with lab.watched(data) as (images, gradient):
                found = student.call("C6", model=model, data=images, **more)
            slope = gradient(found)
            return {"energies": np.asarray(lab.tensor(found)), "slope": slope, "training": model.seen()["training"]}

        return {
            **{f"labelled{way}": functools.partial(energies, weights, _passed(labels, way)) for way in _WAYS},
            **{f"large labelled{way}": functools.partial(energies, large, _passed(labels, way)) for way in _WAYS},
            "unlabelled": lambda: {**weights, "data": data, "labels": labels, **energies(weights)},
            "large unlabelled": lambda: {**large, **energies(large)},
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the closed form; labels may be integers or one-hot."""
        given = theirs["unlabelled"].arrays
        models = {size: linear.of(theirs[f"{size}unlabelled"]) for size in ("", "large ")}

        def wanted(size: str, labels: Array | None) -> dict[str, Array]:
            logits = models[size].logits(models[size].features(given["data"]))
            of_logits = linear.energy_gradients(logits, labels)
            return {"energies": linear.energies(logits, labels), "slope": models[size].of_images(of_logits)}

        def compared(name: str, size: str, key: str = "energies") -> tuple[Outcome, Outcome]:
            labelled = wanted(size, given["labels"])
            ways = [_values(name, mine[f"{size}labelled{way}"], labelled, key) for way in _WAYS]
            plain = _values(name, mine[f"{size}unlabelled"], wanted(size, None), key)
            return checks.any_of(name, *ways), plain

        shapes = [_shape(mine[f"labelled{way}"]) for way in _WAYS]
        yield checks.all_of("shape", checks.any_of("shape", *shapes), _shape(mine["unlabelled"]))
        yield compared("conditional", "")[0]
        yield compared("unconditional", "")[1]
        yield checks.all_of("extremes", *compared("extremes", "large "))
        yield checks.all_of("gradients", *compared("gradients", "", "slope"))
        yield _not_training(mine)


def _shape(mine: Experiment) -> Outcome:
    expected = f"shape ({_BATCH},) for {_BATCH} images"
    if failed := checks.absent("shape", mine, expected, "energies"):
        return failed
    found = mine.arrays["energies"].shape
    return checks.outcome("shape", found == (_BATCH,), expected, f"shape {found}")


def _values(name: str, mine: Experiment, wanted: dict[str, Array], key: str) -> Outcome:
    """Compare energies (N,) or (N, 1), or their gradients, with the wanted ones."""
    if failed := checks.absent(name, mine, "the energies of the specification, of which gradients pass", key):
        return failed
    found = mine.arrays[key]
    flat = found.reshape(-1) if found.shape == (_BATCH, 1) else found
    return checks.close(name, Experiment(arrays={key: flat}), Experiment(arrays=wanted), key)


def _not_training(mine: Seen) -> Outcome:
    expected = "logits of the model as outside of training"
    if failed := checks.absent("inference", mine["unlabelled"], expected):
        return failed
    ways = [mine[f"labelled{way}"] for way in _WAYS if not mine[f"labelled{way}"].failure]
    flags = [one.values.get("training") for one in (mine["unlabelled"], *ways)]
    right = all(isinstance(flag, list) and flag and 1 not in flag for flag in flags)
    said = "as expected" if right else "a model that is told to train, or not called at all"
    return checks.outcome("inference", right, expected, said)


_AMP, _OTHER_AMP = 0.01, 0.03  # the skeleton's, and one that is passed
_STEP, _OTHER_STEP, _FAR = 1.0, 0.375, 40.0
_STEEP = 2.0  # with any seed gradients reach beyond 0.03, to which tutorials clip them


class SamplingStep:
    """One step against the gradient of the energy with respect to the images, plus noise, kept in [0, 1] (6.2)."""

    arguments = ("model", "data", "label", "step_size", "noise_amp")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take steps without noise, of one image and of several; then noise without steps."""
        weights = linear.drawn(draw, _STEEP)
        data = linear.two_tones(draw, "data", 3, 0.4, 0.6)
        labels = draw.integers("labels", 0, linear.CLASSES, 3).astype(np.int32)

        def step(images: Array, *label: Array, **more: Any) -> Any:
            model = lab.LinearModel(weights)
            before = model.values()
            more |= {"label": lab.constant(label[0])} if label else {}
            found = student.call("C7", model=model, data=lab.constant(images), **more)
            same = all(np.array_equal(before[name], value) for name, value in model.values().items())
            return {"images": np.asarray(lab.tensor(found)), "same": same}

        def each(*label: Array, **more: Any) -> Any:
            """Take a step of one image after another."""
            done = [step(data[i : i + 1], *(one[i : i + 1] for one in label), **more) for i in range(2)]
            return {"images": np.concatenate([one["images"] for one in done]), "same": all(o["same"] for o in done)}

        def on_arrays() -> Any:
            images = data.copy()
            student.call("C7", model=lab.LinearModel(weights), data=images, step_size=_STEP, noise_amp=_AMP)
            return {"data": images}

        still = np.full((2, *linear.SHAPE), 0.5, np.float32)
        return {
            "alone": lambda: {**weights, "data": data, "labels": labels, **each(step_size=_STEP, noise_amp=0.0)},
            "other step": lambda: each(step_size=_OTHER_STEP, noise_amp=0.0),
            "default step": lambda: each(noise_amp=0.0),
            **{f"labelled{way}": functools.partial(each, _passed(labels, way), noise_amp=0.0) for way in _WAYS},
            "together": lambda: step(data, step_size=_STEP, noise_amp=0.0),
            "far": lambda: step(data, step_size=_FAR, noise_amp=0.0),
            "noise": lambda: step(still, step_size=0.0, noise_amp=_OTHER_AMP),
            "noise again": lambda: step(still, step_size=0.0, noise_amp=_OTHER_AMP),
            "default noise": lambda: step(still, step_size=0.0),
            "default noise again": lambda: step(still, step_size=0.0),
            "arrays": on_arrays,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare steps with the closed form and noise with its distribution."""
        given, model = theirs["alone"].arrays, linear.of(theirs["alone"])
        logits = model.logits(model.features(given["data"]))
        slopes = model.of_images(linear.energy_gradients(logits))
        labelled = model.of_images(linear.energy_gradients(logits, given["labels"]))

        def moved(name: str, key: str, size: float, number: int, slope: Array = slopes) -> Outcome:
            wanted = np.clip(given["data"] - size * slope, 0, 1) - given["data"]
            return _moved(name, mine[key], given["data"][:number], wanted[:number])

        yield moved("gradient", "alone", _STEP, 2)
        yield checks.all_of(
            "step_size", moved("step_size", "other step", _OTHER_STEP, 2), moved("step_size", "default step", _STEP, 2)
        )
        yield _together(mine, given["data"])
        yield checks.any_of(
            "conditional", *(moved("conditional", f"labelled{way}", _STEP, 2, labelled) for way in _WAYS)
        )
        draws = {name: _added(mine[name]) for name in ("noise", "noise again", "default noise", "default noise again")}
        noises = list(draws.values())
        yield checks.all_of(
            "noise",
            noise.fresh("noise", *noises),
            noise.spread("noise", _OTHER_AMP, *noises[:2]),
            noise.spread("noise", _AMP, *noises[2:]),
        )
        yield _in_range(mine["far"], np.clip(given["data"] - _FAR * slopes, 0, 1))
        yield _untouched(mine, given["data"])


def _moved(name: str, mine: Experiment, start: Array, wanted: Array) -> Outcome:
    """Compare how far images have moved, which is little beside their values."""
    if failed := checks.absent(name, mine, "the step of the specification", "images"):
        return failed
    found = mine.arrays["images"]
    if found.shape != start.shape:
        return checks.outcome(name, False, f"images of shape {start.shape}", f"shape {found.shape}")
    step = Experiment(arrays={"step": found.astype(np.float64) - start})
    return checks.close(name, step, Experiment(arrays={"step": wanted}), "step")


def _together(mine: Seen, start: Array) -> Outcome:
    """Check that images step together as they do alone, whatever their step is."""
    expected = "the same step for an image in a batch as for the image alone"
    if failed := checks.absent("sum", mine["alone"], expected, "images"):
        return failed
    if failed := checks.absent("sum", mine["together"], expected, "images"):
        return failed
    alone, together = mine["alone"].arrays["images"], mine["together"].arrays["images"]
    if alone.shape != start[:2].shape or together.shape != start.shape or not checks.finite(alone):
        return checks.outcome("sum", False, expected, f"shapes {alone.shape} and {together.shape}")
    if not np.any(alone - start[:2]):
        return checks.outcome("sum", False, expected, "no step at all")
    return _moved("sum", Experiment(arrays={"images": together[:2]}), start[:2], alone.astype(np.float64) - start[:2])


def _added(mine: Experiment) -> Array | None:
    """Return the noise that was added to gray images, (images, values)."""
    found = mine.arrays.get("images")
    if mine.failure or found is None or found.shape != (2, *linear.SHAPE):
        return None
    return np.asarray(found.reshape(2, -1).astype(np.float64) - 0.5)


def _in_range(mine: Experiment, wanted: Array) -> Outcome:
    """Check that a step that leads far stays within [0, 1], and leads there at all."""
    expected = "values within [0, 1] after a large step"
    if failed := checks.absent("range", mine, expected, "images"):
        return failed
    found = mine.arrays["images"]
    if found.shape != wanted.shape or not checks.finite(found):
        return checks.outcome("range", False, expected, f"images of shape {found.shape}, or not finite")
    least, most = float(found.min()), float(found.max())
    passed = least >= 0 and most <= 1 and (least, most) == (0.0, 1.0)
    return checks.outcome("range", passed, expected, f"values from {least:.3g} to {most:.3g}")


def _untouched(mine: Seen, start: Array) -> Outcome:
    """Check that neither the model's weights nor an array that was passed in have changed."""
    expected = "the model's weights and the images that were passed in as before"
    kinds: Sequence[Experiment] = [mine[key] for key in ("alone", "together")]
    failed = [one for one in (checks.absent("unchanged", kind, expected) for kind in kinds) if one]
    if failed:
        return failed[0]
    if np.array_equal(kinds[0].arrays.get("images", np.zeros(0)), start[:2]):
        return checks.outcome("unchanged", False, expected, "no step at all")
    if any(kind.values.get("same") is not True for kind in kinds):
        return checks.outcome("unchanged", False, expected, "other weights than before")
    arrays = mine["arrays"]  # a step that takes tensors alone cannot change them
    same = bool(arrays.failure) or np.array_equal(arrays.arrays.get("data", np.zeros(0)), start)
    return checks.outcome("unchanged", same, expected, "as expected" if same else "other images than before")
