"""The results of a run as files in one folder."""

from __future__ import annotations

from pathlib import Path

from graders.model import ClassReport
from graders.reports.documents import class_document, report_document, write_json
from graders.reports.files import folders, replace_file
from graders.reports.marks import write_marks
from graders.reports.page import class_page, student_page


def write_class(class_report: ClassReport, out: Path) -> None:
    """Write class.json, marks.csv, report.html and students/<id>/{result.json, report.html}; each file in one step."""
    for report, folder in zip(class_report.reports, folders(class_report), strict=True):
        write_json(report_document(report), out / "students" / folder / "result.json")
        replace_file(out / "students" / folder / "report.html", student_page(report).encode())
    # The class comes last: once its page is there, its links lead somewhere.
    write_json(class_document(class_report), out / "class.json")
    write_marks(class_report, out / "marks.csv")
    replace_file(out / "report.html", class_page(class_report).encode())
