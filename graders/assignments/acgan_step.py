"""Handout E, Part 2: the training step, judged by the gradients of its losses with respect to the two outputs.

A loss of the outputs is known by that gradient: with a score a and a target t, binary cross-entropy gives c (s(a) - t),
whatever the networks are made of. What is asked is that real images are pulled towards "real" and generated ones away
from it, the generator's towards it, and that class scores are pulled to the right labels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments.acgan_images import standard_normal
from graders.model import Experiment, Outcome

Array = NDArray[Any]
CLASSES = 10
BATCH, LAST = 16, 5  # images of a batch, and of the last one of an epoch
_STEPS = {"first": BATCH, "second": BATCH, "last": LAST}
_OFF = 1e-3  # of a gradient, as a share of its largest value: float32 and one more pass through a sigmoid
# Targets that pass for "real" and for "generated": with or without smoothing, on one side or both.
_REAL, _FAKE, _FAKE_OF_SQUARES = (0.65, 1.25), (-0.25, 0.35), (-1.25, 0.35)
_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 1 / 3, 0.1, 10.0)  # of a loss, where its targets are drawn and cannot be fitted
UPDATE, SOURCE, PLACE, LABEL, SCORE, PULL = range(6)  # columns of `rows`, see the instrument


class TrainStep:
    """The discriminator learns real from generated and the classes, the generator to pass; each updated by its own."""

    arguments = ("x", "y")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take training steps on batches of two sizes and note what is done."""

        def step(name: str, number: int) -> Any:
            images = np.abs(np.sin(draw.normal(f"images {name}", number, 3, 32, 32)))
            labels = draw.integers(f"labels {name}", 0, CLASSES, number)
            networks = {"G": student.definition("generator"), "D": student.definition("discriminator")}

            def one() -> Any:
                return student.call("train_step", x=lab.image_tensor(images), y=lab.label_tensor(labels))

            return {"number": number, **lab.duel(networks, student.namespace, one, images, labels, BATCH, draw)}

        return {name: functools.partial(step, name, number) for name, number in _STEPS.items()}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge losses, updates and batches; one outcome per criterion."""
        steps = {name: _Step(mine[name], number) for name, number in _STEPS.items()}
        full = [steps["first"], steps["second"]]
        checked: dict[str, Callable[[_Step], Outcome]] = {
            "real": _Step.real,
            "fake": _Step.fake,
            "classes": _Step.classes,
            "generator": _Step.generator,
            "generator_classes": _Step.generator_classes,
            "updates": _Step.updates,
            "fresh": _Step.fresh,
        }
        for name, check in checked.items():
            yield checks.all_of(name, *(check(one) for one in full))
        yield standard_normal("noise", *(mine[name] for name in ("first", "second")))
        yield steps["last"].whole("batch")
        yield checks.all_of("returned", *(one.returned() for one in full))


class _Step:
    """One training step: its evidence as columns, and what each criterion says of it."""

    def __init__(self, mine: Experiment, number: int) -> None:
        self.mine, self.number = mine, number
        rows = mine.arrays.get("rows", np.zeros((0, 6)))
        tables = [mine.arrays.get(name, np.zeros((0, CLASSES))) for name in ("classes", "class gradients")]
        sound = rows.ndim == 2 and rows.shape[1] == 6 and all(one.shape == (len(rows), CLASSES) for one in tables)
        sound = sound and all(one.dtype.kind == "f" and np.isfinite(one).all() for one in (rows, *tables))
        self.rows = rows.astype(np.float64) if sound else np.zeros((0, 6))
        self.scores, self.pulls = (one.astype(np.float64) if sound else np.zeros((0, CLASSES)) for one in tables)
        self.done = list(mine.values.get("updates", [])) if not mine.failure else []
        self.forms = mine.values.get("forms", {}) if not mine.failure else {}

    def _rows_of(self, who: str, source: int) -> Array:
        """Return which rows are of this source and had a part in an update of this network alone."""
        updates = [at for at, one in enumerate(self.done) if one["who"] == [who]]
        return np.asarray(np.isin(self.rows[:, UPDATE], updates) & (self.rows[:, SOURCE] == source))

    # Losses of the score ----------------------------------------------------------------------------------------------

    def real(self) -> Outcome:
        """Judge what the discriminator learns of real images."""
        return self._pulled("real", "D", 1, "a loss that pulls the scores of real images to real", _REAL)

    def fake(self) -> Outcome:
        """Judge what the discriminator learns of generated images."""
        return self._pulled("fake", "D", 0, "a loss that pulls the scores of generated images to fake", _FAKE)

    def generator(self) -> Outcome:
        """Judge what the generator learns of the scores."""
        return self._pulled("generator", "G", 0, "a loss that pulls the scores of generated images to real", _REAL)

    def _pulled(self, name: str, who: str, source: int, expected: str, targets: tuple[float, float]) -> Outcome:
        if failed := checks.absent(name, self.mine, expected):
            return failed
        rows = self.rows[self._rows_of(who, source)]
        if not np.any(rows[:, PULL]):
            network = "discriminator" if who == "D" else "generator"
            return checks.outcome(
                name, False, expected, f"no such image takes part in an update of the {network} alone"
            )
        for update in np.unique(rows[rows[:, PULL] != 0, UPDATE]):
            one = rows[rows[:, UPDATE] == update]
            if not self._known_loss(one, targets, who):
                against = np.mean(one[:, PULL] < 0 if targets is _FAKE else one[:, PULL] > 0) > 0.8
                return checks.outcome(name, False, expected, "pulled the other way" if against else self._unknown())
        return checks.outcome(name, True, expected, "so it is")

    def _unknown(self) -> str:
        form = self.forms.get("score") or "logits"
        kind = "scores are logits" if form == "logits" else f"scores come out of a {form}"
        return f"gradients of no loss that fits: the {kind}"

    def _known_loss(self, rows: Array, targets: tuple[float, float], who: str) -> bool:
        """Return whether gradients are those of binary cross-entropy, least squares or a hinge."""
        score, pull = rows[:, SCORE], rows[:, PULL]
        probabilities = self.forms.get("score") == "sigmoid"
        chance = score if probabilities else 1 / (1 + np.exp(-np.clip(score, -60, 60)))
        of_logits = pull * chance * (1 - chance) if probabilities else pull
        if _linear(chance, of_logits, targets) or _drawn_targets(chance, of_logits, targets, len(rows)):
            return True
        if who == "G" and _proportional(of_logits, -chance):  # minimax, as in the paper
            return True
        squares = _FAKE_OF_SQUARES if targets is _FAKE else targets
        return _linear(score, pull, squares) or (not probabilities and _hinge(pull, 1 if targets is _FAKE else -1))

    # Losses of the classes --------------------------------------------------------------------------------------------

    def classes(self) -> Outcome:
        """Judge what the discriminator learns of the classes: of real images, and of generated ones or not."""
        expected = (
            "cross-entropy of the class scores and the labels of the real images, and those of generated ones or none"
        )
        if failed := checks.absent("classes", self.mine, expected):
            return failed
        outcome = self._labelled("classes", self._rows_of("D", 1), expected)
        fakes = self._rows_of("D", 0)
        if not outcome.passed or not np.any(self.pulls[fakes]):
            return outcome
        return self._labelled("classes", fakes & self.pulls.any(axis=1), expected)

    def generator_classes(self) -> Outcome:
        """Judge what the generator learns of the classes."""
        expected = "cross-entropy of the class scores of generated images and the labels that they were made with"
        if failed := checks.absent("generator_classes", self.mine, expected):
            return failed
        return self._labelled("generator_classes", self._rows_of("G", 0), expected)

    def _labelled(self, name: str, which: Array, expected: str) -> Outcome:
        rows, scores, pulls = self.rows[which], self.scores[which], self.pulls[which]
        if not len(rows) or not np.any(pulls):
            return checks.outcome(name, False, expected, "no loss of the class scores takes part in the update")
        if np.any((rows[:, LABEL] < 0) | (rows[:, LABEL] >= CLASSES)):
            return checks.outcome(name, False, expected, "generated without labels of 0 to 9")
        form = str(self.forms.get("classes") or "logits")
        parts = [rows[:, UPDATE] == update for update in np.unique(rows[pulls.any(axis=1), UPDATE])]
        wrong = [part for part in parts if not _cross_entropy(scores[part], pulls[part], rows[part, LABEL], form)]
        told = f"gradients of another loss, or of other labels (the class scores are {form.replace('_', ' ')})"
        return checks.outcome(name, not wrong, expected, told if wrong else "so it is")

    # Updates ----------------------------------------------------------------------------------------------------------

    def updates(self) -> Outcome:
        """Judge who is updated: both networks, each by an optimizer that has its weights alone."""
        expected = "the weights of the discriminator and those of the generator change, each by its own update"
        if failed := checks.absent("updates", self.mine, expected):
            return failed
        changed = ["+".join(one["changed"]) or "none" for one in self.done]
        own = all(one["who"] == one["changed"] for one in self.done)
        passed = own and set(changed) == {"D", "G"}
        names = {"D": "discriminator", "G": "generator", "D+G": "both at once", "none": "nothing"}
        return checks.outcome(
            "updates", passed, expected, ", ".join(names.get(one, one) for one in changed[:8]) or "none"
        )

    def fresh(self) -> Outcome:
        """Judge whether an update has the gradients of its own losses alone, and all of them."""
        expected = "every update has the gradients of its own losses, and of nothing before them"
        if failed := checks.absent("fresh", self.mine, expected):
            return failed
        stale, dropped = (any(one[key] for one in self.done) for key in ("stale", "dropped"))
        told = "gradients of before are left in it" if stale else "a part of its gradients was thrown away"
        passed = bool(self.done) and not stale and not dropped
        return checks.outcome("fresh", passed, expected, "so it is" if passed else told if self.done else "no update")

    # The rest ---------------------------------------------------------------------------------------------------------

    def whole(self, name: str) -> Outcome:
        """Judge a batch of another size: every one of its images takes part."""
        expected = f"a step on a batch of {self.number} images, as the last one of an epoch is smaller"
        if failed := checks.absent(name, self.mine, expected):
            return failed
        places = set(self.rows[self._rows_of("D", 1), PLACE])
        if places != set(range(self.number)):
            return checks.outcome(name, False, expected, f"{len(places)} of its images take part")
        return checks.outcome(name, True, expected, "so it is")

    def returned(self) -> Outcome:
        """Judge what the step returns: two losses, and an accuracy of what the discriminator told."""
        expected = "the loss of the generator, that of the discriminator, and an accuracy, as finite numbers"
        if failed := checks.absent("returned", self.mine, expected):
            return failed
        numbers = self.mine.arrays.get("returned", np.zeros(0)).astype(np.float64).ravel()
        told = ", ".join(f"{one:.4g}" for one in numbers[:5]) or "nothing"
        known = numbers[np.isfinite(numbers)]
        right = any(abs(one - share) <= 1e-3 * max(1.0, share) for one in known for share in self._accuracies())
        return checks.outcome("returned", len(known) >= 3 and right, expected, told)

    def _accuracies(self) -> Iterator[float]:
        """Yield the accuracies of classes and scores, of real and generated images: shares, percentages and counts."""
        rows = self.rows
        told = self.scores.argmax(axis=1) == rows[:, LABEL]
        threshold = 0.5 if self.forms.get("score") == "sigmoid" else 0.0
        sure = (rows[:, SCORE] > threshold) == (rows[:, SOURCE] == 1)
        real, fake, passed_on = self._rows_of("D", 1), self._rows_of("D", 0), self._rows_of("G", 0)
        all_updates = np.ones(len(rows), bool)
        for update in (all_updates, *(rows[:, UPDATE] == at for at in range(len(self.done)))):
            for which in (real & update, fake & update, passed_on & update, (real | fake) & update, real | passed_on):
                for right in (told, sure) if which.any() else ():
                    share = float(right[which].mean())
                    yield from (share, 100 * share, share * float(which.sum()))


# Losses by their gradients --------------------------------------------------------------------------------------------


def _linear(value: Array, pull: Array, targets: tuple[float, float]) -> bool:
    """Return whether pull = c (value - t) for one c > 0 and one target t in a range."""
    slope, shift = np.linalg.lstsq(np.stack([value, np.ones_like(value)], axis=1), pull, rcond=None)[0]
    if slope <= 0 or np.ptp(value) < 1e-6:
        return False
    off = np.abs(slope * value + shift - pull).max()
    return bool(off <= _OFF * max(np.abs(pull).max(), abs(slope)) and targets[0] <= -shift / slope <= targets[1])


def _drawn_targets(chance: Array, pull: Array, targets: tuple[float, float], number: int) -> bool:
    """Return whether pull = c (chance - t) for a usual c and targets t, one per row, in a range."""
    found = [chance - pull * number / weight for weight in _WEIGHTS]
    return any(bool(np.all((t >= targets[0]) & (t <= targets[1]))) for t in found)


def _proportional(one: Array, other: Array) -> bool:
    scale = float(one @ other) / max(float(other @ other), 1e-300)
    return scale > 0 and bool(np.abs(one - scale * other).max() <= _OFF * np.abs(one).max())


def _hinge(pull: Array, sign: int) -> bool:
    """Return whether scores are pulled this way, all alike, or not at all: a hinge or its linear part."""
    pulled = sign * pull[pull != 0]
    return bool(len(pulled) and pulled.min() > 0 and np.ptp(pulled) <= _OFF * pulled.max())


def _cross_entropy(scores: Array, pulls: Array, labels: Array, form: str) -> bool:
    """Return whether gradients of class scores are those of cross-entropy with these labels, smoothed or not.

    They are w p - u d - v for the probabilities p of the scores and the labels d as one-hot vectors; in sum zero for
    logits, and u d / p for probabilities whose logarithm is taken.
    """
    hot = np.eye(CLASSES)[labels.astype(int)]
    size = np.abs(pulls).max()
    if form == "softmax":
        return _proportional(-pulls.ravel(), (hot / np.maximum(scores, 1e-12)).ravel())
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chance = powers / powers.sum(axis=1, keepdims=True)
    columns = np.stack([chance.ravel(), -hot.ravel(), -np.ones(hot.size)], axis=1)
    (w, u, v), *_ = np.linalg.lstsq(columns, pulls.ravel(), rcond=None)
    off = np.abs(columns @ (w, u, v) - pulls.ravel()).max()
    balanced = form == "log_softmax" or abs(w - u - CLASSES * v) <= 1e-2 * u
    return bool(off <= _OFF * size and u > 0 and w >= -1e-2 * u and balanced and -1e-2 * u <= v <= 0.1 * u)
