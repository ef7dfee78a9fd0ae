"""Which of several versions of a notebook is the one to grade: what its name tells, and what is only a skeleton yet."""

from __future__ import annotations

import ast
import re

from graders.notebook.calls import at_once
from graders.notebook.statements import Parsed

# Jupyter's duplicate, a file manager's copy, what was put away: made of the notebook that the work went on in.
_PUT_AWAY = re.compile(r"(?<![a-z])(copy\d*|checkpoint|old|backup|bak|draft)(?![a-z])")
_FINAL = re.compile(r"(?<![a-z])final")
_NUMBER = re.compile(r"\((\d{1,9})\)|(?<![a-z])v(?:er(?:sion)?)?[ ._-]?(\d{1,9})(?!\d)")

_DEFINITION = (ast.ClassDef, ast.FunctionDef)

Key = tuple[bool, int, int, list[str | int]]


def version(name: str) -> Key:
    """Return a key by which later versions sort last: put away, plain, final, numbered, and by name with its numbers.

    >>> sorted(["a_v10", "a", "a (1)", "a_final", "a-Copy1", "a_v9"], key=version)
    ['a-Copy1', 'a', 'a (1)', 'a_v9', 'a_v10', 'a_final']
    """
    stem = re.sub(r"\.(?:ipynb|py)$", "", name.lower())
    numbers = [int(one or other) for one, other in _NUMBER.findall(stem)]
    pieces = [int(piece) if i % 2 else piece for i, piece in enumerate(re.split(r"(\d{1,9})", stem))]
    return not _PUT_AWAY.search(stem), len(_FINAL.findall(stem)), max(numbers, default=0), pieces


def undone(parsed: Parsed) -> set[str]:
    """Return the names that a statement defines as a skeleton does: with a function or method that does nothing yet."""
    last = {node.name: node for node in at_once([parsed.node], classes=False) if isinstance(node, _DEFINITION)}
    return {name for name, node in last.items() if _is_skeleton(node)}


def _is_skeleton(node: ast.AST) -> bool:
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        return any(map(_does_nothing, methods)) or not any(map(_does_something, node.body))
    return isinstance(node, ast.FunctionDef) and _does_nothing(node)


def _does_nothing(function: ast.FunctionDef) -> bool:
    last = function.body[-1]
    raised = last.exc if isinstance(last, ast.Raise) else None
    error = raised.func if isinstance(raised, ast.Call) else raised
    refuses = isinstance(error, ast.Name) and error.id == "NotImplementedError"
    return refuses or not any(map(_does_something, function.body))


def _does_something(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Pass) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
