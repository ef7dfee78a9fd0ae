"""A whole class: one reference, one seed, one store; what is known from an earlier run is not done again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graders import judge
from graders.assignments import Registry, load_graders
from graders.engine import setting
from graders.engine.evidence import Laboratory
from graders.engine.given import Given, given
from graders.engine.grading import Bench, read
from graders.engine.local import Job, LocalEngine
from graders.engine.pieces import Sliced, Workshop, handed_out_files
from graders.engine.publish import Publisher
from graders.engine.rehearsals import rehearsal_of
from graders.engine.studio import BUDGET, Say, Studio, cores, silent, studio_nursery
from graders.engine.theatre import Theatre, run_nursery, run_seconds, unfinished
from graders.errors import Fault, Stopped, UsageError
from graders.home import reference_path
from graders.metrics.held import held
from graders.metrics.limits import SAMPLE
from graders.model import (
    Assignment,
    ClassReport,
    Evidence,
    Experiment,
    Item,
    Json,
    Report,
    SourceFile,
    Submission,
    Tier,
    Verdict,
)
from graders.notebook import Program, read_program, suspicions, with_given
from graders.sandbox.levels import choose_level
from graders.sandbox.limits import Limits
from graders.sandbox.nursery import Nursery, nursery_of
from graders.store import Store
from graders.store.records import light, read_report, write_report, write_submission


@dataclass(frozen=True)
class Plan:
    """How a class is to be graded: the items, what they build on first, and where.

    `isolation` is a level that works here, None for the strongest that does; a seed of None is drawn once per class.
    `due` is a deadline other than the rubric's, "" for the rubric's own. `full` runs whole notebooks on the images in
    `data`, not in a small rehearsal; each has `run_limit` seconds, None for the usual. `rehearse` runs them even where
    no item is judged by it: what came of it stands in the report. A training of the metric tier has
    `budget` seconds, and `say` is told what it prints, with the id of the submission.
    """

    assignment: Assignment
    items: tuple[Item, ...]
    jobs: int = 2
    isolation: str | None = None
    seed: int | None = None
    limits: Limits = field(default_factory=Limits)
    pictures: tuple[bytes, ...] = ()
    device: str = "cpu"
    due: str = ""
    full: bool = False
    data: Path | None = None
    run_limit: float | None = None
    rehearse: bool = False
    budget: float = BUDGET
    say: Say = silent


@dataclass
class Classroom:
    """One run: what its submissions are measured and judged with, and the store that remembers them."""

    store: Store
    workshop: Workshop
    nurseries: tuple[Nursery, ...]
    plan: Plan
    graders: Registry
    provenance: dict[str, Json]
    bench: Bench = field(init=False)
    run: Json = field(init=False)
    _reference: dict[str, Evidence] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(init=False)

    def __post_init__(self) -> None:
        plan = self.plan
        self._locks = {item.id: threading.Lock() for item in plan.assignment.items}
        surroundings = self.workshop.laboratory.surroundings
        self.run = setting.run_document(plan.assignment.slug, plan.items, plan.due, self.provenance, surroundings)
        self.bench = Bench(plan.assignment, plan.items, self.graders, self.reference_evidence, self.provenance)

    def reference_evidence(self, item: Item) -> Evidence:
        """Return the evidence of the reference solution, measured when it is first asked for.

        Raises Fault when it cannot be measured: nobody's marks could be trusted then.
        """
        with self._locks[item.id]:
            if item.id not in self._reference:
                evidence, key = self.workshop.measure_reference(item)
                if broken := judge.broken_reference(evidence) or unfinished(evidence):
                    self.store.forget(key)  # the next try may have a quieter machine
                    raise Fault(f"the reference solution of {item.id} cannot be measured: {broken}")
                self.store.record(f"reference {item.id}", key)
                self._reference[item.id] = evidence
            return self._reference[item.id]

    def prepare(self) -> None:
        """Measure the reference beside the first submissions; what goes wrong is said when it is needed."""
        with contextlib.suppress(Fault, Stopped):
            for item in self.plan.items:
                if item.tier is not Tier.METRIC and item.tiers != (Tier.RECORD,):  # these are compared with nothing
                    self.reference_evidence(item)

    def grade(self, job: Job) -> Report:
        """Return the report of one submission: that of an earlier run when nothing that it depends on has changed."""
        handed_in = job.read()
        whole = setting.hashed(json.dumps(write_submission(handed_in), sort_keys=True).encode())
        key = setting.report_key(self.run, whole)
        if known := known_report(self.store, job.id, key, self.plan.assignment, self.provenance):
            return known
        submission, program = read(self.plan.assignment, handed_in)
        pieces = Sliced(self.workshop, handed_in, program, weights=job.weights)
        report = self.bench.report(light(submission), pieces)
        ran = pieces.run()[0] if runs(self.plan) else Evidence({})
        odd = tuple(f"{one.place}, line {one.line}: {one.construct} {one.why}" for one in suspicions(program))
        saved, more = self._flags(pieces, program)
        wrong = ran.experiments.get("cells", Experiment()).values.get("wrong", ())
        notes = (*report.notes, *([f"the notebook was not run, by our own fault: {ran.fault}"] if ran.fault else []))
        code = {**self._code(report, pieces), **more}
        report = replace(report, code=code, suspicions=(*report.suspicions, *odd, *wrong, *saved), notes=notes)
        record = {
            "handed_in": whole,
            "submission": write_submission(submission),
            "notes": list(report.notes),
            "items": pieces.record,
            "code": dict(report.code),
            "suspicions": list(report.suspicions),
            "wholes": pieces.wholes,
        }
        self.store.keep_submission(job.id, key, record, write_report(report))
        return report

    def _flags(self, pieces: Sliced, program: Program) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return what is odd in the results that a notebook shows, and hashes of its training logs."""
        if Tier.RECORD not in pieces.wholes:
            return (), {}
        from graders import record

        evidence = self.store.evidence(pieces.wholes[Tier.RECORD]) or Evidence({})
        measured = self.store.evidence(pieces.wholes.get(Tier.EXECUTE, ""))
        flags = record.flags(evidence, measured, program, self.graders.least_loss)
        logs = [key for where, key in record.fingerprint(evidence).items() if "log" in where]
        return flags, {f"saved log {key[:8]}": key for key in logs}

    def _code(self, report: Report, pieces: Sliced) -> dict[str, str]:
        # All right answers to a question are equal.
        asked = {item.id for item in self.plan.items if item.kind == "question"}
        judged = [item for item in report.items if item.id in pieces.cut and item.id not in asked]
        done = [item.id for item in judged if item.verdict is not Verdict.MISSING]
        return {item_id: pieces.code(item_id) for item_id in done}


