"""What a run of the whole notebook tells where no item is judged by it; the run itself stands in for here."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.audit import as_submission
from graders.engine.local import Job
from graders.engine.opening import open_classroom
from graders.engine.plan import Plan, runs
from graders.engine.theatre import Theatre
from graders.model import Evidence, Experiment, Report, SourceFile
from graders.rubric import judgeable, load_rubric

JEM, PIXELCNN = load_rubric("jem"), load_rubric("pixelcnn")


def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evidence: Evidence, rehearse: bool = True) -> Report:
    """Return the report of a submission whose run gave this evidence."""

    def perform(theatre: Theatre, file: SourceFile) -> tuple[Evidence, str]:
        assert rehearse
        assert (file.name, theatre.seconds, theatre.findings.__module__) == (
            "solution.py",
            300,
            "graders.assignments.jem_run",
        )
        return evidence, ""

    monkeypatch.setattr(Theatre, "perform", perform)
    with open_classroom(Plan(JEM, (), rehearse=rehearse), tmp_path / "evidence.sqlite") as classroom:
        return classroom.grade(Job("ann", "ann", lambda: as_submission("ann", "x = 1\n")))


def test_what_is_wrong_with_a_run_stands_among_the_code_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = Experiment({"cells": [], "notes": [], "seen": ["seen"], "wrong": ["it failed"], "rehearsal": True})
    report = graded(tmp_path, monkeypatch, Evidence({"cells": cells}))
    assert report.suspicions == ("it failed",)
    assert report.provenance["whole_notebooks"] == {"how": "rehearsal", "seconds": 300, "data": ""}


def test_a_run_that_we_lost_is_our_fault_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = graded(tmp_path, monkeypatch, Evidence({}, fault="the child was lost"))
    assert "the notebook was not run, by our own fault: the child was lost" in report.notes
    assert report.suspicions == ()


def test_nothing_is_run_unless_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = graded(tmp_path, monkeypatch, Evidence({}), rehearse=False)
    assert "whole_notebooks" not in report.provenance
    assert not runs(Plan(PIXELCNN, judgeable(PIXELCNN)))
    assert runs(Plan(PIXELCNN, (PIXELCNN.item("C8"),)))
