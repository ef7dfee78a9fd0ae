"""A whole class: one zygote, one reference, one seed, one report for everybody."""

from __future__ import annotations

import hashlib
import platform
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from graders import judge
from graders.assignments import load_graders
from graders.engine.evidence import Laboratory
from graders.engine.grading import Classroom, grade_submission, read_reference
from graders.engine.local import Job, LocalEngine
from graders.errors import Fault
from graders.home import reference_path
from graders.model import Assignment, ClassReport, Item, Report, Submission, Tier
from graders.sandbox.fork import Zygote
from graders.sandbox.levels import choose_level
from graders.sandbox.limits import Limits
from graders.store import Store

# What the zygote imports once: what student code imports most often, then the framework with its instruments.
_COMMON = (
    "numpy", "numpy.random", "PIL.Image", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin", "PIL.PpmImagePlugin", "safetensors.numpy", "matplotlib.pyplot", "pyseccomp",
    "graders.probes.runner",
)  # fmt: skip
_PRELOAD = {
    "tensorflow": (
        *_COMMON, "tensorflow", "keras", "tensorflow.python.ops.numpy_ops.np_config", "graders.probes.tensorflow",
    ),
    "torch": (*_COMMON, "torch", "graders.probes.torch"),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How a class is to be graded: the items, what they build on first, and where.

    `isolation` is a level that works here, None for the strongest that does; a seed of None is drawn once per class.
    """

    assignment: Assignment
    items: tuple[Item, ...]
    jobs: int = 2
    isolation: str | None = None
    seed: int | None = None
    limits: Limits = field(default_factory=Limits)
    pictures: tuple[bytes, ...] = ()


@contextmanager
def open_classroom(plan: Plan, store_path: Path) -> Iterator[Classroom]:
    """Start the zygote, read the reference, draw or recall the seed; close everything at the end."""
    assignment = plan.assignment
    source = reference_path(assignment.slug)
    text = source.read_text(encoding="utf-8")
    reference = read_reference(source.name, text)
    store = Store(store_path)
    try:
        seed = plan.seed if plan.seed is not None else int(store.setting("seed", secrets.randbelow(2**31)))
        level = plan.isolation or choose_level()
        graders = load_graders(assignment)
        modules = (*_PRELOAD[assignment.framework], *graders.preload, f"graders.assignments.{assignment.slug}")
        with Zygote(modules, level, plan.limits) as zygote:
            provenance = _provenance(plan, zygote, seed, text)
            laboratory = Laboratory(zygote, store)
            yield Classroom(assignment, graders, reference, laboratory, seed, provenance, plan.pictures)
    finally:
        store.close()


def grade_class(
    plan: Plan, submissions: Sequence[Submission], store_path: Path, on_report: Callable[[Report], None]
) -> ClassReport:
    """Grade every submission; `on_report` is called with each report as it is ready.

    Raises Fault when the reference itself cannot be measured: nobody's marks could be trusted then.
    """
    started = time.monotonic()
    with open_classroom(plan, store_path) as classroom:
        _measure_reference(classroom, plan.items)
        reports = grade_all(classroom, submissions, plan.items, plan.jobs, on_report)
        seconds = round(time.monotonic() - started, 2)
        return ClassReport(plan.assignment, tuple(reports), classroom.provenance, seconds)


def _measure_reference(classroom: Classroom, items: Sequence[Item]) -> None:
    for item in items:
        if broken := judge.broken_reference(classroom.reference_evidence(item)):
            raise Fault(f"the reference solution of {item.id} cannot be measured: {broken}")


def grade_all(
    classroom: Classroom,
    submissions: Sequence[Submission],
    items: Sequence[Item],
    jobs: int,
    on_report: Callable[[Report], None],
) -> list[Report]:
    """Return the reports of all submissions in their order; a job that breaks becomes a report of FAULTs."""
    engine = LocalEngine(lambda job: grade_submission(classroom, job.submission, job.items), jobs)
    handles = {engine.submit(Job(submission, tuple(items))): submission for submission in submissions}
    reports: dict[int, Report] = {}
    try:
        for handle, result in engine.completed():
            if isinstance(result, BaseException):
                result = _fault_report(classroom, handles[handle], items, result)
            reports[handle] = result
            on_report(result)
    finally:
        engine.close()
    return [reports[handle] for handle in sorted(reports)]


def _fault_report(classroom: Classroom, submission: Submission, items: Sequence[Item], error: BaseException) -> Report:
    reason = f"{type(error).__name__}: {error}"
    waiting = [judge.waiting(i) for i in classroom.assignment.items if i.tier is not Tier.BEHAVIOUR]
    results = (*(judge.fault(item, reason) for item in items), *waiting)
    return Report(submission, classroom.assignment, results, classroom.provenance, submission.problems)


def _provenance(plan: Plan, zygote: Zygote, seed: int, reference: str) -> dict[str, Any]:
    return {
        "versions": {
            "graders": own_version(),
            "python": platform.python_version(),
            **{name: found for name, found in zygote.versions.items() if found and not name.startswith("graders")},
        },
        "isolation": zygote.level,
        "seed": seed,
        "limits": plan.limits.document(),
        "rubric_sha256": plan.assignment.digest,
        "reference_sha256": hashlib.sha256(reference.encode()).hexdigest(),
        "real_images": len(plan.pictures),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def own_version() -> str:
    """Return the version of this package."""
    try:
        return version("graders")
    except PackageNotFoundError:
        return "unknown"