def with_due(assignment: Assignment, due: str) -> Assignment:
    """Return the assignment with another deadline, unless `due` is ""."""
    return replace(assignment, late=replace(assignment.late, due=due)) if due else assignment


def known_report(
    store: Store, id_: str, key: str, assignment: Assignment, provenance: Mapping[str, Json]
) -> Report | None:
    """Return the report of an earlier run when it has this key and no FAULT, which another try may mend."""
    known = store.submission(id_)
    if known is None or known[0] != key:
        return None
    report = read_report(known[1], assignment, provenance)
    return None if any(item.verdict is Verdict.FAULT for item in report.items) else report


@contextmanager
def open_classroom(plan: Plan, store_path: Path, nursery: Nursery | None = None) -> Iterator[Classroom]:
    """Open the store, read the reference, draw or recall the seed; close everything at the end.

    The zygote starts when the first child is wanted: where nothing has changed, none is. A caller who knows that
    children will be wanted gives a nursery that he has started.
    """
    assignment = plan.assignment
    source = reference_path(assignment.slug)
    text = source.read_text(encoding="utf-8")
    store = Store(store_path)
    try:
        seed = plan.seed if plan.seed is not None else int(store.setting("seed", secrets.randbelow(2**31)))
        graders = load_graders(assignment)
        with nursery or nursery_of(assignment.slug, plan.limits, plan.device) as nursery:
            level = nursery.level = plan.isolation or choose_level()
            versions = setting.versions(assignment.framework)
            laboratory = Laboratory(nursery, store, versions)
            file = SourceFile(source.name, "", len(text), text)
            seconds, data = _seconds(plan), _given(plan, level)
            stage = run_nursery(assignment.slug, level, nursery.devices, plan.full, seconds) if runs(plan) else nursery
            with stage, _studio(plan, store, nursery, seed, laboratory.surroundings) as studio:
                theatre = Theatre(
                    assignment.slug,
                    store,
                    stage,
                    seed,
                    laboratory.surroundings,
                    seconds,
                    data,
                    findings=graders.findings,
                )
                handed_out = handed_out_files(assignment)
                reference = with_given(read_reference(source.name, text), handed_out)
                workshop = Workshop(
                    assignment,
                    reference,
                    laboratory,
                    seed,
                    file,
                    theatre.perform,
                    handed_out,
                    plan.pictures,
                    studio.measure if studio else None,
                )
                provenance = {**_provenance(plan, level, versions, seed, text), **_of_files(handed_out)}
                if runs(plan):
                    how = "in full" if data else "rehearsal"
                    provenance["whole_notebooks"] = {
                        "how": how,
                        "seconds": seconds,
                        "data": data.digest if data else "",
                    }
                if studio:
                    provenance["metric"] = {
                        "budget_seconds": studio.budget,
                        "data": studio.held.digest,
                        "held_out": int((~studio.held.controls).sum()),
                    }
                studios = (studio.nursery,) if studio else ()
                yield Classroom(store, workshop, (nursery, stage, *studios), plan, graders, provenance)
    finally:
        store.close()


