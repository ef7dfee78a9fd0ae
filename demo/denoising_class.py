"""Builds a class of made-up students of `denoising`, in scripts as they hand them in, with what a run left behind.

Usage: python demo/denoising_class.py FOLDER
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

from graders.audit import apply_edit, load_edits
from graders.home import home, reference_path
from graders.release import handed_out, scripts_of

Files = dict[str, str | bytes]
SLUG = "denoising"
REFERENCE = reference_path(SLUG).read_text(encoding="utf-8")
EDITS = load_edits(SLUG)
TEMPLATE = home() / "student_template" / SLUG
TESTS_OK = "....\n----------------------------------------------------------------------\nRan 4 tests in 0.627s\n\nOK\n"


def scripts(*edits: str) -> dict[str, str]:
    """Return answers.py and models.py of the reference with mutants and variants, by name."""
    text = REFERENCE
    for name in edits:
        text = apply_edit(text, EDITS[name])
    return scripts_of(text)


def given() -> dict[str, str]:
    """Return the files that students are not to change."""
    return {name: text for name, text in handed_out(SLUG).items() if name not in scripts()}


def losses(seed: int, rows: int = 400, end: float = 0.15) -> str:
    """Return a loss.txt whose loss goes from a half to `end`."""
    noise = np.random.default_rng(seed).normal(0, 0.01, rows)
    curve = end + (0.5 - end) * np.exp(-np.arange(rows) / (rows / 5)) + noise
    return "".join(f"{value:.6f}\n" for value in curve)


def picture(seed: int, contrast: int = 200) -> bytes:
    """Return a row of eight blurred shapes as a PNG; without contrast it is blank."""
    grid = np.random.default_rng(seed).random((8, 64, 3))
    pixels = Image.fromarray((contrast * grid).astype(np.uint8)).resize((512, 64), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG")
    return buffer.getvalue()


def run(seed: int, contrast: int = 200) -> Files:
    """Return what a training leaves behind."""
    pictures = {
        f"samples/{kind}-{at:06}.png": picture(100 * seed + at // 100 + 10 * (kind == "novel"), contrast)
        for kind in ("sample", "novel")
        for at in (0, 100, 200, 300)
    }
    return {"loss.txt": losses(seed), **pictures}


def whole(seed: int, *edits: str) -> Files:
    """Return all files of a student who did everything, with edits of the code."""
    return {**scripts(*edits), **given(), **run(seed), "check.txt": TESTS_OK, "report.pdf": "%PDF-1.4"}


def notebook(*edits: str) -> str:
    """Return the two scripts as the cells of one notebook."""
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{at}") for at, text in enumerate(scripts(*edits).values())]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def zipped(files: Mapping[str, str | bytes], folder: str = "") -> bytes:
    """Return an archive of these files, below a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"{folder}{name}", data)
    return buffer.getvalue()


def with_models(files: Files, old: str, new: str) -> Files:
    """Return the files with a text of models.py swapped, which stands there once."""
    text = str(files["models.py"])
    assert text.count(old) == 1, old
    return {**files, "models.py": text.replace(old, new)}


def rising(seed: int) -> str:
    """Return a loss.txt whose loss rises."""
    return "".join(reversed(losses(seed).splitlines(keepends=True)))


def broken(files: Files) -> Files:
    """Return the files with a loss that is no number from the third row on."""
    rows = str(files["loss.txt"]).splitlines()
    return {**files, "loss.txt": "\n".join([*rows[:2], *["nan"] * (len(rows) - 2)]) + "\n"}


def without_answers(files: Files) -> Files:
    """Return the files of a student who answers in the report."""
    return {name: data for name, data in files.items() if name != "answers.py"}


_FORWARD = "        hidden = self.layer1(codes)"
_DROPPED = "    loss.backward()\n"


def submissions() -> dict[str, Callable[[], str | bytes | Files]]:
    """Return what each student hands in: the entry's name and its contents, a dict for a folder."""
    return {
        "adams": lambda: whole(1),
        "baker.zip": lambda: zipped(whole(2, "Q2a-functional", "Q2b-norm-after-ups"), "a6/"),
        "chan.ipynb": lambda: notebook("Q1a-list", "Q2a-lists"),
        "dimitrov.zip": lambda: zipped(without_answers(whole(4, "Q2b-leaky"))),
        "evans": lambda: whole(5, "Q2a-norm-after-relu"),
        "fischer": lambda: whole(6, "Q2b-output-padding"),
        "garcia.zip": lambda: zipped({**whole(7, "Q2b-linear"), "loss.txt": rising(7)}),
        "haddad": lambda: broken(whole(8)),
        "ito": lambda: {**whole(9), "asgn6.py": given()["asgn6.py"].replace(_DROPPED, "")},
        "jensen": lambda: {path.name: path.read_text() for path in sorted(TEMPLATE.glob("*.py"))},
        "kim": lambda: with_models(whole(11), _FORWARD, "        hidden = = self.layer1(codes)"),
        "lopez": lambda: with_models(whole(12), _FORWARD, f"        while True:\n            pass\n{_FORWARD}"),
        "mueller": lambda: {**whole(13, "Q2b-no-norm"), **run(1)},
        "novak.py": lambda: scripts("Q2a-flatten-layer", "Q2b-sigmoid")["models.py"],
        "okafor": lambda: {
            **whole(15, "Q1c-doubles", "Q1d-no-bias"),
            **run(15, contrast=0),
            "models_3f.py": scripts("Q2b-linear")["models.py"],
            "check.txt": TESTS_OK.replace("OK", "FAILED (failures=1)"),
        },
    }


def make_class(folder: Path) -> list[Path]:
    """Write all submissions into a folder; return their paths."""
    paths = []
    for name, contents in submissions().items():
        made = contents()
        for inner, data in made.items() if isinstance(made, dict) else [("", made)]:
            target = folder / name / inner if inner else folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.encode() if isinstance(data, str) else data)
        paths.append(folder / name)
    return paths


if __name__ == "__main__":
    print(f"{len(make_class(Path(sys.argv[1])))} submissions in {sys.argv[1]}")
