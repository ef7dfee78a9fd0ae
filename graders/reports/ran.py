"""How a notebook ran from top to bottom, as the student's page has it: what did not end well, what was not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.model import Evidence, Json

MOST_LINES = 30
EXECUTED = "executed.ipynb"  # beside the page


@dataclass(frozen=True)
class Ran:
    """The section "How your notebook ran"."""

    rehearsal: bool
    lines: tuple[str, ...]  # what went wrong, or was not run
    seen: tuple[str, ...] = ()  # what it showed


def ran(run: Evidence | None) -> Ran | None:
    """Return what is to be said of a run, None where there was none."""
    if run is None or "rehearsal" not in (values := document(run)):
        return None
    lines = [*_ended_badly(values), *values.get("wrong", ()), *values["notes"]]
    return Ran(values["rehearsal"], _first(lines), _first(values.get("seen", ())))


def _first(lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines, each once; of too many the first, and how many there are more."""
    said = list(dict.fromkeys(lines))
    more = [f"and {len(said) - MOST_LINES} more such lines"] if len(said) > MOST_LINES else []
    return (*said[:MOST_LINES], *more)


def document(run: Evidence) -> Mapping[str, Json]:
    """Return what result.json holds of a run: each cell's end, the notes, and whether it was a rehearsal."""
    return run.experiments["cells"].values if "cells" in run.experiments else {}


def _ended_badly(values: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line for each cell with an error; what was stopped or not run is in the notes."""
    for cell in values["cells"]:
        if cell["status"] == "error" and cell["kind"] != "StdinNotImplementedError":
            yield f"{cell['where']}: {cell['kind']}: {cell['message']}"
