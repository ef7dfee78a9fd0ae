"""Handout A, C8 to C13: code that stands in the notebook itself, judged by what it did when the notebook ran.

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
from graders.assignments.pixelcnn_calls import NEITHER, TEST, TRAIN, Array, Call, Images, Run, number
from graders.model import Outcome

_CLOSE = 1e-3  # between a reported loss and the recomputed one
_HANDOUT = ("learning_rate", "beta_1", "beta_2", "epsilon", "use_ema", "ema_momentum")  # of Adam, Section 4.5
_EPOCHS = 10
_HELD_OUT = (0.03, 0.5)  # the share of the training images that validation may take; the handout suggests 0.2
_OFTEN = 0.7  # of its images an epoch sees at least this share: a last batch may be dropped
_CROSS_ENTROPY = "binarycrossentropy"
_FOCAL, _REGRESSION = ("binaryfocalcrossentropy",), ("meanabsoluteerror", "mae")


class _Ran:
    """What the graders of this module share: two runs and the images in them."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return nothing: the whole notebook runs, and the recorder watches it."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the student's run beside the reference's; a fault of the recorder's own costs nobody a mark."""
        run, reference = Run(mine), Run(theirs)
        outcomes = list(self.outcomes(run, reference, Images(run, reference)))
        if run.faults() and not all(outcome.passed for outcome in outcomes):
            raise RuntimeError(f"the recorder failed: {run.faults()[0]}")
        yield from outcomes

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Yield one outcome per criterion."""
        raise NotImplementedError


def _value(call: Call) -> float:
    """Return the loss that an evaluation reported."""
    return number(call.table("results").get("loss"))


def _mean(losses: Array) -> float:
    return float(losses.mean()) if losses.size else math.nan


def _on_test(call: Call, images: Images) -> bool:
    """Return whether a call looked at images of the test set and at no others."""
    tested = call.numbers("tested")
    return tested.size > 0 and images.count(tested, TEST) == tested.size


def _best(name: str, candidates: Sequence[list[Outcome]], otherwise: list[Outcome]) -> list[Outcome]:
    """Return the outcomes of the candidate that meets most criteria, the last of those."""
    return max(reversed(candidates), key=lambda one: sum(o.passed for o in one), default=otherwise)


def _trainings(run: Run, reference: Run) -> list[list[Call]]:
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


class LoadWeights(_Ran):
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
                if one.at < other.at and _mean(other.losses) < _mean(one.losses) and _value(other) < _value(one):
                    return checks.outcome("improved", True, wanted, f"{_value(one):.4f}, then {_value(other):.4f}")
        found = f"{len(before)} evaluations on it before, {len(after)} after"
        return checks.outcome("improved", False, wanted, found)


class Generate(_Ran):
    """Generates 10 images pixel by pixel: predicts, adds fresh noise, thresholds to 0 or 1 (Section 4.4)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best of the student's generations."""
        loops = [call for call in run.of("direct") if call.rows("runs")]
        candidates = [generation.outcomes(call, run.weights(call) == "trained", images) for call in loops]
        calls = max((call.number("jumps") for call in run.of("direct") if call.number("jumps") > 0), default=0)
        found = f"{calls:g} calls of a model on whole images" if calls else "no such loop"
        yield from _best("generation", candidates, generation.none(found))


