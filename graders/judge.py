"""Evidence and rubric make a verdict: pure, in the trusted process, without a framework."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import replace

from graders.assignments import Grader
from graders.errors import Unsaved, Unseen
from graders.model import CriterionResult, Evidence, Experiment, Failure, Item, ItemResult, Json, Outcome, Tier, Verdict

_UNDONE = ("NotImplementedError", "NotDefinedError")
_BUILTIN_ERRORS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)
_WAITING = {
    Tier.EXECUTE: "graded by the execute tier, which runs the whole notebook",
    Tier.RECORD: "graded by the record tier, which reads the results that are saved in the notebook",
}
_NOT_FOUND = "not found in what was handed in; read by a person"  # it may well stand in the report
UNSEEN = "a person must look"  # a run did not show enough to take marks for
UNSAVED = "read by a person, or run"  # nothing was saved to take marks for
_REFERENCE_FAILED = "the reference's own evidence is incomplete"


class _Seen(dict[str, Experiment]):
    """Experiments by name; one that did not take place has failed for the reason that ended the run."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(evidence.experiments)
        loading = evidence.experiments.get("loading", Experiment())
        self._reason = loading.failure or evidence.failure or Failure("evidence", "nothing was measured")

    def __missing__(self, name: str) -> Experiment:
        return Experiment(failure=self._reason)


def _genuine(mine: Evidence, theirs: Evidence) -> Evidence:
    """Return the evidence with every experiment failed whose values are not of the form that the probe returns.

    The probe is the same on both sides, so an honest child cannot send another form: judges may rely on the types.
    """
    experiments = {
        name: one
        if one.failure
        or name not in theirs.experiments
        or _same_form(dict(one.values), theirs.experiments[name].values)
        else Experiment(failure=Failure("evidence", "values that the test does not return"))
        for name, one in mine.experiments.items()
    }
    return replace(mine, experiments=experiments)


def _same_form(mine: Json, theirs: Json) -> bool:
    """Return whether two JSON values have the same types; lists may be of any length, with elements of one type."""
    if isinstance(theirs, Mapping):
        return (
            isinstance(mine, dict) and set(mine) == set(theirs) and all(_same_form(mine[k], theirs[k]) for k in theirs)
        )
    if isinstance(theirs, list):
        return isinstance(mine, list) and (not theirs or all(_same_form(element, theirs[0]) for element in mine))
    return type(mine) is type(theirs)


def judge_item(
    item: Item, grader: Grader, mine: Evidence, theirs: Evidence | None, follow_through: bool = False
) -> ItemResult:
    """Return the result of one item from the student's evidence and the reference's, None where none is needed.

    A judge that yields nothing leaves a question to a person: the answer may stand where nothing of ours can read it.
    """
    if mine.fault:
        return fault(item, mine.fault, mine.seconds)
    if theirs is not None and (broken := broken_reference(theirs)):
        return fault(item, f"{_REFERENCE_FAILED}: {broken}", mine.seconds)
    theirs = theirs or Evidence({})
    if undone := _undone(mine):
        return missing(item, undone, mine.seconds)
    try:
        outcomes = list(grader.judge(_Seen(_genuine(mine, theirs)), _Seen(theirs)))
    except Unseen as unseen:
        return manual(item, f"{UNSAVED if isinstance(unseen, Unsaved) else UNSEEN}: {unseen}", mine.seconds)
    except Exception as error:  # whatever it is, it is ours: a judge must cope with any evidence
        return fault(item, f"the judge of {item.id} failed: {type(error).__name__}: {error}", mine.seconds)
    if not outcomes and (item.kind == "question" or item.tier is Tier.RECORD):
        return manual(item, _NOT_FOUND, mine.seconds)
    names = [outcome.name for outcome in outcomes]
    wanted = [criterion.name for criterion in item.criteria]
    if sorted(names) != sorted(wanted):
        return fault(item, f"the judge of {item.id} speaks of {names}, the rubric of {wanted}", mine.seconds)
    return _result(item, outcomes, mine, follow_through)


def broken_reference(theirs: Evidence) -> str:
    """Return why the reference's evidence cannot be compared with, "" when it can."""
    failures = [evidence.failure for evidence in theirs.experiments.values() if evidence.failure]
    reasons = [theirs.fault, *(str(failure) for failure in [theirs.failure, *failures] if failure)]
    return next((reason for reason in reasons if reason), "" if theirs.experiments else "it is empty")


def _undone(mine: Evidence) -> str:
    """Return a note when nothing was handed in for an item: it is not defined or still as handed out."""
    done = {name: experiment for name, experiment in mine.experiments.items() if name != "loading"}
    loading = mine.experiments.get("loading", Experiment()).failure
    failures = [loading] if loading else [experiment.failure for experiment in done.values()]
    if not failures or any(failure is None or failure.kind not in _UNDONE for failure in failures):
        return ""
    kinds = {failure.kind for failure in failures if failure}
    return "it is not defined" if "NotDefinedError" in kinds else "it is still as it was handed out"


