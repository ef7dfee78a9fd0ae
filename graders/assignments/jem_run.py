"""Handout B: what a notebook's run showed of its two trainings, in sentences for whoever marks. No mark depends on it.

The records are those of `graders.probes.recorder_tapes`. What they hold comes from the student's process: what is not
of the recorder's form counts as not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.assignments import Findings, Seen
from graders.model import Json

Array = NDArray[Any]
# The given loops and the student's steps, as cells name them (Sections 5.3 and 6.3).
_LOOPS = {
    part: re.compile(
        rf"\b(?:train_?loop_?{part}|part_?{part}_?train(?:ing)?_?step|train_?step_?(?:part_?)?{part})\b", re.IGNORECASE
    )
    for part in (1, 2)
}
_NO_USE = re.compile(r"\s*(?:#|def |class )")
_RISE = 0.1  # by which a loss may end above where it began: few steps on noisy images
_MANY = 20  # steps after which a loss can be expected to have fallen
_LONGEST = 400  # characters of a line
_MOST_SHOWN = 4  # accuracies of one cell


@dataclass(frozen=True, eq=False)
class Record:
    """One record of the recorder, with details and arrays of whatever types."""

    cell: int
    method: str
    details: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def whole(self, key: str) -> int:
        """Return a whole number, 0 where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def text(self, key: str) -> str:
        """Return a text, "" where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, str) else ""

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a mapping, empty where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, dict) else {}

    def rows(self, key: str) -> list[Any]:
        """Return a list, empty where there is none."""
        value = self.details.get(key)
        return value if isinstance(value, list) else []

    def column(self, key: str) -> Array:
        """Return an array of numbers (n,) without those that are not known, empty where there is none."""
        found = self.arrays.get(key)
        if found is None or found.ndim != 1 or found.dtype.kind not in "fiu":
            return np.zeros(0)
        return found[~np.isnan(found)].astype(np.float64)

    @property
    def trains(self) -> bool:
        """Whether it is of an optimizer that made steps."""
        return self.method == "direct" and self.whole("steps") > 0

    @property
    def samples(self) -> bool:
        """Whether gradients with respect to images came before its steps."""
        return bool((self.column("sampled") > 0).any())

    @property
    def model(self) -> str:
        """The model that it trains, in words."""
        return f"`{self.text('name')}`" if self.text("name") else "a model without a name"


def findings(run: Seen, code: Mapping[int, str]) -> Findings:
    """Return what the run of a notebook showed of both trainings, the accuracies and the buffer."""
    records = list(_records(run))
    end = next((one for one in records if one.method == "end"), Record(0, "end", {}))
    trainings = [one for one in records if one.trains]
    seen = [
        *_about(end),
        *(_training(one, records) for one in trainings),
        *(line for one in records for line in _of_cell(one)),
        *(f"no cell calls the training loop of part {part} by its name" for part in (1, 2) if not _cells(code, part)),
    ]
    if faults := end.rows("faults"):
        return Findings(_cut((*seen, f"our fault: the recorder failed, and has not seen all: {faults[0]}")))
    wrong = [line for part in (1, 2) for line in _not_run(part, _cells(code, part), run, trainings)]
    if end.whole("channels") > 1 and end.text("misfit"):
        seen += [*wrong, f"a network raised a {end.text('misfit')}: with all of its channels it may well fit together"]
        wrong = []
    wrong += [line for one in trainings for line in _odd(one)]
    joint = [one for one in trainings if one.samples or one.cell in _cells(code, 2)]
    wrong += _of_joint(joint, [one for one in trainings if one not in joint], records)
    return Findings(_cut(seen), _cut(f"in a rehearsal, {line}" for line in wrong))


def _cut(lines: Iterable[str]) -> tuple[str, ...]:
    """Return lines of a length that a report can carry, whatever names and numbers a child has sent."""
    return tuple(line[:_LONGEST] for line in lines)


def _records(run: Seen) -> Iterator[Record]:
    for name in sorted(name for name in run if name.startswith("call ")):
        values = run[name].values
        try:
            details = json.loads(values["details"])
        except (KeyError, TypeError, ValueError, RecursionError):
            continue
        if isinstance(details, dict) and isinstance(values.get("cell"), int):
            yield Record(values["cell"], str(values.get("method")), details, run[name].arrays)


def _cells(code: Mapping[int, str], part: int) -> list[int]:
    """Return the cells that name the loop or the step of a part other than where it is defined."""
    return [number for number, source in code.items() if any(_uses(line, part) for line in source.splitlines())]


def _uses(line: str, part: int) -> bool:
    return not _NO_USE.match(line) and bool(_LOOPS[part].search(line.partition("#")[0]))


# What was seen --------------------------------------------------------------------------------------------------------


def _about(end: Record) -> Iterator[str]:
    images = end.rows("images")
    if len(images) == 2:
        part = end.whole("channels")
        narrow = f"; each convolution had one {part}th of its channels" if part > 1 else ""
        yield f"there were {images[0]} drawn images for training and {images[1]} for the test{narrow}"


def _training(one: Record, records: list[Record]) -> str:
    optimizer, loss = one.table("optimizer"), one.column("loss")
    rated = f" (learning rate {_in_words(optimizer['learning_rate'])})" if "learning_rate" in optimizer else ""
    handed = {name: count for each in records if each.cell == one.cell for name, count in each.table("batches").items()}
    batches = ", ".join(f"{count} batches of {name or 'a data set'}" for name, count in handed.items())
    said = f"cell {one.cell} trained {one.model}: {one.whole('steps')} steps of {optimizer.get('class')}{rated}"
    said += f", {batches}" if batches else ""
    if loss.size:
        first, last = _ends(loss)
        said += f"; loss {first:.4f} in the first steps, {last:.4f} in the last"
    if one.samples:
        said += f"; {np.median(one.column('sampled')):g} gradients by images before a step"
    return f"{said}; {one.whole('changed')} of {one.whole('variables')} variables changed"


def _ends(loss: Array) -> tuple[float, float]:
    """Return the mean of the first tenth of the losses (n,), and of the last."""
    count = max(1, len(loss) // 10)
    return float(np.mean(loss[:count])), float(np.mean(loss[-count:]))


def _of_cell(one: Record) -> Iterator[str]:
    rows = [row for row in one.rows("accuracies") if isinstance(row, list) and len(row) == 3]
    for model, data, value in rows[-_MOST_SHOWN:]:
        of = f"of {model or 'a model'} on {data or 'a data set'}"
        yield f"cell {one.cell}: accuracy {of}: {_in_words(value)}"
    if one.whole("added") or one.whole("handed"):
        yield f"cell {one.cell}: {one.whole('added')} images went into a buffer, {one.whole('handed')} came out"


def _in_words(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "no number"


# What is not right ----------------------------------------------------------------------------------------------------


def _not_run(part: int, cells: list[int], run: Seen, trainings: list[Record]) -> Iterator[str]:
    """Yield why a part was not trained, for each cell that was to do it."""
    ended = {cell["cell"]: cell for cell in run["cells"].values["cells"]} if "cells" in run else {}
    trained = {one.cell for one in trainings}
    failed = [ended[cell] for cell in cells if cell in ended and ended[cell]["status"] == "error"]
    first = next((cell for cell in ended.values() if cell["status"] == "error"), None)
    for cell in failed:
        how = "broke off" if cell["cell"] in trained else "did not run"
        before = f" (before it {_error(first)})" if first and first is not cell else ""
        yield f"a training of part {part} {how}: {_error(cell)}{before}"
    whole = all(cell["status"] in ("ok", "error") for cell in ended.values())
    if cells and whole and not failed and not trained & set(cells):
        yield f"the training of part {part} made no step of an optimizer that was seen: cell {cells[0]}"


def _error(cell: Json) -> str:
    return f"{cell['where']}: {cell['kind']}: {cell['message']}"


def _odd(one: Record) -> Iterator[str]:
    loss, trained = one.column("loss"), f"cell {one.cell}: the training of {one.model}"
    bad = np.flatnonzero(np.isinf(loss))
    if one.whole("variables") and not one.whole("changed"):
        yield f"{trained} changed none of its variables"
    if bad.size:
        yield f"{trained} had a loss that is not finite in step {bad[0] + 1}"
    elif len(loss) >= _MANY and not one.samples and np.subtract(*_ends(loss)) < -_RISE:
        yield f"{trained} did not lower its loss: {' to '.join(f'{end:.4f}' for end in _ends(loss))}"


def _of_joint(joint: list[Record], others: list[Record], records: list[Record]) -> Iterator[str]:
    """Yield what trainings of part 2 lack: samples, the buffer, a model of their own (Sections 6.3.1 and 6.3.2)."""
    for one in joint:
        trained = f"cell {one.cell}: the training of {one.model}"
        if not one.samples:
            yield f"{trained} took no gradient with respect to images (B, 32, 32, 3) that was seen"
        added = [each.whole("added") for each in records if each.cell == one.cell and each.method == "cell"]
        if one.samples and added and not any(added):
            yield f"{trained} put no image into the buffer"
        earlier = [each for each in others if each.cell < one.cell and each.whole("model") == one.whole("model")]
        if earlier:
            yield f"{trained} went on from part 1, cell {earlier[0].cell}; Section 6.3.2 wants a model of its own"
