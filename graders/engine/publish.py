"""Reports as files: each student's as soon as it is ready, the class's at the end, none that already stands there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from graders.engine import setting
from graders.model import ClassReport, Evidence, Json, Report, Tier
from graders.reports.files import folder_names, replace_file, settle
from graders.reports.ran import EXECUTED
from graders.reports.write import CLASS_FILES, STUDENT_FILES, student_folder, write_class, write_student
from graders.store import Store
from graders.store.records import write_report

_CLASS = "class"  # the setting that says of which reports the class's files tell


class Publisher:
    """Writes reports below one folder; the store notes what is written, so that a kill in between is noticed."""

    def __init__(self, out: Path, ids: Sequence[str]) -> None:
        self._out = out
        self._names = dict(zip(ids, folder_names(ids), strict=True))
        self._written: dict[str, str] = {}

    def student(self, store: Store, report: Report) -> None:
        """Write the report of one student, unless its files tell it already."""
        id_, name = report.submission.id, self._names[report.submission.id]
        folder = student_folder(self._out, name)
        told = _told(name, write_report(report), _about(report))
        if store.published(id_) == told and _all_there(folder, STUDENT_FILES):
            return
        store.publish({id_: ""})  # a kill while the files are half written is noticed
        pieces = store.pieces(id_) or {}
        wholes = pieces.get("wholes", {})
        if executed := store.file(wholes.get(Tier.EXECUTE, "")):
            replace_file(folder / EXECUTED, json.dumps(json.loads(executed)["notebook"], indent=1).encode())
        record, run = (store.evidence(wholes.get(tier, "")) for tier in (Tier.RECORD, Tier.EXECUTE))
        write_student(report, folder, record, run, _models(store, report, pieces.get("items", {})))
        self._written[id_] = told

    def whole_class(self, store: Store, class_report: ClassReport) -> None:
        """Write the report on the class, unless the files already tell of these very reports."""
        self._settle(store)
        told = _told([write_report(report) for report in class_report.reports], _about(class_report))
        if store.recorded(_CLASS) == told and _all_there(self._out, CLASS_FILES):
            return
        store.record(_CLASS, "")
        write_class(class_report, self._out)
        settle(self._out / name for name in CLASS_FILES)
        store.record(_CLASS, told)

    def others(self) -> list[str]:
        """Return the folders of an earlier run's students who are not in this one: they are kept, and told of."""
        folder = student_folder(self._out, "")
        there = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
        return sorted(there - set(self._names.values()))

    def _settle(self, store: Store) -> None:
        """Note the students' files as written once they are on the disk: all together, for the disk is slow."""
        folders = [student_folder(self._out, self._names[id_]) for id_ in self._written]
        settle(folder / name for folder in folders for name in STUDENT_FILES)
        store.publish(self._written)
        self._written = {}


def _models(store: Store, report: Report, items: Json) -> dict[str, Evidence]:
    """Return the evidence of the trained models of a report, by item."""
    scored = [item.id for item in report.assignment.items if item.tier is Tier.METRIC and item.id in items]
    found = {item: store.evidence(items[item]["evidence"].get("", "")) for item in scored}
    return {item: evidence for item, evidence in found.items() if evidence is not None}


def _about(report: Report | ClassReport) -> Json:
    """Return what reports of a run share and show, and the version of the code that writes them."""
    return [report.assignment.digest, dict(report.provenance), setting.package_digest()]


def _told(*parts: Json) -> str:
    return setting.hashed(json.dumps(parts, sort_keys=True).encode())


def _all_there(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in names)