class TestLoss(_Ran):
    """Reports the binary cross-entropy of the trained model on the whole test set (Section 4.4)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best evaluation after those that C8 asks for."""
        given = reference.pretrained
        first = min((c.at for c in run.of("evaluate") if c.text("before") == given), default=-1)
        later = [call for call in run.of("evaluate", "direct") if call.at > first and len(call.losses)]
        chains = _trainings(run, reference)
        trained = chains[0][-1].at if chains and chains[0][0].text("before") == given else first
        stale = {given} if trained > first else set()

        def ready(call: Call) -> bool:
            return call.at > trained and run.weights(call) == "trained" and call.text("before") not in stale

        candidates = [self._of(call, images, ready(call)) for call in later]
        missing = [checks.outcome(name, False, "an evaluation on the test set", "none") for name in self._names]
        yield from _best("evaluation", candidates, missing)

    _names = ("data", "value", "trained")

    def _of(self, call: Call, images: Images, trained: bool) -> list[Outcome]:
        tested = call.numbers("tested")
        kinds = images.known(tested, TEST)
        batch = max(call.sizes, default=1)
        whole = len(kinds) in (images.test, images.test // batch * batch) and len(kinds) == tested.size
        found = f"{tested.size} images, {len(kinds)} of the {images.test} of the test set"
        data = checks.outcome("data", whole and tested.size > 0, "every image of the test set once", found)
        values = self._reported(call)
        expected = [_mean(call.losses), _batch_mean(call)]
        close = [v for v in values if any(_same(v, mean) for mean in expected)]
        found = f"{close[0]:.4f}" if close else f"{values[0]:.4f}" if values else "no number"
        if wrong := _takes_logits(call):
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


def _takes_logits(call: Call) -> str:
    """Return what is wrong with a loss that takes logits beside a model that returns probabilities, else "".

    Keras undoes this mistake where it finds the sigmoid, and warns; the code is wrong all the same (Q8).
    """
    mixed = call.table("compiled").get("from_logits") is True and call.details.get("logits") is False
    return "a loss that takes logits, of outputs that are probabilities" if mixed else ""


def _batch_mean(call: Call) -> float:
    """Return the mean of the batches' means, which counts the images of a small last batch for more."""
    if sum(call.sizes) != call.losses.size or not call.sizes:
        return math.nan
    return float(np.mean([batch.mean() for batch in np.split(call.losses, np.cumsum(call.sizes)[:-1])]))


def _same(value: float, mean: float) -> bool:
    """Return whether a number is that mean, perhaps printed with few digits."""
    return abs(value - mean) <= _CLOSE or value in (round(mean, 2), round(mean, 3))


class Train(_Ran):
    """Trains for 10 epochs from the given weights, with the handout's optimizer, and watches held-out images (4.5)."""

    _names = ("optimizer", "epochs", "pretrained", "training_data", "validation", "loss")

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best of the student's trainings."""
        wanted = _trainings(reference, reference)[0][0].table("optimizer")
        candidates = [self._of(chain, run, reference, images, wanted) for chain in _trainings(run, reference)]
        missing = [checks.outcome(name, False, "a training of the model", "none") for name in self._names]
        yield from _best("training", candidates, missing)

    def _of(self, chain: list[Call], run: Run, reference: Run, images: Images, wanted: dict[str, Any]) -> list[Outcome]:
        given = chain[0].text("before") == reference.pretrained
        return [
            _optimizer(chain, wanted),
            _epochs(chain),
            checks.outcome(
                "pretrained",
                given,
                "training that begins with the given weights",
                "so it does" if given else "other weights",
            ),
            _training_data(chain, images),
            _validation(chain, run, images),
            _loss(chain),
        ]


def _optimizer(chain: list[Call], wanted: dict[str, Any]) -> Outcome:
    """Check the optimizer of every call of a training; its class is Adam and not one of its kin."""
    for call in chain:
        found = call.table("optimizer")
        wrong = [
            key for key in _HANDOUT if not math.isclose(_number(found.get(key)), _number(wanted.get(key)), rel_tol=1e-4)
        ]
        if found.get("class") != wanted.get("class"):
            return checks.outcome("optimizer", False, "Adam", found.get("class", "none"))
        if wrong:
            return checks.outcome("optimizer", False, f"the handout's {wrong[0]}", found.get(wrong[0]))
    return checks.outcome("optimizer", bool(chain), "the handout's", "the handout's")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, bool) else number(value)


def _epochs(chain: list[Call]) -> Outcome:
    """Check that the epochs of the training are 10, at once or in a row; one that stops early by itself has asked."""
    each = [_epochs_of(call) for call in chain]
    sums = np.cumsum(each)
    return checks.outcome("epochs", _EPOCHS in each or _EPOCHS in sums, f"{_EPOCHS} epochs", f"{sums[-1]:g}")


def _epochs_of(call: Call) -> float:
    ran, asked = call.number("ran"), call.number("epochs") - call.number("initial_epoch")
    if call.method == "fit":
        return asked if ran == asked or "EarlyStopping" in call.rows("callbacks") else ran
    _, times = np.unique(call.numbers("trained"), return_counts=True)
    return float(np.median(times)) if times.size else 0.0


def _training_data(chain: list[Call], images: Images) -> Outcome:
    """Check that the model saw most images of the training folder and none of the test folder."""
    trained = np.concatenate([call.numbers("trained") for call in chain])
    of_train, of_test = len(images.known(trained, TRAIN)), len(images.known(trained, TEST))
    epochs = sum(call.number("ran") for call in chain if call.method == "fit")
    often = not epochs > 0 or trained.size >= _OFTEN * epochs * of_train
    passed = not of_test and often and 2 * of_train >= images.train > 0
    found = f"{trained.size} times one of {of_train} of its {images.train} images, {of_test} of the test set"
    return checks.outcome("training_data", passed, "the images of the training folder, none of the test folder", found)


def _validation(chain: list[Call], run: Run, images: Images) -> Outcome:
    """Check that the loss is watched on images of the training folder that the model is not trained on."""
    trained = images.known(np.concatenate([call.numbers("trained") for call in chain]), TRAIN)
    last = chain[-1]
    looked = [
        c for c in run.of("evaluate", "direct") if chain[0].at <= c.at and c.number("model") == last.number("model")
    ]
    seen = [call.numbers("tested") for call in {call.at: call for call in (*chain, *looked)}.values()]
    own = np.concatenate([call.numbers("tested") for call in chain if call.method == "fit"] or [np.zeros(0, int)])
    held = np.setdiff1d(images.known(np.concatenate(seen), TRAIN), trained)
    overlap, tests = np.intersect1d(images.known(own, TRAIN), trained).size, images.count(own, TEST)
    share = len(held) / max(images.train, 1)
    passed = _HELD_OUT[0] <= share <= _HELD_OUT[1] and not overlap and not tests
    found = f"{len(held)} such images, {overlap} that it trains on, {tests} of the test set"
    return checks.outcome("validation", passed, "validation on training images that are held out (about 20 %)", found)


