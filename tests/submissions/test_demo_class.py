"""The demo class, end to end: every submission ends in a report, and each report says what is true."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.submissions.conftest import Run, graders

JUDGED = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
POINTS = dict(zip(JUDGED, (4, 5, 12, 8, 8, 12, 7), strict=True))
FULL = ("adams", "baker", "chan", "dimitrov", "okafor", "quinn", "ueda", "weber")

# Who loses what: items by student; everybody else keeps everything or hands in nothing.
LOST = {
    "evans": {"C3"},
    "fischer": {"C4"},
    "garcia": {"C7"},
    "haddad": {"C6"},
    "ito": {"C2", "C5"},
    "lopez": {"C3"},
    "mueller": {"C5"},
    "novak": {"C6"},
    "patel": {"C4"},
    "rossi": {"C4", "C5", "C6", "C7"},
    "silva": {"C1", "C4", "C7"},
    "tanaka": {"C3", "C6"},
    "varga": {"C4", "C5", "C6"},
}


def test_the_run_can_be_trusted_whatever_the_marks(demo_run: Run) -> None:
    assert demo_run.process.returncode == 0, demo_run.process.stderr
    assert "24 submissions" in demo_run.process.stdout


def test_everything_that_was_promised_is_written(demo_run: Run, demo_class: Path) -> None:
    students = {path.name for path in (demo_run.out / "students").iterdir()}
    assert len(students) == len(list(demo_class.iterdir())) == 24
    for path in (*("class.json", "marks.csv", "report.html"), *(f"students/{s}/report.html" for s in students)):
        assert (demo_run.out / path).stat().st_size > 200, path


@pytest.mark.parametrize("student", FULL)
def test_right_code_in_any_shape_gets_full_marks(demo_run: Run, student: str) -> None:
    result = demo_run.result(student)
    assert demo_run.lost(student) == {}
    assert result["score"] == result["possible"] == 56


@pytest.mark.parametrize(("student", "items"), LOST.items())
def test_wrong_code_loses_its_own_items_only(demo_run: Run, student: str, items: set[str]) -> None:
    assert set(demo_run.lost(student)) == items


@pytest.mark.parametrize("student", ["jensen", "kim", "xu"])
def test_nothing_handed_in_gets_nothing_and_crashes_nothing(demo_run: Run, student: str) -> None:
    assert demo_run.result(student)["score"] == 0
    assert set(demo_run.verdicts(student).values()) == {"MISSING"}


def test_wrong_c3_with_right_c6_and_c7_costs_c3_alone(demo_run: Run) -> None:
    items = demo_run.items("evans")
    assert items["C3"]["verdict"] == "PARTIAL"
    assert {"causality", "padding", "values"} <= demo_run.lost("evans")["C3"]
    for followed in ("C6", "C7"):
        assert items[followed]["verdict"] == "PASS"
        assert items[followed]["follow_through"] is True
        assert items[followed]["points"] == POINTS[followed]


def test_an_endless_loop_is_stopped_and_costs_its_item(demo_run: Run) -> None:
    found = demo_run.items("lopez")["C3"]["criteria"][0]["actual"]
    assert "timeout" in found
    assert demo_run.items("lopez")["C6"]["points"] == 12


def test_a_killed_kernel_costs_its_item(demo_run: Run) -> None:
    assert "exit" in demo_run.items("mueller")["C5"]["criteria"][0]["actual"]
    assert demo_run.items("mueller")["C7"]["follow_through"] is True


def test_a_memory_hog_is_stopped_and_costs_its_item(demo_run: Run) -> None:
    assert demo_run.items("novak")["C6"]["verdict"] == "FAIL"
    assert demo_run.items("novak")["C7"]["points"] == 7


def test_what_could_not_be_read_is_said_with_its_place(demo_run: Run) -> None:
    kim, patel = (demo_run.result(student)["submission"]["problems"] for student in ("kim", "patel"))
    assert any("kim.ipynb" in line and "it is an archive" in line for line in kim)
    assert any(line.startswith("cell 14, line 24") for line in patel)
    assert "was never closed" in demo_run.items("patel")["C4"]["note"]


def test_the_result_has_the_documented_form(demo_run: Run) -> None:
    result = demo_run.result("silva")
    assert result["schema"] == 1
    assert result["assignment"] == "pixelcnn"
    assert set(result["submission"]) >= {"id", "files", "hashes"}
    provenance = result["provenance"]
    assert provenance["seed"] == 20261121
    assert provenance["isolation"] in ("full", "no-namespaces", "uid")
    assert len(provenance["rubric_sha256"]) == len(provenance["reference_sha256"]) == 64
    assert provenance["versions"]["tensorflow"]
    for item in result["items"]:
        assert set(item) >= {"id", "title", "verdict", "points", "possible", "criteria", "follow_through", "seconds"}
        for criterion in item["criteria"]:
            assert set(criterion) == {"name", "passed", "points", "possible", "expected", "actual", "hint"}


def test_points_add_up(demo_run: Run) -> None:
    for path in (demo_run.out / "students").glob("*/result.json"):
        result = json.loads(path.read_text())
        judged = [item for item in result["items"] if item["id"] in JUDGED]
        assert [item["possible"] for item in judged] == list(POINTS.values())
        assert result["score"] == pytest.approx(sum(item["points"] for item in judged))
        for item in judged:
            assert item["points"] == pytest.approx(sum(criterion["points"] for criterion in item["criteria"]))


def test_items_of_later_tiers_are_listed_and_say_so(demo_run: Run) -> None:
    items = demo_run.items("adams")
    assert {f"Q{number}" for number in range(1, 11)} <= set(items)
    for name in ("C8", "C9", "C10", "C11", "C12", "C13"):
        assert items[name]["verdict"] == "MANUAL"
        assert "execute tier" in items[name]["note"]


def test_marks_are_a_table(demo_run: Run) -> None:
    with (demo_run.out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 24
    assert float(rows["adams"]["score"]) == 56
    assert float(rows["evans"]["C3"]) < 12


def test_one_report_can_be_shown_in_the_terminal(demo_run: Run) -> None:
    shown = graders("show", demo_run.out, "evans")
    assert shown.returncode == 0
    assert "causality" in shown.stdout
    missing = graders("show", demo_run.out, "evens")
    assert missing.returncode == 2
    assert "did you mean 'evans'?" in missing.stderr


def test_the_same_class_again_takes_its_evidence_from_the_store(demo_run: Run, demo_class: Path) -> None:
    before = {path: path.read_text() for path in (demo_run.out / "students").glob("*/result.json")}
    whole = (demo_run.out / "class.json").read_text()
    again = graders("grade", "pixelcnn", demo_class, "-o", demo_run.out, "--seed", 20261121)
    assert again.returncode == 0
    for path, text in before.items():
        assert json.loads(path.read_text())["items"] == json.loads(text)["items"]
    assert (demo_run.out / "class.json").read_text() == whole
