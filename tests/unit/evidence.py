"""Experiments, evidence and items in a word or two, for the tests of what judges and keeps them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graders.kit import Kit
from graders.model import Criterion, Evidence, Experiment, Failure, Item, Outcome, Slice, Statement, Tier
from graders.rubric import parse_rubric
from graders.store import read_evidence

KIT = Path(__file__).parents[2] / "student_template" / "pixelcnn" / "pixelcnn.kit"

RAISED = Failure("ValueError", "no such axis", "cell 4, line 2")
FAILED = Experiment(failure=RAISED)

# What absent evidence looks like: an experiment that failed, one without arrays, arrays of no numbers, empty ones.
NOT_NUMBERS = (
    np.array(["1", "2"]),
    np.array([b"1", b"2"]),
    np.array([1j, 2j]),
    np.array([None, 1.0]),
    np.array(["2023-04-03"], "datetime64[D]"),
)
EMPTY = (np.zeros(0, np.float32), np.zeros((2, 0, 3), np.float32))

small_floats = st.floats(-100, 100, width=32)
numbers = hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=4), elements=small_floats)


def seen(**arrays: Any) -> Experiment:
    """An experiment with these arrays; in a keyword `_` stands for a space."""
    return Experiment(arrays={name.replace("_", " "): np.asarray(array) for name, array in arrays.items()})


def outputs(array: Any, **values: Any) -> Experiment:
    """An experiment that measured outputs."""
    return Experiment(values, {"outputs": np.asarray(array)})


def item(*points: float, **more: Any) -> Item:
    """An item with criteria "a", "b", ... of these points."""
    criteria = tuple(Criterion(name, share, f"look at {name}") for name, share in zip("abcdefgh", points, strict=False))
    given = {"names": ("Layer",), **more}
    return Item("X1", "An item", sum(points), "code", Tier.BEHAVIOUR, "1", criteria=criteria, **given)


class Says:
    """A grader whose judge says what it is told to, whatever the evidence."""

    arguments = ()

    def __init__(self, **passed: bool) -> None:
        self.passed = passed

    def probe(self, student: Any, lab: Any, draw: Any) -> dict[str, Any]:
        return {}

    def judge(self, mine: Any, theirs: Any) -> Iterator[Outcome]:
        for name, passed in self.passed.items():
            yield Outcome(name, passed, "what is right", "what is there")


SOUND = Evidence({"loading": Experiment(), "main": outputs([1.0])})


def reference() -> Kit:
    """The recorded evidence of the real reference, whatever version of the probes it was recorded with."""
    with zipfile.ZipFile(KIT) as archive:
        rubric = parse_rubric(archive.read("rubric.toml"), KIT / "rubric.toml")
        about = json.loads(archive.read("kit.json"))
        found = {
            item: read_evidence(json.loads(archive.read(f"{item}.json")), archive.read(f"{item}.safetensors"))
            for item in about["items"]
        }
    return Kit(rubric, about["seed"], found)


def piece(*sources: str, place: str = "cell 1", **more: Any) -> Slice:
    """A slice of statements that stand below each other in one cell."""
    statements, line = [], 1
    for source in sources:
        statements.append(Statement(place, line, source))
        line += source.count("\n") + 1
    return Slice(tuple(statements), **more)


def same(one: Evidence, other: Evidence) -> bool:
    """Whether two pieces of evidence are equal, arrays bit by bit, types included."""
    plain = [(e.failure, e.fault, e.output, e.seconds, list(e.experiments)) for e in (one, other)]
    pairs = [(experiment, other.experiments.get(name)) for name, experiment in one.experiments.items()]
    return plain[0] == plain[1] and all(
        theirs is not None
        and dict(mine.values) == dict(theirs.values)
        and mine.failure == theirs.failure
        and equal_arrays(mine, theirs)
        for mine, theirs in pairs
    )


def equal_arrays(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments hold the same arrays, bit by bit."""
    return set(one.arrays) == set(other.arrays) and all(
        array.dtype == other.arrays[key].dtype
        and array.shape == other.arrays[key].shape
        and array.tobytes() == other.arrays[key].tobytes()
        for key, array in one.arrays.items()
    )


# Evidence as hypothesis draws it.
_text = st.text(st.characters(codec="utf-8"), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
any_arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.uint8, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)
failures = st.builds(Failure, _text, _text, _text)
# The unit separator is a control character of the store's own: no experiment of ours has it in its name.
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
experiments = st.builds(
    Experiment,
    values=st.dictionaries(_text, json_values, max_size=3),
    arrays=st.dictionaries(names, any_arrays, max_size=3),
    failure=st.none() | failures,
)
evidence = st.builds(
    Evidence,
    experiments=st.dictionaries(names, experiments, max_size=4),
    failure=st.none() | failures,
    fault=_text,
    output=_text,
    seconds=st.floats(0, 1e6),
)
