"""Seconds that each submission of a class takes when everything is warm, one after the other.

Usage: python -m benchmarks.warm ASSIGNMENT FOLDER [TIERS], by default behaviour,record. Each line says how long a
submission took by the clock, how much our own process computed, and how long and how much each item's child.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.engine.classroom import Classroom
from graders.engine.local import Job
from graders.engine.opening import open_classroom
from graders.engine.plan import Plan
from graders.intake import HANDED_IN, find_entries
from graders.rubric import load_rubric, select, tiers_of
from graders.sandbox.nursery import Nursery

SEED = 20261121


@dataclass(frozen=True)
class Child:
    """One run of a child: for which item, seconds of the clock, seconds of computing."""

    item: str
    wall: float
    cpu: float


@contextmanager
def watched() -> Iterator[list[Child]]:
    """Yield a list to which every child that runs is added."""
    seen: list[Child] = []
    original = Nursery.run

    def run(self: Nursery, document: Any, *rest: Any) -> Any:
        started = time.monotonic()
        ended, broken = original(self, document, *rest)
        seen.append(Child(str(document.get("item", "notebook")), time.monotonic() - started, ended.cpu_seconds))
        return ended, broken

    setattr(Nursery, "run", run)  # noqa: B010 - for the time of a measurement; its type is another
    try:
        yield seen
    finally:
        setattr(Nursery, "run", original)  # noqa: B010 - as above


def line(name: str, wall: float, own: float, children: list[Child]) -> str:
    """Return what is printed of one submission.

    >>> line("adams", 0.5, 0.1, [Child("4.1", 0.2, 0.05)])
    'adams            0.50 s, computing 0.15: ours 0.10, children 0.05 (4.1 0.20/0.05)'
    """
    each = " ".join(f"{one.item} {one.wall:.2f}/{one.cpu:.2f}" for one in children) or "all known"
    computed = sum(one.cpu for one in children)
    return f"{name:14} {wall:6.2f} s, computing {own + computed:.2f}: ours {own:.2f}, children {computed:.2f} ({each})"


def graded(classroom: Classroom, job: Job, seen: list[Child]) -> str:
    """Grade a submission and return its line."""
    seen.clear()
    started, own = time.monotonic(), time.process_time()
    classroom.grade(job)
    return line(job.id, time.monotonic() - started, time.process_time() - own, seen)


def main(slug: str, folder: str, tiers: str = "behaviour,record") -> None:
    """Measure the reference, so that all is warm, then every submission of a folder."""
    rubric = load_rubric(slug)
    plan = Plan(rubric, select(rubric, (), tiers_of(tiers)), jobs=1, seed=SEED)
    entries = find_entries([Path(folder)], (*HANDED_IN, *rubric.files.values()))
    with (
        tempfile.TemporaryDirectory() as out,
        watched() as seen,
        open_classroom(plan, Path(out) / "evidence.sqlite") as classroom,
    ):
        classroom.prepare()
        for entry in entries:
            print(graded(classroom, Job(entry.id, entry.name, entry.read), seen), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
