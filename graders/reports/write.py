"""The results of a run as files in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from graders.model import ClassReport, Evidence, Report
from graders.reports.documents import class_document, report_document, write_json
from graders.reports.files import replace_file
from graders.reports.marks import write_marks
from graders.reports.page import class_page, student_page

STUDENT_FILES = ("result.json", "report.html")
CLASS_FILES = ("class.json", "marks.csv", "report.html")


def student_folder(out: Path, name: str) -> Path:
    """Return where the files of one student go; `name` is one of `folder_names`."""
    return out / "students" / name


def write_student(
    report: Report,
    folder: Path,
    record: Evidence | None = None,
    run: Evidence | None = None,
    models: Mapping[str, Evidence] | None = None,
) -> None:
    """Write result.json and report.html, each in one step.

    `record` is what the notebook shows, `run` how it ran, `models` the evidence of trained models by item.
    """
    write_json(report_document(report, record, run, models), folder / "result.json")
    replace_file(folder / "report.html", student_page(report, record, run, models).encode())


def write_class(class_report: ClassReport, out: Path) -> None:
    """Write class.json, marks.csv and report.html, which links to the students' pages; each in one step."""
    write_json(class_document(class_report), out / "class.json")
    write_marks(class_report, out / "marks.csv")
    replace_file(out / "report.html", class_page(class_report).encode())
