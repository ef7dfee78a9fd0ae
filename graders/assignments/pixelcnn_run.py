"""Handout A, C8 to C10: code that stands in the notebook itself, judged by what it did when the notebook ran.

No probe: the evidence are the records of `graders.probes.recorder`, of the student's run and of the reference's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments import pixelcnn_generation as generation
from graders.assignments.pixelcnn_calls import TEST, Call, Images, Run
from graders.assignments.run_calls import Array, number
from graders.errors import Unseen
from graders.model import Outcome

CLOSE = 1e-3  # between a reported loss and the recomputed one


class Ran:
    """What the graders of C8 to C13 share: two runs and the images in them."""

    arguments: tuple[str, ...] = ()
    loops = False  # a loop of the student's own may do what the item asks for

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return nothing: the whole notebook runs, and the recorder watches it."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the student's run beside the reference's; what was not seen, or by our fault, costs nobody a mark."""
        run, reference = Run(mine), Run(theirs)
        outcomes = list(self.outcomes(run, reference, Images(run, reference)))
        passed = [outcome.passed for outcome in outcomes]
        if not all(passed):
            if faults := run.faults():
                raise RuntimeError(f"the recorder failed: {faults[0]}")
            if why := run.overlooked() or (run.unfollowed() if self.loops and not any(passed) else ""):
                raise Unseen(why)
        yield from outcomes

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Yield one outcome per criterion."""
        raise NotImplementedError


def _value(call: Call) -> float:
    """Return the loss that an evaluation reported."""
    return number(call.table("results").get("loss"))


def mean(losses: Array) -> float:
    """Return the mean of losses (n,), NaN of none."""
    return float(losses.mean()) if losses.size else math.nan


def _on_test(call: Call, images: Images) -> bool:
    """Return whether a call looked at images of the test set and at no others."""
    tested = call.numbers("tested")
    return tested.size > 0 and images.count(tested, TEST) == tested.size


def best(name: str, candidates: Sequence[list[Outcome]], otherwise: list[Outcome]) -> list[Outcome]:
    """Return the outcomes of the candidate that meets most criteria, the last of those."""
    return max(reversed(candidates), key=lambda one: sum(o.passed for o in one), default=otherwise)


def trainings(run: Run, reference: Run) -> list[list[Call]]:
    """Return, of each training that begins with the given weights, its calls; else each model's, from the first on."""
    trains = [call for call in run.calls if call.trains]
    begins = [call for call in trains if call.text("before") == reference.pretrained]
    if not begins:
        begins = list({call.number("model"): call for call in reversed(trains)}.values())[::-1]
    chains = []
    for first in begins:
        later = [call for call in begins if call.at > first.at and call.number("model") == first.number("model")]
        stop = later[0].at if later else len(run.calls)
        same = [c for c in trains if first.at <= c.at < stop and c.number("model") == first.number("model")]
        chains.append(same)
    return chains


class LoadWeights(Ran):
    """Loads the given weights into the model that is trained, and shows that its loss on the test set falls (4.3)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Compare the weights by their digest, the losses as they were recomputed."""
        given = reference.pretrained
        at = [call.at for call in run.calls if given in (call.text("before"), call.text("after"))]
        wanted = "a model that has the values of the given weights file"
        yield checks.outcome("loaded", bool(at), wanted, "it has them" if at else self._instead(run))
        yield self._improved(run, given, images)
        wanted = "the weights loaded before the training, into the model that is trained"
        trains = [call for call in run.calls if call.trains]
        used = bool(at) and (not trains or any(call.text("before") == given for call in trains))
        found = "so it is" if used else "no training begins with them" if at else "they are not loaded"
        yield checks.outcome("used", used, wanted, found)

    def _instead(self, run: Run) -> str:
        """Say why no model has the given weights."""
        for call in run.of("load_weights"):
            has, wants = call.rows("has"), call.rows("wants")
            for place, (one, other) in enumerate(zip(has, wants, strict=False), 1):
                if one != other and wants:
                    return f"variable {place}, in the order of creation, has shape {one}; the file has {other} there"
            if call.text("error"):
                return call.text("error")
        return "other values after load_weights" if run.of("load_weights") else "load_weights is never called"

    def _improved(self, run: Run, given: str, images: Images) -> Outcome:
        wanted = "evaluate on the test set before and after loading, with a lower loss after"
        trained = min((call.at for call in run.calls if call.trains), default=len(run.calls))
        tests = [c for c in run.of("evaluate") if _on_test(c, images)]
        before = [call for call in tests if call.text("before") != given and call.at < trained]
        after = [call for call in tests if call.text("before") == given]
        for one in before:
            for other in after:
                if one.at < other.at and mean(other.losses) < mean(one.losses) and _value(other) < _value(one):
                    return checks.outcome("improved", True, wanted, f"{_value(one):.4f}, then {_value(other):.4f}")
        found = f"{len(before)} evaluations on it before, {len(after)} after"
        return checks.outcome("improved", False, wanted, found)


