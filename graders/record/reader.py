"""A submission's saved results as evidence: `cells`, `logs`, `images`, `claims`, `counts` and `traces`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from graders.model import Evidence, Experiment, Json, SourceFile, Submission
from graders.notebook.program import code_files
from graders.record.claims import MOST_CLAIMS, MOST_SERIES, accuracies, counted, in_text, series, stated, text_lines
from graders.record.code import Code, read_code
from graders.record.files import of_files
from graders.record.heads import of_heads
from graders.record.lines import shown_lines
from graders.record.logs import LogReader, Row, Run, histories, of_bars, result
from graders.record.marks import flowing
from graders.record.pictures import Gallery, copies
from graders.record.saved import Saved, saved_cells, shortened
from graders.record.traces import traces

MOST_THUMBNAILS = 40
NO_FILES: Mapping[str, str] = {}
MOST_CALLS = 100  # names of one cell
MOST_SORTS = 20  # expressions of one cell
_ACCURACY = re.compile(r"acc(?:uracy)?(?:_|$)", re.IGNORECASE)
_RESULTS = ("fit", "evaluate", "imshow", "show", "print", "summary")  # calls that leave something below the cell


@dataclass(frozen=True)
class _Place:
    """A cell with what was found out of its code and in its streams, by name."""

    cell: Saved
    code: Code
    streams: Mapping[str, LogReader] = field(default_factory=dict)
    marks: tuple[str, ...] = ()

    def document(self) -> dict[str, Json]:
        file = shortened(self.cell.file, 100)
        return {"file": file, "cell": self.cell.number, "count": self.cell.count, "marks": list(self.marks)}


def read(submission: Submission, given: Mapping[str, str] = NO_FILES) -> Evidence:
    """Return what the notebooks of a submission show, and the files of a run; never raises.

    `given` are the texts of the files that students were handed out and are not to change, by name.

    Every entry has file, cell (its number there, from 1, cells of text counted), count (execution count or None) and
    marks (the items that it is marked with, or the nearest marked cell above it).

    `cells`: `cells`, one per cell of code, with output (whether it has any), error ([name, message] or None), mended
    (whether another cell has the same code and no error), blank, trains, evaluates, generates, model (whether its code
    calls such things), calls (the last parts of their names), negative (the names that it gives a negative number),
    classes (those of the notebook's own that it names, in order), sorts (its expressions that sort) and silent (it was
    run, its code prints or draws, and no result is saved); `texts`, one per cell of text with marks: words, their
    number; `notebooks`, one per file: file, order ("in order", "out of order", "not run") and gaps in its execution
    counts.
    `logs`: `runs`, one per training with source ("epochs", "bars" without headers, "history"), announced, steps and
    seconds of an epoch (None where not printed), epochs, curves (values by quantity, None for one that is not
    finite) and typed (the numbers stand in the cell's own code); `evaluations`: steps (or None) and values.
    `images`: `images` with the fields of `Picture` and `copy` (the index of an equal one), arrays `image 000`, ...:
    thumbnails, uint8 (h, w, 3).
    `claims`: `claims` with line, label, value, test (of the test set) and printed (else it stands in a text);
    `accuracies` with line, label, value, printed and typed; `series`, printed lists of numbers: values.
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
    for cell, marks in zip(cells, flowing(cells), strict=True):
        streams = {name: LogReader().read(text) for name, text in cell.streams.items()}
        yield _Place(cell, code.get(cell.number, Code()), streams, marks)


# Cells ----------------------------------------------------------------------------------------------------------------


def _cells(found: Sequence[tuple[SourceFile, Sequence[Saved]]], places: Sequence[_Place]) -> Experiment:
    mended = {cell.source.strip() for _, cells in found for cell in cells if cell.has_output and not cell.error}
    coded = [place for place in places if place.cell.is_code]
    texts = [place for place in places if place.marks and not place.cell.is_code]
    return Experiment(
        {
            "cells": [_cell(place, mended) for place in coded],
            "texts": [{**one.document(), "words": len(one.cell.source[:100_000].split())} for one in texts],
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
        "calls": [shortened(name, 60) for name in sorted(code.calls)[:MOST_CALLS]],
        "negative": [shortened(name, 60) for name in sorted(code.negative)[:MOST_CALLS]],
        "classes": list(code.classes),
        "sorts": [shortened(one, 100) for one in code.sorts[:MOST_SORTS]],
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
    for name, reader in place.streams.items():
        yield from reader.runs if name != "stderr" else _unprinted(reader.runs, place.streams)
        if _trains_in_bars(place, reader):
            yield of_bars(reader.bars)
    for text in [*place.cell.results, place.cell.streams.get("stdout", "")]:
        yield from histories(text)


def _unprinted(bars: Sequence[Run], streams: Mapping[str, LogReader]) -> list[Run]:
    """Return the runs of tqdm's bars without those that are printed in whole beside them."""
    printed = [run.epochs for run in streams["stdout"].runs] if "stdout" in streams else []
    return [run for run in bars if run.epochs not in printed]


def _evaluations(place: _Place) -> Iterator[dict[str, Json]]:
    for reader in place.streams.values():
        if not _trains_in_bars(place, reader):
            yield from ({"steps": bar.steps, "values": bar.row} for bar in reader.bars)
    if place.code.evaluates:
        printed = [line for _, line in _rest(place)]
        found = (_renamed(result(text), place.code) for text in [*place.cell.results, *printed])
        yield from ({"steps": None, "values": row} for row in found if row)


def _renamed(row: Row, code: Code) -> Row:
    """Return what was evaluated under its name: a bare number is the loss, or what a function of accuracy returned."""
    of_accuracy = list(row) == ["loss"] and any(map(_ACCURACY.search, code.calls))
    return {"accuracy": row["loss"]} if of_accuracy else row


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
    shares = [one for place in places for one in _accuracies(place)]
    lists = [{**place.document(), "values": one} for place in places for text in _texts(place) for one in series(text)]
    return Experiment(
        {"claims": claims[:MOST_CLAIMS], "accuracies": shares[:MOST_CLAIMS], "series": lists[:MOST_SERIES]}
    )


def _accuracies(place: _Place) -> Iterator[dict[str, Json]]:
    lines = enumerate(_shown(place), start=1) if place.cell.is_code else text_lines(place.cell)
    for one in accuracies(lines):
        typed = any(number in (one["value"], 100 * one["value"]) for number in place.code.numbers)
        yield {**place.document(), **one, "printed": place.cell.is_code, "typed": typed}


def _texts(place: _Place) -> list[str]:
    return [place.cell.streams.get("stdout", ""), *place.cell.results] if place.cell.is_code else []


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
