from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graders.engine.grading import Bench
from graders.engine.pieces import NotMeasured, Recorded
from graders.model import Assignment, Evidence, Submission, Tier, Verdict
from graders.rubric import load_rubric
from graders.store import Store
from tests.unit.evidence import Says, item, outputs, same

ONE, OTHER = Evidence({"main": outputs([1.0])}), Evidence({"main": outputs([2.0])})
X1 = item(2.0)
X2 = item(2.0, depends=("X1",))
X2 = replace(X2, id="X2")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "evidence.sqlite")
    made.keep("one", ONE)
    made.keep("other", OTHER)
    yield made
    made.close()


def entry(missing: str = "", evidence: dict[str, str] | None = None, faults: dict[str, str] | None = None) -> object:
    found = {"X1": "Layer", "X2": "Block"}
    return {"missing": missing, "found": found, "evidence": evidence or {}, "faults": faults or {}}


def test_what_was_measured_is_handed_out_again(store: Store) -> None:
    pieces = Recorded(store, {"X1": entry(evidence={"": "one", "X0 X3": "other"})})  # type: ignore[dict-item]
    assert pieces.missing(X1) == ""
    assert pieces.found(X1)["X2"] == "Block"
    assert same(pieces.own(X1), ONE)
    assert same(pieces.through(X1, ["X0", "X3"]), OTHER)


def test_what_was_missing_is_missing(store: Store) -> None:
    assert Recorded(store, {"X1": entry(missing="no Layer was found")}).missing(X1) == "no Layer was found"  # type: ignore[dict-item]


def test_a_fault_stays_one(store: Store) -> None:
    evidence = Recorded(store, {"X1": entry(faults={"": "the zygote has died"})}).own(X1)  # type: ignore[dict-item]
    assert (evidence.fault, evidence.experiments) == ("the zygote has died", {})


def test_what_was_never_measured_is_said_so(store: Store) -> None:
    pieces = Recorded(store, {"X1": entry(evidence={"": "lost"})})  # type: ignore[dict-item]
    for ask in (lambda: pieces.own(X1), lambda: pieces.through(X1, ["X0"]), lambda: pieces.missing(X2)):
        with pytest.raises(NotMeasured, match="run `graders grade` again"):
            ask()


def test_what_a_new_rubric_asks_for_and_no_run_measured_is_a_fault_and_costs_nothing(store: Store) -> None:
    """X2 built on nothing when it was graded, and failed; now it builds on X1 and should be followed through."""
    rubric: Assignment = replace(load_rubric("pixelcnn"), items=(X1, X2))
    says = Says(a=False)
    bench = Bench(rubric, (X1, X2), {"X1": says, "X2": says}, lambda _: ONE, {})  # type: ignore[arg-type]
    record = {name: entry(evidence={"": "one"}) for name in ("X1", "X2")}
    report = bench.report(Submission("ann", "Ann"), Recorded(store, record))  # type: ignore[arg-type]
    first, second = report.items
    assert (first.verdict, first.points) == (Verdict.FAIL, 0)
    assert (second.verdict, second.counts) == (Verdict.FAULT, False)
    assert "X2 was not measured as the rubric now asks for" in second.note
    assert X2.tier is Tier.BEHAVIOUR
    assert np.isclose(report.possible, 2)
