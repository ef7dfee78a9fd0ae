"""Reports as files: each student's as soon as it is ready, the class's at the end, none that already stands there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from graders.engine import setting
from graders.model import ClassReport, Report
from graders.reports.files import folder_names
from graders.reports.write import CLASS_FILES, STUDENT_FILES, student_folder, write_class, write_student
from graders.store import Store
from graders.store.records import write_report

_CLASS = "class"  # the setting that says of which reports the class's files tell


class Publisher:
    """Writes reports below one folder; the store notes what is written, so that a kill in between is noticed."""

    def __init__(self, out: Path, ids: Sequence[str]) -> None:
        self._out = out
        self._folders = dict(zip(ids, folder_names(ids), strict=True))

    def student(self, store: Store, report: Report) -> None:
        """Write the report of one student, unless it stands there already."""
        id_, name = report.submission.id, self._folders[report.submission.id]
        folder = student_folder(self._out, name)
        if store.published(id_) != name or not _all_there(folder, STUDENT_FILES):
            write_student(report, folder)
            store.publish(id_, name)

    def whole_class(self, store: Store, class_report: ClassReport) -> None:
        """Write the report on the class, unless the files already tell of these very reports."""
        content = json.dumps([write_report(report) for report in class_report.reports])
        about = json.dumps([class_report.assignment.digest, dict(class_report.provenance)], sort_keys=True)
        told = setting.hashed(content.encode(), about.encode(), setting.package_digest().encode())
        if store.recorded(_CLASS) == told and _all_there(self._out, CLASS_FILES):
            return
        store.record(_CLASS, "")
        write_class(class_report, self._out)
        store.record(_CLASS, told)


def _all_there(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in names)
