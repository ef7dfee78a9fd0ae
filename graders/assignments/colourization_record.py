"""Handout C: the training items, judged by the results that are saved in the notebook (Sections 4.2, 5.2 and 6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graders.assignments import Seen
from graders.assignments.saved_results import (
    PAPERS,
    Entry,
    FromRecord,
    best_of,
    entries,
    number_of,
    of_epochs,
    of_log,
    trainings,
    unsaved,
    written_up,
)
from graders.checks import outcome
from graders.errors import Unsaved, Unseen
from graders.model import Json, Outcome

LEAST_LOSS = 0.5  # no network of these comes near that: 24 colours, of which several are alike
EPOCHS = 25
_NETWORKS = ("poolupsamplenet", "convtransposenet", "unet")


class ProgramTraces(FromRecord):
    """The write-up is handed in, and something shows the work with a language model (Important Instructions)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge whether there is anything; what it shows, a person reads."""
        writings = list(mine["traces"].values.get("writings", []))
        signs = entries(mine, "traces", "signs")
        papers = [name for name in writings if name.lower().endswith(PAPERS)]
        yield outcome("write_up", bool(papers), "a write-up beside the notebook", ", ".join(papers[:3]) or "none")
        found = [*writings, *dict.fromkeys(f"cell {one['cell']} of {one['file']}" for one in signs)]
        yield outcome(
            "traces",
            bool(found),
            "screenshots or texts of prompts, or a write-up with them",
            ", ".join(found[:3]) or "none",
        )


class _Training(FromRecord):
    """What the three trainings share: a log, and pictures below it."""

    network = ""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best of the trainings that are logged; what may well stand elsewhere is left to a person."""
        training, outcomes = best_of(self.runs(mine), self.logged)
        outcomes.append(self.pictured(_pictures(training, mine)))
        absent = [one for one in outcomes if not one.passed and (training is None or one is outcomes[-1])]
        if absent and (paper := written_up(mine)):
            seen = "; ".join(f"{one.name}: {one.actual}" for one in outcomes if one.passed)
            what = f"{absent[0].expected} is not saved in the notebook; {paper}"
            raise Unseen(f"{what}; seen: {seen}" if seen else what)
        if absent and (why := unsaved(mine, self.places(mine))):
            raise Unsaved(why)
        yield from outcomes

    def runs(self, mine: Seen) -> list[Entry]:
        """Return the trainings of the network."""
        return trainings(mine, lambda run: self.network in _networks_of(run, mine))

    def places(self, mine: Seen) -> set[tuple[Json, Json]]:
        """Return the cells that train the network."""
        cells = [cell for cell in entries(mine, "cells", "cells") if cell["trains"]]
        return {_place(cell) for cell in cells if self.network in _networks_of(cell, mine)}

    def logged(self, run: Entry | None) -> Iterator[Outcome]:
        """Yield the outcomes of a log, or of none."""
        raise NotImplementedError

    def pictured(self, pictures: Sequence[Entry]) -> Outcome:
        """Return the outcome of the pictures below a training."""
        raise NotImplementedError


class FirstTraining(_Training):
    """The log of the training of PoolUpsampleNet is saved, with falling loss and the images that it coloured."""

    network = "poolupsamplenet"

    def logged(self, run: Entry | None) -> Iterator[Outcome]:
        """Yield whether there is a log and whether it falls."""
        return of_log(run)

    def pictured(self, pictures: Sequence[Entry]) -> Outcome:
        """Look for pictures that are no charts."""
        shown = [one for one in pictures if not one["chart"]]
        return outcome("images", bool(shown), "coloured images below the training", number_of(len(shown), "image"))


class CurvedTraining(_Training):
    """The log of at least 25 epochs is saved, with falling loss and the training curve as a plot."""

    def logged(self, run: Entry | None) -> Iterator[Outcome]:
        """Yield whether there is a log, whether it falls, and whether it is of 25 epochs."""
        yield from of_log(run)
        yield of_epochs(run, EPOCHS)

    def pictured(self, pictures: Sequence[Entry]) -> Outcome:
        """Look for charts."""
        shown = [one for one in pictures if one["chart"]]
        expected = "a plot of the training curve below the training"
        return outcome("curve", bool(shown), expected, number_of(len(shown), "plot"))


class ConvTransposeTraining(CurvedTraining):
    """The log of at least 25 epochs of ConvTransposeNet is saved, with falling loss and the training curve."""

    network = "convtransposenet"


class UNetTraining(CurvedTraining):
    """The log of at least 25 epochs of UNet is saved, with falling loss and the training curve."""

    network = "unet"


def _networks_of(run: Entry, mine: Seen) -> Sequence[str]:
    """Return which networks a log, or a cell that trains, may be of.

    They are those that its cell names, or the nearest one above it that names any.

    Where as many are named as are trained in the cell, they are taken in their order.
    """
    above = [
        cell for cell in entries(mine, "cells", "cells") if cell["file"] == run["file"] and cell["cell"] <= run["cell"]
    ]
    for cell in reversed(above):
        if named := _known(cell):
            beside = [one for one in entries(mine, "logs", "runs") if _place(one) == _place(run)]
            at = next((at for at, one in enumerate(beside) if one is run), None)
            ordered = cell["cell"] == run["cell"] and len(named) == len(beside)
            return named if at is None or not ordered else [named[at]]
    return ()


def _known(cell: Entry) -> list[str]:
    plain = (name.replace("_", "").lower() for name in cell["classes"])
    return [name for name in plain if name in _NETWORKS]


def _place(entry: Entry) -> tuple[str, int]:
    return entry["file"], entry["cell"]


def _pictures(training: Entry | None, mine: Seen) -> list[Entry]:
    """Return the pictures from the cell of a training on to the next one that trains."""
    if training is None:
        return []
    later = [cell["cell"] for cell in entries(mine, "cells", "cells") if _is_later(cell, training) and cell["trains"]]
    end = min(later, default=None)
    return [
        one
        for one in entries(mine, "images", "images")
        if one["file"] == training["file"]
        and one["cell"] >= training["cell"]
        and (end is None or one["cell"] < end)
        and not one["problem"]
        and not one["blank"]
    ]


def _is_later(cell: Entry, training: Entry) -> bool:
    return bool(cell["file"] == training["file"] and cell["cell"] > training["cell"])
