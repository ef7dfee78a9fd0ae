from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.model import ClassReport, SourceFile, Submission, Verdict
from graders.reports.documents import class_document, plain, report_document, write_json

from .sample import PROVENANCE, assignment, judged, report, sample_class, unjudged


def test_result_has_the_keys_of_the_issue() -> None:
    document = report_document(report("Ada", {}))
    assert document["schema"] == 1
    assert document["assignment"] == "pixelcnn"
    assert list(document) == [
        "schema",
        "submission",
        "assignment",
        "score",
        "possible",
        "provenance",
        "items",
        "notes",
        "late",
    ]
    assert list(document["submission"]) == ["id", "name", "files", "hashes", "problems", "submitted"]
    (file,) = document["submission"]["files"]
    assert list(file) == ["name", "sha256", "size"]
    assert document["submission"]["hashes"] == {file["name"]: file["sha256"]}
    assert document["provenance"] == PROVENANCE


def test_items_have_the_keys_of_the_issue() -> None:
    item = report_document(report("Ada", {}))["items"][0]
    assert list(item) == [
        "id",
        "title",
        "verdict",
        "points",
        "possible",
        "criteria",
        "follow_through",
        "seconds",
        "note",
    ]
    assert list(item["criteria"][0]) == ["name", "passed", "points", "possible", "expected", "actual", "hint"]
    assert item["verdict"] == "PASS"
    assert item["seconds"] == 0.4123


def test_possible_counts_judged_items_only() -> None:
    lost = unjudged(assignment().item("C5"), Verdict.FAULT, "ours")
    assert report_document(report("Ada", {}))["possible"] == 56
    assert report_document(report("Ada", {"C5": lost}))["possible"] == 48


def test_what_the_student_printed_is_not_in_the_result() -> None:
    loud = judged(assignment().item("C3"), output="a secret of the run")
    assert "a secret" not in json.dumps(report_document(report("Ada", {"C3": loud})))


def test_points_are_rounded() -> None:
    item = replace(judged(assignment().item("C3")), points=1 / 3)
    assert report_document(report("Ada", {"C3": item}))["items"][3]["points"] == 0.3333


def test_class_document() -> None:
    document = class_document(sample_class(fault=True))
    assert document["faults"] == 1
    assert len(document["submissions"]) == 20
    by_id = {item["id"]: item for item in document["items"]}
    assert by_id["C5"]["verdicts"]["FAULT"] == 1
    assert sum(by_id["C5"]["verdicts"].values()) == 20
    assert 0 < by_id["C3"]["mean_share"] < 1
    assert by_id["Q1"]["mean_share"] is None
    assert document["submissions"][2]["verdicts"]["C5"] == "FAULT"


def test_class_without_submissions() -> None:
    document = class_document(sample_class(0))
    assert document["submissions"] == []
    assert all(item["mean_share"] is None for item in document["items"])


def test_written_json_is_strict_and_whole(tmp_path: Path) -> None:
    strange = {"nan": float("nan"), "inf": [float("inf"), 1.5], "path": Path("x"), "name": "\udcff陳"}
    write_json(strange, tmp_path / "a" / "x.json")
    text = (tmp_path / "a" / "x.json").read_bytes().decode()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "nan": None,
        "inf": [None, 1.5],
        "path": "x",
        "name": "?陳",
    }
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x.json"]


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(), st.floats())
def test_any_text_and_number_is_valid_json(name: str, note: str, number: float) -> None:
    who = Submission("id", name, (SourceFile(name, "0", 1),), (note,))
    made = replace(report("Ada", {}), submission=who, provenance={name: number}, notes=(note,))
    whole = ClassReport(made.assignment, (made,), {note: number}, 1.0)
    for document in (report_document(made), class_document(whole)):
        text = json.dumps(document, allow_nan=False, ensure_ascii=False)
        assert json.loads(text.encode().decode()) == document


def test_verdicts_become_plain_text() -> None:
    assert type(plain(Verdict.PASS)) is str
