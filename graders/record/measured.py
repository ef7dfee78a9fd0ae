"""What a notebook shows, held against a run of it: logs and results that running the same cells did not give.

In a rehearsal model and images are others, and small: there only what does not depend on them is compared. In a full
run losses and measures are compared as well. What the run did not get through, or lost count of, is left alone.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from graders.model import Evidence, Experiment, Json
from graders.record.lines import quantity

APART = 0.05  # two trainings of the same code differ by less than that in their losses and measures
Entry: TypeAlias = Mapping[str, Json]
Call: TypeAlias = dict[str, Any]


class Run:
    """What a run did, by cell. It comes from a hostile child: whatever is not of the form is not there."""

    def __init__(self, measured: Evidence | None) -> None:
        experiments = measured.experiments if measured else {}
        cells = experiments.get("cells", Experiment()).values
        calls = [(one.values.get("cell"), _details(one)) for one in experiments.values() if "method" in one.values]
        counted = not any(call.get("dropped") or call.get("faults") for _, call in calls)
        self.in_full = cells.get("rehearsal") is False
        self.ended = {one["cell"] for one in cells.get("cells", ()) if one["status"] == "ok"} if counted else set()
        self.calls: dict[int, list[Call]] = defaultdict(list)
        for cell, call in calls:
            if isinstance(cell, int) and call.get("method") not in ("end", "plots"):
                self.calls[cell].append(call)

    def of(self, cell: int, method: str) -> list[Call]:
        """Return the calls of one method in a cell."""
        return [call for call in self.calls.get(cell, ()) if call.get("method") == method]

    def evaluated(self) -> list[float]:
        """Return the losses that a run in full evaluated to, [] of a rehearsal and of no run."""
        calls = [call for cell in self.calls for call in self.of(cell, "evaluate")] if self.in_full else []
        return [found["loss"] for call in calls if "loss" in (found := _numbers(call.get("results")))]

    def of_another_loss(self) -> set[int]:
        """Return the cells in which a model with another loss than the binary cross-entropy was at work."""
        calls = [(cell, call) for cell, found in self.calls.items() for call in found]
        return {cell for cell, call in calls if _loss_of(call) not in ("", "binarycrossentropy")}


def _details(experiment: Experiment) -> Call:
    try:
        details = json.loads(experiment.values["details"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return {**details, "method": experiment.values["method"]} if isinstance(details, dict) else {}


def unlike_the_run(runs: Sequence[Entry], evaluations: Sequence[Entry], run: Run) -> Iterator[str]:
    """Yield what the logs and results of the file that was run show, and running their cells did not give."""
    for log in (one for one in runs if one["cell"] in run.ended and one["source"] == "epochs" and one["steps"]):
        yield from (f"{where(log)}: {said}" for said in _of_log(log, run))
    for result in (one for one in evaluations if one["cell"] in run.ended and one["steps"]):
        yield from (f"{where(result)}: {said}" for said in _of_result(result, run))


def where(entry: Entry) -> str:
    """Return the place of an entry of a record, in words."""
    return f"cell {entry['cell']} of {entry['file']}"


def _of_log(log: Entry, run: Run) -> Iterator[str]:
    cell, announced = log["cell"], log["announced"]
    fits = run.of(cell, "fit")
    if not any(isinstance(call.get("steps"), int) and call["steps"] > 0 for call in run.calls.get(cell, ())):
        yield "shows a training log, and running the cell trained nothing"
    asked = sorted({call["epochs"] for call in fits if isinstance(call.get("epochs"), int)})
    if asked and announced is not None and announced not in asked:
        yield f"logs {announced} epochs, and running the cell asked for {' and '.join(map(str, asked))}"
    histories = [_last_values(call.get("history")) for call in fits]
    if histories and all(histories):
        shown = {name: values[-1] for name, values in log["curves"].items() if values and values[-1] is not None}
        yield from _unlike(shown, histories, run.in_full, "logs")


def _of_result(result: Entry, run: Run) -> Iterator[str]:
    if not run.calls.get(result["cell"]):
        yield "shows the result of an evaluation, and running the cell evaluated nothing"
    found = [_numbers(call.get("results")) for call in run.of(result["cell"], "evaluate")]
    if found and all(found):
        shown = {name: value for name, value in result["values"].items() if value is not None}
        yield from _unlike(shown, found, run.in_full, "shows")


def _unlike(
    shown: Mapping[str, float], found: Sequence[Mapping[str, float]], in_full: bool, verb: str
) -> Iterator[str]:
    """Compare named values with those of the nearest of several calls."""
    for name, value in shown.items():
        said = f"{verb} {_named(name)} of {value:g}, and running the cell"
        measured = [one[name] for one in found if name in one]
        near = min(measured, key=lambda other: abs(other - value), default=None)
        if near is None:
            yield f"{said} measured none"
        elif in_full and abs(near - value) > APART:
            yield f"{said} gave {near:g}"


def _named(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name.replace('_', ' ')}"


def _numbers(values: Any) -> dict[str, float]:
    """Return the finite numbers of a mapping under the names that logs are read by."""
    pairs = values.items() if isinstance(values, dict) else ()
    return {quantity(name) or name: value for name, value in pairs if isinstance(value, float) and math.isfinite(value)}


def _last_values(history: Any) -> dict[str, float]:
    curves = history.items() if isinstance(history, dict) else ()
    return _numbers({name: values[-1] for name, values in curves if isinstance(values, list) and values})


def _loss_of(call: Call) -> str:
    compiled = call.get("compiled")
    return str(compiled.get("loss") or "") if isinstance(compiled, dict) else ""
