"""Handout B: what of the report can be told by the results that are saved in the notebook. Nothing runs here.

The number of parameters is judged. All else a person reads, and is told which cells belong to it, which logs, figures
and pictures these show, and what of that the question asks for is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from graders.assignments import Grader, Seen
from graders.assignments.saved_results import Entry, FromRecord, entries, losses, number_of
from graders.checks import outcome
from graders.errors import Unseen
from graders.model import Outcome

PARAMETERS = 2_747_082  # of WRN-16-4 with ten classes: Table 1
Shows: TypeAlias = Callable[[Seen, Sequence[Entry]], str]
_MOST = 4  # so many of a kind are listed
_JOINT = re.compile(r"joint|jem|energy|part\W?(?:2|ii)\b", re.IGNORECASE)  # in a label: the model of part 2
_FEW = 3  # questions that are marked: with fewer, cells below a mark may belong to any


class ParameterCount(FromRecord):
    """The number of trainable parameters is shown in the notebook; else a person reads the report (Section 5.2)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Pass where the number is shown, by print or by the summary of a model; leave all else to a person."""
        shown = list(mine["counts"].values.get("parameters", []))
        if PARAMETERS in shown:
            yield outcome("count", True, f"{PARAMETERS:,} trainable parameters", f"{PARAMETERS:,}")
        elif shown:
            raise Unseen(f"the notebook shows {', '.join(f'{number:,}' for number in shown[:_MOST])} parameters")


class Told(FromRecord):
    """What a person reads or looks at; the notebook's cells, logs, figures and pictures of it are pointed out.

    `calls` is what unmarked cells of the item call, "" for what the first training stands below.
    """

    def __init__(self, item: str, calls: str, *shows: Shows) -> None:
        self.item, self.calls, self.shows = item, calls, shows

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Raise Unseen with what was found: no point depends on it."""
        raise Unseen(self._told(mine))

    def _told(self, mine: Seen) -> str:
        if not entries(mine, "cells", "cells"):
            return "no notebook with results was handed in"
        marked = [cell for cell in entries(mine, "cells", "cells") if self.item in cell.get("marks", ())]
        cells = [cell for cell in marked if not cell["blank"]] or self._unmarked(mine)
        if not cells:
            return f"{places(marked)}: as it was handed out" if marked else "nothing of it was found in the notebook"
        said = [*_ends(cells), *(text for show in self.shows if (text := show(mine, cells)))]
        return f"{places(cells)}: {'; '.join(said)}"

    def _unmarked(self, mine: Seen) -> list[Entry]:
        every = entries(mine, "cells", "cells")
        others = set() if len(_questions(every)) < _FEW else _questions(every) - {self.item}
        cells = [
            cell for cell in every if not (others & _questions([cell]) or (self.item[0] == "B" and cell["trains"]))
        ]
        if self.calls:
            return [cell for cell in cells if any(re.search(self.calls, name) for name in cell.get("calls", ()))]
        drawn = [place(image) for image in entries(mine, "images", "images")]
        first = next((at for at, cell in enumerate(cells) if cell["trains"]), 0)
        return [cell for cell in cells[:first] if place(cell) in drawn]


def _questions(cells: Sequence[Entry]) -> set[str]:
    """Return the questions and bonus items that cells are marked with."""
    return {mark for cell in cells for mark in cell.get("marks", ()) if mark[0] in "QB"}


def place(entry: Entry) -> tuple[str, int]:
    """Return where an entry stands: file and cell."""
    return entry["file"], entry["cell"]


def places(cells: Sequence[Entry]) -> str:
    """Return where cells stand, in words."""
    shown = [f"cell {cell['cell']} of {cell['file']}" for cell in cells[:_MOST]]
    return " and ".join([*shown, *([f"{len(cells) - _MOST} more"] if len(cells) > _MOST else [])])


def of_cells(mine: Seen, experiment: str, name: str, cells: Sequence[Entry]) -> list[Entry]:
    """Return the entries of a list of the record that belong to some cells."""
    wanted = [place(cell) for cell in cells]
    return [one for one in entries(mine, experiment, name) if place(one) in wanted]


def _ends(cells: Sequence[Entry]) -> Iterator[str]:
    """Yield a line for every cell that was left without a result."""
    for cell in cells:
        if cell["error"] and not cell["mended"]:
            yield f"cell {cell['cell']} ended in {cell['error'][0]}"
        elif not cell["output"] and cell["count"] is None:
            yield f"cell {cell['cell']} was not run"
        elif cell["silent"] or not any(one["output"] for one in cells):
            yield f"cell {cell['cell']} was run, and its result is not saved"


