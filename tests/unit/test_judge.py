from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graders import judge
from graders.assignments.pixelcnn import GRADERS
from graders.model import Evidence, Experiment, Failure, Item, ItemResult, Outcome, Tier, Verdict
from tests.unit.evidence import RAISED, SOUND, Says, item, outputs, reference

ITEM = item(1.5, 2.0, 0.5, depends=("C3",), follow_through=0.5)
KIT = reference()
UNDONE = Failure("NotImplementedError", "C3", "cell 4, line 2")


def judged(grader: Any, mine: Evidence = SOUND, theirs: Evidence = SOUND, **how: Any) -> ItemResult:
    return judge.judge_item(ITEM, grader, mine, theirs, **how)


def points(result: ItemResult) -> float:
    return math.fsum(criterion.points for criterion in result.criteria)


# Verdicts ------------------------------------------------------------------------------------------------------------


@given(st.tuples(st.booleans(), st.booleans(), st.booleans()), st.booleans())
def test_the_points_are_the_sum_of_the_criteria_that_are_met(passed: tuple[bool, ...], follow: bool) -> None:
    result = judged(Says(**dict(zip("abc", passed, strict=True))), follow_through=follow)
    earned = sum(share for share, met in zip((1.5, 2.0, 0.5), passed, strict=True) if met)
    assert result.points == points(result) == earned * (0.5 if follow else 1)
    assert sum(criterion.possible for criterion in result.criteria) == result.possible == 4
    verdicts = {0: Verdict.FAIL, 1: Verdict.PARTIAL, 2: Verdict.PARTIAL, 3: Verdict.PASS}
    assert result.verdict is verdicts[sum(passed)]
    assert result.follow_through is follow


def test_criteria_come_in_the_order_of_the_rubric_with_its_hints_whatever_the_order_of_the_judge() -> None:
    result = judged(Says(c=True, a=False, b=True))
    assert [(c.name, c.passed, c.hint) for c in result.criteria] == [
        ("a", False, "look at a"),
        ("b", True, "look at b"),
        ("c", True, "look at c"),
    ]


def test_seconds_and_output_of_the_run_are_part_of_the_result() -> None:
    result = judged(Says(a=True, b=True, c=True), replace(SOUND, seconds=1.25, output="hello\n"))
    assert (result.seconds, result.output) == (1.25, "hello\n")


@pytest.mark.parametrize(
    "experiments",
    [
        {"loading": Experiment(failure=UNDONE)},
        {"loading": Experiment(), "main": Experiment(failure=UNDONE)},
        {"main": Experiment(failure=UNDONE), "support": Experiment(failure=UNDONE)},
    ],
)
def test_code_that_is_still_as_handed_out_is_missing(experiments: dict[str, Experiment]) -> None:
    result = judged(Says(a=True, b=True, c=True), Evidence(experiments))
    assert (result.verdict, result.points, result.possible) == (Verdict.MISSING, 0, 4)
    assert result.note == "it is still as it was handed out"
    assert len(result.criteria) == 3
    assert not any(criterion.passed or criterion.points for criterion in result.criteria)


def test_what_is_not_defined_is_missing_and_called_so() -> None:
    undefined = Failure("NotDefinedError", "Layer is not defined")
    result = judged(Says(a=True, b=True, c=True), Evidence({"main": Experiment(failure=undefined)}))
    assert (result.verdict, result.note) == (Verdict.MISSING, "it is not defined")


@pytest.mark.parametrize(
    "experiments",
    [
        {"main": Experiment(failure=UNDONE), "support": Experiment(failure=RAISED)},
        {"main": Experiment(failure=UNDONE), "support": outputs([1.0])},
        {"loading": Experiment(failure=RAISED), "main": Experiment(failure=UNDONE)},
    ],
)
def test_code_that_was_begun_is_not_missing(experiments: dict[str, Experiment]) -> None:
    assert judged(Says(a=False, b=False, c=False), Evidence(experiments)).verdict is Verdict.FAIL


