"""(b) A class of PixelCNN with code that is nowhere equal: what is added to the bare probes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks import classes
from benchmarks.measure import PIXELCNN, Plan, Row, compared, grade, in_plain_process, repeated

ALLOWED = 0.5  # of the bare probe time


def measure(plan: Plan) -> list[Row]:
    """Return the rows of (b); the graded class stays in `pixelcnn/out` for (e)."""
    folder = plan.folder / "pixelcnn"
    size = plan.of(100, 6)
    notebooks = classes.write_class(folder / "class", PIXELCNN.read_text(), size)
    few, more = plan.of(4, 1), plan.of(16, 4)
    bare = Row("b", "bare probes, C1-C7, one warm process", "s", _bare(folder, notebooks[:more]))

    def slope(_: int) -> float:
        return (_one_job(folder, notebooks[:more]) - _one_job(folder, notebooks[:few])) / (more - few)

    slopes = repeated(plan.of(3, 1), slope)
    added = Row("b", "graders, one job, each further submission", "s", slopes)
    share = added.median / bare.median - 1
    whole = grade("pixelcnn", folder / "class", folder / "out") / size
    return [
        bare,
        compared(added, "bare probes", share, f"adds less than {ALLOWED}", share < ALLOWED),
        Row("b", f"graders, class of {size}, a job a core", "s", (whole,), "bare probes", whole / bare.median),
    ]


def _folder_of(folder: Path, notebooks: list[Path]) -> Path:
    part = Path(tempfile.mkdtemp(dir=folder))
    for notebook in notebooks:
        shutil.copy(notebook, part)
    return part


def _bare(folder: Path, notebooks: list[Path]) -> tuple[float, ...]:
    return tuple(in_plain_process("benchmarks.bare", str(_folder_of(folder, notebooks))))


def _one_job(folder: Path, notebooks: list[Path]) -> float:
    part = _folder_of(folder, notebooks)
    return grade("pixelcnn", part, folder / f"out-{part.name}", "--jobs", "1")
