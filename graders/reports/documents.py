"""Reports as JSON documents: result.json for a submission, class.json for all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from graders.model import ClassReport, CriterionResult, Evidence, ItemResult, Json, Report, Submission
from graders.reports import ran, trained
from graders.reports.files import replace_file
from graders.reports.summary import ItemSummary, equal_code, item_summaries

SCHEMA = 1
_DIGITS = 4


def report_document(
    report: Report,
    record: Evidence | None = None,
    run: Evidence | None = None,
    models: Mapping[str, Evidence] | None = None,
) -> dict[str, Json]:
    """Return what result.json holds: with a record what the notebook shows but its pictures; with a run its cells.

    With `models`, the evidence of trained models by item, their scores.
    """
    document = {
        "schema": SCHEMA,
        "submission": _submission(report.submission),
        "assignment": report.assignment.slug,
        "score": _rounded(report.score),
        "possible": _rounded(report.possible),
        "provenance": report.provenance,
        "items": [_item(item) for item in report.items],
        "notes": report.notes,
        "late": _late(report),
    }
    if record is not None:
        document["record"] = {name: one.values for name, one in record.experiments.items()}
    if run is not None:
        document["run"] = ran.document(run)
    if models:
        document["trained"] = trained.document(models)
    return {key: plain(value) for key, value in document.items()}


def class_document(class_report: ClassReport) -> dict[str, Json]:
    """Return what class.json holds."""
    document = {
        "schema": SCHEMA,
        "assignment": class_report.assignment.slug,
        "provenance": class_report.provenance,
        "seconds": _rounded(class_report.seconds),
        "faults": class_report.faults,
        "submissions": [_line(report) for report in class_report.reports],
        "items": [_statistics(summary) for summary in item_summaries(class_report)],
        "equal_code": [
            {"items": group.items, "submissions": [one.id for one in group.students]}
            for group in equal_code(class_report)
        ],
        "suspicions": {one.submission.id: one.suspicions for one in class_report.reports if one.suspicions},
    }
    return {key: plain(value) for key, value in document.items()}


def write_json(document: Mapping[str, Json], path: Path) -> None:
    """Write the document as JSON that every reader takes: UTF-8, no NaN, no infinity."""
    text = json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)
    replace_file(path, (text + "\n").encode())


def plain(value: Json) -> Json:
    """Return the value as JSON can carry it: what it cannot becomes null (NaN, infinity) or text (anything else)."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    # File names that are no UTF-8 come as halves of surrogate pairs, which no file can hold.
    return str(value).encode(errors="replace").decode()


def _rounded(value: float) -> float:
    return round(value, _DIGITS)


def _late(report: Report) -> dict[str, Json]:
    taken, left = _rounded(report.deduction), _rounded(report.total)
    return {"minutes": report.late_minutes, "deduction": taken, "total": left}


def _submission(submission: Submission) -> dict[str, Json]:
    return {
        "id": submission.id,
        "name": submission.name,
        "files": [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in submission.files],
        "hashes": {file.name: file.sha256 for file in submission.files},
        "problems": submission.problems,
        "submitted": submission.submitted,
    }


def _item(item: ItemResult) -> dict[str, Json]:
    return {
        "id": item.id,
        "title": item.title,
        "verdict": item.verdict.value,
        "points": _rounded(item.points),
        "possible": _rounded(item.possible),
        "criteria": [_criterion(criterion) for criterion in item.criteria],
        "follow_through": item.follow_through,
        "seconds": _rounded(item.seconds),
        "note": item.note,
    }


def _criterion(criterion: CriterionResult) -> dict[str, Json]:
    return {
        "name": criterion.name,
        "passed": criterion.passed,
        "points": _rounded(criterion.points),
        "possible": _rounded(criterion.possible),
        "expected": criterion.expected,
        "actual": criterion.actual,
        "hint": criterion.hint,
    }


def _line(report: Report) -> dict[str, Json]:
    return {
        "id": report.submission.id,
        "name": report.submission.name,
        "score": _rounded(report.score),
        "possible": _rounded(report.possible),
        "late": _late(report),
        "verdicts": {item.id: item.verdict.value for item in report.items},
        "problems": report.submission.problems,
    }


def _statistics(summary: ItemSummary) -> dict[str, Json]:
    share = summary.mean_share
    return {
        "id": summary.id,
        "title": summary.title,
        "possible": _rounded(summary.possible),
        "verdicts": {verdict.value: number for verdict, number in summary.verdicts.items()},
        "mean_share": None if share is None else _rounded(share),
    }