def test_evidence_that_is_our_fault_is_a_fault() -> None:
    result = judged(Says(a=True, b=True, c=True), replace(SOUND, fault="the zygote has died", seconds=2.0))
    assert (result.verdict, result.note, result.seconds) == (Verdict.FAULT, "the zygote has died", 2.0)
    assert not result.counts


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (Evidence({}), "it is empty"),
        (replace(SOUND, fault="no confinement"), "no confinement"),
        (replace(SOUND, failure=Failure("timeout", "")), "timeout"),
        (Evidence({"main": outputs([1.0]), "more": Experiment(failure=RAISED)}), str(RAISED)),
    ],
)
def test_a_reference_that_is_broken_is_a_fault_and_costs_nothing(theirs: Evidence, reason: str) -> None:
    result = judged(Says(a=False, b=False, c=False), theirs=theirs)
    assert result.verdict is Verdict.FAULT
    assert result.note == f"the reference's own evidence is incomplete: {reason}"
    assert judge.broken_reference(theirs) == reason


def test_a_sound_reference_is_not_broken() -> None:
    assert judge.broken_reference(SOUND) == ""


class Raises(Says):
    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        yield Outcome("a", True, "", "")
        raise IndexError("no such place")


def test_a_judge_that_raises_is_a_fault() -> None:
    result = judged(Raises())
    assert (result.verdict, result.points, result.criteria) == (Verdict.FAULT, 0, ())
    assert result.note == "the judge of X1 failed: IndexError: no such place"


@pytest.mark.parametrize(
    "said", [{}, {"a": True}, {"a": True, "b": True, "c": True, "d": True}, {"a": 1, "b": 1, "z": 1}]
)
def test_a_judge_that_speaks_of_other_criteria_than_the_rubric_is_a_fault(said: dict[str, bool]) -> None:
    assert judged(Says(**said)).verdict is Verdict.FAULT


def test_a_judge_of_saved_results_may_leave_an_item_to_a_person() -> None:
    """Of an item of another tier, where nothing is said nothing was judged: a fault."""
    saved = replace(ITEM, tier=Tier.RECORD)
    result = judge.judge_item(saved, Says(), SOUND, None)
    assert (result.verdict, result.points, result.counts) == (Verdict.MANUAL, 0, False)
    assert judge.judge_item(replace(ITEM, tier=Tier.EXECUTE), Says(), SOUND, SOUND).verdict is Verdict.FAULT


class Twice(Says):
    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        for name in ("a", "a", "b", "c"):
            yield Outcome(name, True, "", "")


def test_a_judge_that_names_a_criterion_twice_is_a_fault() -> None:
    assert judged(Twice()).verdict is Verdict.FAULT


class Reads(Says):
    """Tells what the judge is given for an experiment that did not take place."""

    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        for name in ("a", "b", "c"):
            yield Outcome(name, False, "", str(mine["later"].failure))


@pytest.mark.parametrize(
    ("mine", "reason"),
    [
        (Evidence({"loading": Experiment(failure=RAISED)}), str(RAISED)),
        (Evidence({"loading": Experiment()}, Failure("timeout", "too long")), "timeout: too long"),
        (Evidence({"loading": Experiment()}), "evidence: nothing was measured"),
    ],
)
def test_an_experiment_that_did_not_take_place_failed_for_the_reason_that_ended_the_run(
    mine: Evidence, reason: str
) -> None:
    assert {criterion.actual for criterion in judged(Reads(), mine).criteria} == {reason}


class Tells(Says):
    """Tells whether the judge is given the values of an experiment, or a failure in their place."""

    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        for name in "abc":
            yield Outcome(name, not mine["main"].failure, "", str(mine["main"].failure))


FORM = {"count": 3, "shapes": [[2], [3]], "share": 0.5, "name": "x", "empty": [], "more": {"yes": True}}


@pytest.mark.parametrize(
    "values",
    [
        FORM,
        {**FORM, "count": 4, "shapes": [], "name": "", "empty": [1, "x"]},
        {**FORM, "shapes": [[9, 9, 9]], "more": {"yes": False}},
    ],
)
def test_values_of_the_form_that_the_probe_returns_reach_the_judge(values: dict[str, Any]) -> None:
    mine, theirs = (Evidence({"main": Experiment(one)}) for one in (values, FORM))
    assert judged(Tells(), mine, theirs).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "values",
    [
        {},
        {**FORM, "count": "3"},
        {**FORM, "count": True},
        {**FORM, "count": None},
        {**FORM, "shapes": 7},
        {**FORM, "shapes": ["def secret"]},
        {**FORM, "share": 1},
        {**FORM, "more": {}},
        {**FORM, "more": {"yes": 1}},
        {**FORM, "another": 1},
        {name: value for name, value in FORM.items() if name != "name"},
    ],
)
def test_values_of_another_form_are_a_failed_experiment(values: dict[str, Any]) -> None:
    mine, theirs = (Evidence({"main": Experiment(one)}) for one in (values, FORM))
    result = judged(Tells(), mine, theirs)
    assert result.verdict is Verdict.FAIL
    assert result.criteria[0].actual == "evidence: values that the test does not return"


