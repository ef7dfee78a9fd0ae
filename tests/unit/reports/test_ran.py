from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graders.model import Evidence, Experiment
from graders.reports.documents import report_document
from graders.reports.page import student_page
from graders.reports.ran import ran
from graders.reports.write import write_student

from .sample import report
from .test_page import Seen


def cell(number: int, status: str, kind: str = "", message: str = "") -> dict[str, Any]:
    where = f"cell {number}, line 2" if status == "error" else f"cell {number}"
    return {"cell": number, "status": status, "kind": kind, "message": message, "where": where, "seconds": 0.1}


def run(*cells: dict[str, Any], notes: tuple[str, ...] = (), rehearsal: bool = True) -> Evidence:
    return Evidence({"cells": Experiment({"cells": list(cells), "notes": list(notes), "rehearsal": rehearsal})})


TROUBLED = run(
    cell(2, "ok"),
    cell(3, "error", "KeyError", "'x'"),
    cell(4, "interrupted", "timeout", "stopped after 90 seconds"),
    cell(5, "error", "StdinNotImplementedError", "it asks for input(), and nobody is there to answer"),
    cell(6, "not run", message="the run ended in cell 5"),
    notes=("not run here: pip install x", "cell 4: stopped after 90 seconds", "cell 5: it asks for input()"),
)


def test_each_thing_is_said_once() -> None:
    found = ran(TROUBLED)
    assert found is not None
    assert found.lines == (
        "cell 3, line 2: KeyError: 'x'",
        "not run here: pip install x",
        "cell 4: stopped after 90 seconds",
        "cell 5: it asks for input()",
    )


def test_lines_are_bounded() -> None:
    found = ran(run(*(cell(at, "error", "E", str(at)) for at in range(99))))
    assert found is not None
    assert len(found.lines) == 31
    assert found.lines[-1] == "and 69 more such lines"


def test_the_page_tells_a_rehearsal_from_a_run_in_full_and_leads_to_the_notebook() -> None:
    rehearsed = Seen(student_page(report("Ada", {}), run=TROUBLED))
    assert "as a small rehearsal" in rehearsed.text
    assert ("href", "executed.ipynb") in rehearsed.attributes
    assert "cell 3, line 2: KeyError" in rehearsed.text
    whole = Seen(student_page(report("Ada", {}), run=run(cell(2, "ok"), rehearsal=False))).text
    assert "in full" in whole
    assert "Every cell ran without an error" in whole
    for nothing in (None, Evidence({})):
        assert "How your notebook ran" not in student_page(report("Ada", {}), run=nothing)


def test_hostile_words_of_a_run_add_no_tag() -> None:
    def page(text: str) -> str:
        return student_page(report("Ada", {}), run=run(cell(2, "error", text, text), notes=(text,)))

    assert Seen(page("<script>alert(1)</script>\x1b[2J")).tags == Seen(page("harmless")).tags


def test_result_json_holds_the_cells_of_a_run(tmp_path: Path) -> None:
    write_student(report("Ada", {}), tmp_path, run=TROUBLED)
    saved = json.loads((tmp_path / "result.json").read_text())["run"]
    assert saved["rehearsal"] is True
    assert [one["status"] for one in saved["cells"]] == ["ok", "error", "interrupted", "error", "not run"]
    assert "run" not in report_document(report("Ada", {}))


def test_what_a_run_showed_stands_beside_what_was_wrong_with_it() -> None:
    values = {
        "cells": [cell(2, "ok")],
        "notes": [],
        "rehearsal": True,
        "seen": ["40 steps"] * 2,
        "wrong": ["no sample"],
    }
    found = ran(Evidence({"cells": Experiment(values)}))
    assert found is not None
    assert (found.lines, found.seen) == (("no sample",), ("40 steps",))
    page = Seen(student_page(report("Ada", {}), run=Evidence({"cells": Experiment(values)}))).text
    assert "no sample" in page
    assert "What it showed" in page
    assert "40 steps" in page
    assert "What it showed" not in Seen(student_page(report("Ada", {}), run=TROUBLED)).text
