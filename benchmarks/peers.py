"""(a) The torch notebook with five items under graders, otter-grader and nbgrader, and the floor below all of them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from benchmarks import checks, classes
from benchmarks.machine import PEERS
from benchmarks.measure import (
    LAYERS,
    Plan,
    Row,
    compared,
    environment,
    grade,
    in_plain_process,
    repeated,
    seconds,
)

WITHIN_CLASS, COLD = 30, 3  # how many times faster than `otter run`
_TOTAL = 10


def measure(plan: Plan) -> list[Row]:
    """Return the rows of (a)."""
    size = plan.of(100, 20)
    folder = plan.folder / "layers"
    notebooks = classes.write_class(folder / "class", LAYERS.read_text(), size)
    floor = Row(
        "a",
        "floor: the checks in one warm process",
        "s",
        tuple(in_plain_process("benchmarks.floor", str(folder / "class"))),
    )
    whole = Row("a", f"graders, within a class of {size}", "s", _class(plan, folder, size))
    ours, theirs = _in_turn(plan, folder, notebooks)
    cold, otter = Row("a", "graders, one cold notebook", "s", ours), Row("a", "otter run", "s", theirs)
    single, batch = _nbgrader(plan, folder)
    faster = {row.what: otter.median / row.median for row in (whole, cold)}
    return [
        floor,
        compared(
            whole, "otter run", faster[whole.what], f"{WITHIN_CLASS} x faster", faster[whole.what] >= WITHIN_CLASS
        ),
        compared(cold, "otter run", faster[cold.what], f"{COLD} x faster", faster[cold.what] >= COLD),
        otter,
        batch,
        single,
    ]


def _class(plan: Plan, folder: Path, size: int) -> tuple[float, ...]:
    return repeated(plan.of(3, 1), lambda run: grade("layers", folder / "class", folder / f"out{run}") / size)


def _in_turn(plan: Plan, folder: Path, notebooks: list[Path]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the seconds of cold runs of graders and of `otter run`; taken in turn, so a busy machine meets both."""
    otter = _otter(folder)
    taken = [(grade("layers", notebooks[n], folder / f"cold{n}"), otter(n, notebooks[n])) for n in range(plan.of(5, 2))]
    return tuple(ours for ours, _ in taken), tuple(theirs for _, theirs in taken)


def _otter(folder: Path) -> Callable[[int, Path], float]:
    """Return what tells the seconds of `otter run` on a notebook, the first, the second, ..."""
    tests = folder / "otter" / "tests"
    tests.mkdir(parents=True)
    for item in checks.CHECKS:
        (tests / f"{item}.py").write_text(checks.otter_test(item))
    bundle = folder / "otter" / "autograder.zip"
    options = ("--no-config", "--no-requirements", "--no-environment")
    peer("otter", "generate", "-t", str(tests), "-o", str(bundle), *options)

    def run(number: int, notebook: Path) -> float:
        out = folder / "otter" / f"out{number}"
        out.mkdir()
        took = peer("otter", "run", "-a", str(bundle), "-o", str(out), "--no-logo", str(notebook))
        tests = json.loads((out / "results.json").read_text())["tests"]
        _expect("otter run", sum(test.get("score", 0) for test in tests))
        return took

    return run


def _nbgrader(plan: Plan, folder: Path) -> tuple[Row, Row]:
    """Return the seconds a submission of `nbgrader autograde`, alone and within a batch."""
    size = plan.of(10, 3)
    course = folder / "nbgrader"
    database = f"sqlite:///{course / 'gradebook.db'}"
    where = ("--course-dir", str(course), "--db", database)
    _write(course / "source" / "layers", _with_tests(LAYERS.read_text()))
    peer("nbgrader", "generate_assignment", "layers", *where)
    for number in range(size):
        text = classes.written_by(number, LAYERS.read_text())
        _write(course / "submitted" / classes.student(number) / "layers", _with_tests(text))

    def autograde(*who: str) -> float:
        shutil.rmtree(course / "autograded", ignore_errors=True)
        return peer("nbgrader", "autograde", "layers", *where, *who)

    alone = repeated(plan.of(3, 1), lambda run: autograde("--student", classes.student(run)))
    within = repeated(plan.of(2, 1), lambda _: autograde("--force") / size)
    for score in _scores(course / "gradebook.db"):
        _expect("nbgrader", score)
    return (
        Row("a", "nbgrader autograde, one notebook", "s", alone),
        Row("a", f"nbgrader autograde, within a batch of {size}", "s", within),
    )


def _scores(database: Path) -> list[float]:
    """Return the marks that nbgrader gave, one a submission."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT SUM(auto_score) FROM grade GROUP BY notebook_id").fetchall()
    return [row[0] or 0 for row in rows]


def _with_tests(text: str) -> Any:
    """Return the notebook of a solution with a hidden test cell for each item, as nbgrader wants them marked."""
    made = classes.notebook(text)
    for item in checks.CHECKS:
        cell = nbformat.v4.new_code_cell(checks.nbgrader_test(item), id=f"test-{item.lower()}")
        mark = {"schema_version": 3, "grade_id": f"test_{item}", "points": 2, "cell_type": "code", "task": False}
        cell.metadata["nbgrader"] = {**mark, "grade": True, "locked": True, "solution": False}
        made.cells.append(cell)
    return made


def _write(folder: Path, notebook: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "layers.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")


def _expect(who: str, score: float) -> None:
    if score != _TOTAL:
        raise RuntimeError(f"{who} gave {score} of {_TOTAL} to right code; nothing was measured")


def peer(name: str, *arguments: str) -> float:
    """Return how long a command of a peer took."""
    programs = PEERS / name / "bin"
    path = f"{programs}:{os.environ['PATH']}"
    return seconds([str(programs / name), *arguments], env={**environment(), "PATH": path, "MPLBACKEND": "agg"})
