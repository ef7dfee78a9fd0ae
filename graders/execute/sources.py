"""A handed-in file as a notebook of nbformat 4 to run: any version of nbformat, a script in percents, or plain."""

from __future__ import annotations

import json
import re
from typing import Any

import jupytext
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from graders.model import SourceFile
from graders.notebook.cells import clean, notebook_parts

_PERCENT = re.compile(r"^# %%", re.MULTILINE)
_MAKERS = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def notebook_of(file: SourceFile) -> tuple[dict[str, Any], list[str]]:
    """Return a file as a notebook without outputs or metadata, and a note on each thing that could not be read.

    The numbers of the cells are those that the student sees. A file that is no notebook has no cells.
    """
    text = clean(file.text or "")
    if not file.name.endswith(".ipynb"):
        return _made(_script_parts(text)), []
    parts, notes = notebook_parts(file)
    return _made(parts), notes


def _script_parts(text: str) -> list[tuple[str, str]]:
    if not _PERCENT.search(text):
        return [("code", text)] if text.strip() else []
    cells = jupytext.reads(text, fmt="py:percent")["cells"]
    return [(cell["cell_type"], cell["source"]) for cell in cells]


def _made(parts: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a notebook of cells that are built anew: nothing that was odd in the file goes on."""
    cells = []
    for number, (kind, source) in enumerate(parts, start=1):
        cells.append(_MAKERS[kind](source, id=f"cell-{number}"))
    document: dict[str, Any] = json.loads(json.dumps(new_notebook(cells=cells)))
    return document
