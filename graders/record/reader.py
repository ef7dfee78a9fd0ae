"""A submission's saved results as evidence: `cells`, `logs`, `images`, `claims`, `counts` and `traces`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from graders.model import Evidence, Experiment, Json, SourceFile, Submission
from graders.notebook.program import code_files
from graders.record.claims import MOST_CLAIMS, counted, in_text, stated
from graders.record.code import Code, read_code
from graders.record.files import of_files
from graders.record.heads import of_heads
from graders.record.lines import shown_lines
from graders.record.logs import LogReader, Run, histories, of_bars, result
from graders.record.pictures import Gallery, copies
from graders.record.saved import Saved, saved_cells, shortened
from graders.record.traces import traces

MOST_THUMBNAILS = 40
NO_FILES: Mapping[str, str] = {}
_RESULTS = ("fit", "evaluate", "imshow", "show", "print", "summary")  # calls that leave something below the cell


@dataclass(frozen=True)
class _Place:
    """A cell with what was found out of its code and in its streams, by name."""

    cell: Saved
    code: Code
    streams: Mapping[str, LogReader] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        return {"file": shortened(self.cell.file, 100), "cell": self.cell.number, "count": self.cell.count}


def read(submission: Submission, given: Mapping[str, str] = NO_FILES) -> Evidence:
    """Return what the notebooks of a submission show, and the files of a run; never raises.

    `given` are the texts of the files that students were handed out and are not to change, by name.

    Every entry has file, cell (its number there, from 1, cells of text counted) and count (execution count or None).

    `cells`: `cells`, one per cell of code, with output (whether it has any), error ([name, message] or None), mended
    (whether another cell has the same code and no error), blank, trains, evaluates, generates, model (whether its code
    calls such things), classes (those of the notebook's own that it names, in order) and silent (it was run, its code
    prints or draws, and no result is saved); `notebooks`, one per file: file, order ("in order", "out of order",
    "not run") and gaps in its execution counts.
    `logs`: `runs`, one per training with source ("epochs", "bars" without headers, "history"), announced, steps and
    seconds of an epoch (None where not printed), epochs, curves (values by quantity, None for one that is not
    finite) and typed (the numbers stand in the cell's own code); `evaluations`: steps (or None) and values.
    `images`: `images` with the fields of `Picture` and `copy` (the index of an equal one), arrays `image 000`, ...:
    thumbnails, uint8 (h, w, 3).
    `claims`: `claims` with line, label, value, test (of the test set) and printed (else it stands in a text).
    `counts`: `parameters`, the numbers of parameters that are shown, each once.
    `traces`: see there.
    `files`: see `of_files`. `heads`: see `of_heads`.
    """
    notebooks = [file for file in code_files(submission.files)[0] if file.name.lower().endswith(".ipynb")]
    found = [(file, cells) for file in notebooks if (cells := saved_cells(file))]
    places = [place for _, cells in found for place in _places(cells)]
    experiments = {
        "cells": _cells(found, places),
        "logs": _logs(places),
        "images": _images(places),
        "claims": _claims(places),
        "counts": Experiment({"parameters": _counts(places)}),
        "traces": traces(submission.files, (cell for _, cells in found for cell in cells)),
        "files": of_files(submission.files, _printed(places), given),
        "heads": of_heads(code_files(submission.files)[0], [place.cell for place in places]),
    }
    return Evidence(experiments)


def _printed(places: Sequence[_Place]) -> Iterator[tuple[str, str]]:
    for place in places:
        yield from ((f"{place.cell.place} of {place.cell.file}", text) for text in place.cell.streams.values())


def _places(cells: Sequence[Saved]) -> Iterator[_Place]:
    code = read_code(cells)
    for cell in cells:
        streams = {name: LogReader().read(text) for name, text in cell.streams.items()}
        yield _Place(cell, code.get(cell.number, Code()), streams)


# Cells ----------------------------------------------------------------------------------------------------------------


def _cells(found: Sequence[tuple[SourceFile, Sequence[Saved]]], places: Sequence[_Place]) -> Experiment:
    mended = {cell.source.strip() for _, cells in found for cell in cells if cell.has_output and not cell.error}
    coded = [place for place in places if place.cell.is_code]
    return Experiment(
        {
            "cells": [_cell(place, mended) for place in coded],
            "notebooks": [{"file": shortened(file.name, 100), **_order(cells)} for file, cells in found],
        }
    )


def _cell(place: _Place, mended: set[str]) -> dict[str, Json]:
    cell, code = place.cell, place.code
    ran = cell.count is not None or cell.has_output
    return {
        **place.document(),
        "output": cell.has_output,
        "error": list(cell.error) if cell.error else None,
        "mended": cell.error is not None and cell.source.strip() in mended,
        "blank": cell.is_blank,
        "trains": code.trains,
        "evaluates": code.evaluates,
        "generates": code.generates,
        "model": code.has_model,
        "classes": list(code.classes),
        "silent": ran and not cell.has_output and any(name in code.calls for name in _RESULTS),
    }


def _order(cells: Sequence[Saved]) -> dict[str, Json]:
    """Return how the execution counts of a notebook run from top to bottom."""
    counts = [cell.count for cell in cells if cell.count is not None]
    if not counts:
        return {"order": "not run", "gaps": 0}
    ascending = all(one < other for one, other in itertools.pairwise(counts))
    return {"order": "in order" if ascending else "out of order", "gaps": max(0, max(counts) - len(set(counts)))}


# Logs -----------------------------------------------------------------------------------------------------------------


def _logs(places: Sequence[_Place]) -> Experiment:
    runs: list[Json] = []
    evaluations: list[Json] = []
    for place in places:
        for run in _trainings(place):
            document = run.document()
            runs.append({**place.document(), **document, "typed": _typed(document["curves"], place.code)})
        evaluations += [{**place.document(), **one} for one in _evaluations(place)]
    return Experiment({"runs": runs, "evaluations": evaluations})


def _trains_in_bars(place: _Place, reader: LogReader) -> bool:
    """Return whether bars without a header come from trainings of one epoch rather than from evaluations."""
    validated = any("val_loss" in bar.row for bar in reader.bars)
    return bool(reader.bars) and (validated or (place.code.trains and not place.code.evaluates))


def _trainings(place: _Place) -> Iterator[Run]:
    for reader in place.streams.values():
        yield from reader.runs
        if _trains_in_bars(place, reader):
            yield of_bars(reader.bars)
    for text in [*place.cell.results, place.cell.streams.get("stdout", "")]:
        yield from histories(text)


def _evaluations(place: _Place) -> Iterator[dict[str, Json]]:
    for reader in place.streams.values():
        if not _trains_in_bars(place, reader):
            yield from ({"steps": bar.steps, "values": bar.row} for bar in reader.bars)
    if place.code.evaluates:
        printed = [line for _, line in _rest(place)]
        yield from ({"steps": None, "values": row} for text in [*place.cell.results, *printed] if (row := result(text)))


def _rest(place: _Place) -> list[tuple[int, str]]:
    """Return the lines printed that are no log."""
    return place.streams["stdout"].rest if "stdout" in place.streams else []


def _typed(curves: Mapping[str, Sequence[float | None]], code: Code) -> bool:
    """Return whether the numbers of a log stand in the code that printed it: it was written, not measured."""
    values = {value for curve in curves.values() for value in curve if value is not None and len(f"{value:g}") > 4}
    return len(values) >= 3 and len(values & code.numbers) >= 0.8 * len(values)


# Images and claims ----------------------------------------------------------------------------------------------------


def _images(places: Sequence[_Place]) -> Experiment:
    gallery, documents, arrays = Gallery(), list[dict[str, Json]](), dict[str, Any]()
    for place in places:
        for kind, encoded in place.cell.pictures:
            picture, small = gallery.look(kind, encoded)
            documents.append({**place.document(), **asdict(picture)})
            if small is not None and len(arrays) < MOST_THUMBNAILS:
                arrays[f"image {len(documents) - 1:03}"] = small
    equal = copies([one["digest"] for one in documents])
    return Experiment({"images": [{**one, "copy": at} for one, at in zip(documents, equal, strict=True)]}, arrays)


def _claims(places: Sequence[_Place]) -> Experiment:
    claims = [claim for place in places for claim in _stated(place)]
    return Experiment({"claims": claims[:MOST_CLAIMS]})


def _counts(places: Sequence[_Place]) -> list[int]:
    found = (number for place in places for number in counted(_shown(place)))
    return list(dict.fromkeys(found))[:MOST_CLAIMS]


def _shown(place: _Place) -> Iterator[str]:
    """Yield the lines that a cell printed, displayed or returned; those of a cell of text."""
    texts = [place.cell.streams.get("stdout", ""), *place.cell.results, *place.cell.displayed]
    for text in texts if place.cell.is_code else [place.cell.source[:100_000]]:
        yield from shown_lines(text)


def _stated(place: _Place) -> Iterator[dict[str, Json]]:
    if not place.cell.is_code:
        yield from ({**place.document(), **one, "printed": False} for one in in_text(place.cell))
        return
    yield from ({**place.document(), **one, "printed": True} for one in stated(_rest(place)))
