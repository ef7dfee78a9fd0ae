"""What the items of the record tier share: the evidence is what `graders.record.read` found in a notebook.

Nothing runs here and there is no reference to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from graders.assignments import Experiments, Seen
from graders.checks import outcome
from graders.model import Json, Outcome

Entry: TypeAlias = Mapping[str, Json]
PAPERS = (".pdf", ".docx")
Judged: TypeAlias = Callable[[Entry | None], Iterator[Outcome]]


class FromRecord:
    """An item that nothing is run for."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return no experiments: the evidence is read off the notebook."""
        return {}


def entries(seen: Seen, experiment: str, name: str) -> list[Entry]:
    """Return a list of the record by the name of its experiment and its own."""
    return list(seen[experiment].values.get(name, []))


def number_of(number: int, what: str) -> str:
    """Return how many there are of something, in words.

    >>> number_of(0, "picture"), number_of(1, "picture"), number_of(2, "picture")
    ('no pictures', '1 picture', '2 pictures')
    """
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def written_up(mine: Seen) -> str:
    """Return which write-up, none of which is read, may show a result that nothing else shows; "" where there is none.

    >>> from graders.model import Experiment
    >>> written_up({"traces": Experiment({"writings": ["notes.txt", "a2-writeup.PDF"]})})
    'a2-writeup.PDF may show it'
    """
    names = map(str, mine["traces"].values.get("writings", []))
    return next((f"{name} may show it" for name in names if name.lower().endswith(PAPERS)), "")


def unsaved(mine: Seen, places: Collection[tuple[Json, Json]]) -> str:
    """Return why a result was never saved, "" where something was.

    It is made by a script, or in these cells (file, number), which have no output at all.
    """
    cells = entries(mine, "cells", "cells")
    scripts = list(mine["cells"].values.get("scripts", []))
    if scripts and not cells:
        return f"{scripts[0]} is a script, which keeps no results"
    making = [cell for cell in cells if (cell["file"], cell["cell"]) in places]
    if making and not any(cell["output"] for cell in making):
        return f"cell {making[0]['cell']} trains, and no output of it is saved"
    return ""


# Logs of training -----------------------------------------------------------------------------------------------------


def trainings(mine: Seen, of: Callable[[Entry], bool] = lambda _: True) -> list[Entry]:
    """Return the trainings that are logged, also those that were interrupted and went on, put together.

    `of` says which belong to the item: only such go on with each other.
    """
    runs = [run for run in entries(mine, "logs", "runs") if not run["typed"] and losses(run) and of(run)]
    return [*runs, *_continued(runs)]


def losses(run: Entry | None) -> list[float | None]:
    """Return the training loss by epoch, of a log without it the validation or test loss."""
    curves = run["curves"] if run else {}
    return next((list(curves[name]) for name in ("loss", "val_loss", "test_loss") if name in curves), [])


def _continued(runs: Sequence[Entry]) -> Iterator[Entry]:
    """Yield trainings that were interrupted and went on: as many steps, and a loss that goes on where it was."""
    joined: Entry | None = None
    for run in (run for run in runs if run["source"] != "history"):
        if joined is not None and _goes_on(joined, run):
            names = joined["curves"].keys() & run["curves"].keys()
            curves = {name: [*joined["curves"][name], *run["curves"][name]] for name in sorted(names)}
            joined = {**run, "curves": curves}
            yield joined
        else:
            joined = run


def _goes_on(before: Entry, after: Entry) -> bool:
    end, start = losses(before)[-1], losses(after)[0]
    same = before["steps"] == after["steps"] and losses(before) != losses(after)
    return same and end is not None and start is not None and start <= 1.1 * end


def best_of(runs: Sequence[Entry], judge: Judged) -> tuple[Entry | None, list[Outcome]]:
    """Return the training for which most criteria are met, None where there is none, and its outcomes."""
    judged = [(run, list(judge(run))) for run in runs or (None,)]
    return max(judged, key=lambda pair: sum(one.passed for one in pair[1]))


def of_log(run: Entry | None) -> Iterator[Outcome]:
    """Yield whether a log has a finite loss for each of its epochs (`log`), and whether it falls (`falling`)."""
    loss, finite = losses(run), _finite(run)
    yield outcome("log", _whole(run), "a finite loss for each epoch", _told(run))
    falls = _whole(run) and min(finite[1:]) < finite[0]
    course = f"{finite[0]:g} at first, {min(finite[1:]):g} at best" if len(finite) > 1 else _told(run)
    yield outcome("falling", falls, "a loss that falls", course if loss else "no log")


def of_epochs(run: Entry | None, epochs: int) -> Outcome:
    """Check that a log has so many epochs."""
    return outcome("epochs", _whole(run) and len(losses(run)) >= epochs, f"{epochs} epochs", _told(run))


def _finite(run: Entry | None) -> list[float]:
    return [value for value in losses(run) if value is not None]


def _whole(run: Entry | None) -> bool:
    return len(_finite(run)) == len(losses(run)) > 1


def _told(run: Entry | None) -> str:
    loss = losses(run)
    lost = len(loss) - len(_finite(run))
    without = f", {lost} of them without a finite loss" if lost else ""
    return f"{len(loss)} epochs{without}" if loss else "no log"