def test_what_waits_for_a_person_does_not_count() -> None:
    result = judge.waiting(ITEM)
    assert (result.verdict, result.note, result.counts) == (Verdict.MANUAL, "read by a person", False)
    assert judge.waiting(replace(ITEM, note="graded by another tier")).note == "graded by another tier"


def test_a_blocked_item_names_what_it_builds_on_and_keeps_its_criteria() -> None:
    own = judged(Says(a=False, b=False, c=False))
    result = judge.blocked(own, ["C3", "C5"])
    assert (result.verdict, result.criteria, result.counts) == (Verdict.BLOCKED, own.criteria, True)
    assert result.note == "builds on C3 and C5, which is not right yet; it cannot be judged on its own"


# Several kinds of evidence -------------------------------------------------------------------------------------------


def test_a_criterion_is_met_when_one_kind_of_evidence_shows_it() -> None:
    one, other = judged(Says(a=True, b=False, c=False)), judged(Shows("elsewhere", passed="bc"))
    both = judge.either([one, other])
    assert (both.verdict, both.points) == (Verdict.PASS, ITEM.points)
    assert [criterion.actual for criterion in both.criteria] == ["what is there", "elsewhere", "elsewhere"]
    less = judge.either([one, judged(Says(a=True, b=True, c=False))])
    assert (less.verdict, [criterion.passed for criterion in less.criteria]) == (Verdict.PARTIAL, [True, True, False])
    assert judge.either([one]) is one


@pytest.mark.parametrize("waits", [judge.manual, judge.fault])
def test_what_one_kind_of_evidence_cannot_show_costs_nothing(waits: Callable[[Item, str], ItemResult]) -> None:
    unknown = waits(ITEM, "it was not seen")
    whole, part = judged(Says(a=True, b=True, c=True)), judged(Says(a=True, b=False, c=False))
    nothing = judged(Says(a=False, b=False, c=False))
    for pair in ([whole, unknown], [unknown, whole]):
        assert judge.either(pair).verdict is Verdict.PASS
        assert judge.either(pair).note == ""
    for pair in ([part, unknown], [unknown, part]):
        assert judge.either(pair) == replace(unknown, note="it was not seen; seen elsewhere: a")
    assert judge.either([nothing, unknown]) == judge.either([unknown]) == unknown
    unsaved = judge.manual(ITEM, f"{judge.UNSAVED}: it is a script")
    assert judge.either([unsaved, part]).criteria == part.criteria
    assert judge.either([unsaved, part]).verdict is Verdict.PARTIAL
    assert judge.either([unsaved, unknown]).verdict is unknown.verdict
    fault = judge.fault(ITEM, "ours")
    assert judge.either([unknown, fault]).verdict is Verdict.FAULT


# Follow-through ------------------------------------------------------------------------------------------------------


class Shows(Says):
    """Meets "a" and shows a text for the others."""

    def __init__(self, text: str, passed: str = "a") -> None:
        self.text, self.met = text, passed

    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        for name in "abc":
            yield Outcome(name, name in self.met, "what is right", self.text)


def through(text: str) -> ItemResult:
    """The result of a second run in which two criteria are lost with that text."""
    own = judged(Says(a=False, b=False, c=False))
    second = judged(Shows(text), replace(SOUND, output="the reference's text"), follow_through=True)
    return judge.followed(own, second)


def test_a_better_second_run_counts_with_its_share() -> None:
    result = through("shape (2, 3)")
    assert (result.points, result.verdict, result.follow_through) == (0.75, Verdict.PARTIAL, True)


