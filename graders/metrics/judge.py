"""Scores of a trained model make a verdict: pure. Absence never scores; what may be our doing waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from graders import judge
from graders.metrics.scores import share
from graders.model import CriterionResult, Evidence, Experiment, Item, ItemResult, Metric, Verdict


@dataclass(frozen=True)
class Control:
    """What no right model does on controls: an array of the scores with a mean over a bound, or under it."""

    array: str
    bound: float
    over: bool
    words: str  # with the mean put in

    def met_by(self, mean: float) -> bool:
        """Return whether a mean shows that a model has its answer from its input."""
        return mean > self.bound if self.over else mean < self.bound


# Images of pixels in another order, of which no latent code holds the places; and tossed pixels, which are predicted
# from each other no better than by log 2 = 0.693: of 64 images a loss under 0.69 is no chance.
CONTROLS: Mapping[str, Control] = {
    "reconstruction": Control(
        "ssim", 0.5, True, "it even reconstructs scattered pixels (SSIM {:.2f}), which no latent code holds"
    ),
    "pixels": Control(
        "score", 0.69, False, "it even predicts tossed pixels (loss {:.4f}), so it sees what it predicts"
    ),
}
# What a machine without network, with other files or with a share of a GPU may be the cause of.
_PERHAPS_OURS = frozenset(
    "ConnectionError FileNotFoundError HTTPError NotFoundError OSError OutOfMemoryError PermissionError "
    "ResourceExhaustedError URLError Unprepared gaierror memory timeout processes killed exit evidence missing".split()
)


@dataclass(frozen=True)
class Measured:
    """The best candidate of an item: its mean, how many inputs it is of, and what it was."""

    value: float
    count: int
    name: str
    control: float | None = None  # the mean that its score's `Control` looks at


def judged(item: Item, evidence: Evidence, claimed: float | None) -> ItemResult:
    """Return the result of a metric item: points by what was measured, whatever is claimed."""
    metric = item.metric
    assert metric is not None
    if evidence.fault:
        return judge.fault(item, evidence.fault, evidence.seconds)
    best, reasons = measured(item.id, metric, evidence)
    ended = evidence.experiments.get("ended", Experiment())
    failure = ended.failure or evidence.failure
    how = str(ended.values.get("how", ""))
    if best is None:
        return _unmeasured(item, evidence, "; ".join([*reasons, *([_told(how, failure)] if failure or how else [])]))
    words = [said(metric, best, claimed), *_ending(how, failure)]
    control = CONTROLS.get(metric.score)
    if control and best.control is not None and control.met_by(best.control):
        words.append(control.words.format(best.control))
        return judge.manual(item, f"{judge.UNSEEN}: {'; '.join(words)}", evidence.seconds)
    result = _scaled(item, metric, best)
    result = replace(result, seconds=evidence.seconds, note="; ".join(words), output=evidence.output)
    ours = how == "budget" or (failure is not None and failure.kind in _PERHAPS_OURS)
    if ours and result.verdict is not Verdict.PASS:
        words += ["--budget gives it more time"] if how == "budget" else []
        return judge.manual(item, f"{judge.UNSEEN}: {'; '.join(words)}", evidence.seconds)
    return result


def measured(item_id: str, metric: Metric, evidence: Evidence) -> tuple[Measured | None, list[str]]:
    """Return the best candidate whose scores are all numbers, None where there is none, and why others are not."""
    found, reasons = [], []
    for name, one in evidence.experiments.items():
        if not name.startswith(f"scores {item_id} "):
            continue
        told = str(one.values.get("name", ""))
        scores, controls = one.arrays.get("score"), one.arrays.get("control")
        if one.failure or scores is None or controls is None:
            reasons.append(f"{told}: {one.failure}")
        elif not np.isfinite(scores).all():
            reasons.append(f"{told}: {int((~np.isfinite(scores)).sum())} of {len(scores)} scores are no numbers")
        else:
            control = CONTROLS.get(metric.score)
            mean = float(one.arrays[control.array][controls].mean()) if control and controls.any() else None
            found.append(Measured(float(scores[~controls].mean()), int((~controls).sum()), told, mean))
    rising = higher_is_better(metric)
    return (max(found, key=lambda one: one.value if rising else -one.value) if found else None), reasons


def higher_is_better(metric: Metric) -> bool:
    """Return which way a measure goes."""
    return metric.score == "accuracy"


def overclaimed(metric: Metric, best: Measured | None, claimed: float | None) -> str:
    """Return the line for the instructor where more is claimed than was measured, beyond the tolerance; else ""."""
    if best is None or claimed is None:
        return ""
    better = claimed - best.value if higher_is_better(metric) else best.value - claimed
    if better <= metric.tolerance:
        return ""
    return f"claims {shown(metric, claimed)}, measured is {shown(metric, best.value)}"


def shown(metric: Metric, value: float) -> str:
    """Return a value in the words of its measure."""
    return f"{value:.2%}" if metric.score == "accuracy" else f"{value:.4f}"


def said(metric: Metric, best: Measured, claimed: float | None) -> str:
    """Return what was measured against what is claimed."""
    claim = "nothing is claimed" if claimed is None else f"claimed {shown(metric, claimed)}"
    return f"measured {shown(metric, best.value)} on {best.count} held-out images ({best.name}), {claim}"


def _scaled(item: Item, metric: Metric, best: Measured) -> ItemResult:
    """Return the result of a value on the scale; a score without one is told and earns nothing."""
    if metric.full is None or metric.none is None:
        earned, expected = 1.0, "a score that is a number"
    else:
        earned = share(best.value, metric.full, metric.none, metric.tolerance)
        side = "or more" if higher_is_better(metric) else "or less"
        ends = [shown(metric, end) for end in (metric.full, metric.none, metric.tolerance)]
        expected = f"{ends[0]} {side}; nothing at {ends[1]}, evenly between; {ends[2]} are given as tolerance"
    points = round(item.points * earned, 4)
    passed = earned == 1.0
    criterion = CriterionResult(
        "score", passed, points, item.points, expected, shown(metric, best.value), "" if passed else item.note
    )
    verdict = Verdict.PASS if passed else Verdict.PARTIAL if earned else Verdict.FAIL
    return ItemResult(item.id, item.title, verdict, points, item.points, (criterion,))


def _unmeasured(item: Item, evidence: Evidence, reason: str) -> ItemResult:
    """Return the result of an item without a score: FAIL where the student's own code is the cause, else a person's."""
    failures = [one.failure for one in evidence.experiments.values() if one.failure]
    kinds = {failure.kind for failure in (*failures, evidence.failure) if failure}
    if any(name.startswith(f"scores {item.id} ") for name in evidence.experiments):
        kinds.add("outputs")  # it was there and was asked, and what it said is no score
    words = reason or "there was no such model when the script ended"
    if not kinds or kinds & _PERHAPS_OURS:
        return judge.manual(item, f"{judge.UNSEEN}: {words}", evidence.seconds)
    criterion = CriterionResult("score", False, 0.0, item.points, "a trained model", words, item.note)
    return ItemResult(
        item.id,
        item.title,
        Verdict.FAIL,
        0.0,
        item.points,
        (criterion,),
        seconds=evidence.seconds,
        note=words,
        output=evidence.output,
    )


def _told(how: str, failure: object) -> str:
    if how == "budget":
        return "the training did not end in its budget, --budget gives it more time"
    return f"the script ended in {failure}" if failure else "there was no such model when the script ended"


def _ending(how: str, failure: object) -> list[str]:
    if how == "budget":
        return ["the training did not end in its budget"]
    return [f"the script ended in {failure}"] if failure else []


def disqualified(item: Item, results: Mapping[str, ItemResult]) -> ItemResult | None:
    """Return the result where a requirement of the handout is not met, or is not known to be; None where all are."""
    metric = item.metric
    assert metric is not None
    unmet, unknown = [], []
    for name in metric.requires:
        one, _, criterion = name.partition(".")
        passed = {each.name: each.passed for each in results[one].criteria} if one in results else {}
        if one not in results or not results[one].counts or criterion not in passed:
            unknown.append(name)
        elif not passed[criterion]:
            unmet.append(name)
    if unknown:
        return judge.manual(item, f"{judge.UNSEEN}: not known whether it meets {', '.join(unknown)}")
    if not unmet:
        return None
    words = f"not evaluated, as the handout says: {', '.join(unmet)} is not met"
    criterion_result = CriterionResult("score", False, 0.0, item.points, "the requirements are met", words, item.note)
    return ItemResult(item.id, item.title, Verdict.FAIL, 0.0, item.points, (criterion_result,), note=words)


def claimed_in(metric: Metric, results: Mapping[str, ItemResult]) -> float | None:
    """Return the figure that a record item found to be claimed, as a share where it says percent; None without one."""
    one, _, name = metric.claim.partition(".")
    found = (
        next((each for each in results[one].criteria if each.name == name and each.passed), None)
        if one in results
        else None
    )
    if found is None:
        return None
    text = found.actual.strip()
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
