"""Reports as JSON that can be read back: what the next run shows again without running or judging anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from graders.model import Assignment, CriterionResult, ItemResult, Json, Report, SourceFile, Submission, Verdict


def write_submission(submission: Submission) -> dict[str, Json]:
    """Return a submission as JSON values, without the text of its files."""
    return asdict(light(submission))


def light(submission: Submission) -> Submission:
    """Return a submission without the text of its files: a class of hundreds need not be held in memory."""
    return replace(submission, files=tuple(replace(file, text=None) for file in submission.files))


def read_submission(document: Mapping[str, Json]) -> Submission:
    """Return the submission that `write_submission` wrote."""
    files = tuple(SourceFile(**file) for file in document["files"])
    return Submission(**{**document, "files": files, "problems": tuple(document["problems"])})


def write_report(report: Report) -> dict[str, Json]:
    """Return a report as JSON values; what all reports of a run share is left out."""
    return {
        "submission": write_submission(report.submission),
        "items": [asdict(item) for item in report.items],
        "notes": list(report.notes),
        "code": dict(report.code),
        "suspicions": list(report.suspicions),
    }


def read_report(document: Mapping[str, Json], assignment: Assignment, provenance: Mapping[str, Json]) -> Report:
    """Return the report that `write_report` wrote."""
    return Report(
        read_submission(document["submission"]),
        assignment,
        tuple(_item(item) for item in document["items"]),
        provenance,
        tuple(document["notes"]),
        document["code"],
        tuple(document["suspicions"]),
    )


def _item(document: Mapping[str, Json]) -> ItemResult:
    criteria = tuple(CriterionResult(**criterion) for criterion in document["criteria"])
    return ItemResult(**{**document, "verdict": Verdict(document["verdict"]), "criteria": criteria})
