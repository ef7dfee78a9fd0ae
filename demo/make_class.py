"""Builds a class of made-up students in the shapes that submissions come in: folders, archives, notebooks, scripts.

Usage: python demo/make_class.py FOLDER [ASSIGNMENT], by default pixelcnn. The code is the reference, its variants and
its mutants; the accidents (an endless loop, a killed kernel, a file that is no notebook) are what every real class has.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
from nbformat.v4 import new_output
from PIL import Image

from graders.audit import apply_edit, load_edits
from graders.home import home, reference_path
from graders.model import Mutant, Variant

REFERENCE = reference_path("pixelcnn").read_text(encoding="utf-8")
EDITS = load_edits("pixelcnn")
TEMPLATE = home() / "student_template" / "pixelcnn" / "autoregressive_model.ipynb"


def code(*edits: str) -> str:
    """Return the reference's text with mutants and variants, by name, one after the other."""
    return edited(REFERENCE, EDITS, *edits)


def edited(text: str, known: Mapping[str, Mutant | Variant], *edits: str) -> str:
    """Return a reference's text with some of its mutants and variants."""
    for name in edits:
        text = apply_edit(text, known[name])
    return text


def changed(text: str, *swaps: tuple[str, str]) -> str:
    """Return the text with swaps that stand in no mutant, each applied exactly once."""
    return apply_edit(text, Mutant("demo", "", "", (), swaps))


def notebook(text: str) -> Any:
    """Return the notebook of a text in percent format, run once from top to bottom."""
    document = jupytext.reads(re.sub(r"# %% check ([\w. ]+)", _checks, text), fmt="py:percent")
    count = 0
    for number, cell in enumerate(document.cells):
        cell.id, cell.metadata = f"cell-{number:02}", {}
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    document.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return document


def _checks(match: re.Match[str]) -> str:
    return "# %%\n" + "\n".join(f'graders.check("{item}")' for item in match[1].split())


def written(document: Any) -> str:
    """Return a notebook as the text of its file."""
    return str(nbformat.writes(document))


def zipped(files: dict[str, str]) -> bytes:
    """Return an archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def colab(text: str) -> Any:
    """Return a notebook with everything that Colab notebooks carry around the code."""
    document = notebook(text)
    new = nbformat.v4.new_code_cell
    extras = [
        new("!pip install -q tensorflow==2.11.0\n!nvidia-smi"),
        new("from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive/MyDrive/pa2"),
        new("!wget -q https://example.org/pa2.zip\n!unzip -qo pa2.zip"),
        new("%matplotlib inline\n%load_ext autoreload\n%autoreload 2"),
        new("from tensorflow.python.ops.numpy_ops import np_config\nnp_config.enable_numpy_behavior()"),
        new("%%bash\nls -la pa2 | head"),
        new("%%time\nfiles = !ls pa2/train\nprint(len(files))"),
        new("#@title Configuration { run: 'auto' }\nEPOCHS = 10 #@param {type:'integer'}"),
    ]
    document.cells[1:1] = extras
    for number, cell in enumerate(document.cells):
        cell.id = f"cell-{number:02}"
    return document


def shuffled(text: str) -> Any:
    """Return a notebook whose cells stand out of order, with an early attempt of C5 that a later cell replaces."""
    document = notebook(text)
    attempt = nbformat.v4.new_code_cell(
        "class TensorDense(keras.layers.Layer):\n    pass  # come back to this", id="early"
    )
    document.cells[2:2] = [attempt]
    of = {
        kind: [c for c in document.cells if f"class {kind}" in c.source and c.id != "early"] for kind in _OUT_OF_ORDER
    }
    for cells in of.values():
        document.cells.remove(cells[0])
    document.cells[1:1] = [cells[0] for cells in reversed(of.values())]
    return document


_OUT_OF_ORDER = ("GatedResnet", "AutoregressiveModel")


def broken_cell(text: str, holding: str, whole: str, broken: str) -> Any:
    """Return a notebook in which the cell that holds a text has a syntax error, in place of what is whole."""
    document = notebook(text)
    for cell in document.cells:
        if holding in cell.source:
            cell.source = cell.source.replace(whole, broken)
    return document


def shown(pixels: Any) -> Any:
    """Return the output of a cell that shows a picture (h, w) or (h, w, 3) of levels."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(buffer, "PNG")
    return new_output("display_data", {"image/png": base64.b64encode(buffer.getvalue()).decode()})


def with_helpers(text: str) -> bytes:
    """Return an archive whose notebook takes the moved convolutions from its own module, `from layers import *`."""
    document = notebook(text)
    moved = [c for c in document.cells if re.search(r"class Down(Right)?MovedConv2d", c.source)]
    document.cells = [c for c in document.cells if c not in moved]
    document.cells[2].source = "from layers import *\n" + document.cells[2].source
    layers = "import tensorflow as tf\nfrom tensorflow import keras\n\n\n" + "\n\n\n".join(c.source for c in moved)
    return zipped({"pa2/autoregressive_model.ipynb": written(document), "pa2/layers.py": layers})


