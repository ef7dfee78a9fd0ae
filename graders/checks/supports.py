"""Which input pixels an output pixel depends on: arrays (output height, width, input height, width) of 0 and 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graders.checks.outcomes import absent, outcome, shape_text
from graders.model import Experiment, Outcome

GRADIENT, CHANGE = "by_gradient", "by_change"


def _either(experiment: Experiment) -> NDArray[np.bool_]:
    """Return what an output depends on by gradient or by change: a leak may hide from one of the two."""
    return np.asarray((experiment.arrays[GRADIENT] != 0) | (experiment.arrays[CHANGE] != 0))


def _comparable(name: str, mine: Experiment, theirs: Experiment, expected: str) -> Outcome | None:
    if failed := absent(name, mine, expected, GRADIENT, CHANGE):
        return failed
    for key in (GRADIENT, CHANGE):
        if mine.arrays[key].shape != theirs.arrays[key].shape:
            found = mine.arrays[key]
            size = f"height and width {shape_text(found[..., 0, 0])}" if found.ndim == 4 else "another number of axes"
            return outcome(name, False, expected, f"an output of {size}")
    return None


def causal(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that no output pixel sees a pixel that the reference's never sees, and that it sees others than itself.

    What the reference may see is the union of its windows over all output pixels, moved to one place: a window of
    another size or place is the business of `window`, unless it reaches where no right window does.
    """
    allowed = _directions(_either(theirs))
    expected = "each output pixel depends on earlier pixels and on none that comes later"
    if failed := _comparable(name, mine, theirs, expected):
        return failed
    seen = _offsets(_either(mine))
    later = sorted(offset for offset in seen if not _permitted(offset, allowed))
    if later:
        return outcome(name, False, expected, f"an output pixel depends on the pixel {_words(later[0])}")
    if not any(offset != (0, 0) for offset in seen):
        return outcome(name, False, expected, "no output pixel depends on any other pixel")
    return outcome(name, True, expected, "no later pixel is seen")


def _offsets(seen: NDArray[np.bool_]) -> set[tuple[int, int]]:
    rows, columns, in_rows, in_columns = np.nonzero(seen)
    return set(zip((in_rows - rows).tolist(), (in_columns - columns).tolist(), strict=True))


def _directions(seen: NDArray[np.bool_]) -> set[tuple[int, int]]:
    return {(int(np.sign(down)), int(np.sign(right))) for down, right in _offsets(seen)}


def _permitted(offset: tuple[int, int], allowed: set[tuple[int, int]]) -> bool:
    return (int(np.sign(offset[0])), int(np.sign(offset[1]))) in allowed


def _words(offset: tuple[int, int]) -> str:
    down, right = offset
    vertical = f"{abs(down)} {'below' if down > 0 else 'above'}" if down else ""
    horizontal = f"{abs(right)} to the {'right' if right > 0 else 'left'}" if right else ""
    return " and ".join(part for part in (vertical, horizontal) if part) + " of it" if offset != (0, 0) else "itself"


def window(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that each output pixel sees exactly the window of the specification: the padding is on the right sides."""
    expected = "each output pixel sees the window of the specification, neither moved nor of another size"
    if failed := _comparable(name, mine, theirs, expected):
        return failed
    found, wanted = _offsets(_either(mine)), _offsets(_either(theirs))
    if wanted and found == wanted and np.array_equal(_either(mine), _either(theirs)):
        return outcome(name, True, expected, "exactly that window")
    return outcome(name, False, expected, f"a window of {_extent(found)}")


def _extent(offsets: set[tuple[int, int]]) -> str:
    if not offsets:
        return "nothing"
    rows, columns = zip(*offsets, strict=True)
    return f"rows {min(rows):+d} to {max(rows):+d} and columns {min(columns):+d} to {max(columns):+d} around the pixel"


def same_support(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that each output pixel depends on exactly the pixels that the specification's model depends on."""
    expected = "each output pixel depends on the earlier pixels that the architecture reaches, and on no others"
    if failed := _comparable(name, mine, theirs, expected):
        return failed
    found, wanted = _either(mine), _either(theirs)
    if extra := np.argwhere(found & ~wanted).tolist():
        row, column, in_row, in_column = extra[0]
        return outcome(
            name, False, expected, f"output pixel ({row}, {column}) depends on input pixel ({in_row}, {in_column})"
        )
    if lost := np.argwhere(wanted & ~found).tolist():
        row, column, in_row, in_column = lost[0]
        text = f"output pixel ({row}, {column}) does not depend on input pixel ({in_row}, {in_column})"
        return outcome(name, False, expected, text)
    return outcome(name, bool(wanted.any()), expected, "exactly those")


def agreement(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that every input pixel that changes an output has a gradient, and that gradients reach where they must."""
    expected = "what changes the output has a gradient, and the other way round"
    if failed := absent(name, mine, expected, GRADIENT, CHANGE):
        return failed
    gradient, change, wanted = (one != 0 for one in (mine.arrays[GRADIENT], mine.arrays[CHANGE], theirs.arrays[CHANGE]))
    if not gradient.shape == change.shape == wanted.shape or not change.any():
        return outcome(name, False, expected, "an output that depends on nothing, or of another size")
    if hidden := np.argwhere(change & ~gradient).tolist():
        row, column, in_row, in_column = hidden[0]
        text = f"input pixel ({in_row}, {in_column}) changes output pixel ({row}, {column}) without a gradient"
        return outcome(name, False, expected, text)
    # A gradient may be too small to change a float32: where the reference's is not, the student's code rounds.
    if (gradient & ~change & wanted).any():
        return outcome(name, False, expected, "input pixels with a gradient that do not change the output")
    return outcome(name, True, expected, "they agree")
