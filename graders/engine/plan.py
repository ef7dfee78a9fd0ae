"""How a class is to be graded: plain data, and what follows from it alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from graders.engine.studio import BUDGET, Say, silent
from graders.model import Assignment, Item, Tier
from graders.sandbox.limits import Limits


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


def with_due(assignment: Assignment, due: str) -> Assignment:
    """Return the assignment with another deadline, unless `due` is ""."""
    return replace(assignment, late=replace(assignment.late, due=due)) if due else assignment


def runs(plan: Plan) -> bool:
    """Return whether whole notebooks are run: for the plan's items, or for what the run itself shows."""
    return plan.rehearse or any(Tier.EXECUTE in item.tiers for item in plan.items)