def _loss(chain: list[Call]) -> Outcome:
    """Check that the loss is the binary cross-entropy of the model's outputs, finite, and that it moves all weights."""
    wanted = "binary cross-entropy, finite, that trains all weights"
    for call in chain:
        history = [number(v) for values in call.table("history").values() if isinstance(values, list) for v in values]
        if not all(map(math.isfinite, history)):
            return checks.outcome("loss", False, wanted, "a loss that is not finite")
        if found := _other_loss(call) or (_takes_logits(call) if len(call.losses) else ""):
            return checks.outcome("loss", False, wanted, found)
    moved = max((call.number("changed") for call in chain), default=0.0)
    passed = moved == chain[-1].number("variables") > 0
    return checks.outcome("loss", passed, wanted, "so it is" if passed else f"{moved:g} variables that change")


def _other_loss(call: Call) -> str:
    """Return which other loss a training has, "" for the right one: by its values where there are any to compare."""
    reported = call.table("history").get("val_loss")
    passes = call.passes()
    if call.method == "fit" and isinstance(reported, list) and len(reported) == len(passes) > 0:
        means = [_mean(losses) for _, losses in passes]
        apart = max(abs(number(value) - mean) for value, mean in zip(reported, means, strict=True))
        return "" if apart <= 5 * _CLOSE else f"a loss that is {apart:.3g} away from it"
    compiled = call.table("compiled").get("loss")
    names = call.rows("losses named") or ([compiled] if call.method == "fit" else [])
    return "" if not names or _CROSS_ENTROPY in names else str(names[0])


def _settings(call: Call) -> str:
    return str(call.rows("settings")[:1])


class StudyModel(_Ran):
    """Trains models of two other settings and draws what comes of it (Section 4.6)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Count the settings that were trained besides the main model's."""
        main = {
            _settings(chain[0])
            for chain in _trainings(run, reference)
            if chain[0].text("before") == reference.pretrained
        }
        main |= {_settings(call) for call in run.of("load_weights")[:1]}
        others = {*_FOCAL, *_REGRESSION}  # the trainings of C13
        trains = [c for c in run.calls if c.trains and c.rows("settings") and not others & set(_named(c))]
        studied = {_settings(call) for call in trains} - main
        found = f"{len(studied)} of them"
        yield checks.outcome("settings", len(studied) >= 2, "two settings other than the handout's, trained", found)
        yield _plotted("plot", run, [call for call in trains if _settings(call) in studied])


def _plotted(name: str, run: Run, trains: list[Call]) -> Outcome:
    """Check for a chart in the cell of the last of these trainings, or after it and before any other training."""
    last = max((call.cell for call in trains), default=math.inf)
    stop = min((call.cell for call in run.calls if call.trains and call.cell > last), default=math.inf)
    charts = [c for c in run.of("plots") if set(c.table("drawn")) & {"plot", "bar", "scatter"}]
    drawn = any(last <= chart.cell < stop for chart in charts)
    return checks.outcome(
        name, drawn, "a chart of the results", "there is one" if drawn else "none after the trainings"
    )


class StudyLoss(_Ran):
    """Trains with another loss for classification and with one for regression, on values between 0 and 1 (4.6)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Look for trainings by the loss that they were compiled with or that their loop computes."""

        def by(names: tuple[str, ...]) -> list[Call]:
            return [call for call in run.calls if call.trains and set(_named(call)) & set(names)]

        focal, regression = by(_FOCAL), by(_REGRESSION)
        wanted = "a training with BinaryFocalCrossentropy"
        yield checks.outcome("classification", bool(focal), wanted, "one" if focal else "none")
        wanted = "a training with MeanAbsoluteError"
        yield checks.outcome("regression", bool(regression), wanted, "one" if regression else "none")
        floats = [
            call for call in regression if any(call.table(key).get("between") is True for key in ("targets", "x"))
        ]
        wanted = "targets that are float values between 0 and 1"
        yield checks.outcome("targets", bool(floats), wanted, "so they are" if floats else "zeros and ones alone")


def _named(call: Call) -> list[str]:
    names = [call.table("compiled").get("loss"), *call.rows("losses named")]
    return [name for name in names if isinstance(name, str)]


__all__ = ["NEITHER", "Generate", "LoadWeights", "StudyLoss", "StudyModel", "TestLoss", "Train"]
