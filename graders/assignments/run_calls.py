"""What a notebook did when it ran: the records of a recorder (`graders.probes`), read with distrust.

Whatever a record holds comes from the student's process. What is not of the recorder's form counts as not there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.assignments import Seen
from graders.model import Experiment

Array = NDArray[Any]


@dataclass(frozen=True)
class Recorded:
    """One record: `at` is its place in the run."""

    at: int
    cell: int
    method: str
    details: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return a text, "" where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> float:
        """Return a number, NaN where there is none."""
        return number(self.details.get(key))

    def table(self, key: str) -> dict[str, Any]:
        """Return a mapping, empty where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, dict) else {}

    def rows(self, key: str) -> list[Any]:
        """Return a list, empty where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, list) else []

    def numbers(self, key: str) -> Array:
        """Return an array of whole numbers (n,), empty where there is none."""
        found = self.arrays.get(key)
        return found.ravel().astype(np.int64) if found is not None and found.dtype.kind in "iu" else np.zeros(0, int)


def number(value: Any) -> float:
    """Return a JSON value as a number, NaN when it is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")


def records(seen: Seen, methods: Collection[str]) -> Iterator[Recorded]:
    """Yield the records by these methods, in order."""
    names = sorted(name for name in seen if name.startswith("call "))
    at = 0
    for name in names:
        method, cell = seen[name].values.get("method"), seen[name].values.get("cell")
        if method in methods and isinstance(cell, int):
            yield Recorded(at, cell, str(method), _details(seen[name]), seen[name].arrays)
            at += 1


def ending(seen: Seen) -> tuple[dict[str, Any], Mapping[str, Array]]:
    """Return the details and the arrays of the record that ends a run, empty where there is none."""
    last = seen["call end"] if "call end" in seen else Experiment()
    return _details(last), last.arrays


def cells_of(seen: Seen) -> list[Mapping[str, Any]]:
    """Return how the cells of a run ended, in order."""
    cells = seen["cells"].values.get("cells") if "cells" in seen else None
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def cut_short(seen: Seen) -> str:
    """Return why something of a notebook was not seen, "" when the run came to its end."""
    for cell in cells_of(seen):
        if cell.get("status") in ("interrupted", "died", "not run"):
            return f"the run ended in or before cell {cell.get('cell')}, and what comes after it was not seen"
    return ""


def faults(end: Mapping[str, Any]) -> list[str]:
    """Return what went wrong in the recorder itself."""
    found = end.get("faults")
    return [str(each) for each in found] if isinstance(found, list) else []


def _details(experiment: Experiment) -> dict[str, Any]:
    text = experiment.values.get("details")
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
