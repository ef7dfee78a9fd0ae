"""Handout E, Part 1: the figures that a student claims on top of A9_vae.py. Nothing runs here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graders.assignments import Experiments, Seen
from graders.checks import outcome
from graders.model import Json, Outcome

_LEAST, _MOST = 0.3, 3.0  # a total reconstruction loss on CIFAR-10: below it is the entropy of the images alone


class Claims:
    """The average total reconstruction losses of VAE and CVAE stand on top of A9_vae.py, as numbers."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return no experiments: the figures are read off the file."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Look for a figure of each network; none at all is left to a person."""
        figures = [one for one in mine["heads"].values.get("lines", []) if _plausible(one["value"])]
        if not figures:
            return
        for name in ("vae", "cvae"):
            found = claimed(figures, name)
            told = "none" if found is None else f"{found:g}"
            yield outcome(name, found is not None, f"the loss of the {name.upper()} on the test set", told)


def _plausible(value: float | None) -> bool:
    return value is not None and _LEAST < value < _MOST


def claimed(figures: Sequence[Mapping[str, Json]], name: str) -> float | None:
    """Return the first figure whose label names a network, vae or cvae, last; None where there is none."""
    for one in figures:
        label = str(one["label"]).lower().replace("conditional vae", "cvae")
        names = [word for word in label.replace(":", " ").replace("(", " ").replace("-", " ").split() if "vae" in word]
        last = "cvae" if names and "cvae" in names[-1] else "vae" if names else ""
        if last == name:
            return float(one["value"])
    return None
