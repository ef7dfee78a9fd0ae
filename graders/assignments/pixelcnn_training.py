"""Handout A, C11 to C13: trainings, judged by what they did when the notebook ran."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from graders import checks
from graders.assignments.pixelcnn_calls import TEST, TRAIN, Call, Images, Run
from graders.assignments.pixelcnn_run import CLOSE, Ran, best, mean, takes_logits, trainings
from graders.assignments.run_calls import number
from graders.model import Outcome

_HANDOUT = ("learning_rate", "beta_1", "beta_2", "epsilon", "use_ema", "ema_momentum")  # of Adam, Section 4.5
_EPOCHS = 10
_HELD_OUT = (0.03, 0.5)  # the share of the training images that validation may take; the handout suggests 0.2
_OFTEN = 0.7  # of its images an epoch sees at least this share: a last batch may be dropped
_WORSE = 0.05  # so much may the loss on other images rise in a training that is right
_CROSS_ENTROPY = "binarycrossentropy"
_FOCAL, _REGRESSION = ("binaryfocalcrossentropy",), ("meanabsoluteerror", "mae")


class Train(Ran):
    """Trains for 10 epochs from the given weights, with the handout's optimizer, and watches held-out images (4.5)."""

    loops = True
    _names = ("optimizer", "epochs", "pretrained", "training_data", "validation", "loss")

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Judge the best of the student's trainings."""
        wanted = trainings(reference, reference)[0][0].table("optimizer")
        candidates = [self._of(chain, run, reference, images, wanted) for chain in trainings(run, reference)]
        missing = [checks.outcome(name, False, "a training of the model", "none") for name in self._names]
        yield from best("training", candidates, missing)

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
            _loss(chain, run, reference),
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


def _loss(chain: list[Call], run: Run, reference: Run) -> Outcome:
    """Check that the loss is the binary cross-entropy of the model's outputs, finite, and that it moves all weights.

    Images that the notebook never saw tell whether the weights that it arrives at are any good.
    """
    wanted = "binary cross-entropy, finite, that trains all weights"
    for call in chain:
        history = [number(v) for values in call.table("history").values() if isinstance(values, list) for v in values]
        if not all(map(math.isfinite, history)):
            return checks.outcome("loss", False, wanted, "a loss that is not finite")
        if call.details.get("same") is False:
            return checks.outcome("loss", False, "targets that are the images themselves", "other targets")
        if found := _other_loss(call) or (takes_logits(call) if len(call.losses) else ""):
            return checks.outcome("loss", False, wanted, found)
    moved = max((call.number("changed") for call in chain), default=0.0)
    if not moved == chain[-1].number("variables") > 0:
        return checks.outcome("loss", False, wanted, f"{moved:g} variables that change")
    loaded = [call for call in run.calls if call.at < chain[0].at and call.text("after") == chain[0].text("before")]
    befores = [loss for call in loaded if not math.isnan(loss := run.loss_on(reference.unseen, call))]
    before = befores[-1] if befores else math.nan
    after = run.loss_on(reference.unseen, chain[-1])
    found = f"{before:.4f} before and {after:.4f} after, on images that the notebook never saw"
    return checks.outcome("loss", not (after > before + _WORSE or math.isinf(after)), wanted, found)


def _other_loss(call: Call) -> str:
    """Return which other loss a training has, "" for the right one: by its values where there are any to compare."""
    reported = call.table("history").get("val_loss")
    passes = call.passes()
    if call.method == "fit" and isinstance(reported, list) and len(reported) == len(passes) > 0:
        means = [mean(losses) for _, losses in passes]
        apart = max(abs(number(value) - mean) for value, mean in zip(reported, means, strict=True))
        return "" if apart <= 5 * CLOSE else f"a loss that is {apart:.3g} away from it"
    compiled = call.table("compiled").get("loss")
    names = call.rows("losses named") or ([compiled] if call.method == "fit" else [])
    return "" if not names or _CROSS_ENTROPY in names else str(names[0])


def _settings(call: Call) -> str:
    return str(call.rows("settings")[:1])


class StudyModel(Ran):
    """Trains models of two other settings and draws what comes of it (Section 4.6)."""

    def outcomes(self, run: Run, reference: Run, images: Images) -> Iterator[Outcome]:
        """Count the settings that were trained besides the main model's."""
        main = {
            _settings(chain[0])
            for chain in trainings(run, reference)
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


class StudyLoss(Ran):
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
