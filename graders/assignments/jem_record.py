"""Handout B: what of the report can be told by the results that are saved in the notebook. Nothing runs here."""

from __future__ import annotations

from collections.abc import Iterator

from graders.assignments import Seen
from graders.assignments.saved_results import FromRecord
from graders.checks import outcome
from graders.model import Outcome

PARAMETERS = 2_747_082  # of WRN-16-4 with ten classes: Table 1


class ParameterCount(FromRecord):
    """The number of trainable parameters is shown in the notebook; else a person reads the report (Section 5.2)."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Pass where the number is shown, by print or by the summary of a model; say nothing elsewhere."""
        if PARAMETERS in mine["counts"].values.get("parameters", []):
            yield outcome("count", True, f"{PARAMETERS:,} trainable parameters", f"{PARAMETERS:,}")
