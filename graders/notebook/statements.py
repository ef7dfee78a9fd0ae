"""Text to statements: what each top-level statement binds, changes and uses, at once or when its functions are called.

A syntax error costs only the statement that it is in. Names are resolved by Python's own `symtable`, so a local
variable of a method is never taken for a global of the same name.
"""

from __future__ import annotations

import ast
import symtable
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graders.model import Statement
from graders.notebook.calls import Calls, at_once, bodies_of, calls_of, dotted
from graders.notebook.cells import Cell, clean, looks_magic, without_magics
from graders.notebook.salvage import UNREADABLE, pieces

MUTATORS = frozenset({"add", "append", "extend", "insert", "setdefault", "update"})
# Calls with an effect on the whole process, which the student's definitions may rely on. Mixed precision is none of
# them: it is for speed on a GPU and would drown the comparison of values.
_SETTINGS = (
    "enable_numpy_behavior experimental_enable_numpy_behavior filterwarnings manual_seed run_functions_eagerly seed "
    "set_default_dtype set_floatx set_image_data_format set_random_seed set_seed simplefilter"
)
SETTINGS = frozenset(_SETTINGS.split())
_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
_CONDITIONAL = (ast.If, ast.While, ast.Try, ast.TryStar, ast.Match)
_COMPOUND = (*_CONDITIONAL, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)

# `warnings.catch_warnings` changes the state of the process, so one thread at a time.
_quiet = threading.Lock()


@dataclass(frozen=True, eq=False)
class Parsed:
    """A top-level statement and its names.

    `mutates` are names whose object it changes in place; `calls` what it calls at once; `bodies` the calls that its
    functions and classes make when they are called.
    """

    statement: Statement
    node: ast.stmt
    binds: frozenset[str]
    mutates: frozenset[str]
    uses_now: frozenset[str]
    uses_later: frozenset[str]
    calls: Calls
    bodies: Mapping[str, Calls]

    @property
    def is_definition(self) -> bool:
        """Whether it is a class or a function."""
        return isinstance(self.node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)

    @property
    def is_import(self) -> bool:
        """Whether it is an import of any kind."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_future(self) -> bool:
        """Whether it is `from __future__ import ...`."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def is_star(self) -> bool:
        """Whether it is `from ... import *`."""
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"

    @property
    def is_compound(self) -> bool:
        """Whether it has statements inside that run at once."""
        return isinstance(self.node, _COMPOUND)

    @property
    def is_setting(self) -> bool:
        """Whether it is a call like `tf.random.set_seed(1)`, whose effect is on the whole process."""
        call = self.node.value if isinstance(self.node, ast.Expr) else None
        return isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] in SETTINGS


def parse_module(text: str) -> ast.Module:
    """Parse a text without showing its warnings; raises one of UNREADABLE."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _table(text: str) -> symtable.SymbolTable:
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return symtable.symtable(text, "cell", "exec")


def parse_cell(cell: Cell) -> tuple[list[Parsed], list[str]]:
    """Return the statements of a cell, and a note for each part of it that is no Python."""
    statements: list[Parsed] = []
    notes: list[str] = []
    for first, read in pieces(cell.text, _read):
        if isinstance(read, Exception):
            notes.append(_note(cell.place, first, read))
            continue
        lines, module = read
        for node in module.body:
            try:
                statements.append(_parsed(node, lines, Statement(cell.place, first, "")))
            except UNREADABLE as error:
                notes.append(_note(cell.place, first + node.lineno - 1, error))
    return statements, notes


def _read(text: str) -> tuple[list[str], ast.Module]:
    """Parse a text as Python, else as IPython; returns the lines of the Python text too."""
    try:
        return text.split("\n"), parse_module(text)
    except UNREADABLE:
        if not looks_magic(text):
            raise
    python = without_magics(text)
    return python.split("\n"), parse_module(python)


def _note(place: str, first: int, error: Exception) -> str:
    message = error.msg if isinstance(error, SyntaxError) else "cannot be read (bad characters or nested too deeply)"
    line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
    return f"{place}, line {first + line - 1}: {clean(message)}"


def _parsed(node: ast.stmt, lines: list[str], origin: Statement) -> Parsed:
    """Return the statement of a node of the text `lines`, which begins at the place and line of `origin`."""
    start, source = _segment(node, lines)
    names = _Names(_table(source), node)
    return Parsed(
        statement=Statement(origin.place, origin.line + start - 1, source),
        node=node,
        binds=names.binds,
        mutates=names.mutates,
        uses_now=names.now,
        uses_later=names.later,
        calls=calls_of(at_once([node])),
        bodies=bodies_of(node),
    )


def _segment(node: ast.stmt, text: list[str]) -> tuple[int, str]:
    """Return the first line of a statement and its exact text, with its decorators."""
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    lines = [line.encode() for line in text[start - 1 : node.end_lineno]]
    lines[-1] = lines[-1][: node.end_col_offset]
    if not decorators:
        lines[0] = lines[0][node.col_offset :]
    return start, b"\n".join(lines).decode()


class _Names:
    """The names of a statement: those that it binds and mutates, and uses at once or later."""

    def __init__(self, table: symtable.SymbolTable, node: ast.stmt) -> None:
        symbols = table.get_symbols()
        bound = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
        bare = isinstance(node, ast.Delete) or (isinstance(node, ast.AnnAssign) and node.value is None)
        self.binds = frozenset() if bare else frozenset(bound)
        now = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
        later: set[str] = set()
        for name, at_start in _globals(table):
            (now if at_start else later).add(name)
        nodes = list(at_once([node], classes=False))
        self.mutates = frozenset(name for part in nodes for name in _mutated(part)) - self.binds
        now |= self.mutates | {name for part in nodes for name in _augmented(part)}
        if isinstance(node, _CONDITIONAL):
            now |= self.binds  # it may bind nothing, then what was bound before counts
        self.now = frozenset(now)
        self.later = frozenset(later)


def _globals(top: symtable.SymbolTable) -> Iterator[tuple[str, bool]]:
    """Yield the globals that nested scopes use, and whether at once: in class bodies and comprehensions."""
    stack = [(child, True) for child in top.get_children()]
    while stack:
        table, now = stack.pop()
        is_body = str(table.get_type()) == "function" and table.get_name() not in _COMPREHENSIONS
        now = now and not is_body
        yield from ((symbol.get_name(), now) for symbol in table.get_symbols() if symbol.is_global())
        stack.extend((child, now) for child in table.get_children())


def _augmented(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _mutated(node: ast.AST) -> Iterator[str]:
    """Yield the name whose object a node changes: `x.a = 1`, `x[0] = 1`, `x.append(1)`, `setattr(x, ...)`."""
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        yield from _root(node)
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return
    call = node.value
    if isinstance(call.func, ast.Attribute) and call.func.attr in MUTATORS:
        yield from _root(call.func.value)
    if isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args:
        yield from _root(call.args[0])


def _root(node: ast.AST) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def definition(parsed: Parsed, name: str) -> ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the last class or function of that name that the statement defines."""
    found = None
    for node in at_once([parsed.node], classes=False):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            found = node
    return found