def half_done() -> str:
    """Return the template with C1 to C3 filled in."""
    document = nbformat.read(TEMPLATE, as_version=4)
    solved = {cell.source.split("(")[0]: cell.source for cell in notebook(REFERENCE).cells}
    for cell in document.cells:
        if cell.source.split("(")[0] in solved and re.match(r"# \[C[13]\]", cell.source):
            cell.source = solved[cell.source.split("(")[0]]
    return written(document)


_LOOP = ("        height, width = self.filter_size\n        padded = tf.pad(inputs, [[0, 0], [height - 1, 0], [width",)
_CALL = "        hidden = self.nnLayer_1(self.nonlinearity(inputs))  # (B, H, W, C)\n"
_DENSE = "        _, height, width, channels = inputs.shape\n"


def submissions() -> dict[str, Callable[[], str | bytes | dict[str, str | bytes]]]:
    """Return what each student hands in: the entry's name and its contents, a dict for a folder."""
    loop, grow = "        while True:\n            pass\n", "        hoard = []\n        while True:\n"
    hang = changed(code(), (_LOOP[0], loop + _LOOP[0]))
    leave = changed(code(), (_DENSE, "        os._exit(0)\n" + _DENSE))
    hog = changed(code(), (_CALL, grow + "            hoard.append(np.ones((64, 1024, 1024)))\n" + _CALL))
    return {
        "adams": lambda: {
            "code.zip": zipped({"autoregressive_model.ipynb": written(notebook(code()))}),
            "report.pdf": "%PDF-1.4",
        },
        "baker.ipynb": lambda: written(colab(code())),
        "chan.ipynb": lambda: written(notebook(code("C1-skeleton-name", "C5-dense-on-4d"))),
        "dimitrov.py": lambda: code("C3-zero-padding-layer", "C6-slices"),
        "evans.ipynb": lambda: written(notebook(code("C3-pads-bottom"))),
        "fischer.ipynb": lambda: written(notebook(code("C4-copy-paste"))),
        "garcia.zip": lambda: zipped({"garcia/pa2.ipynb": written(notebook(code("C7-no-right-move")))}),
        "haddad.ipynb": lambda: written(notebook(code("C6-first-only"))),
        "ito.ipynb": lambda: written(notebook(code("C2-half", "C5-no-activation"))),
        "jensen.ipynb": lambda: TEMPLATE.read_bytes(),
        "kim.ipynb": lambda: "PK\x03\x04 this was meant to be a notebook",
        "lopez.ipynb": lambda: written(notebook(hang)),
        "mueller.ipynb": lambda: written(notebook(leave)),
        "novak.ipynb": lambda: written(notebook(hog)),
        "okafor.ipynb": lambda: written(shuffled(code())),
        "patel.ipynb": lambda: written(
            broken_cell(code(), "class DownMovedConv2d", "return self.conv(padded)", "return self.conv(padded")
        ),
        "quinn.zip": lambda: with_helpers(code("C7-lists-of-lists")),
        "rossi": lambda: {"autoregressive_model.ipynb": half_done()},
        "silva.ipynb": lambda: written(notebook(code("C1-images", "C4-no-padding", "C7-no-elu"))),
        "tanaka.zip": lambda: zipped(
            {
                "code/autoregressive_model.ipynb": written(notebook(code("C6-halves-swapped", "C3-glorot"))),
                "__MACOSX/code/._autoregressive_model.ipynb": "\x00\x05\x16\x07",
            }
        ),
        "ueda.ipynb": lambda: written(notebook(code("C1-floor", "C4-skeleton-arguments", "C7-table-order"))),
        "varga.ipynb": lambda: written(notebook(code("C4-identity", "C5-identity", "C6-identity"))),
        "weber": lambda: {"notebooks/final.ipynb": written(notebook(code("C2-tensorflow"))), "README.txt": "see final"},
        "xu.ipynb": lambda: json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}),
    }


def make_class(folder: Path, slug: str = "pixelcnn") -> list[Path]:
    """Write all submissions of an assignment into a folder; return their paths."""
    paths = []
    students = submissions() if slug == "pixelcnn" else import_module(f"demo.{slug}").submissions()
    for name, contents in students.items():
        made = contents()
        path = folder / name
        for inner, data in made.items() if isinstance(made, dict) else [("", made)]:
            target = path / inner if inner else path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.encode() if isinstance(data, str) else data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    print(f"{len(make_class(Path(sys.argv[1]), *sys.argv[2:3]))} submissions in {sys.argv[1]}")
