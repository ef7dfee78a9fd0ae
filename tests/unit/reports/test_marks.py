from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.model import ClassReport, Report, Submission, Verdict
from graders.reports.marks import defused, write_marks

from .sample import assignment, report, sample_class, unjudged

LATE = ("late_minutes", "deduction", "total")


def marks(class_report: ClassReport, path: Path) -> list[dict[str, str]]:
    write_marks(class_report, path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def named(name: str) -> ClassReport:
    made: Report = report("Ada", {})
    made = replace(made, submission=Submission(name, name))
    return ClassReport(made.assignment, (made,), {}, 1.0)


def test_names_and_numbers_come_back(tmp_path: Path) -> None:
    whole = sample_class()
    rows = marks(whole, tmp_path / "marks.csv")
    assert list(rows[0]) == ["id", "name", "score", "possible", "C1", "C2", "C3", "C4", "C5", "C6", "C7", *LATE]
    assert [row["name"] for row in rows] == [made.submission.name for made in whole.reports]
    assert [float(row["score"]) for row in rows] == [made.score for made in whole.reports]


def test_a_fault_is_empty_and_a_missing_item_is_zero(tmp_path: Path) -> None:
    rows = marks(sample_class(fault=True), tmp_path / "marks.csv")
    assert (rows[2]["C5"], rows[2]["possible"]) == ("", "48")
    assert float(rows[5]["C5"]) == 0


def test_an_item_that_failed_by_our_fault_for_all_keeps_its_column(tmp_path: Path) -> None:
    lost = unjudged(assignment().item("C1"), Verdict.FAULT, "ours")
    made = report("Ada", {"C1": lost})
    (row,) = marks(ClassReport(made.assignment, (made,), {}, 1.0), tmp_path / "marks.csv")
    assert row["C1"] == ""


def test_class_without_submissions(tmp_path: Path) -> None:
    assert marks(sample_class(0), tmp_path / "marks.csv") == []


FORMULAS = [
    "=HYPERLINK(1)",
    "+1",
    "-1+cmd|'/c calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\x00=1",
    "\u202e=1",
    "\uff1d1",
]


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_defused(name: str, tmp_path: Path) -> None:
    (row,) = marks(named(name), tmp_path / "marks.csv")
    assert row["name"].startswith("'")
    assert row["id"].startswith("'")


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not defused(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", " "))


@pytest.mark.parametrize("name", ['Ann "Q", Jr.', "a;b", "two\nlines"])
def test_separators_stay_inside_their_cell(name: str, tmp_path: Path) -> None:
    (row,) = marks(named(name), tmp_path / "marks.csv")
    assert row["name"] == " ".join(name.split())
    assert float(row["score"]) == 56
