"""Lines for the instructor: what a notebook shows or claims and its code, or a run of it, does not bear out.

Each may be innocent: a cell changed after it was run, a kernel started anew. No mark depends on these lines.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from graders.model import Evidence, Experiment, Json
from graders.notebook.calls import at_once
from graders.notebook.program import Program
from graders.notebook.statements import Parsed
from graders.record.code import TRAINS, bodies_of_all, reached

MOST_FLAGS = 40
_APART = 0.05  # two trainings of the same code differ by less than that in their test loss
_ELSEWHERE = ("exec", "eval", "get_ipython", "subprocess", "system")  # code that cannot be read from here
_VALIDATES = frozenset({"validation_data", "validation_split", "validation_freq", None})
Entry: TypeAlias = Mapping[str, Json]


def flags(record: Evidence, measured: Evidence | None, program: Program, least_loss: float = 0.0) -> tuple[str, ...]:
    """Return a sentence, with the cell, for everything in a record that its code cannot well have produced.

    `measured` is the evidence of a full run of the notebook (not of a rehearsal, whose numbers are others), None where
    there is none. `least_loss` is what no honest solution of the task comes below.
    """
    seen = _Seen(record)
    found = [
        *_of_logs(seen, program),
        *_of_copies(seen.runs),
        *_of_claims(seen),
        *_of_measured(seen, measured),
        *_of_values(seen, least_loss),
        *_of_cells(seen.cells),
    ]
    said = list(dict.fromkeys(found))
    more = [f"and {len(said) - MOST_FLAGS} more such lines"] if len(said) > MOST_FLAGS else []
    return (*said[:MOST_FLAGS], *more)


def fingerprint(record: Evidence) -> dict[str, str]:
    """Return hashes of the logs and pictures of a record, by where they are: equal ones of two students are copies.

    Logs of fewer than three epochs and blank pictures are equal by chance, and left out. The pictures of a run that lie
    in files have one hash for each kind.
    """
    seen = _Seen(record)
    found: dict[str, str] = {}
    for run in seen.runs:
        if len(run["epochs"]) >= 3:
            digest = hashlib.sha256(json.dumps(run["curves"], sort_keys=True).encode()).hexdigest()
            found.setdefault(f"the training log of {_where(run)}", digest)
    for number, image in enumerate(seen.images, start=1):
        if image["digest"] and not image["blank"]:
            found[f"picture {number}, in {_where(image)}"] = image["digest"]
    return {**found, **_of_files(seen)}


def _of_files(seen: _Seen) -> dict[str, str]:
    found = {f"the training log {one['file']}": one["digest"] for one in seen.losses if one["rows"] >= 3}
    for kind in ("sample", "novel"):
        digests = sorted({one["digest"] for one in seen.pictures if one["kind"] == kind and not one["blank"]})
        if digests:
            found[f"the {kind} pictures of the training log"] = hashlib.sha256("".join(digests).encode()).hexdigest()
    return found


class _Seen:
    """The lists of a record by their names, empty where they are missing."""

    def __init__(self, record: Evidence) -> None:
        def listed(experiment: str, name: str) -> list[Any]:
            return list(record.experiments.get(experiment, Experiment()).values.get(name, []))

        self.cells = listed("cells", "cells")
        self.runs, self.evaluations = listed("logs", "runs"), listed("logs", "evaluations")
        self.losses, self.pictures = listed("files", "losses"), listed("files", "pictures")
        self.images, self.claims = listed("images", "images"), listed("claims", "claims")


def _where(entry: Entry) -> str:
    return f"cell {entry['cell']} of {entry['file']}"


# Logs against the code ------------------------------------------------------------------------------------------------


def _of_logs(seen: _Seen, program: Program) -> Iterator[str]:
    code = _Code(program)
    trains = {(cell["file"], cell["cell"]): cell["trains"] for cell in seen.cells}
    for run in seen.runs:
        where = _where(run)
        if run["typed"]:
            yield f"{where}: the numbers of its training log stand in the code that prints them"
        if run["source"] == "history":
            continue
        key = (run["file"], run["cell"])
        if not (code.may_train(run["cell"]) if run["file"] == program.file else trains.get(key, True)):
            yield f"{where}: shows a training log, and its code calls nothing that trains"
        elif run["file"] == program.file:
            yield from _of_fit(run, code.fits(run["cell"]), code)


def _of_fit(run: Entry, fits: Sequence[ast.Call], code: _Code) -> Iterator[str]:
    """Compare a log with the one call of fit that its cell makes, as far as its arguments can be read."""
    where = _where(run)
    if fits and "val_loss" in run["curves"] and run["steps"] and not any(map(_may_validate, fits)):
        yield f"{where}: logs a validation loss, and its code gives fit no validation data"
    asked = code.whole(fits[0], "epochs") if len(fits) == 1 else None
    if asked is not None and run["announced"] not in (None, asked):
        yield f"{where}: logs {run['announced']} epochs, and its code asks for {asked}"
    elif asked is not None and run["source"] == "epochs" and run["epochs"][-1] > asked:
        yield f"{where}: logs epoch {run['epochs'][-1]}, and its code asks for {asked}"


def _may_validate(fit: ast.Call) -> bool:
    return len(fit.args) > 6 or any(keyword.arg in _VALIDATES for keyword in fit.keywords)


class _Code:
    """What the cells of the main file call; doubt counts for the student."""

    def __init__(self, program: Program) -> None:
        self._main = program.main
        every = [*program.main, *(one for module in program.modules.values() for one in module)]
        self._bodies = bodies_of_all(iter(every))
        self._whole: dict[str, set[int]] = defaultdict(set)
        for one in program.main:
            self._note(one.node)

    def _note(self, node: ast.stmt) -> None:
        """Keep the whole numbers that a name stands for."""
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, int):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self._whole[target.id].add(node.value.value)

    def _statements(self, cell: int) -> list[Parsed]:
        return [one for one in self._main if one.statement.place == f"cell {cell}"]

    def may_train(self, cell: int) -> bool:
        """Return whether a cell calls anything that may train, or anything that cannot be looked into."""
        statements = self._statements(cell)
        names = reached({name for one in statements for name in one.calls.names}, self._bodies)
        lasts = {name.rpartition(".")[2] for name in names} | {name.partition(".")[0] for name in names}
        return not statements or any(map(TRAINS.search, lasts)) or not lasts.isdisjoint(_ELSEWHERE)

    def fits(self, cell: int) -> list[ast.Call]:
        """Return the calls of fit in a cell, [] when one is in a loop or a function, where it may be made often."""
        nodes = [one.node for one in self._statements(cell)]
        loops = [part for part in at_once(nodes) if isinstance(part, ast.For | ast.While | ast.FunctionDef)]
        inside = {id(call) for loop in loops for call in ast.walk(loop)}
        calls = [part for part in at_once(nodes) if isinstance(part, ast.Call) and _last(part.func) == "fit"]
        return [] if any(id(call) in inside for call in calls) else calls

    def whole(self, call: ast.Call, argument: str) -> int | None:
        """Return the whole number that a call gives an argument by name, None when that cannot be told."""
        value = next((keyword.value for keyword in call.keywords if keyword.arg == argument), None)
        if isinstance(value, ast.Constant) and isinstance(value.value, int):
            return value.value
        known = self._whole.get(value.id, set()) if isinstance(value, ast.Name) else set()
        return next(iter(known)) if len(known) == 1 else None


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _of_copies(runs: Sequence[Entry]) -> Iterator[str]:
    first: dict[str, Entry] = {}
    for run in runs:
        if run["source"] == "history" or len(run["epochs"]) < 3:
            continue
        earlier = first.setdefault(json.dumps(run["curves"], sort_keys=True), run)
        if (earlier["file"], earlier["cell"]) != (run["file"], run["cell"]):
            yield f"{_where(run)}: its training log is equal in all digits to that of {_where(earlier)}"


# Figures --------------------------------------------------------------------------------------------------------------


def _of_claims(seen: _Seen) -> Iterator[str]:
    """Compare stated test losses with those that the outputs show: printed ones with the bars of their own cell."""
    shown = [value for run in seen.runs for curve in run["curves"].values() for value in curve]
    shown += [value for one in seen.evaluations for value in one["values"].values()]
    shown += [claim["value"] for claim in seen.claims if claim["printed"]]
    for claim in (claim for claim in seen.claims if claim["test"] and claim["value"] is not None):
        value = claim["value"]
        own = [one["values"].get("loss") for one in seen.evaluations if _where(one) == _where(claim)]
        if not claim["printed"] and not _is_among(value, shown):
            yield f'{_where(claim)}: states "{claim["label"]} {value:g}", which no output of the notebook shows'
        elif claim["printed"] and own and not _is_among(value, own):
            yield f'{_where(claim)}: prints "{claim["label"]} {value:g}", and evaluate gave {own[-1]} there'


def _is_among(value: float, shown: Sequence[float | None]) -> bool:
    """Return whether a number is one of those shown, rounded as either of them is."""
    return any(other is not None and abs(value - other) <= max(_unit(value), _unit(other)) for other in shown)


def _unit(value: float) -> float:
    """Return the unit of a number's last decimal, at least of its sixth.

    >>> _unit(0.19), _unit(0.1936)
    (0.01, 0.0001)
    """
    decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    return float(f"1e-{decimals}")


def _of_measured(seen: _Seen, measured: Evidence | None) -> Iterator[str]:
    """Compare the last test result that is shown with the last one that a full run gave."""
    runs = measured.experiments.values() if measured else ()
    losses = [loss for one in runs if one.values.get("method") == "evaluate" and (loss := _loss(one)) is not None]
    shown = [one for one in seen.evaluations if isinstance(one["values"].get("loss"), float)]
    if losses and shown and abs(shown[-1]["values"]["loss"] - losses[-1]) > _APART:
        loss = shown[-1]["values"]["loss"]
        yield f"{_where(shown[-1])}: shows a test loss of {loss:g}, and running the notebook gave {losses[-1]:g}"


def _loss(experiment: Experiment) -> float | None:
    """Return the loss that a recorded call of evaluate returned: a number, or a list or mapping that begins with it."""
    value = experiment.values.get("loss", experiment.values.get("result"))
    value = value.get("loss") if isinstance(value, dict) else value[0] if isinstance(value, list) and value else value
    known = isinstance(value, float) and math.isfinite(value)
    return value if known else None


def _of_values(seen: _Seen, least: float) -> Iterator[str]:
    """Name losses that are lower than the task allows, or not finite, once for each cell."""
    for run in seen.runs:
        values = [value for name, curve in run["curves"].items() if name.endswith("loss") for value in curve]
        low = [value for value in values if value is not None and value < least]
        if low:
            yield f"{_where(run)}: its training log has a loss of {min(low):g}, lower than the task allows"
    for one in seen.evaluations:
        loss = one["values"].get("loss")
        if loss is not None and loss < least:
            yield f"{_where(one)}: shows a loss of {loss:g}, lower than the task allows"


# Cells ----------------------------------------------------------------------------------------------------------------


def _of_cells(cells: Sequence[Entry]) -> Iterator[str]:
    counted = {cell["file"] for cell in cells if cell["count"] is not None}
    by_count: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for cell in cells:
        if cell["count"] is not None:
            by_count[cell["file"], cell["count"]].append(cell)
        elif cell["output"] and cell["file"] in counted:
            yield f"{_where(cell)}: has outputs, and its execution count says that it was never run"
    for (_, count), same in by_count.items():
        if len(same) > 1:
            yield f"{_where(same[-1])}: has the execution count {count} of cell {same[0]['cell']}: two runs are mixed"
