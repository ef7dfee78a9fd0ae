"""The judges of 4.2, 5.2 and 6.2 on runs: the reference's, edits of it, and forged evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.assignments.colourization import GRADERS
from graders.assignments.colourization_run import findings
from graders.audit import apply_edit, load_edits
from graders.home import reference_path
from graders.judge import _Seen, judge_item
from graders.model import Evidence, Experiment, ItemResult, Mutant, Tier, Variant, Verdict
from graders.rubric import load_rubric
from tests.unit.torch_rehearsal import ITEMS, reference_text, rehearse, small, training

RUBRIC = load_rubric("colourization")


EDITS = {name: edit for name, edit in load_edits("colourization").items() if edit.item in ITEMS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Evidence:
    return rehearse(reference_text(), folder)


def judged(item: str, mine: Evidence, theirs: Evidence) -> ItemResult:
    return judge_item(replace(RUBRIC.item(item), tier=Tier.EXECUTE), GRADERS.of(item, Tier.EXECUTE), mine, theirs)


def lost(item: str, mine: Evidence, theirs: Evidence) -> set[str]:
    """Return the criteria that an item loses; a fault, or what a person must see, fails the test."""
    result = judged(item, mine, theirs)
    assert result.criteria, result.note
    return {one.name for one in result.criteria if not one.passed}


def edited(edit: Mutant | Variant) -> str:
    text = apply_edit(reference_path("colourization").read_text(encoding="utf-8"), edit)
    return training(small(text), edit.item)


def test_the_reference_meets_every_criterion(reference: Evidence) -> None:
    assert [lost(item, reference, reference) for item in ITEMS] == [set(), set(), set()]


def test_every_edit_applies_and_is_python() -> None:
    for edit in EDITS.values():
        compile(edited(edit), edit.name, "exec")


# Some of them; `graders audit colourization --tier execute` runs them all.
@pytest.mark.parametrize(
    "name",
    [
        "4.2-run-not-trained",
        "4.2-run-last-layer",
        "5.2-run-ten-epochs",
        "5.2-run-validation-in-training-mode",
        "5.2-run-trains-on-validation",
        "6.2-run-rate",
        "6.2-run-negative",
    ],
)
def test_a_mutant_loses_its_criteria(reference: Evidence, folder: Path, name: str) -> None:
    mutant = EDITS[name]
    assert lost(mutant.item, rehearse(edited(mutant), folder), reference) >= set(mutant.loses)


@pytest.mark.parametrize("name", ["4.2-run-as-the-course", "5.2-run-sizes", "6.2-run-own-loop", "6.2-run-twice"])
def test_a_variant_loses_nothing(reference: Evidence, folder: Path, name: str) -> None:
    variant = EDITS[name]
    assert lost(variant.item, rehearse(edited(variant), folder, shrink={}), reference) == set()


# What is not seen -----------------------------------------------------------------------------------------------------

_STEP = "            optimizer.step()\n"
_BY_HAND = """            with torch.no_grad():
                for one in cnn.parameters():
                    one -= 0.1 * one.grad
