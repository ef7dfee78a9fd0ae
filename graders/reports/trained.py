"""What came of the trained models, as the student's page has it: the curve, some images, and a line on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from graders.model import Assignment, Evidence, Experiment, Json
from graders.reports.results import chart, data_uri

_GAP = 2  # pixels between images


@dataclass(frozen=True)
class Trained:
    """The section "Your trained models": pairs of a drawing and its caption."""

    charts: tuple[tuple[Markup, str], ...]
    pictures: tuple[tuple[Markup, str], ...]


def trained(assignment: Assignment, models: Mapping[str, Evidence]) -> Trained | None:
    """Return what is to be shown of the evidence of metric items, None where there is none."""
    if not models:
        return None
    charts, pictures = [], []
    for item, evidence in models.items():
        title = assignment.item(item).title
        curve = evidence.experiments.get(f"curve {item}")
        if curve and len(curve.arrays["score"]):
            seconds = [round(float(one)) for one in curve.arrays["seconds"]]
            drawn = chart({"test_loss": curve.arrays["score"].tolist()}, seconds, "seconds", "measured")
            charts.append((Markup(drawn), f"{title}: measured while it was trained, on a few images"))
        shown = evidence.experiments.get(f"pictures {item}")
        if shown:
            noisy = ", with noise" * (len(shown.arrays["shown"]) > 2)
            pictures.append((data_uri(_rows(shown)), f"{title}: held-out images{noisy}, and below what came back"))
    return Trained(tuple(charts), tuple(pictures))


def _rows(shown: Experiment) -> np.ndarray:
    """Return images (R, N, H, W, 3) as one picture of R rows."""
    bordered = np.pad(shown.arrays["shown"], ((0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0)), constant_values=255)
    return np.concatenate([np.concatenate(list(row), axis=1) for row in bordered], axis=0)


def document(models: Mapping[str, Evidence]) -> dict[str, Json]:
    """Return what result.json holds of them: how each training ended, its curve, and the scores of each candidate."""
    return {item: _document(item, evidence) for item, evidence in models.items()}


def _document(item: str, evidence: Evidence) -> dict[str, Json]:
    found = evidence.experiments
    ended, curve = found.get("ended", Experiment()), found.get(f"curve {item}", Experiment())
    failure = ended.failure or evidence.failure
    return {
        "ended": ended.values.get("how", ""),
        "failure": str(failure) if failure else "",
        "seconds": ended.values.get("seconds", 0.0),
        "curve": {name: values.tolist() for name, values in curve.arrays.items()},
        "candidates": [_means(one) for name, one in found.items() if name.startswith(f"scores {item} ")],
    }


def _means(one: Experiment) -> dict[str, Json]:
    """Return the means of a candidate's scores over what is no control."""
    real = ~one.arrays["control"]
    means = {name: float(values[real].mean()) for name, values in one.arrays.items() if name != "control"}
    return {"name": one.values.get("name", ""), "failure": str(one.failure or ""), "images": int(real.sum()), **means}
