"""Marks anew from what is recorded: after a change of the rubric nothing is read, cut or run again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from graders import judge
from graders.assignments import load_graders
from graders.engine import setting
from graders.engine.classroom import known_report
from graders.engine.grading import Bench
from graders.engine.pieces import NotMeasured, Recorded
from graders.engine.plan import with_due
from graders.errors import UsageError
from graders.model import Assignment, ClassReport, Evidence, Item, Json, Report, Tier
from graders.rubric import judgeable
from graders.store import Store
from graders.store.records import read_submission, write_report


def last_run(store: Store) -> dict[str, Json]:
    """Return what the last run of a store graded; raises UsageError when there was none or it did not end."""
    run: dict[str, Json] | None = store.recorded("run")
    if run is None:
        raise UsageError(f"{store.path.parent}: nothing was graded into it; run `graders grade` first")
    if "tiers" not in run:
        raise UsageError(f"{store.path.parent}: an older version graded into it; run `graders grade` again")
    graded = sum(store.submission(id_) is not None for id_ in run["submissions"])
    if graded < len(run["submissions"]):
        raise UsageError(
            f"{store.path.parent}: the run did not end, {graded} of {len(run['submissions'])} submissions are graded; "
            "run the same `graders grade` again, it goes on from there"
        )
    return run


def regrade_class(
    assignment: Assignment, run: dict[str, Json], store: Store, on_report: Callable[[Report], None]
) -> ClassReport:
    """Judge the recorded evidence of a run with the rubric as it is now; `on_report` is called with each report.

    What the rubric now asks for and the run had no need to measure is a FAULT: only `graders grade` can tell.
    """
    started = time.monotonic()
    assignment = with_due(assignment, run["due"])
    items = tuple(item for item in judgeable(assignment, [*map(Tier, run["tiers"])]) if item.id in run["items"])
    provenance = {**run["provenance"], "rubric_sha256": assignment.digest, "due": assignment.late.due}
    now = {name: value for name, value in run.items() if name != "submissions"} | {"provenance": provenance}
    bench = Bench(assignment, items, load_graders(assignment), _Reference(store).evidence, provenance)
    reports = []
    for id_ in run["submissions"]:
        reports.append(_judged_again(bench, store, now, id_))
        on_report(reports[-1])
    store.record("run", {**now, "submissions": run["submissions"]})
    return ClassReport(assignment, tuple(reports), provenance, round(time.monotonic() - started, 2))


def _judged_again(bench: Bench, store: Store, run: Json, id_: str) -> Report:
    pieces = store.pieces(id_)
    key = setting.report_key(run, pieces["handed_in"])
    if known := known_report(store, id_, key, bench.assignment, bench.provenance):
        return known
    recorded = Recorded(store, pieces["items"], pieces["notes"])
    report = bench.report(read_submission(pieces["submission"]), recorded)
    report = replace(report, code=pieces["code"], suspicions=tuple(pieces["suspicions"]))
    store.keep_submission(id_, key, pieces, write_report(report))
    return report


class _Reference:
    """The reference's evidence as the run recorded it, read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Evidence] = {}

    def evidence(self, item: Item) -> Evidence:
        """Return the evidence of one item; raises NotMeasured where there is none."""
        if item.id not in self._known:
            found = self._store.evidence(self._store.recorded(f"reference {item.id}") or "")
            if found is None or judge.broken_reference(found):
                raise NotMeasured(f"the reference solution of {item.id} was not measured; run `graders grade` again")
            self._known[item.id] = found
        return self._known[item.id]
