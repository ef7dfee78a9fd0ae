"""marks.csv: one line a student, to be opened in a spreadsheet or fed to the LMS."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from graders.model import ClassReport, Report
from graders.reports.files import replace_file
from graders.reports.summary import item_summaries
from graders.reports.words import line

# A cell that begins like this is run as a formula by Excel or LibreOffice; the wide forms too, in some locales.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LATE = ("late_minutes", "deduction", "total")


def write_marks(class_report: ClassReport, path: Path) -> None:
    """Write id, name, score and possible of every student, the points of each judged item, lateness and total.

    What waits for a person, and what we could not judge by our own fault, is left empty: it is not a zero.
    """
    items = [summary.id for summary in item_summaries(class_report) if summary.judged]
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["id", "name", "score", "possible", *map(defused, items), *_LATE])
    writer.writerows(_row(report, items) for report in class_report.reports)
    # Without the mark at its beginning Excel reads UTF-8 as Latin-1 and spoils the names.
    replace_file(path, table.getvalue().encode("utf-8-sig"))


def defused(text: str) -> str:
    """Return the text as a cell that no spreadsheet runs.

    >>> defused("=1+1"), defused("Ann")
    ("'=1+1", 'Ann')
    """
    kept = line(text, limit=1_000)
    return f"'{kept}" if kept.startswith(_FORMULA) or text.startswith(_FORMULA) else kept


def _row(report: Report, items: list[str]) -> list[str | float]:
    earned = {item.id: item.points for item in report.items if item.counts}
    cells: list[str | float] = [_number(earned[item]) if item in earned else "" for item in items]
    who = [defused(report.submission.id), defused(report.submission.name)]
    late = [
        "" if report.late_minutes is None else report.late_minutes,
        _number(report.deduction),
        _number(report.total),
    ]
    return [*who, _number(report.score), _number(report.possible), *cells, *late]


def _number(value: float) -> float:
    rounded = round(float(value), 4)
    return int(rounded) if rounded.is_integer() else rounded