class Generate(Ran):
    """Generates 10 images pixel by pixel: predicts, adds fresh noise, thresholds to 0 or 1 (Section 4.4)."""

    loops = True

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best of the student's generations."""
        loops = [call for call in run.of("direct") if call.rows("runs")]
        candidates = [generation.outcomes(call, run.weights(call) == "trained", images) for call in loops]
        calls = max((call.number("jumps") for call in run.of("direct") if call.number("jumps") > 0), default=0)
        found = f"{calls:g} calls of a model on whole images" if calls else "no such loop"
        yield from best("generation", candidates, generation.none(found))


class TestLoss(Ran):
    """Reports the binary cross-entropy of the trained model on the whole test set (Section 4.4)."""

    loops = True

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best evaluation after those that C8 asks for."""
        given = reference.pretrained
        first = min((c.at for c in run.of("evaluate") if c.text("before") == given), default=-1)
        later = [call for call in run.of("evaluate", "direct") if call.at > first and len(call.losses)]
        chains = trainings(run, reference)
        trained = chains[0][-1].at if chains and chains[0][0].text("before") == given else first
        stale = {given} if trained > first else set()

        def ready(call: Call) -> bool:
            return call.at > trained and run.weights(call) == "trained" and call.text("before") not in stale

        candidates = [self._of(call, images, ready(call)) for call in later]
        missing = [checks.outcome(name, False, "an evaluation on the test set", "none") for name in self._names]
        yield from best("evaluation", candidates, missing)

    _names = ("data", "value", "trained")

    def _of(self, call: Call, images: Images, trained: bool) -> list[Outcome]:
        tested = call.numbers("tested")
        kinds = images.known(tested, TEST)
        batch = max(call.sizes, default=1)
        whole = len(kinds) in (images.test, images.test // batch * batch) and len(kinds) == tested.size
        found = f"{tested.size} images, {len(kinds)} of the {images.test} of the test set"
        data = checks.outcome("data", whole and tested.size > 0, "every image of the test set once", found)
        values = self._reported(call)
        expected = [mean(call.losses), _batchmean(call)]
        close = [v for v in values if any(_same(v, mean) for mean in expected)]
        found = f"{close[0]:.4f}" if close else f"{values[0]:.4f}" if values else "no number"
        if wrong := takes_logits(call):
            close, found = [], wrong
        value = checks.outcome("value", bool(close), f"their binary cross-entropy, {expected[0]:.4f}", found)
        wanted = "the model as it is after the training"
        return [data, value, checks.outcome("trained", trained, wanted, "so it is" if trained else "another")]

    def _reported(self, call: Call) -> list[float]:
        """Return the numbers that a call reported: its own result, or what an own loop computed or printed."""
        if call.method == "evaluate":
            results = call.table("results")
            named = [key for key in results if key == "loss" or "crossentropy" in key.replace("_", "")]
            return [number(results[key]) for key in named]
        pairs = [(number(p[0]), number(p[1])) for p in call.rows("loss values") if isinstance(p, list) and len(p) == 2]
        batches = np.array([pair for pair in pairs if all(map(math.isfinite, pair)) and pair[0] > 0]).reshape(-1, 2)
        means = [batches[:, 1].mean(), np.average(batches[:, 1], weights=batches[:, 0])] if len(batches) else []
        return [*map(float, means), *(number(value) for value in call.rows("numbers"))]


def takes_logits(call: Call) -> str:
    """Return what is wrong with a loss that takes logits beside a model that returns probabilities, else "".

    Keras undoes this mistake where it finds the sigmoid, and warns; the code is wrong all the same (Q8).
    """
    mixed = call.table("compiled").get("from_logits") is True and call.details.get("logits") is False
    return "a loss that takes logits, of outputs that are probabilities" if mixed else ""


def _batchmean(call: Call) -> float:
    """Return the mean of the batches' means, which counts the images of a small last batch for more."""
    if sum(call.sizes) != call.losses.size or not call.sizes:
        return math.nan
    return float(np.mean([batch.mean() for batch in np.split(call.losses, np.cumsum(call.sizes)[:-1])]))


def _same(value: float, mean: float) -> bool:
    """Return whether a number is that mean, perhaps printed with few digits."""
    return abs(value - mean) <= CLOSE or value in (round(mean, 2), round(mean, 3))
