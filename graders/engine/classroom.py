"""A class while it is graded: one reference, one seed, one store; what an earlier run knows is not done again."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graders import judge
from graders.assignments import Registry
from graders.engine import setting
from graders.engine.grading import Bench, read
from graders.engine.local import Job
from graders.engine.pieces import Sliced, Workshop
from graders.engine.plan import Plan, runs
from graders.engine.theatre import unfinished
from graders.errors import Fault, Stopped
from graders.model import Assignment, Evidence, Experiment, Item, Json, Report, Tier, Verdict
from graders.notebook import Program, suspicions
from graders.sandbox.nursery import Nursery
from graders.store import Store
from graders.store.records import light, read_report, write_report, write_submission


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


def known_report(
    store: Store, id_: str, key: str, assignment: Assignment, provenance: Mapping[str, Json]
) -> Report | None:
    """Return the report of an earlier run when it has this key and no FAULT, which another try may mend."""
    known = store.submission(id_)
    if known is None or known[0] != key:
        return None
    report = read_report(known[1], assignment, provenance)
    return None if any(item.verdict is Verdict.FAULT for item in report.items) else report
