"""Submissions in memory, and what a slice of them holds."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat import v4

from graders.model import Slice, SourceFile, Submission
from graders.notebook import Program, cut_slice, read_program


def notebook(*cells: str) -> str:
    return nbformat.writes(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells]))


def submission(**files: str) -> Submission:
    """Files by name; in a keyword `__` stands for a slash and a final `_py` or `_ipynb` for the suffix."""
    named = {_name(keyword): text for keyword, text in files.items()}
    return Submission("s", "s", tuple(SourceFile(name, "", len(text), text) for name, text in named.items()))


def _name(keyword: str) -> str:
    return keyword if "." in keyword else keyword.replace("__", "/").replace("_py", ".py").replace("_ipynb", ".ipynb")


def program(*cells: str, **files: str) -> Program:
    return read_program(submission(hw_ipynb=notebook(*cells), **files))


def cut(found: Program, target: str = "X", names: dict[str, list[str]] | None = None, **how: Any) -> Slice:
    """The slice of the item that goes by the name `target`."""
    return cut_slice(found, names or {target: [target]}, target, **how)


def sources(found: Slice) -> list[str]:
    return [statement.source for statement in found.statements]


def sliced(*cells: str, target: str = "X", **how: Any) -> list[str]:
    return sources(cut(program(*cells), target, **how))


def run(found: Slice) -> dict[str, Any]:
    """Execute a slice as the sandbox does: statement by statement, with the line numbers of the cell."""
    space: dict[str, Any] = {"__name__": "student"}
    for statement in found.statements:
        text = "\n" * (statement.line - 1) + statement.source
        exec(compile(text, statement.place, "exec", dont_inherit=True), space)
    return space