"""
UNSEEN = {
    "steps by hand": ((_STEP, _BY_HAND), "no step of an optimizer is seen"),
    "another name": (("class UNet(", "class Mine(nn.Module): pass\n\n\nclass Skipping("), "Skipping is trained"),
    "no data": (('DATA = "./data/', 'DATA = "/elsewhere/'), "FileNotFoundError"),
    "no module": (("import time\n", "import time\nimport torchvision_of_colab\n"), "ModuleNotFoundError"),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_is_not_seen_waits_for_a_person(reference: Evidence, folder: Path, name: str) -> None:
    (old, new), reason = UNSEEN[name]
    assert reference_text().count(old) == 1
    text = reference_text().replace(old, new).replace('"UNet"', '"UNet" if "UNet" in globals() else "Skipping"')
    result = judged("6.2", rehearse(training(text, "6.2"), folder), reference)
    assert (result.verdict, result.points) == (Verdict.MANUAL, 0)
    assert reason in result.note


def cut_short(evidence: Evidence, cell: int) -> Evidence:
    """Return what is left of a run that is over its time in a cell."""
    cells = [
        {**one, "status": "ok" if one["cell"] < cell else "interrupted"}
        for one in evidence.experiments["cells"].values["cells"]
    ]
    kept = {
        name: one
        for name, one in evidence.experiments.items()
        if name != "cells" and (name == "call end" or one.values["cell"] <= cell)
    }
    return Evidence({**kept, "cells": Experiment({"cells": cells})})


def test_a_run_that_is_cut_short_costs_nothing_and_tells_what_was_seen(reference: Evidence) -> None:
    second = [one for one in reference.experiments.values() if "ConvTransposeNet" in str(one.values)]
    cell = second[0].values["cell"]
    short = cut_short(reference, cell)
    assert lost("5.2", short, reference) == set()  # it was all there
    del short.experiments[next(name for name, one in short.experiments.items() if _plots(one) and _in(one, cell))]
    result = judged("5.2", short, reference)
    assert result.verdict is Verdict.MANUAL
    assert f"in or before cell {cell}" in result.note
    assert "seen: log: 50 steps, 25 epochs" in result.note
    assert judged("6.2", short, reference).verdict is Verdict.MANUAL


def _plots(experiment: Experiment) -> bool:
    return experiment.values.get("method") == "plots"


def _in(experiment: Experiment, cell: int) -> bool:
    return bool(experiment.values["cell"] == cell)


def test_our_own_faults_are_faults(reference: Evidence, folder: Path) -> None:
    nothing = rehearse("# %%\nx = 1\n", folder)
    assert judged("6.2", reference, nothing).verdict is Verdict.FAULT
    end = Experiment({"cell": 1, "method": "end", "details": json.dumps({"faults": ["KeyError: ours"]})})
    broken = Evidence({**nothing.experiments, "call end": end})
    result = judged("6.2", broken, reference)
    assert result.verdict is Verdict.FAULT
    assert "KeyError: ours" in result.note


def test_nothing_that_was_run_earns_nothing(reference: Evidence, folder: Path) -> None:
    result = judged("5.2", rehearse("# %%\nx = 1\n", folder), reference)
    assert (result.verdict, result.points) == (Verdict.FAIL, 0)
    assert all(not one.passed for one in result.criteria)


FORGED: dict[str, Any] = {
    "no JSON": "{",
    "a list": "[]",
    "nothing": "{}",
    "words": json.dumps({"steps": "many", "optimizer": None, "models": "UNet"}),
    "models that are none": json.dumps({"steps": 50, "models": [None, 3, {"class": ["UNet"]}]}),
    "a model without numbers": json.dumps({"steps": 50, "models": [{"class": "UNet"}]}),
    "not finite": '{"steps": 50, "models": [{"class": "UNet", "given": NaN, "parameters": Infinity, "kernels": {}}]}',
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("arrays", ["none", "wrong types", "wrong shapes"])
def test_forged_records_earn_nothing_and_break_nothing(reference: Evidence, name: str, arrays: str) -> None:
    values = {"cell": 20, "method": "training", "details": FORGED[name]}
    keys = ("losses", "sizes", "modes", "trained", "tested", "watched")
    made: dict[str, Any] = {
        "none": {},
        "wrong types": {key: np.ones(50, np.complex64 if key == "losses" else np.float64) for key in keys},
        "wrong shapes": {key: np.ones((2, 0, 3), np.float64 if key == "losses" else np.int32) for key in keys},
    }[arrays]
    forged = Evidence({"call 000": Experiment(values, made), "call end": reference.experiments["call end"]})
    result = judged("6.2", forged, reference)
    assert result.verdict in (Verdict.FAIL, Verdict.MANUAL)
    assert result.points == 0
    findings(_Seen(forged), {})  # does not raise


def test_findings_tell_each_training_and_what_is_wrong_with_it(reference: Evidence, folder: Path) -> None:
    said = findings(_Seen(reference), {})
    assert len(said.seen) == 3
    assert "PoolUpsampleNet: 50 steps, 25 epochs, loss " in said.seen[0]
    assert "validated on 100 other images" in said.seen[0]
    assert said.wrong == ()
    mutant = rehearse(edited(EDITS["4.2-run-evaluation-mode"]), folder)
    assert "evaluation mode" in findings(_Seen(mutant), {}).wrong[0]
