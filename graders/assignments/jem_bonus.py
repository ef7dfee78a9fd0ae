"""Handout B, the bonus: which cells experiment with sampling, what they show, which printed rankings are in order.

Whether a picture is good is for a person to say, so no point depends on what is found here (Section 7).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from graders.assignments import Grader, Seen
from graders.assignments.jem_record import Told, of_cells, pictures
from graders.assignments.saved_results import Entry

STEP = r"^(?:sgld|langevin|sampl\w*)_?step$"  # the names of C7, and those made of their words
_SIZE = re.compile(r"step|alpha|eta|size|rate|lr", re.IGNORECASE)
_SORTS = r"^(?:arg)?(?:sort|partition)$|^sorted$|^(?:in_)?top_?k|^n(?:smallest|largest)$"
_MOST = 3  # expressions that are told
_BEST = 16 * (10 + 1)  # of each class and of all


def sampling(mine: Seen, cells: Sequence[Entry]) -> str:
    """Tell whether sampling steps are taken in them."""
    steps = [cell for cell in cells if any(re.search(STEP, name) for name in cell.get("calls", ()))]
    return "" if steps else "no sampling step is taken in it"


def negative(mine: Seen, cells: Sequence[Entry]) -> str:
    """Tell which step size is negative in the code, as far as a name tells that it is one."""
    names = [name for cell in cells for name in cell.get("negative", ()) if _SIZE.search(name)]
    return f"a negative {names[0]}" if names else "no negative step size was seen in the code"


def source(mine: Seen, cells: Sequence[Entry]) -> str:
    """Tell where images come from: the buffer, or sampling steps."""
    calls = {name for cell in cells for name in cell.get("calls", ())}
    found = ["the buffer"] if "sample_from_buffer" in calls else []
    found += ["sampling steps"] if any(re.search(STEP, name) for name in calls) else []
    return f"images from {' and '.join(found)}" if found else "images from neither the buffer nor sampling steps"


def ranking(mine: Seen, cells: Sequence[Entry]) -> str:
    """Recompute the order of energies that are printed, the lowest first; tell of the code that sorts."""
    printed = [one["values"] for one in of_cells(mine, "claims", "series", cells)]
    right = sum(_rises(values) for values in printed)
    calls = any(re.search(_SORTS, name) for cell in cells for name in cell.get("calls", ()))
    sorts = list(dict.fromkeys(text for cell in cells for text in cell.get("sorts", ())))[:_MOST]
    order = f"{right} of {len(printed)} printed rankings run from the lowest energy up" if printed else ""
    order = order or "no energies are printed that would tell the order"
    code = f"its code takes {' and '.join(sorts)}" if sorts else "" if calls else "its code sorts nothing"
    return f"{order}; {code}" if code else order


def _rises(values: Sequence[float | None]) -> bool:
    pairs = itertools.pairwise(values)
    return all(one is not None and other is not None and one <= other for one, other in pairs)


_OUTSIDE = STEP  # unmarked: whatever takes sampling steps
BONUS: dict[str, Grader] = {
    "B1": Told("B1", _OUTSIDE, sampling, pictures()),
    "B2": Told("B2", _OUTSIDE, sampling, negative, pictures()),
    "B3": Told("B3", rf"{STEP}|^sample_from_buffer$", source, pictures(32)),
    "B4": Told("B4", _SORTS, pictures(_BEST), ranking),
    "B5": Told("B5", _OUTSIDE, sampling, pictures()),
}
