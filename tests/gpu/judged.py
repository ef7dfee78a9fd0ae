"""A reference's networks through the probes and judges of their items, as in a child, one device against another."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from graders.assignments import Registry, load_graders
from graders.judge import judge_item
from graders.model import Evidence, Verdict
from graders.probes.draw import Draw
from graders.probes.runner import experiments
from graders.probes.student import Student
from graders.rubric import load_rubric

SEED = 11


@functools.cache
def registry(slug: str) -> Registry:
    return load_graders(load_rubric(slug))


def evidence(slug: str, item: str, names: Mapping[str, Any], found: str, lab: Any) -> Evidence:
    """Return what the probe of an item measures of what is found by a name, with the instruments `lab`."""
    graders = registry(slug)
    orders = {name: grader.arguments for name, grader in graders.items()}
    student = Student(dict(names), {item: found}, orders)
    return Evidence(dict(experiments(graders[item], student, lab, Draw(SEED, item), ())))


def lost(slug: str, item: str, mine: Evidence, theirs: Evidence) -> list[str]:
    """Return which criteria evidence loses against other evidence, with what was found."""
    result = judge_item(load_rubric(slug).item(item), registry(slug)[item], mine, theirs)
    assert result.verdict is not Verdict.FAULT, result.note
    return [f"{one.name}: {one.actual}" for one in result.criteria if not one.passed]