@contextmanager
def _studio(plan: Plan, store: Store, nursery: Nursery, seed: int, surroundings: Json) -> Iterator[Studio | None]:
    """Yield what trains for a plan's metric items, None where it has none; raises UsageError where the data lack."""
    if not any(item.tier is Tier.METRIC and item.metric for item in plan.items):
        yield None
        return
    if plan.data is None:
        raise UsageError("--tier metric needs --data FOLDER with the data set that is trained and scored on")
    threads = max(1, cores() // plan.jobs)
    framework, handed_out = plan.assignment.framework, handed_out_files(plan.assignment)
    with (
        held(plan.assignment.slug, plan.data, seed, SAMPLE) as data,
        studio_nursery(framework, nursery.level, nursery.devices, plan.budget, threads) as trainers,
    ):
        yield Studio(
            plan.assignment,
            store,
            trainers,
            seed,
            surroundings,
            data,
            plan.device,
            plan.budget,
            0.95 / plan.jobs,
            threads,
            handed_out,
            plan.say,
        )


def runs(plan: Plan) -> bool:
    """Return whether whole notebooks are run: for the plan's items, or for what the run itself shows."""
    return plan.rehearse or any(Tier.EXECUTE in item.tiers for item in plan.items)


def _seconds(plan: Plan) -> float:
    """Return the seconds that a notebook has, 0 where none is run."""
    return run_seconds(plan.assignment.slug, plan.run_limit, plan.full) if runs(plan) else 0.0


def _given(plan: Plan, level: str) -> Given | None:
    """Return what runs in full are given, None where none are made."""
    if not (runs(plan) and plan.full):
        return None
    return given(plan.data, rehearsal_of(plan.assignment.slug, full=True).weights, level)


def read_reference(name: str, text: str) -> Program:
    """Return the program of a reference solution; raises Fault when it does not parse."""
    program = read_program(Submission("reference", "reference", (SourceFile(name, "", len(text), text),)))
    if not program.main or program.notes:
        raise Fault(f"{name}: the reference solution cannot be read: {' '.join(program.notes)}")
    return program


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


def _provenance(plan: Plan, level: str, versions: dict[str, str], seed: int, reference: str) -> dict[str, Any]:
    return {
        "versions": versions,
        "isolation": level,
        "device": plan.device,
        "due": plan.assignment.late.due,
        "seed": seed,
        "limits": plan.limits.document(),
        "rubric_sha256": plan.assignment.digest,
        "reference_sha256": hashlib.sha256(reference.encode()).hexdigest(),
        "real_images": len(plan.pictures),
        "real_images_sha256": setting.hashed(*plan.pictures) if plan.pictures else "",
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _of_files(files: Mapping[str, str]) -> dict[str, Any]:
    """Return a hash of the files that students are not to change, where there are any: reports depend on them."""
    parts = [part.encode() for file in sorted(files.items()) for part in file]
    return {"handed_out_sha256": setting.hashed(*parts)} if parts else {}
