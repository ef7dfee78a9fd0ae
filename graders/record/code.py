"""What the code of a cell calls, in it and in the notebook's own functions: whether it trains, evaluates, generates."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graders.notebook.cells import LONGEST_CELL, Cell, clean, magic_work, python_cell
from graders.notebook.statements import Parsed, parse_cell
from graders.record.saved import Saved

MOST_CODE = 2_000_000  # characters of a notebook's code that are read
TRAINS = re.compile(r"fit|train|backward|apply_gradients|minimize|learn", re.IGNORECASE)
_EVALUATES = re.compile(r"evaluate|test_on_batch|test_step|^test|validate", re.IGNORECASE)
# None of a loader's names: DataGenerator, from_generator, random.sample.
_GENERATES = re.compile(r"predict|generate|generation|sample_|_samples?$|sampling", re.IGNORECASE)
_MODEL = re.compile(r"model|cnn|net(?:work)?$", re.IGNORECASE)
_LOADS = re.compile(r"^(?:compile|load_weights|load_model|fit)$")
_SORTS = re.compile(r"^(?:arg)?(?:sort|partition)$|^sorted$|^top_?k$|^n(?:smallest|largest)$")
_LONGEST_SORT, _MOST_INDICES = 200, 8  # characters; indices and methods behind a call
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{3,20}(?![\w.])")


@dataclass(frozen=True)
class Code:
    """What is known of a cell's code. `calls` are the last parts of the names; `numbers` stand in it as they are.

    `classes` are those of the notebook's own that it names, as a name or as a text, in the order in which it does;
    `negative` are the names that it gives a negative number: arguments, parameters, variables; `sorts` are the
    expressions in it that sort, with what is taken of the result.
    """

    calls: frozenset[str] = frozenset()
    generates: bool = False
    numbers: frozenset[float] = field(default=frozenset())
    classes: tuple[str, ...] = ()
    negative: frozenset[str] = field(default=frozenset())
    sorts: tuple[str, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether it calls something that may train."""
        return any(map(TRAINS.search, self.calls))

    @property
    def evaluates(self) -> bool:
        """Whether it calls something that may evaluate."""
        return any(map(_EVALUATES.search, self.calls))

    @property
    def has_model(self) -> bool:
        """Whether a model is made ready in it."""
        return any(map(_LOADS.match, self.calls))


def read_code(cells: Sequence[Saved]) -> dict[int, Code]:
    """Return what the code of each cell of one notebook does, by the cell's number."""
    parsed: dict[int, list[Parsed]] = {}
    left = MOST_CODE
    for cell in cells:
        left -= magic_work(cell.source)
        if cell.is_code and left > 0 and len(cell.source) <= LONGEST_CELL:
            parts = python_cell(Cell(cell.place, clean(cell.source)))
            parsed[cell.number] = [one for part in parts if not part.module for one in parse_cell(part)[0]]
    every = [one for found in parsed.values() for one in found]
    bodies = bodies_of_all(iter(every))
    own = {one.node.name for one in every if isinstance(one.node, ast.ClassDef)}
    return {number: _code(found, bodies, own) for number, found in parsed.items()}


def bodies_of_all(statements: Iterator[Parsed]) -> dict[str, set[str]]:
    """Return the calls that each function and class of some statements makes when it is called."""
    bodies: dict[str, set[str]] = {}
    for statement in statements:
        for name, calls in statement.bodies.items():
            bodies.setdefault(name, set()).update(calls.names)
    return bodies


def reached(names: Collection[str], bodies: Mapping[str, Collection[str]]) -> set[str]:
    """Return the names that are called, and those that the functions behind them call."""
    todo, found = list(names), set(names)
    while todo:
        new = set(bodies.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def _code(statements: Sequence[Parsed], bodies: Mapping[str, Collection[str]], own: Collection[str]) -> Code:
    calls = reached({name for one in statements for name in one.calls.names}, bodies)
    lasts = frozenset(name.rpartition(".")[2] for name in calls)
    generates = any(map(_GENERATES.search, lasts)) or any(_loops_over_model(one.node) for one in statements)
    numbers = frozenset(number for one in statements for number in _numbers(one.node))
    classes = (name for one in statements for name in _named(one.node) if name in own)
    negative = frozenset(name for one in statements for name in _negative(one.node))
    sorts = (expression for one in statements for expression in _sorts(one.node))
    return Code(lasts, generates, numbers, tuple(dict.fromkeys(classes)), negative, tuple(dict.fromkeys(sorts)))


def _named(node: ast.AST) -> Iterator[str]:
    """Yield the names and the texts that a statement holds; of a class its name alone, not what it is made of."""
    if isinstance(node, ast.ClassDef):
        yield node.name
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _loops_over_model(node: ast.AST) -> bool:
    """Return whether a loop in it calls a thing that is named like a model: `pixel_cnn(pixels)`."""
    loops = (part for part in ast.walk(node) if isinstance(part, ast.For | ast.While))
    called = (call.func for loop in loops for call in ast.walk(loop) if isinstance(call, ast.Call))
    return any(isinstance(func, ast.Name) and _MODEL.search(func.id) for func in called)


def _negative(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement gives a negative number as an argument, a default or a value."""
    for part in ast.walk(node):
        named: list[tuple[str, ast.expr | None]] = []
        if isinstance(part, ast.keyword):
            named = [(part.arg or "", part.value)]
        elif isinstance(part, ast.Assign):
            named = [(one.id, part.value) for one in part.targets if isinstance(one, ast.Name)]
        elif isinstance(part, ast.arguments):
            named = [(one.arg, value) for one, value in zip(part.args[::-1], part.defaults[::-1], strict=False)]
            named += [(one.arg, value) for one, value in zip(part.kwonlyargs, part.kw_defaults, strict=True)]
        yield from (name for name, value in named if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub))


def _sorts(node: ast.AST) -> Iterator[str]:
    """Yield the calls of a statement that sort, each with the indices and methods behind it; none of long ones."""
    above = {id(child): part for part in ast.walk(node) for child in ast.iter_child_nodes(part)}
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _SORTS.search(_last(part.func)):
            whole: ast.expr = part
            for _ in range(_MOST_INDICES):
                up = above.get(id(whole))
                if isinstance(up, ast.Subscript | ast.Attribute | ast.Call) and _goes_on(up, whole):
                    whole = up
            if whole.lineno == whole.end_lineno and (whole.end_col_offset or 0) - whole.col_offset < _LONGEST_SORT:
                yield ast.unparse(whole)


def _last(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _goes_on(up: ast.Subscript | ast.Attribute | ast.Call, whole: ast.expr) -> bool:
    """Return whether a node takes an index or a method of an expression, or calls it."""
    return (up.func if isinstance(up, ast.Call) else up.value) is whole


def _numbers(node: ast.AST) -> Iterator[float]:
    """Yield the numbers with three decimals or more that a statement holds, in texts too; a bare text is a remark."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, float | str):
            yield from map(float, _NUMBER.findall(str(part.value)))
