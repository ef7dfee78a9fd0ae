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

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import acgan_losses as losses
from graders.assignments.acgan_images import standard_normal
from graders.assignments.acgan_losses import CLASSES, Array
from graders.model import Experiment, Outcome

BATCH, LAST = 16, 5  # images of a batch, and of the last one of an epoch
_STEPS = {"first": BATCH, "second": BATCH, "last": LAST}
# Targets that pass for "real" and for "generated": with or without smoothing, on one side or both.
_REAL, _FAKE, _FAKE_OF_SQUARES = (0.65, 1.25), (-0.25, 0.35), (-1.25, 0.35)
PASS, SOURCE, PLACE, LABEL, SCORE, PULL = range(6)  # columns of `rows`, see the instrument


class TrainStep:
    """The discriminator learns real from generated and the classes, the generator to pass; each updated by its own."""

    arguments = ("x", "y")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Take training steps on batches of two sizes and note what is done."""

        def step(name: str, number: int) -> Any:
            images = np.abs(np.sin(draw.normal(f"images {name}", number, 3, 32, 32)))
            labels = draw.integers(f"labels {name}", 0, CLASSES, number)

            def one() -> Any:
                return student.call("train_step", x=lab.image_tensor(images), y=lab.label_tensor(labels))

            if not all(student.names.get(item) in student.namespace for item in ("generator", "discriminator")):
                one()  # that of the skeleton says that it is not done
                raise ValueError("the step does not use a generator and a discriminator that are known by their names")
            networks = {"G": student.definition("generator"), "D": student.definition("discriminator")}
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
        yield _noise(mine["first"], mine["second"])
        yield steps["last"].whole("batch")
        yield checks.all_of(
            "returned", *(one.returned() for one in full), _two_losses(*full), _accuracy(*steps.values())
        )


def _noise(first: Experiment, second: Experiment) -> Outcome:
    """Check that latent vectors are normal numbers, others for every image and in every step."""
    drawn = standard_normal("noise", first, second)
    if not drawn.passed:
        return drawn
    if any(int(one.values.get("alike", 1)) for one in (first, second)):
        return checks.outcome("noise", False, drawn.expected, "the same vector for several images of a batch")
    rows = [{row.tobytes() for row in one.arrays["vectors"].astype(np.float64)} for one in (first, second)]
    same = bool(rows[0] & rows[1])
    return checks.outcome("noise", not same, drawn.expected, "the same ones in another step" if same else drawn.actual)


def _two_losses(first: _Step, second: _Step) -> Outcome:
    """Check that two numbers besides the accuracy are others in another step, as losses are."""
    expected = "two losses, which are others in every step"
    one, other = first.numbers(), second.numbers()
    if one.shape != other.shape:
        return checks.outcome("returned", False, expected, "another number of values in another step")
    pairs = {(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True) if a != b}
    accuracy = next((pair for pair in pairs if first.tells(pair[0]) and second.tells(pair[1])), None)
    return checks.outcome("returned", len(pairs - {accuracy}) >= 2, expected, f"{len(pairs - {accuracy})} of them")


def _accuracy(*steps: _Step) -> Outcome:
    """Check that a number is the same kind of accuracy in all steps that were made, the smaller one among them."""
    expected = "an accuracy of what the discriminator told in this step"
    made = [one for one in steps if len(one.numbers())] or steps[:1]
    kinds = [set.intersection(*(one.tells(number) for one, number in zip(made, numbers, strict=True)))
             for numbers in zip(*(one.numbers().tolist() for one in made), strict=False)]  # fmt: skip
    return checks.outcome(
        "returned", any(kinds), expected, "so it is" if any(kinds) else "none that holds in all steps"
    )


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
        self.passes = list(mine.values.get("passes", [])) if not mine.failure else []
        self.forms = mine.values.get("forms", {}) if not mine.failure else {}

    def _rows_of(self, who: str, source: int) -> Array:
        """Return which rows are of this source and had a part in what this network learns."""
        passes = [at for at, one in enumerate(self.passes) if one["of"] == who]
        return np.asarray(np.isin(self.rows[:, PASS], passes) & (self.rows[:, SOURCE] == source))

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
            return checks.outcome(name, False, expected, f"the {network} learns nothing of such images")
        for number in np.unique(rows[rows[:, PULL] != 0, PASS]):
            one = rows[rows[:, PASS] == number]
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
        if losses.linear(chance, of_logits, targets) or losses.drawn_targets(chance, of_logits, targets, len(rows)):
            return True
        if who == "G" and losses.proportional(of_logits, -chance):  # minimax, as in the paper
            return True
        squares = _FAKE_OF_SQUARES if targets is _FAKE else targets
        return losses.linear(score, pull, squares) or (
            not probabilities and losses.hinge(pull, 1 if targets is _FAKE else -1)
        )

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
        parts = [rows[:, PASS] == number for number in np.unique(rows[pulls.any(axis=1), PASS])]
        wrong = [part for part in parts if not losses.cross_entropy(scores[part], pulls[part], rows[part, LABEL], form)]
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
        told = ", ".join(names.get(one, one) for one in changed[:8]) or "none"
        if any(len(one["who"]) > 1 for one in self.done):
            told = "an optimizer that has the weights of both"
        if left_out := self.mine.values.get("left out"):
            told = f"some weights of the {' and the '.join(names.get(one, '') for one in left_out)} have no optimizer"
        return checks.outcome("updates", passed and not left_out, expected, told)

    def fresh(self) -> Outcome:
        """Judge whether an update has the gradients of its own losses alone, and all of them."""
        expected = "every update has the gradients of its own losses, and of nothing before them"
        if failed := checks.absent("fresh", self.mine, expected):
            return failed
        stale, mixed = (any(one[key] for one in self.done) for key in ("stale", "mixed"))
        told = "no update" if not self.done else "gradients of before are left in it" if stale else ""
        told = told or ("gradients of the other network's loss are in it" if mixed else "")
        told = told or ("a part of its gradients was thrown away" if self.mine.values.get("dropped") else "")
        return checks.outcome("fresh", not told, expected, told or "so it is")

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
        numbers = self.numbers()
        told = ", ".join(f"{one:.4g}" for one in numbers[:5]) or "nothing"
        known = numbers[np.isfinite(numbers)]
        right = len(known) >= 3 and any(self.tells(one) for one in known)
        return checks.outcome("returned", right, expected, told)

    def tells(self, number: float) -> set[int]:
        """Return which kinds of accuracy, of what the discriminator told, a number is."""
        shares = enumerate(self._accuracies())
        return {at for at, share in shares if abs(number - share) <= 1e-3 * max(1.0, share)}

    def numbers(self) -> Array:
        """Return the numbers that the step returned."""
        return np.asarray(self.mine.arrays.get("returned", np.zeros(0)), np.float64).ravel()

    def _accuracies(self) -> Iterator[float]:
        """Yield the accuracies of classes and scores, of real and generated images: shares, percentages and counts."""
        rows = self.rows
        told = self.scores.argmax(axis=1) == rows[:, LABEL]
        threshold = 0.5 if self.forms.get("score") == "sigmoid" else 0.0
        sure = (rows[:, SCORE] > threshold) == (rows[:, SOURCE] == 1)
        real, fake, passed_on = self._rows_of("D", 1), self._rows_of("D", 0), self._rows_of("G", 0)
        all_updates = np.ones(len(rows), bool)
        updates = {at: one["update"] for at, one in enumerate(self.passes)}
        of_update = np.array([updates.get(int(at), -1) for at in rows[:, PASS]])
        for update in (all_updates, *(of_update == at for at in np.unique(of_update))):
            for which in (real & update, fake & update, passed_on & update, (real | fake) & update, real | passed_on):
                for right in (told, sure):
                    share = float(right[which].mean()) if which.any() else np.nan  # so that kinds keep their places
                    yield from (share, 100 * share, share * float(which.sum()))
