"""Small notebooks for tests."""

import json
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def notebook(*codes: str) -> dict[str, Any]:
    """Return a notebook with a title as cell 1 and these code cells from 2 on."""
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, codes)]
    document: dict[str, Any] = json.loads(json.dumps(new_notebook(cells=cells)))
    return document


def text_of(cell: dict[str, Any]) -> str:
    """Return what a cell printed."""
    return "".join(output["text"] for output in cell["outputs"] if output["output_type"] == "stream")
