"""The judges of C8 to C13: on the reference's own rehearsal, on edits of it and on forged evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.assignments.pixelcnn import GRADERS
from graders.assignments.pixelcnn_calls import Run
from graders.audit import apply_edit, load_edits
from graders.judge import judge_item
from graders.model import Evidence, Experiment, Verdict
from graders.rubric import load_rubric
from tests.unit.rehearsal import Rehearsals, evidence_of, reference_text

ITEMS = ("C8", "C9", "C10", "C11", "C12", "C13")
RUBRIC = load_rubric("pixelcnn")


EDITS = {name: edit for name, edit in load_edits("pixelcnn").items() if edit.item in ITEMS}


def lost(mine: Evidence, theirs: Evidence, *items: str) -> dict[str, list[str]]:
    """Return the criteria that each item loses, "unseen" where a person must look; a fault fails the test."""
    found = {}
    for item in items:
        result = judge_item(RUBRIC.item(item), GRADERS[item], mine, theirs)
        assert result.verdict is not Verdict.FAULT, result.note
        unseen = ["unseen"] if result.verdict is Verdict.MANUAL else []
        found[item] = unseen + [one.name for one in result.criteria if not one.passed]
    return {item: names for item, names in found.items() if names}


def test_the_reference_meets_every_criterion(reference_run: dict[str, Any]) -> None:
    assert not any(reference_run["errors"]), reference_run["errors"]
    assert lost(evidence_of(reference_run), evidence_of(reference_run), *ITEMS) == {}


def test_every_edit_applies_and_is_python() -> None:
    for edit in EDITS.values():
        compile(apply_edit(reference_text(), edit), edit.name, "exec")


def shortened(text: str) -> str:
    """Leave the studies out, which take most of the time."""
    return text[: text.index("# %% [markdown]\n# ## Bonus")]


@pytest.mark.parametrize(
    "name", ["C8-created-last", "C10-logits", "C10-made-up", "C11-validates-on-test", "C11-no-epochs"]
)
def test_a_mutant_loses_its_criteria(rehearsals: Rehearsals, reference_run: dict[str, Any], name: str) -> None:
    mutant = EDITS[name]
    run = rehearsals.run(shortened(apply_edit(reference_text(), mutant)))
    found = lost(evidence_of(run), evidence_of(reference_run), *ITEMS[:4])
    assert set(found) == {mutant.item, *mutant.also}
    assert set(mutant.loses) <= set(found[mutant.item])


@pytest.mark.parametrize(
    "name", ["C10-own-loop", "C11-traced-tape", "C11-graph-epoch", "C9-graph", "C8-blocks-in-turn"]
)
def test_a_variant_keeps_all_marks(rehearsals: Rehearsals, reference_run: dict[str, Any], name: str) -> None:
    run = rehearsals.run(shortened(apply_edit(reference_text(), EDITS[name])))
    assert lost(evidence_of(run), evidence_of(reference_run), *ITEMS[:4]) == {}


def test_a_notebook_that_does_nothing_loses_every_criterion(reference_run: dict[str, Any]) -> None:
    end = reference_run["experiments"]["call end"]
    found = lost(Evidence({"call end": end}), evidence_of(reference_run), *ITEMS)
    assert {item: set(names) for item, names in found.items()} == {
        item: {criterion.name for criterion in RUBRIC.item(item).criteria} for item in ITEMS
    }


NONSENSE = [None, -1, 1e400, "x" * 1000, [], [None], {}, [[[]]], True, {"loss": "0.1"}, [{"calls": "many"}]]


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_hostile_details_are_judged_and_earn_nothing(reference_run: dict[str, Any], value: Any) -> None:
    import json

    def spoilt(experiment: Experiment) -> Experiment:
        values = dict(experiment.values)
        details = json.loads(values["details"])
        return Experiment(values | {"details": json.dumps(dict.fromkeys(details, value))}, experiment.arrays)

    theirs = evidence_of(reference_run)
    mine = {name: spoilt(one) for name, one in theirs.experiments.items() if name != "call end"}
    found = lost(Evidence(mine), theirs, *ITEMS)
    assert set(found) == set(ITEMS)


ARRAYS = [np.zeros(0), np.zeros((3, 3)), np.full(2000, -5), np.full(40, 10**12), np.zeros((2, 128), np.uint8)]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype} {array.shape}")
def test_hostile_arrays_are_judged(reference_run: dict[str, Any], array: Any) -> None:
    theirs = evidence_of(reference_run)
    mine = {name: Experiment(one.values, dict.fromkeys(one.arrays, array)) for name, one in theirs.experiments.items()}
    found = lost(Evidence(mine), theirs, *ITEMS)
    assert {"C9", "C10", "C11"} <= set(found)


def test_records_without_form_are_not_there() -> None:
    seen = {
        "call 000": Experiment({"cell": 1, "method": "explode", "details": "{}"}),
        "call 001": Experiment({"cell": "1", "method": "fit", "details": "{}"}),
        "call 002": Experiment({"cell": 1, "method": "fit", "details": "{"}),
        "call 003": Experiment({"cell": 2, "method": "fit", "details": "[" * 100_000}),
    }
    assert [(call.cell, call.details) for call in Run(seen).calls] == [(1, {}), (2, {})]


def test_what_nobody_saw_is_left_to_a_person(reference_run: dict[str, Any]) -> None:
    import json

    def verdict(item: str, end: dict[str, Any], cells: Any = None) -> tuple[Verdict, bool]:
        seen = {"call end": Experiment({"cell": 9, "method": "end", "details": json.dumps(end)})}
        seen |= {"cells": Experiment({"cells": cells})} if cells else {}
        theirs = evidence_of(reference_run)
        result = judge_item(RUBRIC.item(item), GRADERS[item], Evidence(seen), theirs)
        return result.verdict, "a person must look: " in result.note and not result.counts

    assert verdict("C9", {"dropped": 1}) == (Verdict.MANUAL, True)
    assert verdict("C9", {"unfollowed": 1024}) == (Verdict.MANUAL, True)
    assert verdict("C9", {"unfollowed": 3}) == (Verdict.FAIL, False)
    assert verdict("C8", {"unfollowed": 1024}) == (Verdict.FAIL, False)
    assert verdict("C12", {}, [{"cell": 7, "status": "interrupted"}]) == (Verdict.MANUAL, True)
    assert verdict("C12", {}, [{"cell": 7, "status": "error"}]) == (Verdict.FAIL, False)


def test_weights_that_fail_on_unseen_images_cost_the_loss(reference_run: dict[str, Any]) -> None:
    theirs = evidence_of(reference_run)

    def spoilt(value: float) -> dict[str, list[str]]:
        arrays = {
            name: dict(one.arrays) | ({"unseen": np.full_like(one.arrays["unseen"], value)} if trains(one) else {})
            for name, one in theirs.experiments.items()
        }
        mine = {name: Experiment(one.values, arrays[name]) for name, one in theirs.experiments.items()}
        return lost(Evidence(mine), theirs, *ITEMS[:4])

    def trains(one: Experiment) -> bool:
        return "unseen" in one.arrays and one.arrays["unseen"].dtype.kind == "f" and one.values["cell"] > first

    first = next(one.values["cell"] for one in theirs.experiments.values() if one.values["method"] == "load_weights")
    assert spoilt(0.99) == spoilt(np.nan) == {"C11": ["loss"]}


def test_a_fault_of_the_recorder_costs_nobody_a_mark(reference_run: dict[str, Any]) -> None:
    import json

    theirs = evidence_of(reference_run)
    end = Experiment({"cell": 9, "method": "end", "details": json.dumps({"faults": ["it broke"]})})
    result = judge_item(RUBRIC.item("C8"), GRADERS["C8"], Evidence({"call end": end}), theirs)
    assert (result.verdict, result.counts) == (Verdict.FAULT, False)
    whole = Evidence({**theirs.experiments, "call end": end})
    assert judge_item(RUBRIC.item("C8"), GRADERS["C8"], whole, theirs).verdict is Verdict.PASS