@pytest.mark.parametrize(
    ("actual", "shown"),
    [
        (str(Failure("ValueError", "def secret", "cell 4, line 2")), "ValueError was raised"),
        (str(Failure("ValueError", "one\nsecret: two")), "ValueError was raised"),
        (str(Failure("ValueError", "", "cell 4, line 2")), "ValueError was raised"),
        (
            str(Failure("def secret(x):", "of the reference")),
            "something else",
        ),
        (str(Failure("Secret", "")), "something else"),
        ("'secret' in 3 weights", "something else"),
        ("shape (2, 3)", "something else"),
    ],
)
def test_of_the_second_run_only_pythons_own_exceptions_are_named(actual: str, shown: str) -> None:
    assert {criterion.actual for criterion in through(actual).criteria if not criterion.passed} == {shown}


def test_the_output_of_the_second_run_is_not_shown() -> None:
    assert through("shape (2, 3)").output == ""


met = st.sets(st.sampled_from("abc"))


@given(met, met, st.floats(0, 1))
def test_a_second_run_never_lowers_a_mark(first: set[str], second: set[str], share: float) -> None:
    one = replace(ITEM, follow_through=share)
    own, other = (
        judge.judge_item(one, Says(**{name: name in passed for name in "abc"}), SOUND, SOUND, follow)
        for passed, follow in ((first, False), (second, True))
    )
    result = judge.followed(own, other)
    assert result.points == max(own.points, other.points)
    assert result == own or other.points > own.points


def test_a_second_run_takes_the_place_of_one_in_which_nothing_could_be_judged_even_without_points() -> None:
    second = judged(Says(a=False, b=False, c=False), follow_through=True)
    for first in (judge.missing(ITEM, "still as handed out"), judge.fault(ITEM, "the zygote has died")):
        assert judge.followed(first, second).verdict is Verdict.FAIL


def test_a_second_run_that_is_our_fault_leaves_the_first() -> None:
    own = judged(Says(a=False, b=False, c=False))
    assert judge.followed(own, judge.fault(ITEM, "the zygote has died")) is own


# The graders of handout A --------------------------------------------------------------------------------------------

ITEMS = [found for found in KIT.assignment.items if found.id in KIT.evidence]
PROBED = [found.id for found in ITEMS]


def of(item_id: str, mine: Evidence) -> ItemResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hostile numbers overflow; a warning is no verdict
        return judge.judge_item(KIT.assignment.item(item_id), GRADERS[item_id], mine, KIT.evidence[item_id])


def nothing_passed(result: ItemResult) -> bool:
    return result.points == 0 and not any(criterion.passed for criterion in result.criteria)


@pytest.mark.parametrize("item_id", PROBED)
def test_the_reference_passes_its_own_judge(item_id: str) -> None:
    result = of(item_id, KIT.evidence[item_id])
    assert [c.name for c in result.criteria if not c.passed] == []
    assert (result.verdict, result.points) == (Verdict.PASS, KIT.assignment.item(item_id).points)


@pytest.mark.parametrize("item_id", PROBED)
@pytest.mark.parametrize("failure", [None, Failure("timeout", "too long")])
@pytest.mark.parametrize("experiments", [{}, {"loading": Experiment()}, {"loading": Experiment(failure=RAISED)}])
def test_a_run_without_a_single_experiment_fails_every_criterion(
    item_id: str, failure: Failure | None, experiments: dict[str, Experiment]
) -> None:
    result = of(item_id, Evidence(experiments, failure))
    assert result.verdict is Verdict.FAIL
    assert nothing_passed(result)
    assert len(result.criteria) == len(KIT.assignment.item(item_id).criteria)


@pytest.mark.parametrize("item_id", PROBED)
def test_a_run_of_which_every_experiment_failed_fails_every_criterion(item_id: str) -> None:
    failed = {name: replace(one, failure=RAISED) for name, one in KIT.evidence[item_id].experiments.items()}
    result = of(item_id, Evidence(failed))
    assert result.verdict is Verdict.FAIL
    assert nothing_passed(result)


@pytest.mark.parametrize("item_id", PROBED)
def test_the_right_numbers_moved_by_a_tenth_pass_no_criterion_on_values(item_id: str) -> None:
    moved = {
        name: replace(one, arrays={key: array + 0.1 for key, array in one.arrays.items()})
        for name, one in KIT.evidence[item_id].experiments.items()
    }
    lost = {criterion.name for criterion in of(item_id, Evidence(moved)).criteria if not criterion.passed}
    asked = {criterion.name for criterion in KIT.assignment.item(item_id).criteria}
    assert lost >= asked & {"values", "gradients", "initializer", "residual", "grayscale", "binarize"}


