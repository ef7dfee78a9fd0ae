"""What the made-up students of handout C hand in; see `demo.make_class`."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import nbformat
import numpy as np
from nbformat.v4 import new_output
from PIL import Image

from demo.make_class import changed, colab, edited, notebook, written, zipped
from graders.audit import load_edits
from graders.home import home, reference_path

REFERENCE = reference_path("colourization").read_text(encoding="utf-8")
EDITS = load_edits("colourization")
TEMPLATE = home() / "student_template" / "colourization" / "a2-code.ipynb"
EPOCHS = 25


def code(*edits: str) -> str:
    """Return the reference's text with mutants and variants, by name, one after the other."""
    return edited(REFERENCE, EDITS, *edits)


def with_outputs(text: str, seed: int = 0) -> str:
    """Return a notebook as if its training cells had been run: a log, coloured images and a curve each."""
    document = notebook(text)
    chance = np.random.default_rng(seed)
    for cell in document.cells:
        if cell.cell_type == "code" and re.match(r"# \[[456]\.2\]", cell.source):
            losses = 3.2 * 0.97 ** np.arange(EPOCHS) + chance.normal(0, 0.005, EPOCHS)
            images = chance.integers(0, 256, (96, 256, 3))
            cell.outputs = [
                new_output("stream", name="stdout", text=_log(losses)),
                _shown(images),
                _shown(_curve(losses)),
            ]
    return written(document)


def _log(losses: Any) -> str:
    return "".join(
        f"Epoch [{at}/{EPOCHS}], Loss: {loss:.4f}, Val Loss: {loss + 0.05:.4f}, Val Acc: {2 * at:.1f}%, "
        f"Time (s): {at}.0\n"
        for at, loss in enumerate(losses, start=1)
    )


def _curve(losses: Any) -> Any:
    """Return a drawing (300, 400, 3) of a curve in a frame."""
    page = np.full((300, 400, 3), 255)
    page[20, 40:380] = page[280, 40:380] = page[20:281, 40] = page[20:281, 379] = 0
    columns = np.arange(45, 375)
    heights = np.interp(columns, np.linspace(45, 375, len(losses)), losses)
    page[(270 - 70 * heights).astype(int), columns] = (31, 119, 180)
    return page


def _shown(pixels: Any) -> Any:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(buffer, "PNG")
    return new_output("display_data", {"image/png": base64.b64encode(buffer.getvalue()).decode()})


def broken_cell(text: str) -> str:
    """Return a notebook in which the cell of 5.1 has a syntax error."""
    document = notebook(text)
    for cell in document.cells:
        if "class ConvTransposeNet" in cell.source:
            cell.source = cell.source.replace("return self.last(x)", "return self.last(x")
    return written(document)


def in_colab(text: str) -> Any:
    """Return a notebook with everything that Colab notebooks carry around the code, without TensorFlow."""
    document = colab(text)
    document.cells = [cell for cell in document.cells if "tensorflow" not in cell.source]
    return document


def half_done() -> str:
    """Return the template with 4.1 filled in."""
    document = nbformat.read(TEMPLATE, as_version=4)
    solved = next(cell.source for cell in notebook(REFERENCE).cells if cell.source.startswith("# [4.1]"))
    for cell in document.cells:
        if cell.source.startswith("# [4.1]"):
            cell.source = solved
    return written(document)


_FIRST = "x = self.relu(self.bn1(self.conv1(x)))"
_UNET = "        first = self.down1(x)"


def submissions() -> dict[str, Callable[[], str | bytes | dict[str, str | bytes]]]:
    """Return what each student hands in: the entry's name and its contents, a dict for a folder."""
    pool = code().partition("# %% check 4.1")
    hang = pool[0].replace(
        "        x = self.down1(x)", "        while True:\n            pass\n        x = self.down1(x)"
    )
    leave = changed(code(), (_UNET, "        os._exit(0)\n" + _UNET))
    grow = "\n        hoard = []\n        while True:\n            hoard.append(np.ones((64, 1024, 1024)))\n"
    hog = changed(code("5.1-padding-1"), (_FIRST, _FIRST + grow))
    return {
        "adams": lambda: {"a2-code.ipynb": with_outputs(code(), 1), "a2-writeup.pdf": "%PDF-1.4"},
        "baker.ipynb": lambda: written(in_colab(code())),
        "chan.py": lambda: code("4.1-flat", "5.1-dilation-argument", "6.1-blocks"),
        "dimitrov.zip": lambda: zipped(
            {"a2/a2-code.ipynb": with_outputs(code("4.1-upsample-last", "6.1-image-first"), 2)}
        ),
        "evans.ipynb": lambda: with_outputs(code("4.1-norm-relu-pool"), 3),
        "fischer.ipynb": lambda: with_outputs(code("5.1-no-output-padding"), 4),
        "garcia.zip": lambda: zipped({"garcia/a2-code.ipynb": with_outputs(code("6.1-no-image"), 5)}),
        "haddad.ipynb": lambda: with_outputs(code("5.1-relu-norm", "6.1-derived"), 6),
        "ito.ipynb": lambda: with_outputs(code("4.3-no-kernel", "5.4-half"), 7),
        "jensen.ipynb": lambda: TEMPLATE.read_bytes(),
        "kim.ipynb": lambda: "PK\x03\x04 this was meant to be a notebook",
        "lopez.ipynb": lambda: with_outputs(hang + "".join(pool[1:]), 8),
        "mueller.ipynb": lambda: with_outputs(leave, 9),
        "novak.ipynb": lambda: with_outputs(hog, 10),
        "okafor.ipynb": lambda: broken_cell(code()),
        "patel": lambda: {"a2-code.ipynb": half_done()},
    }