class Explained(FromRecord):
    """What is answered in words; a person is told whether the notebook has a text on it."""

    def __init__(self, item: str) -> None:
        self.item = item

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Raise Unseen with the place of the text: no point depends on it."""
        texts = [text for text in entries(mine, "cells", "texts") if self.item in text.get("marks", ())]
        words = sum(text["words"] for text in texts)
        raise Unseen(f"{places(texts)}: {words} words" if texts else "no text on it was found in the notebook")


class Accuracies(FromRecord):
    """The accuracies on the test set that the notebook reports for the models of both parts (Sections 5.4, 6.3.2)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Look for the figures below the cells of Q5 and Q10; none at all is left to a person."""
        found = {"part1": _printed(mine, "Q5", joint=False), "part2": _printed(mine, "Q10", joint=True)}
        if set(found.values()) == {None}:
            return
        for name, value in found.items():
            told = "none" if value is None else f"{100 * value:g}%"
            yield outcome(name, value is not None, "the accuracy on the test set", told)


def _printed(mine: Seen, item: str, joint: bool) -> float | None:
    """Return the accuracy that the code below a mark prints, first that whose label is of the part's model."""
    stated = [one for one in entries(mine, "claims", "accuracies") if one["printed"] and not one["typed"]]
    marked = [one for one in stated if item in one["marks"]]
    named = [one for one in marked if bool(_JOINT.search(one["label"])) == joint]
    return next((float(one["value"]) for one in named or marked), None)


# What cells show ------------------------------------------------------------------------------------------------------


def log(epochs: int) -> Shows:
    """Tell of the longest training that is logged, and whether it has so many epochs."""

    def shows(mine: Seen, cells: Sequence[Entry]) -> str:
        run = max(of_cells(mine, "logs", "runs", cells), key=lambda one: len(losses(one)), default=None)
        loss = losses(run)
        if run is None or not loss:
            return "no training log"
        ends = [f"{value:g}" if value is not None else "not finite" for value in (loss[0], loss[-1])]
        fewer = f" of at least {epochs}" if len(loss) < epochs else ""
        typed = ", numbers that stand in the code" if run["typed"] else ""
        return f"{number_of(len(loss), 'epoch')}{fewer} logged, loss {ends[0]} at first and {ends[1]} at last{typed}"

    return shows


def accuracy(mine: Seen, cells: Sequence[Entry]) -> str:
    """Tell of the accuracies that are printed, returned, logged or stated."""
    stated = [*_in_texts(mine, cells), *of_cells(mine, "claims", "accuracies", cells)]
    found = {one["value"]: _stated(one) for one in stated}
    returned = [one["values"].get("accuracy") for one in of_cells(mine, "logs", "evaluations", cells)]
    curves = [run["curves"].get("test_accuracy", []) for run in of_cells(mine, "logs", "runs", cells)]
    logged = [values[-1] for values in curves if values]
    for values, where in ((returned, ""), (logged, " at the end of the log")):
        found = {value: f"{value:g}{where}" for value in values if value is not None} | found
    return f"accuracy {', '.join(list(found.values())[:_MOST])}" if found else "no accuracy"


def _in_texts(mine: Seen, cells: Sequence[Entry]) -> list[Entry]:
    """Return the accuracies in texts that share a question's mark with the cells."""
    stated = [one for one in entries(mine, "claims", "accuracies") if not one["printed"]]
    return [one for one in stated if _questions(cells) & set(one["marks"])]


def _stated(one: Entry) -> str:
    where = " in a text" if not one["printed"] else ", which stands in the code" if one["typed"] else ""
    return f"{one['value']:g}{where}"


def pictures(least: int = 1) -> Shows:
    """Tell how many pictures are shown, how many small images they hold and whether these are enough, `least` or more.

    What should hold none, 0, is a drawing: what looks like small images in it is not counted.
    """

    def shows(mine: Seen, cells: Sequence[Entry]) -> str:
        every = of_cells(mine, "images", "images", cells)
        drawn = [one for one in every if not one["problem"] and not one["blank"]]
        images = sum(max(1, one["panels"]) for one in drawn)
        few = drawn and images < least and all(one["sure"] or one["chart"] for one in drawn)
        held = f" with {images} small images" if least and (images > len(drawn) or few) else ""
        held += f" of at least {least}" if few else ""
        return "; ".join([number_of(len(drawn), "picture") + held, *_doubts(mine, every)])

    return shows


def _doubts(mine: Seen, shown: Sequence[Entry]) -> Iterator[str]:
    if blank := sum(one["blank"] for one in shown):
        yield f"{number_of(blank, 'picture')} of one colour"
    for one in shown:
        if one["copy"] is not None and not one["blank"]:
            yield f"one is that of cell {entries(mine, 'images', 'images')[one['copy']]['cell']} again"


QUESTIONS: dict[str, Grader] = {
    "Q1": Told("Q1", "", pictures(30)),
    "Q2": ParameterCount(),
    "Q3": Explained("Q3"),
    "Q4": Told("Q4", r"^train_loop_1$", log(20)),
    "Q5": Told("Q5", r"^evaluate_accuracy$", accuracy, pictures()),
    "Q6": Told("Q6", r"^WRNRE$|^ResBlockRE$", log(20), accuracy),
    "Q7": Told("Q7", r"^visualize_energy$", pictures(0)),
    "Q8": Told("Q8", r"^visualize_buffer_samples$", pictures()),
    "Q9": Told("Q9", r"^train_loop_2$|^part2_train_step$", log(2)),
    "Q10": Told("Q10", r"^evaluate_accuracy$", accuracy),
    "claim": Accuracies(),
}