def _result(item: Item, outcomes: Sequence[Outcome], mine: Evidence, follow_through: bool) -> ItemResult:
    by_name = {outcome.name: outcome for outcome in outcomes}
    share = item.follow_through if follow_through else 1.0
    criteria = tuple(
        CriterionResult(
            name=criterion.name,
            passed=by_name[criterion.name].passed,
            points=criterion.points * share if by_name[criterion.name].passed else 0.0,
            possible=criterion.points,
            expected=by_name[criterion.name].expected,
            actual=by_name[criterion.name].actual,
            hint=criterion.hint,
        )
        for criterion in item.criteria
    )
    return ItemResult(
        item.id,
        item.title,
        _verdict(criteria),
        sum(criterion.points for criterion in criteria),
        item.points,
        criteria,
        follow_through,
        mine.seconds,
        output=mine.output,
    )


def fault(item: Item, reason: str, seconds: float = 0.0) -> ItemResult:
    """Return the result of an item that we failed to judge."""
    return ItemResult(item.id, item.title, Verdict.FAULT, 0.0, item.points, seconds=seconds, note=reason)


def manual(item: Item, reason: str, seconds: float = 0.0) -> ItemResult:
    """Return the result of an item that a person must judge, and why."""
    return ItemResult(item.id, item.title, Verdict.MANUAL, 0.0, item.points, seconds=seconds, note=reason)


def missing(item: Item, reason: str, seconds: float = 0.0) -> ItemResult:
    """Return the result of an item for which nothing was handed in; every criterion is shown as not met.

    A question without an answer that can be read waits for a person: it may be answered in the report.
    """
    if item.kind == "question":
        return waiting(item, seconds)
    criteria = tuple(
        CriterionResult(c.name, False, 0.0, c.points, f"{item.names[0]}, written by you", reason, c.hint)
        for c in item.criteria
    )
    return ItemResult(item.id, item.title, Verdict.MISSING, 0.0, item.points, criteria, seconds=seconds, note=reason)


def waiting(item: Item, seconds: float = 0.0) -> ItemResult:
    """Return the result of an item that this run does not judge."""
    return manual(item, waits_for(item), seconds)


def waits_for(item: Item) -> str:
    """Return what an item waits for that a run does not judge."""
    return item.note or _WAITING.get(item.tier, "read by a person")


def blocked(result: ItemResult, broken: Sequence[str]) -> ItemResult:
    """Return a result that earned nothing as BLOCKED by the items that it builds on."""
    words = " and ".join(broken)
    note = f"builds on {words}, which is not right yet; it cannot be judged on its own"
    return replace(result, verdict=Verdict.BLOCKED, note=note)


def either(results: Sequence[ItemResult]) -> ItemResult:
    """Return what several kinds of evidence of one item show together: a criterion is met when one of them shows it.

    Where that is not all, what is our own fault or waits for a person in one of them is so in the end; but a run
    settles what was merely not saved.
    """
    rows = zip(*(one.criteria for one in results if one.criteria), strict=True)
    criteria = tuple(next((one for one in row if one.passed), row[0]) for row in rows)
    waits = [one for kind in (Verdict.FAULT, Verdict.MANUAL) for one in results if one.verdict is kind]
    saved = [one for one in waits if not one.note.startswith(UNSAVED)]
    waits = saved if criteria else [*saved, *waits]
    if len(results) > 1 and criteria and (_verdict(criteria) is Verdict.PASS or not waits):
        points = sum(criterion.points for criterion in criteria)
        return replace(results[0], verdict=_verdict(criteria), points=points, criteria=criteria, note="")
    first = (waits or results)[0]
    seen = ", ".join(criterion.name for criterion in criteria if criterion.passed)
    return replace(first, note=f"{first.note}; seen elsewhere: {seen}") if seen and len(results) > 1 else first


def _verdict(criteria: Sequence[CriterionResult]) -> Verdict:
    passed = sum(criterion.passed for criterion in criteria)
    return Verdict.PASS if passed == len(criteria) else Verdict.PARTIAL if passed else Verdict.FAIL


def followed(own: ItemResult, through: ItemResult) -> ItemResult:
    """Return the better of an item's own result and the one on top of the reference's versions of what it builds on.

    The second run took place beside the reference's source. Nothing that the student's code could have put into words
    there is shown: no message, no name, no number, no output.
    """
    undone = own.verdict in (Verdict.MISSING, Verdict.FAULT) and through.verdict is not Verdict.MISSING
    if through.verdict is Verdict.FAULT or (through.points <= own.points and not undone):
        return own
    criteria = tuple(one if one.passed else replace(one, actual=_curtain(one.actual)) for one in through.criteria)
    return replace(through, criteria=criteria, follow_through=True, output="")


def _curtain(actual: str) -> str:
    """Keep of what was found only whether it was one of Python's own exceptions, or a limit."""
    kind = actual.partition(":")[0].partition(" ")[0]
    return f"{kind} was raised" if kind in _BUILTIN_ERRORS else "something else"
