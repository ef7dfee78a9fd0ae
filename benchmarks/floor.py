"""The floor of the torch notebook: one warm process that runs the cells and the five checks, and nothing else.

Usage: python -m benchmarks.floor FOLDER; prints the seconds of each notebook in it as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

from benchmarks.checks import CHECKS, parameter_check, shape_check


def checked(path: Path) -> float:
    """Return how long the cells of a notebook and the checks took; raises AssertionError where one fails."""
    started = time.perf_counter()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    for item in CHECKS:
        exec(f"{shape_check(item)}\n{parameter_check(item)}", namespace)
    return time.perf_counter() - started


if __name__ == "__main__":
    notebooks = sorted(Path(sys.argv[1]).glob("*.ipynb"))
    checked(notebooks[0])  # warm
    print(json.dumps([checked(path) for path in notebooks]))