# True is left out: C1 asks for two yeses. So is 2: C4 asks for a filter of [2, 2] or [2, 3].
_numbers = st.integers(-(2**63), 2**63).filter(lambda number: number != 2) | st.floats()
_hostile = st.recursive(
    st.none() | st.just(False) | _numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=8,
)
# No side is that of an array of the reference.
_arrays = hnp.arrays(
    st.sampled_from(["f4", "f8", "i8", "u1", "?", "U3", "S3", "c8", "O", "M8[D]"]),
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=2),
)


def hostile(item_id: str) -> st.SearchStrategy[Evidence]:
    """Evidence under the right names, and under no others, that holds anything."""
    theirs = KIT.evidence[item_id].experiments
    one = {
        name: st.builds(
            Experiment,
            values=st.fixed_dictionaries({}, optional=dict.fromkeys((*measured.values, "shapes", "count"), _hostile)),
            arrays=st.fixed_dictionaries({}, optional=dict.fromkeys(measured.arrays, _arrays)),
            failure=st.none() | st.just(RAISED),
        )
        for name, measured in theirs.items()
    }
    return st.builds(Evidence, st.fixed_dictionaries({}, optional=one))


@pytest.mark.parametrize("item_id", PROBED)
def test_hostile_evidence_passes_no_criterion(item_id: str) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(hostile(item_id))
    def passes_nothing(mine: Evidence) -> None:
        result = of(item_id, mine)
        assert result.verdict in (Verdict.FAIL, Verdict.FAULT, Verdict.MISSING)
        assert nothing_passed(result)

    passes_nothing()


@pytest.mark.parametrize("item_id", PROBED)
@pytest.mark.parametrize("values", [{"lengths": 3}, {"shapes": 7}, {"sizes": "all"}, {"size": {}}, {"count": None}])
def test_values_of_other_types_pass_nothing(item_id: str, values: dict[str, Any]) -> None:
    mine = {
        name: Experiment(values, {key: np.zeros(1) for key in one.arrays})
        for name, one in KIT.evidence[item_id].experiments.items()
    }
    assert nothing_passed(of(item_id, Evidence(mine)))


def test_every_grader_belongs_to_an_item_and_says_what_it_checks() -> None:
    items = {found.id: found for found in KIT.assignment.items}
    assert {found.id for found in items.values() if found.tier in ("behaviour", "record")} <= set(GRADERS) <= set(items)
    assert sorted(PROBED) == sorted(found.id for found in items.values() if found.tier == "behaviour")
    assert all(type(grader).__doc__ for grader in GRADERS.values())


# Questions -----------------------------------------------------------------------------------------------------------


def test_a_question_that_the_judge_says_nothing_of_waits_for_a_person() -> None:
    asked = replace(ITEM, kind="question", note="read in the report")
    result = judge.judge_item(asked, Says(), SOUND, SOUND)
    assert (result.verdict, result.note, result.points) == (
        Verdict.MANUAL,
        "not found in what was handed in; read by a person",
        0,
    )
    assert not result.counts


def test_a_judge_that_says_nothing_of_code_is_at_fault() -> None:
    assert judged(Says()).verdict is Verdict.FAULT


@pytest.mark.parametrize(
    "mine", [Evidence({"main": Experiment(failure=UNDONE)}), Evidence({"loading": Experiment(failure=UNDONE)})]
)
def test_a_question_without_an_answer_waits_for_a_person(mine: Evidence) -> None:
    asked = replace(ITEM, kind="question")
    assert judge.judge_item(asked, Says(a=True, b=True, c=True), mine, SOUND).verdict is Verdict.MANUAL
    assert judge.missing(asked, "no answer was found").verdict is Verdict.MANUAL


def test_an_answer_is_judged_like_anything_else() -> None:
    asked = replace(ITEM, kind="question")
    assert judge.judge_item(asked, Says(a=False, b=False, c=False), SOUND, SOUND).verdict is Verdict.FAIL
