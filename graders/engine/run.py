"""One run: every submission of a class graded, and each report published as it is ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from graders.engine.classroom import Classroom
from graders.engine.local import Job, LocalEngine
from graders.engine.opening import open_classroom
from graders.engine.plan import Plan
from graders.engine.publish import Publisher
from graders.errors import Fault, Stopped
from graders.model import ClassReport, Report, Submission
from graders.sandbox.nursery import Nursery


def grade_class(
    plan: Plan,
    jobs: Sequence[Job],
    store_path: Path,
    publisher: Publisher,
    on_report: Callable[[Report], None],
    nursery: Nursery | None = None,
) -> ClassReport:
    """Grade every submission and publish its report; `on_report` is called with each as it is ready.

    Raises:
        Fault: The reference cannot be measured, or the disk is full; what is graded by then is kept.
        KeyboardInterrupt: As it came; what is graded by then is kept.
    """
    started = time.monotonic()
    with open_classroom(plan, store_path, nursery) as classroom:
        store = classroom.store
        if store.recorded("run") is None and plan.jobs > 1:
            threading.Thread(target=classroom.prepare, daemon=True).start()
        store.record("run", {**classroom.run, "submissions": [job.id for job in jobs]})

        def ready(report: Report) -> None:
            publisher.student(store, report)
            on_report(report)

        reports = grade_all(classroom, jobs, ready)
        seconds = round(time.monotonic() - started, 2)
        class_report = ClassReport(plan.assignment, tuple(reports), classroom.provenance, seconds)
        publisher.whole_class(store, class_report)
        return class_report


def grade_all(classroom: Classroom, jobs: Sequence[Job], on_report: Callable[[Report], None]) -> list[Report]:
    """Return the reports of all submissions in their order; a job that breaks twice becomes a report of FAULTs."""
    engine = LocalEngine(classroom.grade, classroom.plan.jobs)
    places = {engine.submit(job): place for place, job in enumerate(jobs)}
    reports: dict[int, Report] = {}
    broken: set[int] = set()
    try:
        for handle, result in engine.completed():
            place = places.pop(handle)
            if isinstance(result, Exception) and not isinstance(result, Fault | Stopped) and place not in broken:
                broken.add(place)
                places[engine.submit(jobs[place])] = place
                continue
            report = result if isinstance(result, Report) else _fault_report(classroom, jobs[place], result)
            on_report(report)
            reports[place] = _without_outputs(report)
    except BaseException:
        for nursery in classroom.nurseries:  # do not wait for children that nobody wants any more
            nursery.close()
        raise
    finally:
        engine.close()
    return [reports[place] for place in sorted(reports)]


def _fault_report(classroom: Classroom, job: Job, error: BaseException) -> Report:
    """Return a report of FAULTs; what concerns the whole run is raised instead."""
    if isinstance(error, Fault | Stopped):
        raise error
    return classroom.bench.fault_report(Submission(job.id, job.name), f"{type(error).__name__}: {error}")


def _without_outputs(report: Report) -> Report:
    """Return a report without what the students printed: it stands in the store, and memory must not grow by it."""
    return replace(report, items=tuple(replace(item, output="") for item in report.items))
