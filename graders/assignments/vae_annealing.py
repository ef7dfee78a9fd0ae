"""Handout E, Part 1, Section 2: the schedule of KL annealing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.assignments.vae_steps import EPOCHS, MOST_EPOCHS
from graders.model import Outcome

Array = NDArray[Any]
_MIDDLE = 1e-4


class Annealing:
    """The factor of the divergence: 0.0 first, then 0.0001, then gradually up to 1.0 (Section 2)."""

    arguments = ("epoch", "num_epochs")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Ask for the factor of every epoch, and for those before and behind, which may fail."""

        def schedule() -> dict[str, Any]:
            found = student.definition("annealing")
            tools = lab.torch_stand_ins
            epochs = tools.number_of(student.namespace, found, EPOCHS, MOST_EPOCHS)
            return {
                "epochs": epochs,
                "factors": tools.schedule(
                    found, lambda at: student.build("annealing", {"num_epochs": epochs}, epoch=at), epochs
                ),
            }

        return {"schedule": schedule}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Look at the factors of all epochs; what gives none is left to a person.

        Epochs are counted from 0 or from 1, which a schedule does not tell: in the best of the readings.
        """
        if mine["schedule"].failure:
            return
        found = mine["schedule"].arrays.get("factors", np.zeros(0)).ravel()
        problem = checks.absent("", mine["schedule"], "", "factors")
        parts = ((found, 2), (found[1:], 1), (found[:-1], 1))
        readings = [(one, ends) for one, ends in parts if one.size > ends and checks.finite(one)]
        reason = problem.actual if problem else "" if readings else "factors that are not finite, or of one epoch"
        best = max(
            (list(_of_schedule(*one)) for one in readings), key=lambda one: sum(o.passed for o in one), default=None
        )
        yield from best or (checks.outcome(name, False, "a factor for every epoch", reason) for name in _STAGES)


_STAGES = ("start", "small", "gradual", "end")


def _of_schedule(factors: Array, ends: int) -> Iterator[Outcome]:
    """Yield an outcome for each stage of a schedule; any of so many factors at its ends may be the first or last."""
    rising = factors[factors > 0]
    first = float(rising[0]) if rising.size else 0.0
    inner = np.unique(np.round(rising[(rising > 2 * _MIDDLE) & (rising < 1 - 1e-6)], 12))
    falls, jump = float(np.diff(factors).min()), float(np.diff(factors).max())
    start, last = float(factors[:ends].min()), float(factors[-ends:].max())
    yield checks.outcome("start", start == 0, "0.0 in the first epoch", f"{start:.4g}")
    yield checks.outcome("small", abs(first - _MIDDLE) < 1e-6, "0.0001 after 0.0", f"{first:.4g}")
    gradual = falls >= -1e-9 and inner.size >= 2
    yield checks.outcome("gradual", gradual, "a gradual rise, never a fall", _course(falls, jump, inner.size))
    yield checks.outcome("end", abs(last - 1) < 1e-3, "1.0 in the last epoch", f"{last:.4g}")


def _course(falls: float, jump: float, steps: int) -> str:
    return (
        f"a fall by {-falls:.3g}"
        if falls < -1e-9
        else f"{steps} factors in between, a rise by up to {jump:.3g} at once"
    )
