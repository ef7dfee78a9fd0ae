"""Handout A: the prediction items, judged by the results that are saved in the notebook (Section 8, Table 5).

Nothing runs here and there is no reference to compare with: the evidence is what `graders.record.read` found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graders.assignments import Seen
from graders.assignments.saved_results import (
    Entry,
    FromRecord,
    best_of,
    entries,
    losses,
    number_of,
    of_epochs,
    of_log,
    trainings,
)
from graders.checks import outcome
from graders.model import Outcome

LEAST_LOSS = 0.15  # no model of these images comes below that on images that it has not seen
UNTRAINED = 0.6931  # the binary cross-entropy of a coin
PICTURES = 10
EPOCHS = 10
# Strokes on white fall apart or touch: from so many pieces on a figure may well hold all ten pictures.
_MANY_PIECES = 6


# P9 -------------------------------------------------------------------------------------------------------------------


class GeneratedImages(FromRecord):
    """Ten generated images are saved in the notebook, each with ink on it and none like the other (Section 4.4)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Count the pictures from the first cell on that may generate; one outcome per criterion."""
        shown = [image for image in _after_start(mine) if not image["problem"] and not image["chart"]]
        counts = [_counts(image) for image in shown]
        pictures, drawn = sum(count[0] for count in counts), sum(count[1] for count in counts)
        different = sum(count[2] for image, count in zip(shown, counts, strict=True) if _is_first(image, shown))
        yield outcome(
            "images", bool(shown), "pictures below the cell that generates them", number_of(len(shown), "picture")
        )
        yield outcome(
            "ten", pictures >= PICTURES, f"{PICTURES} generated pictures", f"{number_of(pictures, 'picture')} seen"
        )
        yield outcome("content", drawn >= max(1, pictures / 2), "black and white in each", f"in {drawn} of {pictures}")
        yield outcome(
            "distinct", different >= max(2, drawn / 2), "pictures that differ", f"{different} different of {pictures}"
        )


def _after_start(mine: Seen) -> list[Entry]:
    """Return the pictures from the first cell on that may generate; where none may, that makes a model ready.

    The pictures above it are those of the data set.
    """
    cells, images = entries(mine, "cells", "cells"), entries(mine, "images", "images")
    for sign in ("generates", "model"):
        start: dict[str, int] = {}
        for cell in cells:
            if cell[sign]:
                start.setdefault(cell["file"], cell["cell"])
        if start:
            return [image for image in images if image["cell"] >= start.get(image["file"], image["cell"] + 1)]
    return images


def _counts(image: Entry) -> tuple[int, int, int]:
    """Return how many pictures an image holds, those with ink and those that differ; doubt counts for the student."""
    if image["blank"]:
        return 1, 0, 0
    if image["sure"]:
        return image["panels"], image["drawn"], image["distinct"]
    many = image["panels"] == 0 or image["panels"] >= _MANY_PIECES
    return (PICTURES, PICTURES, PICTURES) if many else (1, 1, 1)


def _is_first(image: Entry, shown: Sequence[Entry]) -> bool:
    return next(one for one in shown if one["digest"] == image["digest"]) is image


# P11 ------------------------------------------------------------------------------------------------------------------


class TrainingLog(FromRecord):
    """The log of ten epochs with falling loss is saved, with the validation loss and a test result (Section 4.5)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best of the trainings that are logged; one outcome per criterion."""
        training, outcomes = best_of(trainings(mine), _of_training)
        yield from outcomes
        yield _of_test(mine, training or _first_training(mine))


def _of_training(run: Entry | None) -> Iterator[Outcome]:
    yield from of_log(run)
    yield of_epochs(run, EPOCHS)
    loss = losses(run)
    validation = [value for name in ("val_loss", "test_loss") for value in (run["curves"].get(name, []) if run else [])]
    seen = sum(value is not None for value in validation)
    enough = bool(loss) and 2 * seen >= len(loss)
    yield outcome("validation", enough, "a validation loss beside the training loss", f"{seen} values")


def _first_training(mine: Seen) -> Entry | None:
    return next((cell for cell in entries(mine, "cells", "cells") if cell["trains"]), None)


def _of_test(mine: Seen, training: Entry | None) -> Outcome:
    """Check that a test result from after the training is shown, by place or by the order in which the cells ran."""
    logged = (training or {}).get("curves", {}).get("test_loss", [])[-1:]
    values = [*logged, *(value for one, value in _shown(mine) if training and _is_after(one, training))]
    good = [value for value in values if _is_learnt(value)]
    expected = f"a test loss from after the training, below the {UNTRAINED:g} of an untrained model"
    shown = [f"{value:g}" if value is not None else "no finite number" for value in values]
    return outcome("test", bool(good), expected, good[-1] if good else ", ".join(shown[-3:]) or "none")


def _shown(mine: Seen) -> list[tuple[Entry, float | None]]:
    """Return the test losses that are printed, then those of evaluations."""
    stated = [(one, one["value"]) for one in entries(mine, "claims", "claims") if one["test"] and one["printed"]]
    found = [(one, one["values"]["loss"]) for one in entries(mine, "logs", "evaluations") if "loss" in one["values"]]
    return [*stated, *found]


def _is_learnt(value: float | None) -> bool:
    return value is not None and 0 < value < UNTRAINED


def _is_after(one: Entry, training: Entry) -> bool:
    if one["file"] != training["file"] or one["cell"] >= training["cell"]:
        return True
    return bool(one["count"] and training["count"] and one["count"] > training["count"])


# The claim of C10 -----------------------------------------------------------------------------------------------------


class Claim(FromRecord):
    """The binary cross-entropy on the test set that the notebook reports (Section 4.4)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Yield the figure of the cells marked C10, else the first from after the training; nothing where is none."""
        shown = [(one, value) for one, value in _shown(mine) if _is_learnt(value)]
        training = _first_training(mine)
        marked = [value for one, value in shown if "C10" in one["marks"]]
        after = [value for one, value in shown if training and _is_after(one, training)]
        if found := [*marked[:1], *after[:1]]:
            yield outcome("test", True, "the loss on the test set", f"{found[0]:g}")
