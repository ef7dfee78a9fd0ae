"""Classes of made-up students whose code is right and differs from student to student, in every item.

Equal code is measured once, whoever wrote it; a benchmark needs code that is not equal. Every student calls the local
variables of every method something else. Nothing is drawn: the same number gives the same class.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import jupytext
import nbformat

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class _Renamed(ast.NodeTransformer):
    """Gives the local variables of every method (not its parameters) an ending."""

    def __init__(self, ending: str) -> None:
        self.ending, self.local = ending, set[str]()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer = self.local
        parameters = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        self.local = names - parameters
        self.generic_visit(node)
        self.local = outer
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(node.id + self.ending, node.ctx), node) if node.id in self.local else node


def ending(number: int) -> str:
    """Return the ending that the student of that number gives names.

    >>> ending(0), ending(27)
    ('_aa', '_bb')
    """
    return f"_{_LETTERS[number // 26]}{_LETTERS[number % 26]}"


def written_by(number: int, text: str) -> str:
    """Return a solution in percent format as the student of that number writes it; cells and imports stay."""
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            own = ast.unparse(_Renamed(ending(number)).visit(node))
            lines[node.lineno - 1 : node.end_lineno] = [own + "\n"]
    return "".join(lines)


def notebook(text: str) -> Any:
    """Return the notebook of a text in percent format."""
    made = jupytext.reads(text, fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id, cell.metadata = f"cell-{number:02}", {}
    made.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return made


def student(number: int) -> str:
    """Return the id of a student."""
    return f"student{number:03}"


def write_class(folder: Path, text: str, size: int) -> list[Path]:
    """Write one notebook a student into a folder; return their paths."""
    folder.mkdir(parents=True)
    paths = [folder / f"{student(number)}.ipynb" for number in range(size)]
    for number, path in enumerate(paths):
        path.write_text(nbformat.writes(notebook(written_by(number, text))), encoding="utf-8")
    return paths
